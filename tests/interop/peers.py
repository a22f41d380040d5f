"""
Real clients as child processes, while the server goes on in this one.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any, TypeVar

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Outcome:
    """
    How a process ended.

    @ivar code: its exit status; negative for a signal, None if it had to be killed because its time was over.
    @ivar seconds: how long it took.
    """

    code: int | None
    output: bytes
    errors: str
    seconds: float


def require(program: str) -> str:
    """
    The path of a program. The test is skipped if it is not installed; it fails with C{MEDIASRV_REQUIRE_PEERS=1}.
    """
    found = shutil.which(program)
    if found is None:
        missing(f"{program} is not installed")
    return str(found)


def missing(reason: str) -> None:
    """Skips the test for want of a peer, or fails it where peers are a must."""
    if os.environ.get("MEDIASRV_REQUIRE_PEERS") == "1":
        pytest.fail(f"{reason}, and MEDIASRV_REQUIRE_PEERS=1", pytrace=False)
    pytest.skip(reason)


def run(arguments: list[str], seconds: float) -> Deferred[Outcome]:
    """
    Runs a program.

    @param seconds: after which it is killed, and whatever it has started.
    """
    process = _Process(seconds)
    executable = arguments[0]
    # stdin is empty: ffmpeg would take keys from it
    reactor.spawnProcess(process, executable, arguments, env=os.environ, childFDs={0: "w", 1: "r", 2: "r"})
    return process.ended


def runPython(script: str, *arguments: str, seconds: float) -> Deferred[Outcome]:
    """Runs one of this folder's scripts in an interpreter of its own."""
    path = os.path.join(os.path.dirname(__file__), script)
    return run([sys.executable, path, *arguments], seconds)


def together(clients: Iterable[Coroutine[Any, Any, _Result]]) -> Deferred[list[_Result]]:
    """What several clients, who run at the same time, come to."""
    return gatherResults([Deferred.fromCoroutine(client) for client in clients], consumeErrors=True)


class _Process(ProcessProtocol):
    def __init__(self, seconds: float) -> None:
        self._output: list[bytes] = []
        self._errors: list[bytes] = []
        self._killed = False
        self._started = reactor.seconds()
        self._timer = reactor.callLater(seconds, self._kill)
        self.ended: Deferred[Outcome] = Deferred(lambda _: self._kill())

    def connectionMade(self) -> None:
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self._output.append(data)

    def errReceived(self, data: bytes) -> None:
        self._errors.append(data)

    def _kill(self) -> None:
        self._killed = True
        if self._timer.active():
            self._timer.cancel()
        # its group alone would not do: Node.js starts browsers in groups of their own
        for each in _family(self.transport.pid) if self.transport.pid else ():
            with suppress(ProcessLookupError):
                os.kill(each, SIGKILL)

    def processEnded(self, reason: Failure) -> None:
        if self._timer.active():
            self._timer.cancel()
        status: Any = reason.value
        code = None if self._killed else (-status.signal if status.signal else status.exitCode)
        errors = b"".join(self._errors).decode(errors="replace")
        self.ended.callback(Outcome(code, b"".join(self._output), errors, reactor.seconds() - self._started))


def _family(pid: int) -> list[int]:
    """A process and those that it has started, and these, and so on; where the system tells it, which Linux does."""
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in _parents():
        children[parent].append(child)
    family = [pid]
    for each in family:
        family += children[each]
    return family


def _parents() -> Iterator[tuple[int, int]]:
    """Each process with its parent."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            # the name, in brackets, may have any characters
            yield int(path.parent.name), int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
