"""Times in descriptions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.media.descriptions.clockvalues import parseClip, parseClock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("02:30:03", 9003),
        ("50:00:10.25", 180010.25),
        ("02:33", 153),
        ("00:10.5", 10.5),
        ("3.2h", 11520),
        ("45min", 2700),
        ("30s", 30),
        ("5ms", 0.005),
        (" 12.467 ", 12.467),
        ("npt=12.5s", 12.5),
        ("npt=1:02:03", 3723),
        ("smpte=10:12:33", 36753),
        ("smpte=00:00:01:15", 1.5),
        ("smpte-25=00:00:01:05.50", 1.22),
        ("smpte-30-drop=00:01:00:02", 1800 * 1001 / 30000),
        ("smpte-30-drop=00:10:00:00", 17982 * 1001 / 30000),
    ],
)
def test_times(text, seconds):
    assert parseClip(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "-1",
        "1:2:3",
        "1:60",
        "00:61:00",
        "1e5",
        "inf",
        "npt=",
        "npt=x",
        "ntp=5",
        "smpte=5",
        "smpte-25=0:00:00:25",
    ],
)
def test_noTimes(text):
    with pytest.raises(ValueError, match="no"):
        parseClip(text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_nothingElse(text):
    for parse in (parseClip, parseClock):
        try:
            assert 0 <= parse(text) < 1e13
        except ValueError:
            continue
