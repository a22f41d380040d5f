"""
Time as a straight line: one linear map from the wall clock to RTP time per track, for a session's whole life.

PLAY, PAUSE, seek and scale change what is sent at which instant, never this map (RFC 7826 appendices C.3 and C.4, which
also satisfies RFC 2326 appendix B): timestamps never step back, a pause shows as the time it took, and a sender report
stays true for ever.

Two clocks are involved. A monotonic one paces everything; people set the other one, by an hour if they like. So a
L{SessionClock} reads the time of day once and lets the monotonic clock carry it on: the sender reports of one session
agree with each other for its whole life, whatever its tracks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import randbelow

from mediasrv.rtp.rtcp import ntpTimestamp

_MASK = 0xFFFFFFFF


def randomNumber() -> int:
    """
    A random number of 32 bits, never 0: for the start of a timeline or for an SSRC.

    RFC 3550 section 5.1 wants them unpredictable; 0 is what FFmpeg takes for "no rtptime" in RTP-Info.
    """
    return randbelow(_MASK) + 1


@dataclass(slots=True)
class Timeline:
    """
    The RTP time of one track of one session.

    @ivar clockRate: ticks per second.
    @ivar origin: monotonic seconds at which the RTP time is C{base}; the same for all tracks of a session.
    @ivar base: 32 bits, random, never 0.
    """

    clockRate: int
    origin: float
    base: int = field(default_factory=randomNumber)

    def extended(self, wall: float) -> int:
        """The RTP time at these monotonic seconds, not wrapped: what is later is never less."""
        return self.base + round((wall - self.origin) * self.clockRate)

    def at(self, wall: float) -> int:
        """The RTP time at these monotonic seconds, 32 bits, as packets and reports carry it."""
        return (self.base + round((wall - self.origin) * self.clockRate)) & _MASK


@dataclass(slots=True)
class SessionClock:
    """
    What the tracks of one session have in common.

    @ivar origin: monotonic seconds when the session began.
    @ivar unixOrigin: the time of day, Unix seconds, at that instant.
    """

    origin: float
    unixOrigin: float

    def timeline(self, clockRate: int) -> Timeline:
        """A new track's map."""
        return Timeline(clockRate, self.origin)

    def unix(self, wall: float) -> float:
        """Unix seconds at these monotonic seconds."""
        return self.unixOrigin + (wall - self.origin)

    def ntp(self, wall: float) -> int:
        """The 64-bit NTP timestamp at these monotonic seconds, for the sender reports of all tracks."""
        return ntpTimestamp(self.unix(wall))


class _Unwrapper:
    """Extends numbers that wrap, taking each for the one nearest to the number before it."""

    __slots__ = ("_half", "_last", "_mask")

    def __init__(self, bits: int) -> None:
        self._half = 1 << bits - 1
        self._mask = (1 << bits) - 1
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """
        The extended number. The first is itself; what was sent before it comes out lower, below zero even.
        """
        last = self._last
        if last is None:
            self._last = value
        else:
            self._last = last + ((value - last + self._half) & self._mask) - self._half
        return self._last


class SequenceUnwrapper(_Unwrapper):
    """Extends the 16-bit sequence numbers of one received stream, in the order of arrival."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(16)


class TimestampUnwrapper(_Unwrapper):
    """Extends the 32-bit timestamps of one received stream, in the order of arrival."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(32)
