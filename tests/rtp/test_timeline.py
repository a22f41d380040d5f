"""Time lines: linear, wrapping, the same for all tracks (RTP-3, RTP-5, RTP-11, RTCP-3, SEC-29)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.rtcp import ntpTimestamp, unixSeconds
from mediasrv.rtp.timeline import SequenceUnwrapper, SessionClock, Timeline, TimestampUnwrapper, randomNumber


@pytest.mark.requirement("RTP-5")
def test_aStraightLine() -> None:
    timeline = Timeline(90000, 1000.0, base=500)
    assert timeline.at(1000.0) == 500
    assert timeline.at(1001.0) == 90500
    assert timeline.extended(999.0) == 500 - 90000


@pytest.mark.requirement("RTP-11")
def test_theTimestampWraps() -> None:
    timeline = Timeline(90000, 10.0, base=0xFFFFFFFF)
    assert timeline.at(10.0) == 0xFFFFFFFF
    assert timeline.at(11.0) == 89999
    assert timeline.extended(11.0) == 0xFFFFFFFF + 90000


@pytest.mark.requirement("RTP-13")
def test_noDriftInADay() -> None:
    """RTP-13: a day in ticks of 20 ms is a day."""
    timeline = Timeline(48000, 123456.789, base=1)
    assert timeline.extended(123456.789 + 86400.0) == 1 + 48000 * 86400


@pytest.mark.requirement("RTP-5")
@given(st.sampled_from([8000, 44100, 90000]), st.lists(st.floats(0, 1e6), min_size=2))
def test_laterIsNeverLess(clockRate: int, walls: list[float]) -> None:
    timeline = Timeline(clockRate, 5000.0)
    times = [timeline.extended(wall) for wall in sorted(walls)]
    assert times == sorted(times)
    assert [time & 0xFFFFFFFF for time in times] == [timeline.at(wall) for wall in sorted(walls)]


@pytest.mark.requirement("RTP-1", "RTP-8")
def test_theStartIsRandomAndNeverZero(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({Timeline(90000, 0.0).base for _ in range(20)}) > 1
    monkeypatch.setattr("mediasrv.rtp.timeline.randbelow", lambda limit: 0)
    assert randomNumber() == 1
    monkeypatch.setattr("mediasrv.rtp.timeline.randbelow", lambda limit: limit - 1)
    assert randomNumber() == 0xFFFFFFFF


@pytest.mark.requirement("RTCP-3")
def test_senderReportsOfAllTracksAgree() -> None:
    """RTCP-3: whenever each track reports, an instant of both tracks maps to the same NTP within a millisecond."""
    clock = SessionClock(origin=77.25, unixOrigin=1.7e9)
    tracks = [clock.timeline(90000), clock.timeline(44100)]
    assert [timeline.origin for timeline in tracks] == [77.25, 77.25]
    played = 80.0
    starts = [timeline.at(played) for timeline in tracks]
    instants = []
    for timeline, start, reported in zip(tracks, starts, (81.013, 3600.777), strict=True):
        ntp, rtp = clock.ntp(reported), timeline.at(reported)
        elapsed = (rtp - start & 0xFFFFFFFF) / timeline.clockRate
        instants.append(unixSeconds(ntp) - elapsed)
    assert instants[0] == pytest.approx(instants[1], abs=0.001)
    assert instants[0] == pytest.approx(1.7e9 + 2.75, abs=0.001)


@pytest.mark.requirement("SEC-29", "RTCP-3")
def test_theTimeOfDayIsReadOnce() -> None:
    clock = SessionClock(origin=100.0, unixOrigin=1000.0)
    assert clock.unix(101.5) == 1001.5
    assert clock.ntp(101.5) == ntpTimestamp(1001.5)


def test_sequenceNumbersUnwrap() -> None:
    unwrapper = SequenceUnwrapper()
    values = [65534, 65535, 1, 0, 2, 65535, 40000, 10]
    assert [unwrapper.unwrap(value) for value in values] == [
        65534,
        65535,
        65537,
        65536,
        65538,
        65535,
        40000,
        65546,
    ]


def test_whatCameBeforeTheFirstIsBelowIt() -> None:
    unwrapper = SequenceUnwrapper()
    assert [unwrapper.unwrap(value) for value in (0, 65535, 1)] == [0, -1, 1]


@given(st.integers(0, 0xFFFFFFFF), st.lists(st.integers(-(2**31), 2**31 - 1), max_size=30))
def test_timestampsUnwrap(start: int, steps: list[int]) -> None:
    unwrapper = TimestampUnwrapper()
    expected = start
    assert unwrapper.unwrap(start) == start
    for step in steps:
        expected += step
        assert unwrapper.unwrap(expected & 0xFFFFFFFF) == expected
