"""Bodies on their way: by the kernel and by write, slow readers, files that change, connections that end."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from fileserving import Client, FileServer, pause, settled
from twisted.internet.defer import Deferred, gatherResults

from mediasrv.web import coldfiles, downloads, sending
from mediasrv.web.sending import DirectSending, Sending, WrittenSending

#: more than the buffers of a connection hold
LARGE = 64 << 20
SMALL = 3_000_001

Serve = Callable[..., Awaitable[FileServer]]
WAYS = pytest.mark.parametrize("isSecure", [False, True], ids=["direct", "written"])


@pytest_twisted.async_yield_fixture
async def serve(tmp_path: Path, cleanReactor: None) -> AsyncIterator[Serve]:
    servers: list[FileServer] = []

    async def start(isSecure: bool, **options: Any) -> FileServer:
        folder = tmp_path / "files"
        folder.mkdir(exist_ok=True)
        servers.append(await FileServer(folder, **options).start(tmp_path / "pem" if isSecure else None))
        return servers[-1]

    yield start
    for server in servers:
        await server.stop()
        assert not server.downloads._files._used
        assert not server.downloads._files._idle


def content(path: Path, size: int = SMALL) -> bytes:
    data = random.Random(1).randbytes(size)
    path.write_bytes(data)
    return data


def zeros(path: Path, size: int = LARGE) -> None:
    """A large file that takes no room."""
    with open(path, "wb") as file:
        file.truncate(size)


async def begin(server: FileServer, name: str, *lines: str) -> Client:
    """A client that has the headers and the first bytes of a body, and then reads no more."""
    client = await server.connect()
    client.ask(name, *lines)
    await client.until(lambda: client.count > 1000)
    client.transport.pauseProducing()
    await settled(lambda: _isWaiting(server))
    return client


def _isWaiting(server: FileServer) -> bool:
    """Whether what the server sends has come to a halt."""
    (one,) = server.downloads._active
    before = one.__dict__.setdefault("_before", -1)
    one.__dict__["_before"] = one.sent
    return one.sent == before and one.sent < LARGE


async def rest(client: Client) -> bytes:
    """The body, after what was read before."""
    client.transport.resumeProducing()
    return (await client.answer()).body


@WAYS
@pytest.mark.parametrize("size", [1, 1000, SMALL])
async def testAllOfIt(serve: Serve, isSecure: bool, size: int) -> None:
    server = await serve(isSecure)
    data = content(server.folder / "a.bin", size)
    assert (await server.ask("a.bin")).body == data
    assert len(server.downloads) == 0


@WAYS
async def testTheWayOfIt(serve: Serve, isSecure: bool) -> None:
    """Plain connections have the short one, and have what they had before afterwards."""
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    (one,) = server.downloads._active
    assert type(one) is (WrittenSending if isSecure else DirectSending)
    transport, channel = one._transport, one._request.channel
    client.transport.resumeProducing()
    answer = await client.answer()
    assert len(answer.body) == LARGE
    if not isSecure:
        assert transport.producer is channel
        assert transport.streamingProducer
    client.ask("a.bin", "Range: bytes=5-9")
    assert (await client.answer()).body == bytes(5)


@WAYS
async def testPieces(serve: Serve, isSecure: bool) -> None:
    """Words and bytes of the file in turn."""
    server = await serve(isSecure)
    data = content(server.folder / "a.bin")
    answer = await server.ask("a.bin", "Range: bytes=0-99999,1000000-1999999,-5")
    assert len(answer.body) == int(answer.headers["content-length"])
    for part in (data[:100_000], data[1_000_000:2_000_000], data[-5:]):
        assert part in answer.body


@WAYS
async def testASlowReader(serve: Serve, isSecure: bool) -> None:
    """Costs no memory: what it does not take stays in the file."""
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    (one,) = server.downloads._active
    transport = one._transport.transport if isSecure else one._transport
    assert len(transport.dataBuffer) + transport._tempDataLen < 400_000
    assert one.sent < LARGE
    assert len(await rest(client)) == LARGE


@WAYS
async def testTheFileIsCutOff(serve: Serve, isSecure: bool) -> None:
    """The client is not told that this was all."""
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    (one,) = server.downloads._active
    os.truncate(server.folder / "a.bin", one.sent + 1000)
    assert 0 < len(await rest(client)) < LARGE
    assert client.isClosed


@WAYS
async def testTheFileIsWrittenOver(serve: Serve, isSecure: bool) -> None:
    """The end of another version does not follow the beginning of this one."""
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    with open(server.folder / "a.bin", "r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"x" * 1000)
    body = await rest(client)
    assert 0 < len(body) < LARGE
    assert b"x" not in body
    assert client.isClosed


@WAYS
async def testTheFileIsReplaced(serve: Serve, isSecure: bool) -> None:
    """Who has its beginning gets its end; who comes now gets the new one."""
    server = await serve(isSecure)
    data = content(server.folder / "a.bin", LARGE)
    client = await begin(server, "a.bin")
    (server.folder / "new").write_bytes(b"new")
    os.replace(server.folder / "new", server.folder / "a.bin")
    assert (await server.ask("a.bin")).body == b"new"
    assert hashlib.sha256(await rest(client)).digest() == hashlib.sha256(data).digest()


@WAYS
async def testTheFileIsRemoved(serve: Serve, isSecure: bool) -> None:
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    (server.folder / "a.bin").unlink()
    assert (await server.ask("a.bin")).code == 404
    assert len(await rest(client)) == LARGE


@WAYS
async def testTheFileGrows(serve: Serve, isSecure: bool) -> None:
    """What was promised is sent, as of a recording that goes on."""
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    with open(server.folder / "a.bin", "ab") as file:
        file.write(b"more")
    assert len(await rest(client)) == LARGE
    assert not client.isClosed
    client.ask("a.bin", "Range: bytes=-4")
    answer = await client.answer()
    assert answer.headers["content-range"] == f"bytes {LARGE}-{LARGE + 3}/{LARGE + 4}"
    assert answer.body == b"more"


@WAYS
async def testTheClientLeaves(serve: Serve, isSecure: bool) -> None:
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    client.transport.abortConnection()
    await settled(lambda: len(server.downloads) == 0)
    assert not server.downloads._files._used


@WAYS
async def testTheClientStopsReading(serve: Serve, isSecure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """For longer than anybody waits."""
    monkeypatch.setattr(downloads, "_SWEEP", 0.02)
    server = await serve(isSecure, idleTimeout=0.1)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    await settled(lambda: len(server.downloads) == 0)
    client.transport.resumeProducing()
    await client.until(lambda: client.isClosed)
    assert client.count < LARGE


@WAYS
async def testTheClientReadsSlowly(serve: Serve, isSecure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """But goes on reading: even when for long nothing more fits into the buffers in between."""
    monkeypatch.setattr(downloads, "_SWEEP", 0.02)
    server = await serve(isSecure, idleTimeout=0.5)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    (one,) = server.downloads._active
    sent = one.sent
    for _ in range(10):
        count = client.count
        client.transport.resumeProducing()
        await client.until(lambda count=count: client.count > count)
        client.transport.pauseProducing()
        await pause(0.1)
    assert len(server.downloads) == 1
    assert one.sent - sent < 10 << 20
    assert len(await rest(client)) == LARGE


async def testStalled(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is who takes nothing, not who waits for our disk; and what the kernel still has shows who takes something."""
    server = await serve(False)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    (one,) = server.downloads._active
    await settled(one.isStalled)
    monkeypatch.setattr(sending, "_unacknowledged", lambda transport: 5)
    assert not one.isStalled()
    assert one.isStalled()
    one._isReading = True
    assert not one.isStalled()
    one._isReading = False
    assert len(await rest(client)) == LARGE


@WAYS
async def testFromADisk(serve: Serve, isSecure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not in memory is read by a thread."""
    monkeypatch.setattr(sending, "isInMemory", lambda *arguments: False)
    monkeypatch.setattr(sending, "readNow", lambda *arguments: None)
    monkeypatch.setattr(sending, "AHEAD", 300_000)
    server = await serve(isSecure)
    data = content(server.folder / "a.bin")
    assert (await server.ask("a.bin")).body == data
    assert (await server.ask("a.bin", "Range: bytes=5-5,100-")).body.count(data[100:]) == 1


@WAYS
async def testTheDiskIsBroken(serve: Serve, isSecure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError(errno.EIO, "broken")

    for name in ("warm", "read"):
        monkeypatch.setattr(sending, name, fail)
    monkeypatch.setattr(sending, "isInMemory", lambda *arguments: False)
    monkeypatch.setattr(sending, "readNow", lambda *arguments: None)
    server = await serve(isSecure)
    content(server.folder / "a.bin")
    client = await server.connect()
    client.ask("a.bin")
    answer = await client.answer()
    assert answer.code == 200
    assert answer.body == b""
    assert client.isClosed


@WAYS
async def testTheClientLeavesWhileTheDiskWakes(serve: Serve, isSecure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays open until the thread has read."""
    reading: list[Deferred[Any]] = []

    def later(reactor: object, pool: object, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        reading.append(Deferred())
        return reading[-1].addCallback(lambda _: call(*arguments))

    monkeypatch.setattr(sending, "deferToThreadPool", later)
    monkeypatch.setattr(sending, "isInMemory", lambda *arguments: False)
    monkeypatch.setattr(sending, "readNow", lambda *arguments: None)
    server = await serve(isSecure)
    content(server.folder / "a.bin")
    client = await server.connect()
    client.ask("a.bin")
    await settled(lambda: bool(reading))
    client.transport.abortConnection()
    (one,) = server.downloads._active
    await settled(lambda: one._isOver)
    assert len(server.downloads) == 1
    reading[0].callback(None)
    assert len(server.downloads) == 0


class Log:
    """
    Who watches downloads.
    """

    def __init__(self) -> None:
        self.octets = 0
        self.ends = 0
        self.abort: Callable[[], None] | None = None

    def __call__(self, request: Any, located: Any, abort: Callable[[], None]) -> Log:
        assert request.path == b"/a.bin"
        assert located.path.endswith("a.bin")
        self.abort = abort
        return self

    def sent(self, octets: int) -> None:
        self.octets += octets

    def finished(self) -> None:
        self.ends += 1


@WAYS
async def testAWatcher(serve: Serve, isSecure: bool) -> None:
    server = await serve(isSecure)
    data = content(server.folder / "a.bin")
    log = server.downloads.started = Log()
    answer = await server.ask("a.bin", "Range: bytes=5-1000004")
    assert answer.body == data[5:1_000_005]
    assert log.octets == 1_000_000
    assert log.ends == 1
    assert log.abort is not None
    log.abort()  # too late, and no harm
    assert log.ends == 1


async def testNoWatcher(serve: Serve) -> None:
    """Not for what has no body; and nobody has to want to know."""
    server = await serve(False)
    content(server.folder / "a.bin")
    log = server.downloads.started = Log()
    await server.ask("a.bin", method="HEAD")
    await server.ask("a.bin", "If-None-Match: *")
    assert log.abort is None
    server.downloads.started = lambda request, located, abort: None
    assert len((await server.ask("a.bin")).body) == SMALL


@WAYS
async def testSomebodyEndsIt(serve: Serve, isSecure: bool) -> None:
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    log = server.downloads.started = Log()
    client = await begin(server, "a.bin")
    assert log.abort is not None
    log.abort()
    client.transport.resumeProducing()
    await client.until(lambda: client.isClosed)
    assert client.count < LARGE
    assert log.ends == 1


@WAYS
async def testTheServerStops(serve: Serve, isSecure: bool) -> None:
    """And starts again."""
    server = await serve(isSecure)
    zeros(server.folder / "a.bin")
    client = await begin(server, "a.bin")
    server.downloads.stop()
    client.transport.resumeProducing()
    await client.until(lambda: client.isClosed)
    assert not server.downloads._files._used
    assert not server.downloads._files._idle
    server.downloads.start()
    assert len((await server.ask("a.bin")).body) == LARGE


@WAYS
async def testManyConnections(serve: Serve, isSecure: bool) -> None:
    server = await serve(isSecure)
    data = content(server.folder / "a.bin")
    choose = random.Random(2)
    clients = [await server.connect() for _ in range(60)]

    async def some(client: Client) -> None:
        for _ in range(5):
            start = choose.randrange(SMALL - 500_000)
            stop = start + choose.randrange(1, 500_000)
            client.ask("a.bin", f"Range: bytes={start}-{stop - 1}")
            assert (await client.answer()).body == data[start:stop]

    await gatherResults([Deferred.fromCoroutine(some(client)) for client in clients])
    assert len(server.downloads._files._idle) == 1


async def testAnErrorOfOurs(serve: Serve, monkeypatch: pytest.MonkeyPatch, loggedFailures: list[Any]) -> None:
    """Is logged, and the client is not left waiting."""
    monkeypatch.setattr(Sending, "_advance", lambda *arguments: 1 / 0)
    server = await serve(False)
    content(server.folder / "a.bin")
    client = await server.connect()
    client.ask("a.bin")
    await client.until(lambda: client.isClosed)
    assert loggedFailures.pop().check(ZeroDivisionError)


def testInMemory(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    data = content(path, 100_000)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert coldfiles.warm(descriptor, 0, 100_000)
        if coldfiles.isInMemory(descriptor, 0, 100_000):  # a file system may be unable to tell
            assert coldfiles.readNow(descriptor, 5, 10) == data[5:15]
            assert coldfiles.readNow(descriptor, 99_995, 10) == data[-5:]
        assert not coldfiles.isInMemory(descriptor, 0, 100_001)
        assert coldfiles.readNow(descriptor, 100_000, 10) is None
        assert not coldfiles.warm(descriptor, 100_000, 10)
        assert coldfiles.read(descriptor, 99_990, 100) == data[-10:]
    finally:
        os.close(descriptor)
    assert not coldfiles.isInMemory(descriptor, 0, 1)


def testWhereNobodyCanTell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for a thread."""
    monkeypatch.setattr(coldfiles, "_NO_WAIT", None)
    assert not coldfiles.isInMemory(0, 0, 1)
    assert coldfiles.readNow(0, 0, 1) is None
