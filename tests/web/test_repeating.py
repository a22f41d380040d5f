"""Range after range in the same words: answered without being taken apart, and not otherwise than before."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from fileserving import Client, FileServer, pause, settled

from mediasrv.web import recentfiles
from mediasrv.web.files import FileResource
from mediasrv.web.refusals import Refusal

CONTENT = random.Random(1).randbytes(100_000)
SIZE = len(CONTENT)


class Ordinary:
    """
    Counts requests that were taken apart.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        render = FileResource.render

        def counted(resource: FileResource, request: Any) -> int:
            self.count += 1
            return render(resource, request)

        monkeypatch.setattr(FileResource, "render", counted)


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> Ordinary:
    monkeypatch.setattr(recentfiles, "MOMENT", 100.0)
    return Ordinary(monkeypatch)


@pytest_twisted.async_yield_fixture
async def server(tmp_path: Path, cleanReactor: None) -> AsyncIterator[FileServer]:
    (tmp_path / "a.mp4").write_bytes(CONTENT)
    os.utime(tmp_path / "a.mp4", (1000, 1000))
    (tmp_path / "b.mp4").write_bytes(CONTENT[::-1])
    server = await FileServer(tmp_path).start()
    yield server
    await server.stop()


async def fetch(client: Client, start: int, stop: int, *lines: str, name: str = "a.mp4") -> dict[str, str]:
    """Asks for a range, and sees that it is right."""
    client.ask(name, *lines, f"Range: bytes={start}-{stop - 1}")
    answer = await client.answer()
    content = CONTENT if name == "a.mp4" else CONTENT[::-1]
    assert answer.code == 206
    assert answer.body == content[start:stop]
    assert answer.headers["content-range"] == f"bytes {start}-{min(stop, SIZE) - 1}/{SIZE}"
    return answer.headers


async def testTheSameWords(server: FileServer, ordinary: Ordinary) -> None:
    client = await server.connect()
    first = await fetch(client, 5, 10)
    for start in range(0, 1000, 10):
        headers = await fetch(client, start, start + 500)
        assert {**headers, "date": "", "content-range": "", "content-length": "500"} == {
            **first,
            "date": "",
            "content-range": "",
            "content-length": "500",
        }
    await fetch(client, SIZE - 5, SIZE + 100)
    assert ordinary.count == 1
    assert len(server.downloads) == 0


async def testOtherWords(server: FileServer, ordinary: Ordinary) -> None:
    """Another file, another header, another kind of range: each is looked at."""
    client = await server.connect()
    await fetch(client, 0, 10)
    await fetch(client, 0, 10, name="b.mp4")
    await fetch(client, 0, 10, "Accept: */*")
    await fetch(client, 0, 10, "X-a: b", "Accept: */*")
    await fetch(client, 0, 10)
    assert ordinary.count == 5
    for value, code in (("5-", 206), ("-5", 206), ("5-4", 200), ("1-2,5-6", 206), (f"{SIZE}-{SIZE}", 416), ("x", 200)):
        await fetch(client, 0, 10)
        client.ask("a.mp4", f"Range: bytes={value}")
        assert (await client.answer()).code == code


async def testHead(server: FileServer, ordinary: Ordinary) -> None:
    client = await server.connect()
    for _ in range(2):
        client.ask("a.mp4", "Range: bytes=0-5", method="HEAD")
        assert (await client.answer(isHead=True)).code == 200
    assert ordinary.count == 2


async def testTheFileChanges(server: FileServer, ordinary: Ordinary) -> None:
    client = await server.connect()
    first = await fetch(client, 0, 10)
    path = server.folder / "a.mp4"
    path.write_bytes(CONTENT[:1000])
    client.ask("a.mp4", "Range: bytes=5-9")
    answer = await client.answer()
    assert answer.headers["etag"] != first["etag"]
    assert answer.headers["content-range"] == "bytes 5-9/1000"
    path.unlink()
    client.ask("a.mp4", "Range: bytes=5-9")
    assert (await client.answer()).code == 404


async def testOnlyForAMoment(server: FileServer, ordinary: Ordinary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the path is followed once more."""
    monkeypatch.setattr(recentfiles, "MOMENT", 0.0)
    client = await server.connect()
    for _ in range(4):
        await fetch(client, 0, 10)
    assert ordinary.count == 4


async def testInPieces(server: FileServer, ordinary: Ordinary) -> None:
    """Cut anywhere, and several at once."""
    client = await server.connect()
    request = b"GET /a.mp4 HTTP/1.1\r\nHost: x\r\nRange: bytes=%d-%d\r\n\r\n"
    for start in range(60):
        data = request % (start, start + 9)
        client.transport.write(data[:start])
        await pause(0)
        client.transport.write(data[start:])
        assert (await client.answer()).body == CONTENT[start : start + 10]
    client.transport.write(b"".join(request % (start, start + 9) for start in range(50)))
    for start in range(50):
        assert (await client.answer()).body == CONTENT[start : start + 10]


async def testOneMoreWhileOneIsSent(server: FileServer, ordinary: Ordinary) -> None:
    """It waits for its turn."""
    with open(server.folder / "c.bin", "wb") as file:
        file.truncate(64 << 20)
    client = await server.connect()
    for _ in range(3):
        client.ask("c.bin", "Range: bytes=0-9")
        assert len((await client.answer()).body) == 10
        client.ask("c.bin", f"Range: bytes=0-{(64 << 20) - 1}")
        await client.until(lambda: client.count > 1000)
        client.ask("c.bin", "Range: bytes=1-7")
        assert len((await client.answer()).body) == 64 << 20
        assert len((await client.answer()).body) == 7


@pytest.mark.requirement("SEC-25")
async def testABodyThatLooksLikeARequest(server: FileServer, ordinary: Ordinary) -> None:
    """Is none that could be repeated, whoever the next one on the connection is."""
    client = await server.connect()
    trap = b"GET /a.mp4 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n\r\n"
    head = b"GET /a.mp4 HTTP/1.1\r\nHost: y\r\nRange: bytes=0-4\r\nContent-Length: %d\r\n\r\n" % len(trap)
    client.transport.write(head)
    await pause(0.02)
    client.transport.write(trap)
    assert (await client.answer()).body == CONTENT[:5]
    channel = next(iter(server.channels))
    assert channel._again is None
    client.transport.write(head + trap)
    assert (await client.answer()).body == CONTENT[:5]
    assert channel._again is None


async def testTheLastOne(server: FileServer, ordinary: Ordinary) -> None:
    """A client that wants the connection closed gets that."""
    client = await server.connect()
    await fetch(client, 0, 10, "Connection: close")
    await client.until(lambda: client.isClosed)


async def testTheClientLeaves(server: FileServer, ordinary: Ordinary) -> None:
    with open(server.folder / "c.bin", "wb") as file:
        file.truncate(64 << 20)
    client = await server.connect()
    client.ask("c.bin", "Range: bytes=0-9")
    await client.answer()
    client.transport.pauseProducing()
    client.ask("c.bin", f"Range: bytes=0-{(64 << 20) - 1}")
    await settled(lambda: len(server.downloads) == 1)
    client.transport.abortConnection()
    await settled(lambda: len(server.downloads) == 0)
    assert ordinary.count == 1


async def testWatched(server: FileServer, ordinary: Ordinary) -> None:
    """With the request that is repeated."""
    seen = []
    server.downloads.started = lambda request, located, abort: seen.append((request.path, located.path))
    client = await server.connect()
    for start in range(3):
        await fetch(client, start, start + 10)
    assert seen == [(b"/a.mp4", str(server.folder / "a.mp4"))] * 3


async def testTheIdleTimeout(server: FileServer, ordinary: Ordinary) -> None:
    """Runs between requests, not while one is answered."""
    client = await server.connect()
    await fetch(client, 0, 10)
    channel = next(iter(server.channels))
    assert channel.timeOut == 60
    with open(server.folder / "c.bin", "wb") as file:
        file.truncate(64 << 20)
    client.ask("c.bin", "Range: bytes=0-9")
    await client.answer()
    client.transport.pauseProducing()
    client.ask("c.bin", f"Range: bytes=0-{(64 << 20) - 1}")
    await settled(lambda: len(server.downloads) == 1)
    assert channel.timeOut is None
    client.transport.resumeProducing()
    await client.answer()
    assert channel.timeOut == 60
    client.ask("c.bin", "Range: bytes=99-5")
    assert (await client.answer()).code == 200
    assert channel.timeOut == 60


async def testRefused(server: FileServer, ordinary: Ordinary) -> None:
    """A viewer who was ended is told so, in the ordinary way; and may have more when it is forgiven."""
    refusing = False

    def started(request: Any, located: Any, abort: Any) -> None:
        if refusing:
            raise Refusal(403, "No more.")

    server.downloads.started = started
    client = await server.connect()
    await fetch(client, 0, 10)
    refusing = True
    for _ in range(2):
        client.ask("a.mp4", "Range: bytes=5-9")
        answer = await client.answer()
        assert answer.code == 403
        assert answer.body == b"No more.\n"
        assert "content-range" not in answer.headers
    refusing = False
    await fetch(client, 0, 10)
    assert not server.downloads._files._used
