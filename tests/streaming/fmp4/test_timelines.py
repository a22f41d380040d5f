"""NPT in ticks: never below zero, exact, and without gaps where a container had to round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.tracks import Unit
from mediasrv.streaming.fmp4.timelines import Timeline


def startingAt(dts: float, pts: float, timescale: int = 90000, frame: int = 0) -> Timeline:
    return Timeline.startingWith([Unit(dts, pts, 0.0, True, b"")], timescale, frame)


@pytest.mark.parametrize(
    ("dts", "pts", "lead"),
    [
        (0.0, 0.0, 0),
        (0.5, 0.5, 0),
        (-0.08, 0.0, 7200),  # reordered pictures
        (-0.04, 0.04, 7200),
        (0.0, 0.08, 7200),
        (-0.02, -0.02, 1800),  # priming
        (-0.1, -0.02, 9000),
    ],
)
def testLead(dts: float, pts: float, lead: int) -> None:
    """So much that the first unit is decoded when it is shown, and no sooner than at 0."""
    timeline = startingAt(dts, pts)
    assert timeline.lead == lead
    assert timeline.decoding(dts) == max(0, round(pts * 90000))
    assert timeline.tick(0.0) == lead


def testNothingIsKnown() -> None:
    assert Timeline.startingWith([], 48000, 1024) == Timeline(48000)


@given(st.integers(0, 10_000_000), st.floats(-0.4, 0.4), st.integers(0, 100_000))
def testTheGrid(number: int, off: float, start: int) -> None:
    """Frames of sound that a container put half a sample off are where they belong."""
    timeline = startingAt(start / 44100, start / 44100, 44100, 1024)
    assert timeline.decoding((start + number * 1024 + off) / 44100) == start + number * 1024


def testAHole() -> None:
    """What is really elsewhere stays there."""
    timeline = startingAt(0.0, 0.0, 44100, 1024)
    assert timeline.decoding(1500 / 44100) == 1500
