"""
A whole RTSP server without sockets, threads and media files: connections are strings, UDP is a list, time is a
C{Clock}, and the film is made by hand. Dialogues with their interleaved data run in microseconds and always the same.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from fractions import Fraction
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any, ClassVar

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mediasrv.media.cache import Cache
from mediasrv.media.containers import NotMedia
from mediasrv.media.files import FileVersion
from mediasrv.media.fragments import Cut
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import Section
from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.registry import Registry
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtp.multicast import GroupPool, Multicast
from mediasrv.rtp.packets import RTPPacket, parsePacket
from mediasrv.rtp.rtcp import Goodbye, RTCPPacket, SenderReport, parseCompound
from mediasrv.rtsp.front import RTSPFactory
from mediasrv.rtsp.messages import InterleavedFrame, MessageError, Response
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.site import RTSPSite
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.loader import FragmentLoader
from mediasrv.streaming.ondemand import OnDemand
from mediasrv.streaming.pacer import Pacer

FILM = "rtsp://server/movies/film.mkv"
SOUND = "rtsp://server/movies/sound.wav"
VIDEO, AUDIO = f"{FILM}/trackID=0", f"{FILM}/trackID=1"
UDP = "RTP/AVP;unicast;client_port={}-{}"
TCP = "RTP/AVP/TCP;unicast;interleaved={}-{}"
CREATED = 1_600_000_000.0
TICK = 0.01

_START = b"\0\0\0\1"
_PARAMETERS = _START + bytes.fromhex("6742c01ed9008825") + _START + bytes.fromhex("68ce3c80")
_RATE = 25
_GROUP = 2.0  # seconds from key frame to key frame, and of a fragment


def picture(number: int, size: int = 300) -> bytes:
    """A picture of H.264 that knows its number; one in fifty is a key frame, too large for one packet."""
    key = number % (_RATE * _GROUP) == 0
    nal = bytes((0x65 if key else 0x41, 0x80 | number >> 7, 0x80 | number & 0x7F))
    return _START + nal.ljust(5000 if key else size, b"\xaa")


def numberOf(payload: bytes) -> int | None:
    """The number of the picture that begins with this payload; None for all its other packets."""
    if payload[0] & 0x1F == 28:  # FU-A
        return (payload[2] & 0x7F) << 7 | payload[3] & 0x7F if payload[1] & 0x80 else None
    return (payload[1] & 0x7F) << 7 | payload[2] & 0x7F if payload[0] & 0x1F in (1, 5) else None


class FakePresentation:
    """
    A film of 25 pictures a second and a tone, or the tone alone, for as many seconds as wanted.

    @ivar reorder: whether every other picture is decoded after the one that follows it, as B-frames are.
    """

    def __init__(
        self, title: str, duration: float = 10.0, video: bool = True, pictureSize: int = 300, reorder: bool = False
    ) -> None:
        self.reorder = reorder
        self.title = title
        self.path = f"/nowhere/{title}"
        self.duration = duration
        self.created = CREATED
        self.version = FileVersion(1, len(title), 1000, int(CREATED) * 10**9)
        self.omitted: list[str] = []
        self.tracks = [Track(1 if video else 0, "audio", "pcm_mulaw", sampleRate=8000, channels=1)]
        if video:
            self.tracks.insert(0, Track(0, "video", "h264", _PARAMETERS, frameRate=Fraction(_RATE)))
        self.cuts = [Cut(start * _GROUP, start * _GROUP, True) for start in range(max(1, int(duration / _GROUP)))]
        self.randomAccess = _GROUP
        self.isChosen = False
        self.reading: Callable[[int], None] = lambda number: None
        self._pictureSize = pictureSize

    def sectionAt(self, number: int) -> Section:
        return Section(0, self.tracks)

    def fragmentAt(self, time: float) -> int:
        return min(len(self.cuts) - 1, max(0, int((time + 1e-9) / _GROUP)))

    def read(self, number: int) -> Fragment:
        self.reading(number)
        start = self.cuts[number].pts
        last = number + 1 == len(self.cuts)
        end = self.duration if last else start + _GROUP
        units = []
        for track in self.tracks:
            rate = _RATE if track.kind == "video" else 50
            numbers = range(round(start * rate), round(end * rate))
            units.append([self._unit(track, each, each / rate, 1 / rate) for each in numbers])
        return Fragment(number, start, end, units, last)

    def _unit(self, track: Track, number: int, time: float, duration: float) -> Unit:
        if track.kind == "audio":
            return Unit(time, time, duration, True, bytes((number & 0xFF,)) * 160)
        place = number % 50
        if self.reorder and 0 < place < 49:
            shown = number + 1 if place % 2 else number - 1
            return Unit(time - duration, shown * duration, duration, False, picture(shown, self._pictureSize))
        if self.reorder:
            return Unit(time - duration, time, duration, place == 0, picture(number, self._pictureSize))
        return Unit(time, time, duration, number % 50 == 0, picture(number, self._pictureSize))


class FakeStream(FakePresentation):
    """A transport stream: 25 times a second 14 packets that say which ones they are."""

    def __init__(self, duration: float = 10.0) -> None:
        super().__init__("stream", duration)
        self.tracks = [Track(0, "video", "mpegts")]

    def _unit(self, track: Track, number: int, time: float, duration: float) -> Unit:
        return Unit(time, time, duration, number % 25 == 0, tsPackets(14 * number, 14))


def tsPackets(first: int, count: int) -> bytes:
    """Packets of a transport stream."""
    return b"".join(b"G" + number.to_bytes(4, "big") + bytes(183) for number in range(first, first + count))


class FakeLibrary:
    """
    @ivar waiting: requests for what is on a slow disk; fire them to go on.
    @ivar film: the one with pictures.
    @ivar stream: what C{stream.ts} and C{radio.ts} are as transport streams.
    """

    def __init__(self, **film: Any) -> None:
        self.film = FakePresentation("film", **film)
        self.sound = FakePresentation("sound", video=False)
        self.stream = FakeStream()
        self.waiting: list[Deferred[Any]] = []
        self.isSlow = False

    def presentation(self, segments: tuple[str, ...], view: str = "rtp", preferences: Any = None) -> Deferred[Any]:
        errors = {"broken.mkv": NotMedia("no media"), "secret.mkv": PermissionError(13), "bug.mkv": RuntimeError("bug")}
        if segments in (("movies", "film.mkv"), ("movies", "stream.ts")):
            found = self.film
        elif segments in (("movies", "sound.wav"), ("movies", "radio.ts")):
            found = self.sound
        else:
            return fail(errors.get(segments[-1] if segments else "", NotFound("/".join(segments))))
        if not self.isSlow:
            return succeed(found)
        deferred: Deferred[Any] = Deferred()
        self.waiting.append(deferred)
        return deferred

    def transportStream(self, segments: tuple[str, ...]) -> Deferred[Any]:
        return succeed(self.stream) if segments[-1].endswith(".ts") else fail(NotMedia("no transport stream"))

    folders: ClassVar[dict[str, str]] = {}

    def reach(self, segments: tuple[str, ...]) -> Deferred[Any]:
        """It has no files: nothing is reached."""
        return succeed((None, 0))

    def listing(self, segments: tuple[str, ...]) -> Deferred[Any]:
        """Nor are there mounts."""
        return fail(NotFound("/".join(segments))) if segments else succeed([])

    def used(self, presentation: FakePresentation) -> None:
        """It has no file."""


class ThreadClock(Clock):
    """A clock that also takes what threads have to say, which it does at once."""

    def callFromThread(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        function(*arguments, **named)


class FakePool:
    """
    Threads that work at once, or when C{work} is called.

    @ivar held: whether jobs have to wait.
    """

    joined = False

    def __init__(self) -> None:
        self.held = False
        self.jobs: list[Callable[[], None]] = []

    def callInThreadWithCallback(self, onResult: Callable[[bool, Any], None], func: Any, *args: Any) -> None:
        def job() -> None:
            try:
                result = func(*args)
            except Exception:
                onResult(False, Failure())
            else:
                onResult(True, result)

        if self.held:
            self.jobs.append(job)
        else:
            job()

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


class FakeReactor:
    """What the loader and the UDP ports want of a reactor."""

    def __init__(self) -> None:
        self.protocols: list[Any] = []
        self.sent: list[tuple[str, bytes, tuple[str, int]]] = []
        self.open: list[FakePort] = []

    def callFromThread(self, call: Callable[..., None], *args: Any) -> None:
        call(*args)

    def adoptDatagramPort(self, descriptor: int, family: int, protocol: Any, size: int) -> FakePort:
        kind = {"RTP": "rtp", "RTCP": "rtcp"}.get(protocol.logPrefix(), "group")
        self.protocols.append(protocol)
        port = FakePort(FakeSocket(kind, self.sent), self.open)
        self.open.append(port)
        return port


class FakePort:
    def __init__(self, socket: FakeSocket, open: list[FakePort]) -> None:
        self.socket = socket
        self._open = open

    def stopListening(self) -> None:
        self._open.remove(self)


class FakeSocket:
    """Sends into a list, segments large packets as the kernel does."""

    def __init__(self, kind: str, sent: list[tuple[str, bytes, tuple[str, int]]]) -> None:
        self.kind = kind
        self._sent = sent
        self.options: dict[int, int | bytes] = {}

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        self.options[option] = value

    def sendmsg(self, buffers: Any, ancillary: Any, flags: int, address: tuple[str, int]) -> None:
        data = b"".join(buffers)
        sizes = [int.from_bytes(value[:2], "little") for level, _, value in ancillary if level == socket.IPPROTO_UDP]
        size = sizes[0] if sizes else len(data)
        for start in range(0, len(data), size):
            self._sent.append((self.kind, data[start : start + size], address))


class Rig:
    """
    @ivar sent: datagrams: C{"rtp"} or C{"rtcp"}, data, address.
    """

    def __init__(
        self,
        film: dict[str, Any] | None = None,
        registry: Registry | None = None,
        groups: str | None = None,
        **site: Any,
    ) -> None:
        """
        @param groups: addresses for multicast, from port 5004 on; None turns it off.
        """
        self.clock = ThreadClock()
        self.clock.advance(1000.0)
        self.library = FakeLibrary(**film or {})
        self.pool = FakePool()
        self._reactor = FakeReactor()
        self.sent = self._reactor.sent
        self.registry = Registry(reactor=self.clock) if registry is None else registry
        self.pacer = Pacer(self.clock, TICK, self.clock.seconds)
        self.cache: Any = Cache(1 << 30)
        loader = FragmentLoader(self.library, self.cache, self.pool, self._reactor)
        self.onDemand = OnDemand(self.library, loader, self.pacer, BurstPlan(1400, 20, TICK))
        self._pair: DatagramPair | None = None
        self.site = RTSPSite(self.onDemand, self.registry, self._pairFor, self.clock, **site)
        if groups is not None:
            pool = GroupPool(IPv4Network(groups), 5004, 3)
            pair = self._pairFor(False)
            self.site.broadcasts = Broadcasts(self.onDemand, Multicast(self._reactor, pair, pool, "127.0.0.1"))
        self.factory = RTSPFactory(self.site)
        self.site.start()

    def _pairFor(self, version6: bool) -> DatagramPair | None:
        if version6:
            return None
        if self._pair is None:
            self._pair = DatagramPair(self._reactor)
            self.pacer.shared.append(self._pair)
        return self._pair

    @property
    def port(self) -> int:
        pair = self._pairFor(False)
        assert pair is not None
        return pair.port

    def receive(self, kind: str, data: bytes, address: tuple[str, int]) -> None:
        """A datagram comes to the port for C{"rtp"} or C{"rtcp"}."""
        self._pairFor(False)
        self._reactor.protocols[kind == "rtcp"].datagramReceived(data, address)

    @property
    def groupPorts(self) -> int:
        """How many sockets are open to hear what is said to groups."""
        return sum(port.socket.kind == "group" for port in self._reactor.open)

    def sayToGroup(self, number: int, data: bytes, host: str) -> None:
        """Somebody sends RTCP to the group that was taken as the number-th of all."""
        ears = [each for each in self._reactor.protocols if each.logPrefix() not in ("RTP", "RTCP")]
        ears[number].datagramReceived(data, (host, 40001))

    def connect(self, host: str = "192.0.2.7", port: int = 40000) -> Client:
        return Client(self, host, port)

    def wait(self, seconds: float, step: float = TICK) -> None:
        """Lets time go by."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def datagrams(self, kind: str, port: int) -> list[bytes]:
        """What was sent to a port of the client, or of a group."""
        return [data for each, data, address in self.sent if each == kind and address[1] == port]


class Wire(StringTransport):
    """
    One end of a connection. It closes as a real one does: when all was sent, which is at once unless C{stuck}.
    """

    stuck = False
    aborted = False

    def __init__(self, host: str, port: int) -> None:
        Address = IPv6Address if ":" in host else IPv4Address
        super().__init__(Address("TCP", "198.51.100.1", 554), Address("TCP", host, port))

    def write(self, data: bytes) -> None:
        assert self.connected, "written to a lost connection"
        super().write(data)

    def loseConnection(self) -> None:
        super().loseConnection()
        if not self.stuck:
            self.lose()

    def abortConnection(self) -> None:
        self.aborted = True
        self.lose()

    def lose(self) -> None:
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionDone()))


class Client:
    """
    @ivar messages: all that came, in order.
    """

    def __init__(self, rig: Rig, host: str, port: int) -> None:
        self.transport = Wire(host, port)
        self.server: IProtocol = rig.factory.buildProtocol(None)
        self.transport.protocol = self.server
        self._parser = MessageParser()
        self.messages: list[Response | InterleavedFrame | Any] = []
        self.session = ""
        self._cseq = 0
        self.server.makeConnection(self.transport)

    @property
    def isConnected(self) -> bool:
        return self.transport.connected

    def receive(self) -> list[Any]:
        """Takes what has come since last time."""
        new = self._parser.feed(self.transport.value())
        self.transport.clear()
        assert not any(isinstance(message, MessageError) for message in new), new
        self.messages += new
        return new

    def write(self, data: bytes) -> None:
        self.server.dataReceived(data)

    def request(self, method: str, url: str = FILM, body: bytes = b"", **headers: str | None) -> bytes:
        """A request as bytes. The session is named, if there is one, unless C{Session=None}."""
        self._cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._cseq}"]
        if self.session and "Session" not in headers:
            lines.append(f"Session: {self.session}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def ask(self, method: str, url: str = FILM, body: bytes = b"", **headers: str | None) -> Response:
        """Sends a request and returns its answer."""
        self.write(self.request(method, url, body, **headers))
        answers = [message for message in self.receive() if isinstance(message, Response)]
        assert len(answers) == 1, answers
        assert answers[0].headers.get("CSeq") == str(self._cseq)
        return answers[0]

    def setUp(self, url: str, transport: str, **headers: str | None) -> Response:
        """SETUP of one track; remembers the session."""
        answer = self.ask("SETUP", url, Transport=transport, **headers)
        if answer.code == 200:
            self.session = (answer.headers.get("Session") or "").partition(";")[0]
        return answer

    def setUpFilm(self, udp: int | None = None) -> None:
        """Both tracks of the film, on channels 0-3 or to UDP ports from C{udp} on."""
        for number, url in enumerate((VIDEO, AUDIO)):
            first = 2 * number + (udp or 0)
            assert self.setUp(url, (TCP if udp is None else UDP).format(first, first + 1)).code == 200

    def play(self, range: str | None = None, **headers: str) -> Response:
        answer = self.ask("PLAY", Range=range, **headers)
        assert answer.code == 200, answer
        return answer

    def frames(self, channel: int) -> list[bytes]:
        """All that came on a channel so far."""
        self.receive()
        return [
            each.payload for each in self.messages if isinstance(each, InterleavedFrame) and each.channel == channel
        ]

    def packets(self, channel: int) -> list[RTPPacket]:
        return [parsePacket(payload) for payload in self.frames(channel)]

    def control(self, channel: int) -> list[RTCPPacket]:
        return [packet for payload in self.frames(channel) for packet in parseCompound(payload)]

    def pictures(self) -> list[int]:
        """Numbers of the pictures that came on channel 0."""
        return [number for packet in self.packets(0) if (number := numberOf(packet.payload)) is not None]

    def forget(self) -> None:
        """As if nothing had come yet."""
        self.receive()
        self.messages.clear()


def said(goodbyes: list[RTCPPacket]) -> bool:
    """Whether there is a BYE among RTCP packets."""
    return any(isinstance(packet, Goodbye) for packet in goodbyes)


def reports(packets: list[RTCPPacket]) -> list[SenderReport]:
    return [packet for packet in packets if isinstance(packet, SenderReport)]


def rtpInfo(answer: Response) -> dict[str, tuple[int, int]]:
    """The entries of RTP-Info: URL to sequence number and RTP time."""
    found = re.findall(r"url=([^;]+);seq=(\d+);rtptime=(\d+)", answer.headers.get("RTP-Info", ""))
    return {url: (int(sequence), int(rtpTime)) for url, sequence, rtpTime in found}


def rangeOf(answer: Response) -> tuple[float, float | None]:
    """Start and end of an npt Range."""
    match = re.fullmatch(r"npt=([0-9.]+)-([0-9.]*)", answer.headers.get("Range", ""))
    assert match is not None, answer.headers
    return float(match[1]), float(match[2]) if match[2] else None


def gaps(sequences: list[int]) -> Iterator[int]:
    """Differences between neighbours, modulo 2^16."""
    for former, later in pairwise(sequences):
        yield (later - former) & 0xFFFF
