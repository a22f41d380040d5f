"""The service as an application sees it: it starts, it stops, it lives beside others, it tells who watches what."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import threading
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import Application, IService, MultiService
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, clientFromString, connectProtocol, serverFromString
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from mediasrv.interfaces import Elsewhere, IMediaLocator
from mediasrv.media import library
from mediasrv.registry import Event
from mediasrv.rtp.portpairs import PortsTaken
from mediasrv.service import MediaService
from mediasrv.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With two seconds of sound in it."""
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 2))
    return tmp_path


def made(folder: Path, **settings: Any) -> MediaService:
    return MediaService(Settings(media={"sounds": str(folder)}, rtpPort=0, **settings))


class Client(Protocol):
    """Asks, and collects what comes."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: Deferred[None] = Deferred()
        self._waiting: tuple[Callable[[bytes], bool], Deferred[bytes]] | None = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self._look()

    def _look(self) -> None:
        if self._waiting is not None and self._waiting[0](self.data):
            waiting, self._waiting = self._waiting[1], None
            waiting.callback(self.data)

    def connectionLost(self, reason: Any = None) -> None:
        self.lost.callback(None)

    def until(self, enough: Callable[[bytes], bool]) -> Deferred[bytes]:
        deferred: Deferred[bytes] = Deferred()
        self._waiting = (enough, deferred)
        self._look()
        return deferred

    async def ask(self, method: str, url: str, *headers: str) -> str:
        """Sends a request and gives the answer's head; C{data} is what came after it."""
        self.data = b""
        self.transport.write("\r\n".join([f"{method} {url} RTSP/1.0", "CSeq: 1", *headers, "", ""]).encode())
        data = await self.until(lambda data: b"\r\n\r\n" in data[data.find(b"RTSP/1.0 ") :])
        head, _, self.data = data[data.index(b"RTSP/1.0 ") :].partition(b"\r\n\r\n")
        return head.decode()


class Running:
    """A service in this reactor, with its RTSP on a port of its own."""

    def __init__(self, service: MediaService) -> None:
        self.service = service
        self.clients: list[Client] = []

    async def start(self) -> None:
        self.service.privilegedStartService()
        self.service.startService()
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        self.listening: Any = await endpoint.listen(self.service.rtspFactory())
        self.port = self.listening.getHost().port

    async def client(self) -> Client:
        endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{self.port}")
        client: Client = await connectProtocol(endpoint, Client())
        self.clients.append(client)
        return client

    async def play(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Client:
        client = await self.client()
        url = f"rtsp://127.0.0.1:{self.port}/sounds/tone.wav"
        head = await client.ask("SETUP", url, f"Transport: {transport}")
        assert "200 OK" in head
        session = next(line for line in head.split("\r\n") if line.startswith("Session:")).partition(";")[0]
        assert "200 OK" in await client.ask("PLAY", url, session)
        return client

    async def stop(self) -> None:
        await self.listening.stopListening()
        await self.service.stopService()
        for client in self.clients:
            client.transport.loseConnection()
            await client.lost


@pytest_twisted.async_yield_fixture
async def running(folder: Path, cleanReactor: None) -> AsyncIterator[Running]:
    one = Running(made(folder))
    await one.start()
    yield one
    await one.stop()


def descriptors() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return found


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "mediasrv" in thread.name]


async def test_startsAndStops(folder: Path) -> None:
    """Nothing is left: no port, no thread, no timer, no file."""
    await deferLater(reactor, 0)
    before = descriptors(), set(reactor.getDelayedCalls()), set(reactor.getReaders())
    one = Running(made(folder))
    await one.start()
    client = await one.play()
    await client.until(lambda data: data.count(b"$\0") >= 3)
    port = one.service.rtpPort
    assert port % 2 == 0
    assert readers()
    assert len(list(one.service.registry)) == 1
    await one.stop()
    assert list(one.service.registry) == []
    assert not readers()
    assert one.service.rtpPort == 0
    for number in (port, port + 1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", number))
    await deferLater(reactor, 0.01)
    assert set(reactor.getDelayedCalls()) <= before[1]
    assert set(reactor.getReaders()) <= before[2] | getattr(reactor, "_internalReaders", set())
    assert [each for each in descriptors() if each not in before[0]] == []


async def test_startsAgain(folder: Path) -> None:
    """As services may: with threads, ports and room for sessions, whatever the end before was like."""
    service = made(folder, drainTime=5.0)
    for _ in range(2):
        one = Running(service)
        await one.start()
        client = await one.play()
        await client.until(lambda data: data.count(b"$\0") >= 3)
        service.registry.endAll("enough")
        await one.stop()
        assert not readers()


async def test_stopsWhatIsLoading(folder: Path) -> None:
    """A client that asks at the last moment gets an answer or none, and nothing hangs."""
    one = Running(made(folder))
    await one.start()
    client = await one.client()
    client.transport.write(f"DESCRIBE rtsp://127.0.0.1:{one.port}/sounds/tone.wav RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
    await deferLater(reactor, 0)
    await one.stop()
    assert not readers()


async def test_stopsWithoutHavingStartedAndTwice(folder: Path) -> None:
    service = made(folder)
    await service.stopService()
    service.startService()
    await service.stopService()
    await service.stopService()


@pytest.mark.requirement("RTCP-7")
async def test_clientsAreToldOfTheEnd(running: Running) -> None:
    """RTCP-7: BYE, then the connection closes."""
    client = await running.play()
    await client.until(lambda data: data.count(b"$\0") >= 3)
    await running.service.stopService()
    await client.lost
    last = client.data[client.data.rindex(b"$\1") + 4 :]
    assert b"\x81\xcb\x00\x01" in last  # BYE of one source


async def test_portInUse(folder: Path) -> None:
    """One clear line, and nothing is kept."""
    taken = made(folder)
    taken.startService()
    port = taken.rtpPort
    second = MediaService(Settings(media={"sounds": str(folder)}, rtpPort=port))
    for start in (second.privilegedStartService, second.startService):
        with pytest.raises(PortsTaken, match=f"^UDP ports {port} and {port + 1} are not both free$"):
            start()
    assert second.rtpPort == 0
    await taken.stopService()
    second.startService()
    assert second.rtpPort == port
    await second.stopService()


async def test_twoInOneProcess(folder: Path) -> None:
    both = [Running(made(folder)), Running(made(folder))]
    for one in both:
        await one.start()
    assert both[0].service.rtpPort != both[1].service.rtpPort
    clients = [await one.play() for one in both]
    for client in clients:
        await client.until(lambda data: data.count(b"$\0") >= 3)
    assert [len(list(one.service.registry)) for one in both] == [1, 1]
    await both[0].stop()
    before = clients[1].data.count(b"$\0")
    await clients[1].until(lambda data: data.count(b"$\0") > before)
    await both[1].stop()


async def test_mountedInAnApplication(folder: Path) -> None:
    """Design: one more service of somebody's, its RTSP on an endpoint of theirs, its sessions told to them."""
    application = Application("theirs")
    events: list[tuple[str, str, str]] = []

    def onSessionEvent(event: Event) -> None:
        events.append((event.kind, event.session.path, event.session.state))

    media = made(folder)
    media.setServiceParent(application)
    media.registry.subscribe(onSessionEvent)
    theirs: Any = IService(application)
    theirs.privilegedStartService()
    theirs.startService()
    running = Running(media)
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    running.listening = await endpoint.listen(media.rtspFactory())
    running.port = running.listening.getHost().port
    client = await running.play()
    await client.until(lambda data: data.count(b"$\0") >= 3)
    client.transport.loseConnection()
    await client.lost
    while not events or events[-1][0] != "removed":
        await deferLater(reactor, 0.01)
    assert events[0] == ("added", "sounds/tone.wav", "ready")
    assert ("changed", "sounds/tone.wav", "playing") in events
    assert [kind for kind, _, _ in events].count("added") == 1
    assert [kind for kind, _, _ in events].count("removed") == 1
    await running.listening.stopListening()
    await theirs.stopService()
    assert not readers()


async def test_throughAUnixSocket(running: Running, tmp_path: Path) -> None:
    """Such as a proxy on the same machine may have."""
    path = str(tmp_path / "socket")
    listening: Any = await serverFromString(reactor, f"unix:{path}").listen(running.service.rtspFactory())
    client: Client = await connectProtocol(clientFromString(reactor, f"unix:{path}"), Client())
    assert "200 OK" in await client.ask("DESCRIBE", "rtsp://localhost/sounds/tone.wav")
    client.transport.loseConnection()
    await client.lost
    await listening.stopListening()


@pytest.mark.requirement("TUN-1", "TUN-5")
async def test_halvesThroughDifferentPorts(running: Running) -> None:
    """The port for RTSP and the web port have their tunnels in common."""
    web: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(running.service.webFactory())
    endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{web.getHost().port}")
    get: Client = await connectProtocol(endpoint, Client())
    about = "x-sessioncookie: a\r\n{}: application/x-rtsp-tunnelled\r\n\r\n"
    get.transport.write(b"GET / HTTP/1.0\r\n" + about.format("Accept").encode())
    await get.until(lambda data: data.endswith(b"\r\n\r\n"))
    post = await running.client()
    request = base64.b64encode(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    post.transport.write(b"POST / HTTP/1.0\r\n" + about.format("Content-Type").encode() + request)
    assert b"RTSP/1.0 200 OK" in await get.until(lambda data: b"RTSP" in data)
    get.transport.loseConnection()
    await post.lost
    assert post.data == b""
    await web.stopListening()


async def test_whatListensForItStopsWithIt(folder: Path) -> None:
    """A child of the service that listens is closed before anything else goes."""
    media = made(folder)
    parent = MultiService()
    media.setServiceParent(parent)
    listener = StreamServerEndpointService(TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"), media.rtspFactory())
    listener.setServiceParent(media)
    parent.startService()
    port: Any = await listener._waitingForPort
    number = port.getHost().port
    await parent.stopService()
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", number))


@pytest.mark.requirement("SEC-18")
async def test_whoPlaysDoesNotWaitForWhatIsOpened(running: Running, folder: Path, monkeypatch: Any) -> None:
    """To open a file may mean to read all of it, and many may want that at once."""
    open, wait = threading.Event(), threading.Event()
    original = library.FilePresentation

    def slow(path: str, *arguments: Any) -> Any:
        if "slow" in path:
            open.set()
            wait.wait(8)
        return original(path, *arguments)

    await running.play()
    monkeypatch.setattr(library, "FilePresentation", slow)
    described = []
    try:
        for number in range(5):
            (folder / f"slow{number}.wav").write_bytes((folder / "tone.wav").read_bytes())
            client = await running.client()
            url = f"rtsp://127.0.0.1:{running.port}/sounds/slow{number}.wav"
            described.append(Deferred.fromCoroutine(client.ask("DESCRIBE", url)))
        while not open.is_set():
            await deferLater(reactor, 0.01)
        running.service._cache.clear()
        client = await running.play()
        await client.until(lambda data: b"$" in data)
        assert not any(answer.called for answer in described)
    finally:
        wait.set()
    for answer in described:
        assert "200 OK" in await answer


async def test_overUDP(running: Running) -> None:
    """What is sent leaves from the service's own ports."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        number = ear.getsockname()[1]
        await running.play(f"RTP/AVP;unicast;client_port={number}-{number + 1}")
        for _ in range(300):
            await deferLater(reactor, 0.01)
            try:
                data, address = ear.recvfrom(2000)
            except BlockingIOError:
                continue
            break
        assert address == ("127.0.0.1", running.service.rtpPort)
        assert data[0] == 0x80
        (session,) = running.service.registry
        session.end("the test has seen enough")
        assert list(running.service.registry) == []


@pytest.mark.requirement("SET-15")
async def test_multicastIsASetting(folder: Path) -> None:
    """Off unless there is a range; an interface that is not there leaves the rest of the server as it is."""
    warnings: list[str] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"].name == "warn":
            warnings.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    for settings, isOn in (
        ({}, False),
        ({"multicast": "239.255.42.0/24", "multicastInterface": "127.0.0.1"}, True),
        ({"multicast": "239.255.42.0/24", "multicastInterface": "192.0.2.99"}, False),
    ):
        service = made(folder, **settings)
        service.privilegedStartService()
        service.startService()
        assert (service._site.broadcastsFor("127.0.0.1") is not None) is isOn
        assert service._site.broadcastsFor("::1") is service._site.broadcastsFor("local") is None
        await service.stopService()
    globalLogPublisher.removeObserver(observe)
    assert [text.partition(":")[0] for text in warnings] == ["no multicast through 192.0.2.99"]


async def test_theLogTellsOfSessions(running: Running) -> None:
    """One line when it begins, one when it is gone, and why."""
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace", "").startswith("mediasrv.sessionlog"):
            lines.append(formatEvent(event) or "")

    globalLogPublisher.addObserver(observe)
    try:
        await running.play()
        (session,) = running.service.registry
        assert len(lines) == 1
        assert "127.0.0.1 plays 'sounds/tone.wav' (audio pcm_s16le) over RTP/AVP/TCP" in lines[0]
        session.end("the test has seen enough")
        assert len(lines) == 2
        assert lines[1].endswith("(the test has seen enough)")
    finally:
        globalLogPublisher.removeObserver(observe)


@implementer(IMediaLocator)
class Cluster:
    """Has one file elsewhere, and says so after a while."""

    async def locate(self, path: str, peer: str) -> Elsewhere | None:
        await deferLater(reactor, 0)
        return Elsewhere("rtsp://other.example/x", permanent=True) if path == "sounds/far.wav" else None


@pytest.mark.requirement("DES-1")
async def test_presentationsElsewhere(folder: Path) -> None:
    """The application's locator is asked first, then the settings."""
    settings = Settings({"sounds": str(folder)}, rtpPort=0, redirects={"sounds": "rtsp://third.example", "old": "gone"})
    running = Running(MediaService(settings, locator=Cluster()))
    await running.start()
    client = await running.client()
    for path, code, location in (
        ("sounds/far.wav", "301", "rtsp://other.example/x"),
        ("sounds/tone.wav", "302", "rtsp://third.example/tone.wav"),
        ("old/tone.wav", "410", ""),
    ):
        head = await client.ask("DESCRIBE", f"rtsp://127.0.0.1/{path}")
        assert head.startswith(f"RTSP/1.0 {code} ")
        assert (f"\r\nLocation: {location}" in head) == bool(location)
    await running.stop()


async def test_sessionsMayEndBeforeTheServer(folder: Path) -> None:
    """C{drainTime}: who plays is told where else to play, plays to the end, and is not cut off; nobody new comes in."""
    service = made(folder, drainTime=8.0, drainLocation="rtsp://other.example")
    running = Running(service)
    await running.start()
    client = await running.play()
    await running.listening.stopListening()
    stopped = service.stopService()
    await client.until(lambda data: b"REDIRECT " in data)
    assert "Location: rtsp://other.example/sounds/far.wav" in await client.ask("DESCRIBE", "rtsp://h/sounds/far.wav")
    assert not stopped.called
    await client.until(lambda data: b"\x81\xcb\x00\x01" in data)  # the BYE of the end
    assert not stopped.called
    client.transport.loseConnection()
    await client.lost
    running.clients.clear()
    await stopped


@pytest.mark.deadline(5)
async def test_sessionsThatDoNotEndBeforeTheServer(folder: Path) -> None:
    """They have their time, and no more."""
    running = Running(made(folder, drainTime=0.3))
    await running.start()
    client = await running.play()
    began = reactor.seconds()
    await running.stop()
    assert 0.25 < reactor.seconds() - began < 1.5
    assert b"\x81\xcb\x00\x01" in client.data


async def test_stoppedTwice(folder: Path) -> None:
    """Whether or not the first time is over."""
    running = Running(made(folder))
    await running.start()
    await running.play()
    stopped = running.service.stopService()
    await running.stop()
    await stopped
    await running.service.stopService()


@pytest.mark.deadline(5)
async def test_aServerWithoutSessionsStopsAtOnce(folder: Path) -> None:
    """Whatever C{drainTime} is."""
    running = Running(made(folder, drainTime=3600.0))
    await running.start()
    await running.client()
    await running.stop()
