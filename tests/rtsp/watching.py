"""
What a client sees of one track, and the laws that hold for it whatever is asked in whatever order (RFC 2326 app. B).

A reply to PLAY is a promise: from which sequence number on, at which RTP time, what of the film. The pictures and the
sound of L{rtsprig}'s films know their numbers, so that every packet can be held against the promise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rtsprig import numberOf

from mediasrv.rtp.packets import RTPPacket, parsePacket
from mediasrv.rtp.rtcp import Goodbye, SenderReport, SourceDescription, parseCompound

RATES = {"video": 90000, "audio": 8000}
#: units per second
PER_SECOND = {"video": 25, "audio": 50}

#: seconds that packets may leave early: what the player may be ahead, and what it spreads and merges
_EARLY = 0.5 + 0.25
#: seconds by which what resumes may lie before the pause point: pictures that are reordered or still being spread
BEHIND = 0.25


def later(one: int, other: int) -> int:
    """Ticks from one RTP time to another; negative if it is before."""
    return (one - other + 0x80000000 & 0xFFFFFFFF) - 0x80000000


@dataclass(slots=True)
class Promise:
    """
    @ivar start: NPT seconds.
    @ivar end: NPT seconds.
    @ivar rtptime: of the start; None where the reply does not say, which promises nothing of the content.
    @ivar at: seconds of the clock when it was made.
    @ivar precision: seconds by which the reply may be off: not all units tell fractions.
    @ivar early: seconds before the start where it may begin; 0.0 where a key frame was promised for the start.
    @ivar steady: whether it is played at Scale 1.
    @ivar paced: whether at Speed 1.
    @ivar last: number of the unit that came last.
    """

    start: float
    end: float
    rtptime: int | None
    at: float
    precision: float = 1e-6
    early: float = 0.0
    steady: bool = True
    paced: bool = True
    last: int | None = None


@dataclass(slots=True)
class TrackWatch:
    """
    @ivar url: of its SETUP, to the letter.
    @ivar promise: what a PLAY promised; None while nothing may come.
    @ivar sequence: of the next packet; None before the first one.
    """

    url: str
    kind: str
    ssrc: int
    reorders: bool = False
    promise: Promise | None = None
    sequence: int | None = None
    packets: int = 0
    _latest: int | None = None
    _report: tuple[int, int] | None = None
    _names: set[str] = field(default_factory=set)

    @property
    def rate(self) -> int:
        """Ticks per second."""
        return RATES[self.kind]

    def begins(self, promise: Promise, sequence: int | None) -> None:
        """A reply to PLAY came, with the number of the first packet that it speaks of."""
        if sequence is not None:
            assert self.sequence in (None, sequence), f"RTP-Info says {sequence}, {self.sequence} is next"
            self.sequence = sequence
        self.promise = promise

    def media(self, data: bytes, now: float) -> None:
        """A packet came."""
        packet = parsePacket(data)
        assert packet.ssrc == self.ssrc, "another SSRC (RTP-8)"
        assert self.sequence in (None, packet.sequence), f"{packet.sequence} came, {self.sequence} is next (RTP-4)"
        self.sequence = packet.sequence + 1 & 0xFFFF
        self.packets += 1
        assert self.promise is not None, "a packet while nothing is played"
        self._checkTime(packet)
        if self.promise.steady and self.promise.rtptime is not None:
            self._checkContent(packet, self.promise, self.promise.rtptime, now)

    def _checkTime(self, packet: RTPPacket) -> None:
        """RTP-5: times go back by the reordering of pictures at most."""
        if self._latest is None:
            self._latest = packet.timestamp
        step = later(packet.timestamp, self._latest)
        assert step >= -0.13 * self.rate * self.reorders, f"{step} ticks back (RTP-5)"
        if step > 0:
            self._latest = packet.timestamp

    def _checkContent(self, packet: RTPPacket, promise: Promise, rtptime: int, now: float) -> None:
        """RTP-3, PLY-6, PLY-7: the right unit at the right time, nothing outside of the range, all of it in order."""
        place = promise.start + later(packet.timestamp, rtptime) / self.rate
        number = round(place * PER_SECOND[self.kind])
        precision = promise.precision + 1.5 / self.rate
        if self.kind == "audio":
            assert packet.payload[0] == number & 0xFF, f"another unit than that of {place}"
        else:
            found = numberOf(packet.payload)
            if found is None:
                return  # no picture begins here
            assert found == number, f"picture {found} at {place}"
        assert abs(place - number / PER_SECOND[self.kind]) <= precision, f"{place} is no unit's time (RTP-3)"
        assert place >= promise.start - (promise.early or precision), (
            f"{place} is before the range from {promise.start}"
        )
        end = promise.end
        exact = number / PER_SECOND[self.kind]
        assert exact < end or (promise.precision > 1e-6 and place < end + precision), f"{place} is past {end} (PLY-6)"
        if promise.last is None and not promise.early:
            assert abs(place - promise.start) <= precision, "the range does not begin where it was said to (PLY-7)"
        if promise.last is not None and not self.reorders:
            assert number == promise.last + 1, f"{number} after {promise.last}"
        promise.last = number
        if promise.paced:
            assert place - promise.start <= now - promise.at + _EARLY, "too early (RTP-10)"

    def control(self, data: bytes, exact: bool) -> bool:
        """
        A compound packet of RTCP came (RTCP-1 to RTCP-3).

        @param exact: whether all that was sent before it has come.
        @return: whether it says BYE.
        """
        report, description, *rest = parseCompound(data)
        assert isinstance(report, SenderReport)
        assert isinstance(description, SourceDescription)
        assert report.ssrc == self.ssrc
        self._names |= set(description.names().values())
        assert len(self._names) == 1, "another CNAME"
        if self._report is None:
            self._report = report.ntp, report.rtpTime
        ntp, rtpTime = self._report
        expected = rtpTime + round((report.ntp - ntp) * self.rate / (1 << 32))
        assert abs(later(report.rtpTime, expected & 0xFFFFFFFF)) <= 2, "reports off their line (RTCP-3)"
        if exact:
            assert report.packetCount == self.packets & 0xFFFFFFFF, "the report counts wrongly (RTCP-2)"
        assert all(isinstance(each, Goodbye) and each.ssrcs == [self.ssrc] for each in rest)
        return bool(rest)
