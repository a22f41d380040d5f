"""
Cues: what is to be read, and when; whole tracks of them, and the cues of a part.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

#: cues of a track: one each second for a day is fewer
MOST_CUES = 50_000

#: bytes of memory for each cue besides its text, about
_BOOKKEEPING = 300

#: NPT seconds after which nothing is believed: a year
_LATEST = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Cue:
    """
    @ivar start: NPT seconds when it appears.
    @ivar end: NPT seconds when it disappears.
    @ivar text: as WebVTT has it, escaped, without empty lines.
    @ivar settings: where it is shown, as WebVTT says it; or C{""}.
    """

    start: float
    end: float
    text: str
    settings: str = ""


class CueTrack:
    """
    The cues of a track in the order in which they appear.

    @ivar size: bytes of memory that they take, about.
    """

    def __init__(self, cues: Iterable[Cue]) -> None:
        """
        @param cues: of which those that are never seen, or say nothing, are left out.
        """
        seen = (each for each in cues if each.text and 0 < each.end <= _LATEST and each.start < each.end)
        self.cues: Sequence[Cue] = sorted(islice(seen, MOST_CUES), key=lambda cue: (cue.start, cue.end))
        self.size = sum(_BOOKKEEPING + 2 * len(cue.text) for cue in self.cues)
        self._starts = [cue.start for cue in self.cues]
        # up to each cue, the latest end: it grows, so that it can be searched
        self._ends = list(accumulate((cue.end for cue in self.cues), max))

    def between(self, start: float, end: float) -> list[Cue]:
        """The cues that are seen at some time from NPT C{start} up to, and without, C{end} (seconds)."""
        first = bisect_right(self._ends, start)
        return [cue for cue in self.cues[first : bisect_left(self._starts, end)] if cue.end > start]


#: what has nothing to be read
SILENCE = CueTrack(())
