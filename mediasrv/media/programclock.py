"""
What the packets of an MPEG transport stream say without being demultiplexed (ISO/IEC 13818-1 section 2.4): when each is
to arrive, by the program clock reference (PCR), and where a receiver can start.

Whoever starts needs the program association table (PAT), which says where the map of the program is, which says where
its pictures are; then a random access point. So an entry is the last PAT before one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

PACKET = 188
SYNC = b"\x47"

#: ticks of the base of a PCR in a second, and how many there are before it begins anew
_TICKS = 90000
_WRAP = 1 << 33

#: seconds from one PCR to the next beyond which the clock was set; it is to come every 0.1 s
_JUMP = 10.0

#: seconds between the samples of the clock that are kept: it runs straight for longer than that
_SPACING = 0.1

#: bytes from a PAT to the random access point beyond which it is no help
_FAR = 1 << 20

#: stream types of video (table 2-34): MPEG-1 and -2, MPEG-4 Visual, H.264, H.265, H.266, and AVS
_VIDEO = frozenset({0x01, 0x02, 0x10, 0x1B, 0x24, 0x33, 0x42})

#: for each value of a packet's second, third or fourth byte whether that says something
_IS_PID_0 = bytes(not value & 0x1F for value in range(256))
_IS_0 = bytes(not value for value in range(256))
_BEGINS = bytes(bool(value & 0x40) for value in range(256))
_HAS_FIELD = bytes(bool(value & 0x20) for value in range(256))


class ProgramClock:
    """
    The clock of the first program of a stream, from its packets in order.

    @ivar entries: offsets where a receiver can start, ascending.
    @ivar size: bytes of all packets so far.
    """

    def __init__(self) -> None:
        self.entries = array("Q")
        self.size = 0
        self._offsets = array("Q")  # samples: offset, and seconds since the first one
        self._times = array("d")
        self._lastOffset = 0
        self._lastBase: int | None = None
        self._time = 0.0
        self._rate = 0.0  # seconds per byte between the last two clock references
        self._zero = 0.0
        self._association: int | None = None  # offset of the last PAT
        self._mapPID: int | None = None
        self._clockPID: int | None = None
        self._videoPID: int | None = None

    @property
    def isKnown(self) -> bool:
        """Whether there is a clock that runs."""
        return len(self._offsets) > 1

    @property
    def hasVideo(self) -> bool:
        """Whether the program has pictures, which are what entries are for."""
        return self._videoPID is not None

    def push(self, packets: bytes) -> None:
        """Takes the packets that come next, whole ones."""
        offset = self.size
        for number in _ofInterest(packets, self._clockPID is None):
            at = number * PACKET
            pid = (packets[at + 1] & 0x1F) << 8 | packets[at + 2]
            if packets[at + 3] & 0x20:
                self._adaptation(packets, at, pid, offset)
            else:
                self._table(packets[at : at + PACKET], pid, offset + at)
        self.size += len(packets)

    def _adaptation(self, packets: bytes, at: int, pid: int, offset: int) -> None:
        """Looks at an adaptation field (section 2.4.3.4)."""
        length = packets[at + 4]
        flags = packets[at + 5] if length else 0
        if flags & 0x40 and pid == self._videoPID:
            self._enter(offset + at)
        if flags & 0x10 and length >= 7 and pid == self._clockPID:
            self._reference(offset + at, int.from_bytes(packets[at + 6 : at + 11], "big") >> 7)

    def _enter(self, offset: int) -> None:
        association = self._association
        if association is not None and offset - association <= _FAR:
            offset = association
        if not self.entries or offset > self.entries[-1]:
            self.entries.append(offset)

    def _reference(self, offset: int, base: int) -> None:
        """A PCR. Of one that steps back, or far ahead, only the steps after it count."""
        if self._lastBase is not None:
            step = (base - self._lastBase) % _WRAP / _TICKS
            passed = offset - self._lastOffset
            if step <= _JUMP:
                self._rate = step / passed
            else:
                step = passed * self._rate
            self._time += step
        self._lastBase, self._lastOffset = base, offset
        if not self._times or self._time - self._times[-1] >= _SPACING:
            self._offsets.append(offset)
            self._times.append(self._time)
            if len(self._times) == 2:
                self._zero = -self._offsets[0] * self._time / (offset - self._offsets[0])

    def _table(self, packet: bytes, pid: int, offset: int) -> None:
        """Looks at a packet that may begin a table (section 2.4.4); of long ones the first packet has to do."""
        if not packet[1] & 0x40:
            return
        section = packet[5 + packet[4] :]
        if pid == 0 and section[:1] == b"\0":
            self._association = offset
            if self._mapPID is None:
                self._mapPID = _programMap(section)
        elif pid == self._mapPID and section[:1] == b"\2" and len(section) > 12:
            self._clockPID = (section[8] & 0x1F) << 8 | section[9]
            self._videoPID = _video(section)

    # Where and when

    def entriesWithin(self, start: int, end: int) -> Sequence[int]:
        """The entries from one offset up to another."""
        return self.entries[bisect_left(self.entries, start) : bisect_left(self.entries, end)]

    def timeAt(self, offset: int) -> float:
        """Seconds from the first byte of the stream to the one at an offset."""
        after = min(max(bisect_right(self._offsets, offset), 1), len(self._offsets) - 1)
        start, end = self._offsets[after - 1], self._offsets[after]
        began, ended = self._times[after - 1], self._times[after]
        return began + (offset - start) * (ended - began) / (end - start) - self._zero

    def offsetAt(self, time: float) -> int:
        """The offset of the packet that arrives at so many seconds, or just before."""
        time += self._zero
        after = min(max(bisect_right(self._times, time), 1), len(self._times) - 1)
        start, end = self._offsets[after - 1], self._offsets[after]
        began, ended = self._times[after - 1], self._times[after]
        offset = int(start + (time - began) * (end - start) / (ended - began))
        return min(max(0, offset), self.size) // PACKET * PACKET


def _ofInterest(packets: bytes, wantsMap: bool) -> Iterator[int]:
    """
    The numbers of the packets that have an adaptation field or a PAT, or the beginning of something if the map of the
    program is still wanted. A file has millions of packets, most of which have neither: they are not looked at one by
    one, in which nobody else could use the interpreter, but thousands at a time.
    """
    high, low, control = packets[1::PACKET], packets[2::PACKET], packets[3::PACKET]
    marks = _number(high, _IS_PID_0) & _number(low, _IS_0) | _number(control, _HAS_FIELD)
    if wantsMap:
        marks |= _number(high, _BEGINS)
    found = marks.to_bytes(len(control), "big")
    at = found.find(1)
    while at >= 0:
        yield at
        at = found.find(1, at + 1)


def _number(data: bytes, marks: bytes) -> int:
    """The bytes, each replaced by its mark, as one number: so sets of packets are united and intersected."""
    return int.from_bytes(data.translate(marks), "big")


def _programMap(section: bytes) -> int | None:
    """The PID of the first program's map in a program association section (section 2.4.4.3)."""
    for at in range(8, min(len(section), 3 + ((section[1] & 0x0F) << 8 | section[2])) - 7, 4):
        if section[at] or section[at + 1]:
            return (section[at + 2] & 0x1F) << 8 | section[at + 3]
    return None


def _video(section: bytes) -> int | None:
    """The PID of the first video in a program map section (section 2.4.4.8)."""
    end = min(len(section), 3 + ((section[1] & 0x0F) << 8 | section[2])) - 4
    at = 12 + ((section[10] & 0x0F) << 8 | section[11])
    while at + 5 <= end:
        if section[at] in _VIDEO:
            return (section[at + 1] & 0x1F) << 8 | section[at + 2]
        at += 5 + ((section[at + 3] & 0x0F) << 8 | section[at + 4])
    return None
