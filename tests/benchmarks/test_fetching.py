"""The client that fetches files counts what comes, and knows when something else does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import files
import pytest
import pytest_twisted
from fetching import FetchError, Fetching, fetch
from fileserving import FileServer
from twisted.internet.threads import deferToThread

SIZE = 300_000


@pytest_twisted.async_yield_fixture
async def server(tmp_path: Path, cleanReactor: None) -> AsyncIterator[FileServer]:
    server = await FileServer(tmp_path).start()
    files.makeFile(str(tmp_path), "a.bin", SIZE)
    yield server
    await server.stop()


def fetching(server: FileServer, size: int = SIZE, length: int = 0, name: str = "a.bin") -> Fetching:
    return Fetching(f"http://127.0.0.1:{server.port}/{name}", size, connections=3, range=length, seconds=0.2)


@pytest.mark.parametrize("length", [0, 1000])
async def testCounts(server: FileServer, length: int) -> None:
    found = await deferToThread(fetch, fetching(server, length=length))
    assert found.answers > 3
    whole = found.answers * (length or SIZE)
    assert whole <= found.octets <= whole + 3 * (length or SIZE)
    assert found.seconds >= 0.2


@pytest.mark.parametrize(
    ("size", "length", "name"), [(SIZE + 1, 0, "a.bin"), (SIZE, 0, "b.bin"), (2 * SIZE, SIZE, "a.bin")]
)
async def testSomethingElse(server: FileServer, size: int, length: int, name: str) -> None:
    with pytest.raises(FetchError, match="unexpected"):
        await deferToThread(fetch, fetching(server, size, length, name))


def testTheFile(tmp_path: Path) -> None:
    """Is made once, and made anew if it is not all there."""
    path = files.makeFile(str(tmp_path), "a.bin", 2_500_000)
    assert os.path.getsize(path) == 2_500_000
    content = Path(path).read_bytes()
    assert Path(files.makeFile(str(tmp_path), "a.bin", 2_500_000)).read_bytes() == content
    os.truncate(path, 5)
    files.makeFile(str(tmp_path), "a.bin", 2_500_000)
    assert os.path.getsize(path) == 2_500_000


def testFigures() -> None:
    runs = [
        {"octets": 4e9, "answers": 8, "seconds": 2.0, "cpu": 1.0, "octetsPerCPUSecond": 4e9},
        {"octets": 1e9, "answers": 2, "seconds": 2.0, "cpu": 1.0, "octetsPerCPUSecond": 1e9},
        {"octets": 2e9, "answers": 4, "seconds": 2.0, "cpu": 1.0, "octetsPerCPUSecond": 2e9},
    ]
    assert files.line("whole", "nginx", runs) == ("whole", "nginx", "1000", "2.00", "250000", "50")
    assert files.partOf(runs, runs[::-1]) == 1.0
