"""
From NPT to the ticks of a track in MP4.

The time that a player sees is NPT: what a playlist says and what the media says agree, in all tracks, so nobody has to
know an offset. But what is decoded early has times below zero, pictures where they are reordered and the frames that
prime a decoder of sound, and MP4 has no such times (C{tfdt} is unsigned). So each track runs later by as much as it
needs, and an edit list in its init segment moves the whole of it back.

The other way, to decode pictures later and show them earlier than that by a negative offset, is what FFmpeg gets wrong:
it shows them late by the difference.
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
    @ivar lead: the tick of NPT 0: the C{media_time} of the edit list.
    @ivar grid: the tick of some frame of sound, if all have the same length.
    @ivar frame: that length in ticks; 0 if they differ.
    """

    timescale: int
    lead: int = 0
    grid: int = 0
    frame: int = 0

    @classmethod
    def startingWith(cls, units: Sequence[Unit], timescale: int, frame: int = 0) -> Timeline:
        """
        The time line of a track. Its first unit is decoded at the tick that the NPT has when it is shown (or at the
        first one, if it is not to be shown): hls.js takes decoding times for the start of a segment.

        @param units: its first ones; without any it starts at NPT 0.
        """
        if not units:
            return cls(timescale)
        decoded, shown = round(units[0].dts * timescale), round(units[0].pts * timescale)
        lead = max(0, max(0, shown) - decoded)
        return cls(timescale, lead, decoded + lead, frame)

    def tick(self, time: float) -> int:
        """The tick of an NPT."""
        return round(time * self.timescale) + self.lead

    def decoding(self, time: float) -> int:
        """
        The tick of an NPT in decoding order. Frames of sound follow each other without a gap where the container had
        to round their times, since all of them are on one grid.
        """
        tick = self.tick(time)
        if self.frame:
            exact = self.grid + round((tick - self.grid) / self.frame) * self.frame
            if abs(exact - tick) <= _ROUNDING:
                tick = exact
        return max(0, tick)
