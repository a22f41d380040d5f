"""Where presentations are cut: at key frames, exactly, and the same for all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.fragments import Cut
from mediasrv.web.hls.segmenting import LONGEST, planSegments, segmentOf


def cutsAt(*times: float, keyless: tuple[int, ...] = ()) -> list[Cut]:
    return [Cut(time, time, number not in keyless) for number, time in enumerate(times)]


@pytest.mark.requirement("HLS-2")
def testAtKeyFrames() -> None:
    """The first one that comes when a segment has its duration."""
    segments = planSegments(cutsAt(0, 2, 4, 6.5, 7, 9, 11, keyless=(4,)), [0], 12.5, 4.0)
    assert [(each.first, each.stop, each.start, each.end) for each in segments] == [
        (0, 2, 0, 4),
        (2, 5, 4, 9),
        (5, 7, 9, 12.5),
    ]
    assert all(each.key for each in segments)


def testFromTheStart() -> None:
    """Also when the first picture comes later."""
    (segment,) = planSegments(cutsAt(0.04), [0], 3.0, 4.0)
    assert (segment.start, segment.end) == (0.0, 3.0)


def testWithoutKeyFrames() -> None:
    """It ends all the same, but says that it cannot be started with."""
    cuts = cutsAt(*range(0, 200, 10), keyless=tuple(range(1, 20)))
    segments = planSegments(cuts, [0], 200.0, 4.0)
    assert [each.start for each in segments] == [0, LONGEST, 2 * LONGEST, 3 * LONGEST]
    assert [each.key for each in segments] == [True, False, False, False]


def testSectionsEndThem() -> None:
    """However short one gets."""
    segments = planSegments(cutsAt(0, 2, 4, 5, 7), [0, 3, 4], 8.0, 4.0)
    assert [(each.first, each.stop, each.section) for each in segments] == [(0, 2, 0), (2, 3, 0), (3, 4, 1), (4, 5, 2)]


@given(
    st.lists(st.tuples(st.floats(0.04, 30), st.booleans()), max_size=50),
    st.sets(st.integers(1, 50), max_size=3),
    st.floats(1, 30),
)
def testWhatever(lengths: list[tuple[float, bool]], sections: set[int], spacing: float) -> None:
    """Every fragment is in one segment, durations add up, and each boundary has its reason."""
    cuts = [Cut(0.0, 0.0, True)]
    for length, key in lengths:
        cuts.append(Cut(cuts[-1].pts + length, cuts[-1].pts + length, key))
    starts = [0, *sorted(number for number in sections if number < len(cuts))]
    end = cuts[-1].pts + 1
    segments = planSegments(cuts, starts, end, spacing)
    assert segments[0].first == 0
    assert segments[-1].stop == len(cuts)
    assert all(former.stop == later.first and former.end == later.start for former, later in pairwise(segments))
    assert (segments[0].start, segments[-1].end) == (0.0, end)
    for former, later in pairwise(segments):
        assert later.first in starts or former.duration >= spacing - 1e-5
        assert later.first in starts or later.key or former.duration >= LONGEST
    for number, segment in enumerate(segments):
        assert segmentOf(segments, segment.start) == number
        assert starts[segment.section] <= segment.first
