"""
A small RTSP client that keeps everything that comes: requests one at a time, packets and reports as they were received.

It does what the tests say, nothing by itself; real clients are in the other modules.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import DatagramProtocol, Protocol, connectionDone
from twisted.python.failure import Failure

from mediasrv.rtp.packets import RTPPacket, isRTCP, parsePacket
from mediasrv.rtp.payloads.formats import ReceivedUnit
from mediasrv.rtp.payloads.registry import unpackerFor
from mediasrv.rtp.rtcp import Goodbye, SenderReport, parseCompound, unixSeconds
from mediasrv.rtp.sdpparser import MediaSection, parseDescription
from mediasrv.rtp.timeline import SequenceUnwrapper, TimestampUnwrapper
from mediasrv.rtsp.headers import RTPInfo, parseRTPInfo, parseSession
from mediasrv.rtsp.messages import Headers, InterleavedFrame, Request, Response
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.transport import parseTransports


@dataclass
class Packet:
    """
    @ivar sequence: unwrapped.
    @ivar timestamp: unwrapped.
    """

    sequence: int
    timestamp: int
    rtp: RTPPacket


@dataclass
class Track:
    """
    One track that was set up, and all that came of it.

    @ivar url: of its SETUP.
    @ivar reports: sender reports.
    @ivar left: the number of packets that had come when BYE did; None as long as it has not.
    @ivar isMuxed: whether RTP and RTCP come to one port or channel.
    """

    url: str
    section: MediaSection
    packets: list[Packet] = field(default_factory=list)
    reports: list[SenderReport] = field(default_factory=list)
    left: int | None = None
    ports: list[Any] = field(default_factory=list)
    ssrc: int | None = None
    isMuxed: bool = False
    _sequences: SequenceUnwrapper = field(default_factory=SequenceUnwrapper)
    _timestamps: TimestampUnwrapper = field(default_factory=TimestampUnwrapper)

    @property
    def kind(self) -> str:
        return self.section.kind

    @property
    def clockRate(self) -> int:
        return self.section.rtpmaps[self.section.payloadTypes[0]].clockRate

    def mediaReceived(self, data: bytes) -> None:
        packet = parsePacket(data)
        sequence = self._sequences.unwrap(packet.sequence)
        self.packets.append(Packet(sequence, self._timestamps.unwrap(packet.timestamp), packet))

    def received(self, data: bytes) -> None:
        """What came where RTP does; RTCP comes there too if it was asked for (RFC 5761)."""
        if self.isMuxed and isRTCP(data):
            self.controlReceived(data)
        else:
            self.mediaReceived(data)

    def controlReceived(self, data: bytes) -> None:
        for packet in parseCompound(data):
            if isinstance(packet, SenderReport):
                self.reports.append(packet)
            elif isinstance(packet, Goodbye):
                self.left = len(self.packets)

    def units(self, first: int = 0, last: int | None = None) -> list[ReceivedUnit]:
        """The units that packets, counted from 0, make; timestamps are unwrapped."""
        payloadType = self.section.payloadTypes[0]
        rtpmap = self.section.rtpmaps[payloadType]
        parameters = self.section.parameters(payloadType)
        unpacker = unpackerFor(rtpmap.encodingName, rtpmap.clockRate, rtpmap.channels, parameters)
        found = []
        for packet in self.packets[first:last]:
            rtp = packet.rtp
            for unit in unpacker.push(rtp.sequence, rtp.timestamp, rtp.marker, rtp.payload):
                difference = (unit.timestamp - rtp.timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
                found.append(ReceivedUnit(packet.timestamp + difference, unit.key, unit.data))
        return found

    def unix(self, timestamp: int) -> float:
        """The wall clock, Unix seconds, that the last sender report gives an unwrapped timestamp."""
        report = self.reports[-1]
        difference = (timestamp - report.rtpTime + (1 << 31)) % (1 << 32) - (1 << 31)
        return unixSeconds(report.ntp) + difference / self.clockRate


@dataclass
class Playing:
    """
    What a PLAY began.

    @ivar start: NPT seconds of the reply's Range.
    @ivar infos: RTP-Info by URL.
    @ivar first: for each track the number of packets before the one with which RTP-Info says that it begins.
    """

    start: float
    infos: dict[str, RTPInfo]
    first: list[int]


class RTSPClient(Protocol):
    """
    @ivar tracks: in the order of SETUP.
    @ivar playing: what the last PLAY began.
    """

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self.playing: Playing | None = None
        self._parser = MessageParser()
        self._sequence = 0
        self._answered: Deferred[Response] | None = None
        self._waiting: tuple[Callable[[], bool], Deferred[None]] | None = None
        self._closed: Deferred[None] = Deferred()
        self._session = ""
        self._url = ""

    @classmethod
    async def connect(cls, port: int) -> RTSPClient:
        return await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), cls())

    # Messages

    async def request(self, method: str, url: str, **headers: str) -> Response:
        """
        Sends a request.

        @raise AssertionError: if the answer is not 200.
        """
        self._sequence += 1
        request = Request(method, url, Headers([("CSeq", str(self._sequence))]))
        if self._session:
            request.headers.set("Session", self._session)
        for name, value in headers.items():
            request.headers.set(name, value)
        self._answered = Deferred()
        self.transport.write(request.toBytes())
        response = await self._answered
        assert response.code == 200, f"{method} {url}: {response.code} {response.reason}"
        return response

    def dataReceived(self, data: bytes) -> None:
        for message in self._parser.feed(data):
            if isinstance(message, InterleavedFrame):
                track = self.tracks[message.channel // 2]
                if message.channel % 2:
                    track.controlReceived(message.payload)
                else:
                    track.received(message.payload)
            else:
                assert isinstance(message, Response), message
                answered, self._answered = self._answered, None
                assert answered is not None, "an answer that nobody asked for"
                answered.callback(message)
            self.notice()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed.callback(None)
        if self._answered is not None:
            self._answered.errback(reason)

    async def close(self) -> None:
        """Hangs up, and gives the ports back."""
        self.transport.loseConnection()
        await self._closed
        for track in self.tracks:
            for port in track.ports:
                await port.stopListening()

    # What a client does

    async def setUp(self, url: str, transport: str) -> None:
        """
        Describes a presentation and sets all of its tracks up, over C{"udp"} or C{"tcp"}, with RTP and RTCP on one port
        or channel if that is followed by C{"-mux"}.
        """
        described = await self.request("DESCRIBE", url, Accept="application/sdp")
        base = described.headers.get("Content-Base", url)
        self._url = base
        for section in parseDescription(described.body.decode()).media:
            track = Track(base + section.control, section, isMuxed=transport.endswith("-mux"))
            self.tracks.append(track)
            wanted = self._offer(track, transport, len(self.tracks) - 1)
            response = await self.request("SETUP", track.url, Transport=wanted)
            self._session = parseSession(response.headers.get("Session", ""))[0]
            chosen = parseTransports(response.headers.get("Transport", ""))[0]
            assert chosen.rtcpMux == track.isMuxed
            track.ssrc = chosen.ssrc

    def _offer(self, track: Track, transport: str, number: int) -> str:
        if transport == "tcp-mux":
            return f"RTP/AVP/TCP;unicast;RTCP-mux;interleaved={2 * number}-{2 * number}"
        if transport == "tcp":
            return f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}"
        while not track.ports:
            self._bind(track)
        ports = [port.getHost().port for port in track.ports]
        return f"RTP/AVP;unicast;client_port={ports[0]}-{ports[-1]}"

    def _bind(self, track: Track) -> None:
        """
        Takes an even port and the next one, if the system offers them. The sockets are our own until both are bound:
        Twisted's listenUDP leaves one open behind it when its port is taken.
        """
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control,
        ):
            media.bind(("127.0.0.1", 0))
            number = media.getsockname()[1]
            if number % 2:
                return
            try:
                control.bind(("127.0.0.1", number + 1))
            except OSError:
                return
            # a stroke of a key frame fills the half of what a socket has if it does not ask
            media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            used = [(media, track.received), (control, track.controlReceived)]
            for bound, received in used[:1] if track.isMuxed else used:
                bound.setblocking(False)
                receiver = _Receiver(received, self.notice)
                track.ports.append(reactor.adoptDatagramPort(bound.fileno(), socket.AF_INET, receiver, 65536))

    async def play(self, range: str | None = None) -> Playing:
        """PLAY, from a Range or from where it is."""
        response = await self.request("PLAY", self._url, **({"Range": range} if range is not None else {}))
        start = response.headers.get("Range", "").removeprefix("npt=").partition("-")[0]
        infos = {info.url: info for info in parseRTPInfo(response.headers.get("RTP-Info", ""))}
        self.playing = Playing(float(start), infos, [self._firstOf(track, infos[track.url]) for track in self.tracks])
        return self.playing

    @staticmethod
    def _firstOf(track: Track, info: RTPInfo) -> int:
        assert info.seq is not None
        first = (info.seq - track.packets[0].sequence) & 0xFFFF if track.packets else 0
        # inside the connection nothing of the new range comes before the reply, and nothing of the old one after it;
        # over UDP packets and reply come in any order
        assert track.ports or first == len(track.packets)
        return first

    async def end(self) -> None:
        """Waits for BYE on every track."""
        await self.until(lambda: all(track.left is not None for track in self.tracks))
        await self.request("GET_PARAMETER", self._url)

    async def pause(self) -> None:
        """PAUSE, and all that was under way has come."""
        await self.request("PAUSE", self._url)
        # over UDP packets may be in our own socket while the reply is here: another round trip lets them in
        await self.request("GET_PARAMETER", self._url)

    async def tearDown(self) -> None:
        await self.request("TEARDOWN", self._url)

    async def until(self, isSo: Callable[[], bool]) -> None:
        """Waits until something is so after something came."""
        if not isSo():
            waiting: Deferred[None] = Deferred()
            self._waiting = (isSo, waiting)
            await waiting

    def notice(self) -> None:
        """Something came."""
        if self._waiting is not None and self._waiting[0]():
            waiting, self._waiting = self._waiting[1], None
            waiting.callback(None)


class _Receiver(DatagramProtocol):
    def __init__(self, received: Callable[[bytes], None], notice: Callable[[], None]) -> None:
        self._received = received
        self._notice = notice

    def datagramReceived(self, data: bytes, address: tuple[str, int]) -> None:
        self._received(data)
        self._notice()


#: gives a client that has a presentation set up: the name of the file, and the transport
Opener = Callable[[str, str], Awaitable[RTSPClient]]


async def pass_(seconds: float) -> None:
    """Lets time go by."""
    passed: Deferred[None] = Deferred()
    reactor.callLater(seconds, passed.callback, None)
    await passed
