"""
One session of the checker: its tracks, what was asked of it, and what a PLAY began.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mediasrv.conform.connection import Connection, Reply
from mediasrv.conform.grading import Failed, NotApplicable
from mediasrv.conform.ports import PortPair, openPorts
from mediasrv.conform.reception import Arrival, Reception, Track
from mediasrv.rtsp.headers import RTPInfo, parseRTPInfo, parseSession
from mediasrv.rtsp.messages import HeaderError
from mediasrv.rtsp.ranges import parseRange
from mediasrv.rtsp.transport import TransportSpec, parseTransports

#: seconds without a packet that are taken for the end: more than players buffer between two pictures
QUIET = 1.0
#: seconds in which packets that had left the server may still arrive over UDP
UNDER_WAY = 0.1

Headers = Iterable[tuple[str, str]]


@dataclass
class Play:
    """
    What a PLAY began.

    @ivar start: of the reply's Range, seconds of its unit; None where the reply does not say.
    @ivar infos: the entries of RTP-Info, in order.
    @ivar counts: the number of packets of each reception that had come before it was sent.
    """

    reply: Reply
    start: float | None
    end: float | None
    unit: str
    infos: list[RTPInfo]
    counts: list[int]

    def numberHeader(self, name: str) -> float | None:
        """The value of Scale or Speed, None without or if it is no number."""
        try:
            return float(self.reply.headers.get(name, ""))
        except ValueError:
            return None


class Viewer:
    """
    A session with its tracks.

    @ivar connection: on which it was set up.
    @ivar transport: C{"udp"} or C{"tcp"}.
    @ivar session: its identifier, C{""} before the first SETUP and after TEARDOWN.
    @ivar url: of the presentation, for aggregate control.
    """

    def __init__(self, connection: Connection, transport: str, url: str) -> None:
        self.connection = connection
        self.transport = transport
        self.session = ""
        self.url = url
        self.receptions: list[Reception] = []
        self.network = connection.network

    # Asking

    def ask(self, method: str, headers: Headers = (), url: str | None = None, body: bytes = b"") -> Reply:
        """A request with the Session header."""
        session = [("Session", self.session)] if self.session else []
        return self.connection.ask(method, url or self.url, [*session, *headers], body)

    def setUp(self, tracks: Sequence[Track]) -> None:
        """
        SETUP of tracks.

        @raise NotApplicable: if the server does not have this transport.
        @raise Failed: for other refusals.
        """
        for track in tracks:
            self.setUpTrack(track)

    def setUpTrack(self, track: Track, headers: Headers = ()) -> Reply:
        """SETUP of one track, see L{setUp}."""
        ports = None
        if self.transport == "udp":
            ports = openPorts(self.network, self.connection.address)
            wanted = f"RTP/AVP;unicast;client_port={ports.numbers[0]}-{ports.numbers[1]}"
        else:
            channel = 2 * len(self.receptions)
            wanted = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        reply = self.ask("SETUP", [("Transport", wanted), *headers], track.url)
        if reply.code == 461:
            raise NotApplicable(f"the server does not offer {self.transport.upper()} (461)")
        if reply.code != 200:
            raise Failed("200 for SETUP")
        self.adopt(track, reply, ports)
        return reply

    def adopt(self, track: Track, reply: Reply, ports: PortPair | None) -> Reception:
        """
        Takes what a successful SETUP gave.

        @raise Failed: if it gave nothing that can be used.
        """
        self.session = sessionOf(reply)
        chosen = transportOf(reply)
        reception = Reception(track, chosen, ports)
        if ports is not None:
            ports.receivers = [reception.mediaReceived, reception.controlReceived]
        else:
            channels = chosen.interleaved
            if channels is None:
                raise Failed("interleaved channels in the Transport of the reply")
            self.connection.claim(channels[0], reception.mediaReceived)
            self.connection.claim(channels[1], reception.controlReceived)
        self.receptions.append(reception)
        return reception

    def play(self, range: str | None = None, headers: Headers = (), url: str | None = None) -> Play:
        """
        PLAY that has to succeed.

        @raise Failed: if it does not.
        """
        played = self.tryPlay(range, headers, url)
        if played.reply.code != 200:
            raise Failed("200 for PLAY")
        return played

    def tryPlay(self, range: str | None = None, headers: Headers = (), url: str | None = None) -> Play:
        """PLAY, whatever comes of it."""
        counts = [len(each.packets) for each in self.receptions]
        given = [("Range", range)] if range is not None else []
        reply = self.ask("PLAY", [*given, *headers], url)
        start, end, unit = rangeOf(reply)
        return Play(reply, start, end, unit, infosOf(reply), counts)

    def pause(self, headers: Headers = ()) -> Reply:
        """
        PAUSE that has to succeed, and everything that was under way has come.

        @raise Failed: if it does not.
        """
        reply = self.ask("PAUSE", headers)
        if reply.code != 200:
            raise Failed("200 for PAUSE")
        if self.transport == "udp":
            self.watch(UNDER_WAY)
        return reply

    def tearDown(self) -> Reply:
        """TEARDOWN, whatever comes of it; the session is not used again."""
        reply = self.ask("TEARDOWN")
        self.session = ""
        return reply

    # Receiving

    def watch(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Receives for so long, or until something is so; returns whether it is."""
        return self.network.listen(seconds, until)

    def begin(self, play: Play, seconds: float | None = None) -> None:
        """
        Waits for a packet of this PLAY on every track.

        @param seconds: how long; as long as for an answer if None.
        @raise Failed: if one has none.
        """
        seconds = self.network.timeout if seconds is None else seconds
        self.watch(seconds, lambda: all(self.packetsOf(play, each) for each in self.receptions))
        missing = [each.name for each in self.receptions if not self.packetsOf(play, each)]
        if missing:
            raise Failed(f"packets of every track within {seconds:g} s", f"none of {', '.join(missing)}")

    def packetsOf(self, play: Play, reception: Reception) -> list[Arrival]:
        """
        What came because of a PLAY. Inside the connection that is what follows the reply; over UDP the two are in no
        order, and RTP-Info says where it begins.
        """
        index = self.receptions.index(reception)
        before = play.counts[index] if index < len(play.counts) else 0
        if reception.ports is None:
            return [each for each in reception.packets[before:] if each.order > play.reply.order]
        info = self.infoOf(play, reception)
        later = reception.packets[before:]
        if info is None or info.seq is None or not later:
            return later
        first = info.seq
        return [each for each in later if (each.sequence - first) & 0xFFFF < 0x8000]

    def infoOf(self, play: Play, reception: Reception) -> RTPInfo | None:
        """The entry of RTP-Info for a track: of its URL, or one whose URL ends alike, or the one at its place."""
        url = reception.track.url
        for info in play.infos:
            if info.url == url:
                return info
        for info in play.infos:
            if info.url.rpartition("/")[2] == url.rpartition("/")[2]:
                return info
        index = self.receptions.index(reception)
        return play.infos[index] if len(play.infos) == len(self.receptions) else None

    def quiet(self, seconds: float = QUIET, most: float = 10.0) -> bool:
        """Waits until nothing has come for so long; returns whether that was before C{most} seconds were over."""
        began = time.monotonic()

        def sinceLast() -> float:
            times = [each.packets[-1].time for each in self.receptions if each.packets]
            return time.monotonic() - max([began, *times])

        while (since := sinceLast()) < seconds:
            if time.monotonic() - began >= most:
                return False
            self.watch(min(seconds - since, 0.1))
        return True

    @property
    def received(self) -> int:
        """How many RTP packets came on all tracks."""
        return sum(len(each.packets) for each in self.receptions)


def sessionOf(reply: Reply) -> str:
    """
    @raise Failed: if the reply has no Session, or one that cannot be.
    """
    value = reply.headers.get("Session")
    if value is None:
        raise Failed("a Session header")
    try:
        return parseSession(value)[0]
    except HeaderError:
        raise Failed("a session identifier") from None


def transportOf(reply: Reply) -> TransportSpec:
    """
    @raise Failed: if the reply has no Transport that can be understood.
    """
    try:
        return parseTransports(reply.headers.get("Transport", ""))[0]
    except (HeaderError, IndexError):
        raise Failed("a Transport header") from None


def rangeOf(reply: Reply) -> tuple[float | None, float | None, str]:
    """Start, end and unit of the reply's Range, None for what is not there."""
    try:
        spec = parseRange(reply.headers.get("Range", ""))
    except HeaderError:
        return None, None, ""
    return spec.start, spec.end, spec.unit


def infosOf(reply: Reply) -> list[RTPInfo]:
    """The entries of RTP-Info that can be read."""
    try:
        return parseRTPInfo(reply.headers.get("RTP-Info", ""))
    except HeaderError:
        return []
