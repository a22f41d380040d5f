"""L{mediasrv.rtsp.ranges}."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtsp.messages import HeaderError
from mediasrv.rtsp.ranges import RangeSpec, formatRange, parseRange

MOMENT = datetime(1997, 1, 23, 15, 36, tzinfo=UTC)
NOVEMBER = datetime(1996, 11, 8, 14, 23, tzinfo=UTC).timestamp()


@pytest.mark.requirement("PLY-2")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # PLY-2, section 3.6
        ("npt=5-", RangeSpec("npt", 5.0, None)),
        ("npt=5-10", RangeSpec("npt", 5.0, 10.0)),
        ("npt=5.25-", RangeSpec("npt", 5.25, None)),
        ("npt=5.-6", RangeSpec("npt", 5.0, 6.0)),
        ("npt=0:00:05.5-", RangeSpec("npt", 5.5, None)),
        ("npt=12:05:35.3-100:00:00", RangeSpec("npt", 43535.3, 360000.0)),
        ("npt=-10", RangeSpec("npt", None, 10.0)),
        ("npt=now-", RangeSpec("npt", None, None, True)),
        ("npt=now-10", RangeSpec("npt", None, 10.0, True)),
        ("npt=1-now", RangeSpec("npt", 1.0, None)),
        ("npt=10-0", RangeSpec("npt", 10.0, 0.0)),
        (" NPT = 5 - 10 ; time = 19970123T153600Z ", RangeSpec("npt", 5.0, 10.0, time=MOMENT)),
        ("npt=0.000-;x=y", RangeSpec("npt", 0.0, None)),
        ("npt=1.234567890123456789-", RangeSpec("npt", 1.2345678901234568, None)),
        # PAU-2
        ("npt=12", RangeSpec("npt", 12.0, None)),
        # section 3.7
        ("clock=19961108T142300Z-", RangeSpec("clock", NOVEMBER, None)),
        ("clock=19961108T142300.25Z-19961108T142301Z", RangeSpec("clock", NOVEMBER + 0.25, NOVEMBER + 1)),
        ("clock=19961108t142300z-;time=19970123T153600Z", RangeSpec("clock", NOVEMBER, None, time=MOMENT)),
        # section 3.5, 25 frames a second
        ("smpte-25=10:07:00-10:07:33:05.01", RangeSpec("smpte-25", 36420.0, 36453 + 5.01 / 25)),
        ("smpte-25=0:0:1.5-", RangeSpec("smpte-25", 1.02, None)),
    ],
)
def test_ranges(value: str, expected: RangeSpec) -> None:
    spec = parseRange(value)
    assert (spec.unit, spec.startsNow, spec.time) == (expected.unit, expected.startsNow, expected.time)
    assert spec.start == pytest.approx(expected.start, abs=1e-9)
    assert spec.end == pytest.approx(expected.end, abs=1e-9)


@pytest.mark.requirement("PLY-2")
@pytest.mark.parametrize(
    ("code", "frame"),
    [
        ("0:00:00", 0),
        ("0:00:00:01", 1),
        ("0:00:59:29", 1799),
        ("0:01:00:02", 1800),  # the first two codes of the minute are dropped
        ("0:01:00", 1800),
        ("0:01:00:01", 1800),
        ("0:01:01:00", 1828),
        ("0:09:59:29", 17981),
        ("0:10:00:00", 17982),  # save in every tenth minute
        ("0:10:00:01", 17983),
        ("1:00:00:00", 107892),
        ("10:12:33:20", 1101508),
        ("10:07:33:05.01", 1092501.01),
    ],
)
@pytest.mark.parametrize("unit", ["smpte", "smpte-30-drop"])
def test_dropFrames(unit: str, code: str, frame: float) -> None:
    """Section 3.5: 30 counts for 29.97 frames, less two codes in nine minutes out of ten."""
    assert parseRange(f"{unit}={code}-").start == pytest.approx(frame * 1001 / 30000, abs=1e-9)


@pytest.mark.requirement("PLY-7")
@pytest.mark.parametrize("frames", [0, 1, 1799, 1800, 3597, 3598, 17981, 17982, 19781, 19782, 107891, 107892, 1101508])
def test_dropFramesBack(frames: int) -> None:
    value = formatRange("smpte", frames * 1001 / 30000, None)
    assert not re.search(r":\d[1-9]:00:0[01]-", value)
    assert parseRange(value).start == pytest.approx(frames * 1001 / 30000, abs=1e-9)


@pytest.mark.requirement("PLY-3")
@pytest.mark.parametrize("value", ["bytes=0-100", "foo=1-", "smpte-30=0:00:00-", "utc=19961108T142300Z-"])
def test_unknownUnit(value: str) -> None:
    """PLY-3."""
    with pytest.raises(HeaderError) as caught:
        parseRange(value)
    assert caught.value.code == 501


@pytest.mark.requirement("PLY-3", "SEC-11")
@pytest.mark.parametrize(
    "value",
    [
        *("", "npt", "npt=", "npt=-", "=1-2", "5-", "npt=a-", "npt=1-b", "npt=-1-", "npt=--1", "npt=1-2-3", "npt=+1-"),
        *(
            "npt=1e309-",
            "npt=1e3-",
            "npt=nan-",
            "npt=inf-",
            "npt=-inf",
            "npt=" + "9" * 400 + "-",
            "npt=٣-",
            "npt=0x10-",
        ),
        *(
            "npt=99:99:99-",
            "npt=0:60:00-",
            "npt=0:0:60-",
            "npt=1:2-",
            "npt=.-",
            "npt=1 0-",
            "npt=1-2,npt=3-4",
            "npt=1-2, 3-4",
        ),
        ",".join("npt=1-2" for _ in range(1000)),
        *("clock=99999999T999999Z-", "clock=19960230T000000Z-", "clock=19960101T240000Z-", "clock=19960101T000060Z-"),
        *("clock=00000101T000000Z-", "clock=19961108T142300-", "clock=1996118T142300Z-", "clock=now-", "clock=5-"),
        *("smpte=99:99:99:99.99-", "smpte=0:00:00:30-", "smpte-25=0:00:00:25-", "smpte=5-", "smpte=0:00:00:00.001-"),
        *("npt=1-;time=", "npt=1-;time=19970230T000000Z", "npt=1-;time=99999999T000000Z", "npt=1-;time=5"),
    ],
)
def test_malformed(value: str) -> None:
    """PLY-3, SEC-11."""
    with pytest.raises(HeaderError) as caught:
        parseRange(value)
    assert caught.value.code == 400


@pytest.mark.requirement("PLY-7")
@pytest.mark.parametrize(
    ("unit", "start", "end", "value"),
    [
        ("npt", 9.984, 596.458, "npt=9.984-596.458"),
        ("npt", 0.0, None, "npt=0.000-"),
        ("npt", 1e9, 1e-9, "npt=1000000000.000-0.000"),
        ("npt", 1 / 3, None, "npt=0.333333-"),
        ("npt", None, 5, "npt=-5.000"),
        ("npt", -1e-9, 0.9999999, "npt=0.000-1.000"),
        ("clock", NOVEMBER, NOVEMBER + 0.25, "clock=19961108T142300Z-19961108T142300.25Z"),
        ("clock", -62135596800.0, None, "clock=00010101T000000Z-"),
        ("smpte", 10.01, None, "smpte=00:00:10:00-"),
        ("smpte-30-drop", 17982 * 1001 / 30000, None, "smpte-30-drop=00:10:00:00-"),
        ("smpte-25", 3661.0404, None, "smpte-25=01:01:01:01.01-"),
    ],
)
def test_format(unit: str, start: float | None, end: float | None, value: str) -> None:
    """PLY-7: in the unit of the request; decimals without exponent."""
    assert formatRange(unit, start, end) == value


def test_formatNow() -> None:
    assert formatRange("npt", None, None, startsNow=True) == "npt=now-"
    assert RangeSpec("npt", None, 3.5, True, MOMENT).format() == "npt=now-3.500;time=19970123T153600Z"


@pytest.mark.parametrize("point", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("unit", ["npt", "smpte", "smpte-25", "clock"])
def test_formatRefuses(unit: str, point: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        formatRange(unit, point, None)


def test_formatRefusesNothing() -> None:
    for unit, start in (("npt", None), ("bytes", 1.0), ("clock", 1e300)):
        with pytest.raises(ValueError, match=r"empty|unknown|calendar"):
            formatRange(unit, start, None)


moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
points = st.none() | st.integers(0, 10**12).map(lambda microseconds: microseconds / 1e6)


@pytest.mark.requirement("PLY-7")
@given(points, points, st.booleans(), st.none() | moments)
def test_parseIsInverseOfFormat(start: float | None, end: float | None, now: bool, time: datetime | None) -> None:
    if start is None and end is None and not now:
        end = 1.0
    spec = RangeSpec("npt", None if now else start, end, now, time)
    assert parseRange(spec.format()) == spec


@pytest.mark.requirement("PLY-7")
@given(st.sampled_from(["smpte", "smpte-25", "clock"]), st.floats(0, 359000), st.floats(0, 359000))
def test_inverseWithinResolution(unit: str, start: float, end: float) -> None:
    """A hundredth of a frame, or a microsecond."""
    spec = parseRange(formatRange(unit, start, end))
    within = 1e-6 if unit == "clock" else 0.0003
    assert (spec.start, spec.end) == (pytest.approx(start, abs=within), pytest.approx(end, abs=within))


units = st.sampled_from(["npt=", "smpte=", "smpte-25=", "clock=", "npt=1-;time="])


@pytest.mark.requirement("SEC-11")
@given(st.one_of(st.text(), st.tuples(units, st.text("0123456789:.-TZ nowe,;", max_size=30)).map("".join)))
def test_garbage(value: str) -> None:
    """SEC-11: only L{HeaderError}; what is accepted can be written and means the same."""
    try:
        spec = parseRange(value)
    except HeaderError:
        return
    again = parseRange(spec.format())
    assert (again.unit, again.startsNow, again.time) == (spec.unit, spec.startsNow, spec.time)
    for point, other in ((spec.start, again.start), (spec.end, again.end)):
        assert other == pytest.approx(point, abs=0.0003)
