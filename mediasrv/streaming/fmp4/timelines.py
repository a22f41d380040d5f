"""
From NPT to the ticks of a track in MP4.

The time that a player sees is NPT: what a playlist says and what the media says agree, in all tracks, so nobody has to
know an offset. Two things stand in the way. Decoding times of pictures begin before NPT 0 where pictures are reordered,
and MP4 has no such times (C{tfdt} is unsigned): they are all moved later until the first picture is decoded when it is
shown, and the offsets from decoding to showing may be negative, which version 1 of C{trun} allows. And the frames that
prime a decoder of sound are meant to be before NPT 0: that track begins at tick 0 with them, and an edit list in its
init segment moves the whole of it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mediasrv.media.tracks import Unit

#: ticks by which a container's rounding may have moved a frame of sound off its grid
_ROUNDING = 2


@dataclass(frozen=True, slots=True)
class Timeline:
    """
    @ivar timescale: ticks a second.
    @ivar later: ticks by which decoding is later than its NPT.
    @ivar lead: ticks of what comes before NPT 0: the C{media_time} of the edit list.
    @ivar grid: the tick of some frame of sound, if all have the same length.
    @ivar frame: that length in ticks; 0 if they differ.
    """

    timescale: int
    later: int = 0
    lead: int = 0
    grid: int = 0
    frame: int = 0

    @classmethod
    def startingWith(cls, units: Sequence[Unit], timescale: int, frame: int = 0) -> Timeline:
        """
        The time line of a track.

        @param units: its first ones; without any it starts at NPT 0.
        """
        if not units:
            return cls(timescale)
        first = units[0]
        shown = round(first.pts * timescale)
        lead = max(0, -shown)
        return cls(timescale, shown - round(first.dts * timescale) + lead, lead, shown + lead, frame)

    def decoding(self, time: float) -> int:
        """
        The tick of an NPT in decoding order. Frames of sound follow each other without a gap where the container had
        to round their times, since all of them are on one grid.
        """
        tick = round(time * self.timescale) + self.later
        if self.frame:
            exact = self.grid + round((tick - self.grid) / self.frame) * self.frame
            if abs(exact - tick) <= _ROUNDING:
                tick = exact
        return max(0, tick)

    def presentation(self, time: float) -> int:
        """The tick of an NPT in presentation order."""
        return round(time * self.timescale) + self.lead
