"""A real server on loopback, clients that do what they want with it, and the canary: a viewer that must not notice."""

from __future__ import annotations

import gc
import os
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall, deferLater
from twisted.python.failure import Failure

from mediasrv.rtp.packets import parsePacket
from mediasrv.rtsp.messages import InterleavedFrame, MessageError, Response
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.server import RTSPServer
from mediasrv.rtsp.session import RTSPSession
from mediasrv.service import MediaService
from mediasrv.settings import Settings
from mediasrv.streaming.player import Player

TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def makeWave(path: Path, rate: int = 8000, seconds: int = 60) -> Path:
    """A file of silence, as easy to read as can be."""
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, rate, 0, "NONE", ""))
        file.writeframes(bytes(4 * rate * seconds))
    return path


class Target:
    """
    The server.

    @ivar port: of RTSP, on all of 127.0.0.0/8.
    @ivar webPort: of HTTP.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        timeout = settings.pop("sessionTimeout", 2)
        self.service = MediaService(Settings(media={"m": str(folder)}, rtpPort=0, **{"idleTimeout": 1.0} | settings))
        self.service._site.sessionTimeout = timeout  # less than the setting allows, so that tests need not wait
        self.service.privilegedStartService()
        self.service.startService()
        self._listening = reactor.listenTCP(0, self.service.rtspFactory(), 1024, "127.0.0.1")
        self.port: int = self._listening.getHost().port
        self._web = reactor.listenTCP(0, self.service.webFactory(), 1024, "127.0.0.1")
        self.webPort: int = self._web.getHost().port
        self._peers: list[Caller] = []
        self.canaries: list[Canary] = []

    def url(self, name: str = "quiet.wav") -> str:
        return f"rtsp://127.0.0.1:{self.port}/m/{name}"

    async def connect(self, source: str = "127.0.0.1") -> Peer:
        peer = Peer(self)
        await self._dial(peer, self.port, source)
        return peer

    async def dial(self, port: int, first: bytes = b"", source: str = "127.0.0.1") -> Caller:
        """A connection on which anything may be said."""
        caller = Caller()
        await self._dial(caller, port, source)
        caller.write(first)
        return caller

    async def _dial(self, caller: Caller, port: int, source: str) -> None:
        endpoint = HostnameEndpoint(reactor, b"127.0.0.1", port, bindAddress=(source, 0))
        await connectProtocol(endpoint, caller)
        self._peers = [each for each in self._peers if each.isConnected]
        self._peers.append(caller)

    async def stop(self) -> None:
        for canary in self.canaries:
            canary.stop()
        for peer in self._peers:
            await peer.kill()
        await self._listening.stopListening()
        await self._web.stopListening()
        await self.service.stopService()


class Caller(Protocol):
    """
    Says what it is told, and keeps what it hears.
    """

    def __init__(self) -> None:
        self._lost: list[Deferred[None]] = []
        self.isConnected = False
        self.words = bytearray()

    def connectionMade(self) -> None:
        self.isConnected = True

    def dataReceived(self, data: bytes) -> None:
        self.words += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isConnected = False
        for deferred in self._lost:
            deferred.callback(None)

    def write(self, data: bytes) -> None:
        if self.isConnected:
            self.transport.write(data)

    async def closed(self) -> None:
        """Waits for the end of the connection."""
        if self.isConnected:
            deferred: Deferred[None] = Deferred()
            self._lost.append(deferred)
            await deferred

    async def kill(self) -> None:
        """The client is gone without a word, as if its machine were."""
        if self.isConnected:
            self.transport.abortConnection()
            await self.closed()


class Peer(Caller):
    """
    A client of RTSP.

    @ivar answers: all responses so far.
    @ivar packets: how many interleaved packets came.
    @ivar gaps: how many of them were not the next one.
    """

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target
        self._parser = MessageParser()
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._last: int | None = None
        self.answers: list[Response] = []
        self.errors: list[MessageError] = []
        self.packets = 0
        self.gaps = 0
        self.cseq = 0
        self.session = ""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        for _, deferred in self._waiting:
            deferred.callback(None)
        self._waiting.clear()

    def dataReceived(self, data: bytes) -> None:
        for message in self._parser.feed(data):
            if isinstance(message, Response):
                self.answers.append(message)
            elif isinstance(message, InterleavedFrame):
                self._frame(message)
            else:
                assert isinstance(message, MessageError)
                self.errors.append(message)
        due = [entry for entry in self._waiting if entry[0] <= len(self.answers)]
        self._waiting = [entry for entry in self._waiting if entry not in due]
        for _, deferred in due:
            deferred.callback(None)

    def _frame(self, frame: InterleavedFrame) -> None:
        if frame.channel % 2:
            return
        sequence = parsePacket(frame.payload).sequence
        if self._last is not None and sequence != (self._last + 1) & 0xFFFF:
            self.gaps += 1
        self._last = sequence
        self.packets += 1

    def request(self, method: str, url: str = "", body: bytes = b"", **headers: str) -> bytes:
        self.cseq += 1
        lines = [f"{method} {url or self._target.url()} RTSP/1.0", f"CSeq: {self.cseq}"]
        if self.session:
            headers.setdefault("Session", self.session)
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def heard(self, count: int) -> None:
        """Waits for so many answers in all, or for the end of the connection."""
        if self.isConnected and len(self.answers) < count:
            deferred: Deferred[None] = Deferred()
            self._waiting.append((count, deferred))
            await deferred

    async def ask(self, method: str, url: str = "", body: bytes = b"", **headers: str) -> Response:
        count = len(self.answers) + 1
        self.write(self.request(method, url, body, **headers))
        await self.heard(count)
        return self.answers[count - 1]

    async def setUp(self, transport: str = TCP, url: str = "") -> None:
        answer = await self.ask("SETUP", url, Transport=transport)
        assert answer.code == 200
        self.session = (answer.headers.get("Session") or "").partition(";")[0]


class Canary:
    """Plays from beginning to end of a test, and asks now and then, as players do."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._asking = LoopingCall(lambda: peer.write(peer.request("OPTIONS")))

    @classmethod
    async def start(cls, target: Target) -> Canary:
        peer = await target.connect("127.0.0.9")
        canary = cls(peer)
        await peer.setUp()
        assert (await peer.ask("PLAY")).code == 200
        canary._asking.start(0.3)
        target.canaries.append(canary)
        return canary

    async def noticedNothing(self) -> None:
        """Waits for more packets and answers, so that whoever fell silent fails the test by its deadline."""
        packets, answers = self.peer.packets, len(self.peer.answers)
        while self.peer.packets < packets + 10 or len(self.peer.answers) < answers + 1:
            assert self.peer.isConnected
            await sleep(0.02)
        assert self.peer.gaps == 0
        assert self.peer.errors == []
        assert {answer.code for answer in self.peer.answers} == {200}

    def stop(self) -> None:
        self._asking.stop()


async def sleep(seconds: float) -> None:
    await deferLater(reactor, seconds)


async def until(condition: Any) -> None:
    """Waits; the test's deadline is the limit."""
    while not condition():
        await sleep(0.02)


def census() -> Counter[str]:
    """What there is of the things that a client causes to exist."""
    gc.collect()
    found = Counter(
        type(each).__name__ for each in gc.get_objects() if isinstance(each, RTSPServer | RTSPSession | Player)
    )
    found["descriptors"] = len(os.listdir("/proc/self/fd"))
    found["readers"] = len(reactor.getReaders())
    return found


async def settled(measure: Callable[[], Any]) -> Any:
    """What is measured, when it no longer changes: reader threads and sockets take a moment to go."""
    found = measure()
    while True:
        await sleep(0.3)
        again = measure()
        if again == found:
            return found
        found = again
