"""Those who run real clients leave nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from peers import run
from twisted.internet import reactor
from twisted.internet.task import deferLater

#: starts something in a session of its own, as Node.js starts browsers
_STARTER = """
import subprocess
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def isThere(pid: int) -> bool:
    """Whether a process runs: one that nobody has collected yet is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells who has started whom")
@pytest.mark.deadline(60)
async def test_outOfTime() -> None:
    """What has run out of time goes, and what it has started with it."""
    outcome = await run([sys.executable, "-c", _STARTER], 5.0)
    assert outcome.code is None
    while isThere(int(outcome.output)):  # what is killed takes its time
        await deferLater(reactor, 0.05)
