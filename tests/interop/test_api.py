"""The API on real sockets: RTSP sessions seen and ended, listeners that come and go, and one that does not read."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_twisted
from rtspclient import RTSPClient
from serving import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, serverFromString
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure


class Client(Protocol):
    """
    A connection on which one request is sent.

    @ivar data: all that came.
    """

    def __init__(self) -> None:
        self.data = b""
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []
        self.closed: Deferred[None] = Deferred()

    def ask(self, path: str, method: str = "GET", **headers: str) -> None:
        lines = [f"{name}: {value}" for name, value in ({"Host": "127.0.0.1", "Connection": "close"} | headers).items()]
        self.transport.write("\r\n".join([f"{method} /{path} HTTP/1.1", *lines, "", ""]).encode())

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        for isSo, deferred in list(self._waiting):
            if isSo():
                self._waiting.remove((isSo, deferred))
                deferred.callback(None)

    async def until(self, word: bytes) -> None:
        """Waits until something has come."""
        if word not in self.data:
            deferred: Deferred[None] = Deferred()
            self._waiting.append((lambda: word in self.data, deferred))
            await deferred

    async def close(self) -> None:
        self.transport.loseConnection()
        await self.closed

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed.callback(None)

    @property
    def code(self) -> int:
        return int(self.data.split()[1])

    @property
    def text(self) -> str:
        return self.data.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class API:
    """
    The web port of a server.
    """

    def __init__(self, server: Server) -> None:
        self.registry = server.service.registry
        self.oversight = server.service._door.oversight
        self.port: Any = None

    async def connect(self) -> Client:
        return await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", self.port.getHost().port), Client())

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Client:
        """The whole answer."""
        client = await self.connect()
        client.ask(path, method, **headers)
        await client.closed
        return client

    async def listen(self) -> Client:
        """Somebody who has been told of all sessions."""
        client = await self.connect()
        client.ask("-/api/sessions/events")
        await client.until(b"event: snapshot")
        return client

    async def untilListening(self, count: int) -> None:
        """Waits until so many listen."""
        while len(self.oversight.feed) != count:
            await deferLater(reactor, 0.01)


@pytest_twisted.async_yield_fixture
async def api(server: Server) -> AsyncIterator[API]:
    api = API(server)
    api.port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(server.service.webFactory())
    yield api
    await api.port.stopListening()


async def test_rtspSessionsAreSeenAndEnded(server: Server, api: API, clip: Callable[[str], Path]) -> None:
    """All the way: a client plays, an administrator sees it move, and ends it; client and listeners are told."""
    clip("h264.mp4")
    listener = await api.listen()
    watcher = await RTSPClient.connect(server.port)
    await watcher.setUp(server.url("h264.mp4"), "udp")
    await watcher.play()
    await watcher.until(lambda: len(watcher.tracks[0].packets) > 5)
    await listener.until(b"event: added")
    (session,) = (await api.ask("-/api/sessions")).body
    assert (session["door"], session["path"], session["state"]) == ("rtsp", "clips/h264.mp4", "playing")
    assert (session["peer"], session["tracks"][0]) == ("127.0.0.1", "video h264")
    assert session["packetsSent"] > 5
    assert session["duration"] > 1
    (secret,) = [each.id for each in api.registry]
    assert secret.encode() not in listener.data
    await listener.until(b"event: progress")
    assert (await api.ask(f"-/api/sessions/{session['id']}", "DELETE", Origin="http://evil.example")).code == 403
    assert (await api.ask(f"-/api/sessions/{session['id']}", "DELETE")).code == 204
    await watcher.until(lambda: all(track.left is not None for track in watcher.tracks))  # BYE
    await listener.until(f'event: removed\ndata: {{"id":"{session["id"]}"}}'.encode())
    assert len(api.registry) == 0
    assert (await api.ask("-/api/sessions")).body == []
    await watcher.close()
    await listener.close()


async def test_viewersAreSeenAndEnded(api: API, clip: Callable[[str], Path]) -> None:
    """Who gets HLS, or the bytes: seen, with the position, and after its end refused for a while."""
    clip("seek.mp4")
    film = "clips/seek.mp4"
    index = (await api.ask(f"{film}/index.m3u8")).text
    (playlist,) = re.findall(r"^[^#\n]+$", index, re.M)[:1]
    folder = f"{film}/{playlist.rpartition('/')[0]}"
    segments = re.findall(r"^[^#\n]+m4s$", (await api.ask(f"{film}/{playlist}")).text, re.M)
    assert len(segments) > 2
    assert len(api.registry) == 0
    for segment in segments[:3]:
        assert (await api.ask(f"{folder}/{segment}")).code == 200
    (session,) = (await api.ask("-/api/sessions")).body
    assert (session["door"], session["path"], session["packetsSent"]) == ("hls", film, 3)
    assert 7.5 < session["position"] < 12.0  # the third of some four seconds each
    assert session["octetsSent"] > 1000
    assert (await api.ask(film, Range="bytes=0-99")).code == 206
    assert [each["door"] for each in (await api.ask("-/api/sessions")).body] == ["hls", "http"]
    assert (await api.ask(f"-/api/sessions/{session['id']}", "DELETE")).code == 204
    assert len(api.registry) == 0
    for path in (f"{folder}/{segments[0]}", f"{film}/index.m3u8", film):
        answer = await api.ask(path)
        assert (answer.code, "ended by an administrator" in answer.text) == (403, True)
    assert (await api.ask(film, **{"User-Agent": "somebody else"})).code == 200


async def test_healthAndMetrics(api: API) -> None:
    assert (await api.ask("-/health")).body["status"] == "ok"
    metrics = await api.ask("-/metrics")
    assert re.search(r'^mediasrv_cache_limit_bytes\{cache="hls"\} [0-9.e+]+$', metrics.text, re.M)
    assert (await api.ask("-/metrics", Host="evil.example")).code == 403


async def test_aHundredListeners(api: API) -> None:
    """All at once, all told the same; and when they have gone nothing is left."""
    for _ in range(2):
        listeners = await gatherResults([Deferred.fromCoroutine(api.listen()) for _ in range(100)])
        await api.untilListening(100)
        await gatherResults([Deferred.fromCoroutine(each.close()) for each in listeners[:50]])
        await api.untilListening(50)
        for each in listeners[50:]:
            each.transport.abortConnection()
        await api.untilListening(0)


async def test_aSlowListener(server: Server, api: API, clip: Callable[[str], Path]) -> None:
    """What it does not read is not kept for it; the others are told all the while, and so is it when it reads again."""
    clip("h264.mp4")
    slow = await api.listen()
    slow.transport.pauseProducing()
    stream: Any = next(iter(api.oversight.feed._listeners))
    for transport, option in ((slow.transport, socket.SO_RCVBUF), (stream._request.transport, socket.SO_SNDBUF)):
        transport.socket.setsockopt(socket.SOL_SOCKET, option, 4096)  # else the kernel keeps megabytes
    other = await api.listen()
    watcher = await RTSPClient.connect(server.port)
    await watcher.setUp(server.url("h264.mp4"), "udp")
    (session,) = api.registry
    written = 0
    while not stream._isPaused:
        api.registry.changed(session)
        written += 1
        if written % 10 == 0:
            await deferLater(reactor, 0)
    kept = stream._request.sentLength
    for _ in range(1000):
        api.registry.changed(session)
    assert stream._request.sentLength == kept
    told = slow.data.count(b"event: snapshot")
    slow.transport.resumeProducing()
    while slow.data.count(b"event: snapshot") == told:
        await deferLater(reactor, 0.01)
    assert slow.data.count(b"event: changed") < written + 100
    api.registry.end(session.id, "x")
    await slow.until(b"event: removed")
    await other.until(b"event: removed")
    for each in (slow, other, watcher):
        await each.close()


async def test_hostileNames(api: API) -> None:
    """A page that made its own name mean this machine learns nothing and ends nothing."""
    for method in ("GET", "DELETE"):
        for path in ("sessions", "sessions/0123456789abcdef", "sessions/events"):
            answer = await api.ask(f"-/api/{path}", method, Host="evil.example:8080", Origin="http://evil.example:8080")
            assert (answer.code, b"evil" in answer.data) == (403, False)
    assert len(api.oversight.feed) == 0


async def test_theServerStops(api: API) -> None:
    """The streams end at once, and properly."""
    listener = await api.listen()
    api.oversight.stop()
    await listener.closed
    assert listener.data.endswith(b"0\r\n\r\n")
