"""Where the clock of a file jumps, and what is added to its times from there."""

from __future__ import annotations

import pytest

from mediasrv.media.breaks import Breaks


def learnt(breaks: Breaks, *packets: tuple[int, float]) -> list[float]:
    """NPT of packets of (stream, time), each of 0.5 s and of 100 bytes."""
    return [time + breaks.learn(stream, position * 100, time, 0.5) for position, (stream, time) in enumerate(packets)]


def test_straight():
    breaks = Breaks(isMultiplex=True)
    packets = [(0, 0.0), (1, 0.2), (0, 0.5), (1, 0.4), (0, 9.0)]
    assert learnt(breaks, *packets) == [time for _, time in packets]
    assert not breaks.isBroken
    assert breaks.at(0, 10_000) == 0.0


@pytest.mark.parametrize("to", [0.1, 50.0])
def test_streamsStayTogether(to):
    """The second stream to get there jumps as far as the first; what it has from before keeps its time."""
    breaks = Breaks(isMultiplex=True)
    times = learnt(breaks, (0, 5.0), (1, 5.2), (0, 5.5), (0, to), (1, 5.7), (1, to + 0.2))
    assert times == pytest.approx([5.0, 5.2, 5.5, 6.0, 5.7, 6.2])
    assert [breaks.at(0, position) for position in (299, 300)] == pytest.approx([0.0, 6.0 - to])
    assert [breaks.at(1, position) for position in (300, 499, 500)] == pytest.approx([0.0, 0.0, 6.0 - to])


def test_backAndForth():
    """One wrong time takes nothing with it for good."""
    breaks = Breaks(isMultiplex=True)
    assert learnt(breaks, (0, 0.0), (0, 500.0), (0, 1.3), (0, 1.8)) == pytest.approx([0.0, 0.5, 1.3, 1.8])


def test_longPauses():
    """Only a transport stream has something at every moment."""
    assert learnt(Breaks(isMultiplex=False), (0, 0.0), (0, 60.0)) == [0.0, 60.0]
    assert learnt(Breaks(isMultiplex=False), (0, 0.0), (0, 20.0), (1, 0.0)) == [0.0, 20.0, 0.0]
    # this is no pause, but damage
    assert learnt(Breaks(isMultiplex=False), (0, 0.0), (0, 1e9), (0, 1e9 + 0.5)) == pytest.approx([0.0, 0.5, 1.0])


def test_anotherProgram():
    """Its clock says anything; it plays along."""
    assert learnt(Breaks(isMultiplex=True), (0, 0.0), (1, 7000.0), (0, 0.5), (1, 7000.5)) == pytest.approx(
        [0, 0.5, 0.5, 1]
    )


def test_packetsWithoutAPlace():
    breaks = Breaks(isMultiplex=True)
    assert breaks.learn(0, 0, 3.0, 0.5) == 0.0
    assert breaks.learn(0, None, 0.0, 0.5) == 0.0
    assert not breaks.isBroken


def test_places():
    breaks = Breaks(isMultiplex=True)
    learnt(breaks, (0, 0.0), (0, 0.5), (0, 1.0), (0, 1.5), (0, 0.0), (0, 0.5))
    assert [breaks.placeOf(time) for time in (-1.0, 0.0, 0.9, 1.0, 2.2, 99.0)] == [0, 0, 0, 200, 400, 400]
