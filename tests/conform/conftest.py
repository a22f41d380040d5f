"""
Our own server in a process of its own, since the checker blocks, and checks that are asked many at once.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from film import makeFilm

#: what the server's log says of its port
_STARTING = re.compile(r"RTSP starting on ([0-9]+)")


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    makeFilm(folder / "film.mp4")
    makeFilm(folder / "silent.mp4", sound=False)
    return folder


@pytest.fixture(scope="session")
def port(films: Path) -> Iterator[int]:
    """Of the server, which serves the films as C{/m/}."""
    command = [sys.executable, "-m", "twisted", "--log-format", "text", "mediasrv", "--media", f"m={films}"]
    ports = ["--port", "tcp:0:interface=127.0.0.1", "--rtp-port", "0", "--http", "none"]
    log = films / "server.log"
    with log.open("w") as output, subprocess.Popen([*command, *ports], stdout=output, stderr=output) as server:
        deadline = time.monotonic() + 30
        while not (found := _STARTING.search(log.read_text())):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield int(found[1])
        server.terminate()
