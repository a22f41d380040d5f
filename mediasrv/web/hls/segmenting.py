"""
Where a presentation is cut into segments: the same places for everybody and all its tracks, so that URLs need no state.

A segment is a run of fragments. It goes on until it has its duration and a key frame follows, however long that takes
(within reason); so players can start anywhere, and what a playlist says of durations is exact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from mediasrv.media.fragments import Cut

#: seconds after which a segment ends even without a key frame: films that have only the first one
LONGEST = 60.0

_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Segment:
    """
    @ivar first: the number of its first fragment.
    @ivar stop: the number of the fragment after its last.
    @ivar section: of the presentation.
    @ivar start: NPT seconds.
    @ivar end: NPT seconds of the next one's start, or of the presentation's end.
    @ivar key: whether decoding can start with it.
    """

    first: int
    stop: int
    section: int
    start: float
    end: float
    key: bool

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


def planSegments(cuts: Sequence[Cut], sections: Sequence[int], end: float, spacing: float) -> list[Segment]:
    """
    The segments of a presentation. Together they last from NPT 0 to its end.

    @param cuts: where its fragments start.
    @param sections: the numbers of the fragments with which its sections start; 0 is the first.
    @param end: NPT seconds of its end.
    @param spacing: seconds that a segment has at least, unless its section ends before.
    """
    starts = [0]
    for number, cut in enumerate(cuts):
        if not number:
            continue
        length = cut.pts - cuts[starts[-1]].pts
        isDue = length >= spacing - _ROUNDING and (cut.key or length >= LONGEST)
        if number in sections or isDue:
            starts.append(number)
    segments: list[Segment] = []
    times = [0.0, *(cuts[number].pts for number in starts[1:])]
    ends = [*times[1:], max(end, times[-1])]
    for first, stop, time, until in zip(starts, [*starts[1:], len(cuts)], times, ends, strict=True):
        section = bisect_right(sections, first) - 1
        segments.append(Segment(first, stop, section, time, until, cuts[first].key))
    return segments


def segmentOf(segments: Sequence[Segment], time: float) -> int:
    """The number of the segment that holds an NPT (seconds)."""
    return max(0, bisect_right([each.start for each in segments], time + _ROUNDING) - 1)
