"""
Breaks: the places in a file where its clock jumps, because recordings were joined there or their sender began anew, and
how NPT goes straight on over them.

They are learnt from all packets in the order of the file, and hold for packets read in any order: what is added to a
time goes by the place of the packet.
"""

from __future__ import annotations

from bisect import bisect_right
from math import inf

#: seconds by which the clock of one stream goes back in a break; damage and reordering do less
_BACK = 1.0

#: seconds by which it leaves all streams behind; other containers may have nothing for long, but not for as long
_AHEAD, _FAR_AHEAD = 10.0, 3600.0

#: seconds between the places that are remembered
_SPACING = 0.5


class Breaks:
    """
    @ivar isBroken: whether there is any break.
    """

    def __init__(self, isMultiplex: bool) -> None:
        """
        @param isMultiplex: whether there is something of it at every moment, as in a transport or program stream.
        """
        self._isMultiplex = isMultiplex
        self._ahead = _AHEAD if isMultiplex else _FAR_AHEAD
        self.isBroken = False
        self._positions: dict[int, list[int]] = {}
        self._shifts: dict[int, list[float]] = {}
        self._ends: dict[int, float] = {}  # of each stream so far, NPT seconds
        self._newest = 0.0
        self._shift = 0.0  # of the stream that jumped last
        self._places: list[int] = []
        self._times: list[float] = []

    def learn(self, stream: int, position: int | None, time: float, duration: float) -> float:
        """
        Takes the packets of a file in order.

        @param position: bytes of the file before it; None if nobody knows.
        @param time: by the file's own clock, when it is to be decoded, in seconds.
        @return: what is to be added to that for NPT.
        """
        shift = self._shifts[stream][-1] if stream in self._shifts else 0.0
        # another program of a transport stream has a clock of its own
        end = self._ends.get(stream, self._newest + _BACK - _AHEAD if self._isMultiplex else -inf)
        straight = time + shift
        if position is not None and self._isBreak(straight, end):
            shift = self._after(stream, time, end)
            self._positions.setdefault(stream, []).append(position)
            self._shifts.setdefault(stream, [0.0]).append(shift)
            self.isBroken = True
            straight = time + shift
        self._ends[stream] = straight + duration
        self._newest = max(self._newest, straight + duration)
        if position is not None and (not self._times or straight > self._times[-1] + _SPACING):
            self._times.append(straight)
            self._places.append(position)
        return shift

    def _after(self, stream: int, time: float, end: float) -> float:
        """What is to be added from a break on."""
        # A stream follows another one that jumped before, if that is where it jumped to: they stay together. Or it is
        # back where it was before one wrong time.
        for shift in (self._shift, *self._shifts.get(stream, [])[-2:-1]):
            if not self._isBreak(time + shift, end):
                return shift
        self._shift = self._newest - time
        return self._shift

    def _isBreak(self, time: float, end: float) -> bool:
        return time < end - _BACK or time > self._newest + self._ahead

    def at(self, stream: int, position: int) -> float:
        """
        What is to be added to the times of a packet, in seconds.

        @param position: bytes of the file before it.
        """
        shifts = self._shifts.get(stream)
        return 0.0 if shifts is None else shifts[bisect_right(self._positions[stream], position)]

    def placeOf(self, time: float) -> int:
        """Bytes of the file before what is to be decoded at an NPT, or a little less."""
        at = bisect_right(self._times, time) - 1
        return self._places[at] if at >= 0 else 0
