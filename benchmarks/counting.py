"""
What arrived of one track: packets, bytes, losses, the media clock, and the longest silence.

Packets are handed over in runs: consecutive sequence numbers that one look at the socket brought. Most packets then
cost one comparison, and a thousand viewers can be counted on one core.
"""

from __future__ import annotations

from typing import Any

#: a jump of sequence numbers right after a PLAY that cannot be loss: the server began a new sequence
_NEW_SEQUENCE = 1000


class TrackCount:
    """
    Counts one track of one viewer.

    @ivar kind: C{video}, C{audio} or what else the description says.
    @ivar clock: ticks of the RTP timestamps per second.
    @ivar ssrc: where the packets come from; None before that is known.
    @ivar lost: packets that never came, less those that came late.
    @ivar late: packets that came after their successors.
    @ivar media: ticks by which the timestamps went on.
    @ivar first: when the first packet after the last L{await_} came, or None. Seconds of C{time.monotonic}.
    @ivar gap: the longest silence in seconds since L{mark}.
    @ivar ended: whether the sender said BYE.
    """

    __slots__ = (
        "_awaiting", "_last", "_marked", "_next", "_stamp",
        "bytes", "clock", "duplicates", "ended", "first", "gap", "kind", "late", "lost", "media", "packets", "ssrc",
    )  # fmt: skip

    def __init__(self, kind: str, clock: int) -> None:
        self.kind = kind
        self.clock = clock
        self.ssrc: int | None = None
        self.packets = self.bytes = self.lost = self.late = self.duplicates = self.media = 0
        self.first: float | None = None
        self.gap = 0.0
        self.ended = False
        self._awaiting = True
        self._next = -1
        self._stamp = 0
        self._last: float | None = None
        self._marked: tuple[int, ...] = (0,) * 6

    @property
    def highest(self) -> int:
        """The last sequence number, for receiver reports."""
        return (self._next - 1) & 0xFFFF

    def await_(self) -> None:
        """PLAY was sent: the next packet is the first one, and the silence before it is no stall."""
        self.first = None
        self.ended = False
        self._awaiting = True

    def pause(self) -> None:
        """PAUSE was sent: what still comes is counted, the silence after it is not."""
        self._last = None

    def add(self, sequence: int, count: int, size: int, stamp: int, now: float) -> None:
        """
        Counts a run.

        @param sequence: of its first packet.
        @param count: packets in it.
        @param size: their bytes, RTP headers included.
        @param stamp: the timestamp of its last packet.
        @param now: when it came, in seconds of C{time.monotonic}.
        """
        self.packets += count
        self.bytes += size
        if self._awaiting:
            self._begin(sequence, stamp, now)
        missing = (sequence - self._next) & 0xFFFF
        if missing < 0x8000:
            self.lost += missing
            self._next = (sequence + count) & 0xFFFF
        elif missing == 0xFFFF and count == 1:
            self.duplicates += 1
        else:
            self.late += count
            self.lost -= count
        ahead = (stamp - self._stamp) & 0xFFFFFFFF
        if ahead < 0x80000000:
            self.media += ahead
            self._stamp = stamp
        if self._last is not None and now - self._last > self.gap:
            self.gap = now - self._last
        self._last = now

    def _begin(self, sequence: int, stamp: int, now: float) -> None:
        self._awaiting = False
        self.first = now
        self._last = None
        if self._next < 0 or _NEW_SEQUENCE < ((sequence - self._next) & 0xFFFF) < 0x10000 - _NEW_SEQUENCE:
            self._next = sequence
            self._stamp = stamp

    def mark(self) -> None:
        """Begins the interval that L{since} tells about."""
        self._marked = self._totals()
        self.gap = 0.0

    def since(self, now: float) -> dict[str, Any]:
        """What happened since L{mark}, and the silence that lasts as yet."""
        names = ("packets", "bytes", "lost", "late", "duplicates", "media")
        found: dict[str, Any] = {
            name: total - before for name, total, before in zip(names, self._totals(), self._marked, strict=True)
        }
        lasting = now - self._last if self._last is not None and not self._awaiting and not self.ended else 0.0
        return {**found, "kind": self.kind, "clock": self.clock, "gap": max(self.gap, lasting)}

    def _totals(self) -> tuple[int, ...]:
        return self.packets, self.bytes, self.lost, self.late, self.duplicates, self.media
