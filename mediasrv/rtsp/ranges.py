"""
The Range header and its three clocks: NPT, SMPTE time codes and UTC (RFC 2326 sections 3.5 to 3.7 and 12.29).

Digits are bounded everywhere, so no number here is ever infinite or slow to convert.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mediasrv.rtsp.messages import HeaderError

_NPT_SECONDS = re.compile(r"([0-9]{1,10}(?:\.[0-9]{0,20})?)")
_NPT_CLOCK = re.compile(r"([0-9]{1,6}):([0-5]?[0-9]):([0-5]?[0-9](?:\.[0-9]{0,20})?)")
_SMPTE = re.compile(r"([0-9]{1,2}):([0-5]?[0-9]):([0-5]?[0-9])(?::([0-9]{1,2}))?(?:\.([0-9]{1,2}))?")
_UTC = re.compile(r"([0-9]{8}T[0-9]{6})(?:\.([0-9]{1,20}))?Z", re.I)

UNITS = ("npt", "smpte", "smpte-30-drop", "smpte-25", "clock")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: seconds that one frame of "SMPTE 30 drop" takes
_DROP_FRAME = 1001 / 30000


@dataclass(frozen=True, slots=True)
class RangeSpec:
    """
    What a Range header asks for. A range is half open: what starts at C{end} is no part of it. C{end} may lie before
    C{start} (played backwards); whether that makes sense is for whoever knows the Scale.

    @ivar unit: C{"npt"}, C{"smpte"}, C{"smpte-30-drop"}, C{"smpte-25"} or C{"clock"}.
    @ivar start: NPT seconds, or seconds since 1970 for C{"clock"}; None for "from here", or with C{startsNow}.
    @ivar end: likewise; None for open.
    @ivar startsNow: whether it starts at the live edge, C{npt=now-}.
    @ivar time: when the request is to take effect, UTC; None for at once.
    """

    unit: str
    start: float | None
    end: float | None
    startsNow: bool = False
    time: datetime | None = None

    def format(self) -> str:
        """As a header value."""
        text = formatRange(self.unit, None if self.startsNow else self.start, self.end, startsNow=self.startsNow)
        return text if self.time is None else f"{text};time={_formatUTC(self.time)}"


def parseRange(value: str) -> RangeSpec:
    """
    Parses a Range header of one range. A single point, as PAUSE uses it, counts as its start: C{npt=12}.

    @raise HeaderError: code 501 for a unit that is not known, 400 for anything malformed, lists included.
    """
    text, *parameters = value.split(";", 8)
    unit, equals, points = text.partition("=")
    unit = unit.strip().lower()
    if not equals or not unit:
        raise HeaderError("a Range without a unit")
    if unit not in UNITS:
        raise HeaderError("unknown unit of Range", 501)
    first, _, second = (part.strip() for part in points.partition("-"))
    startsNow = unit == "npt" and first.lower() == "now"
    start = None if startsNow or not first else _parsePoint(unit, first)
    # "until now" is what an open end means on a live presentation
    end = None if not second or (unit == "npt" and second.lower() == "now") else _parsePoint(unit, second)
    if not startsNow and start is None and end is None:
        raise HeaderError("an empty Range")
    return RangeSpec(unit, start, end, startsNow, _parseTime(parameters))


def formatRange(unit: str, start: float | None, end: float | None, *, startsNow: bool = False) -> str:
    """
    A Range header value: NPT as decimals with 3 to 6 digits (ExoPlayer reads nothing else, Q-9), never with an
    exponent. Points before the origin become the origin.

    @param start: seconds, in the sense of L{RangeSpec.start}; None leaves it out.
    @param startsNow: write C{now} for the start; NPT only.
    @raise ValueError: if there is nothing to write, or a point is not finite.
    """
    if unit not in UNITS:
        raise ValueError(f"unknown unit: {unit!r}")
    if start is None and end is None and not startsNow:
        raise ValueError("an empty range")
    first = "now" if startsNow else "" if start is None else _formatPoint(unit, start)
    return f"{unit}={first}-{'' if end is None else _formatPoint(unit, end)}"


def _parseTime(parameters: list[str]) -> datetime | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "time":
            return _parseUTC(value.strip())
    return None


def _parsePoint(unit: str, text: str) -> float:
    """
    @raise HeaderError: if it is malformed.
    """
    if unit == "npt":
        return _parseNPT(text)
    if unit == "clock":
        return (_parseUTC(text) - _EPOCH).total_seconds()
    return _parseSMPTE(unit, text)


def _parseNPT(text: str) -> float:
    if match := _NPT_SECONDS.fullmatch(text):
        return float(match[1])
    if match := _NPT_CLOCK.fullmatch(text):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    raise HeaderError("malformed NPT")


def _parseUTC(text: str) -> datetime:
    match = _UTC.fullmatch(text)
    if match is None:
        raise HeaderError("malformed UTC time")
    try:
        whole = datetime.strptime(match[1].upper(), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise HeaderError("no such UTC time") from None
    return whole.replace(microsecond=int(f"{match[2] or '':0<6.6}"))


def _parseSMPTE(unit: str, text: str) -> float:
    """Seconds of a time code; subframes are hundredths of a frame."""
    match = _SMPTE.fullmatch(text)
    hours, minutes, seconds, frames, subframes = (int(part or 0) for part in match.groups()) if match else (0,) * 5
    if match is None or frames >= (25 if unit == "smpte-25" else 30):
        raise HeaderError("malformed time code")
    minutes += hours * 60
    part = subframes / (100 if len(match[5] or "") == 2 else 10)
    if unit == "smpte-25":
        return minutes * 60 + seconds + (frames + part) / 25
    # Codes 00 and 01 of a minute do not exist, save every tenth minute; who writes them means the first that does.
    dropped = minutes % 10 != 0
    if dropped and seconds == 0 and frames < 2:
        frames, part = 2, 0.0
    number = (minutes * 60 + seconds) * 30 + frames - 2 * (minutes - minutes // 10)
    return (number + part) * _DROP_FRAME


def _formatPoint(unit: str, seconds: float) -> str:
    if not math.isfinite(seconds):
        raise ValueError("a point in time that is not finite")
    if unit == "clock":
        return _formatClock(seconds)
    seconds = max(0.0, seconds)
    if unit != "npt":
        return _formatSMPTE(unit, seconds)
    whole, _, fraction = f"{seconds:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<3}"


def _formatClock(seconds: float) -> str:
    """
    @raise ValueError: for a time that no calendar has.
    """
    try:
        return _formatUTC(_EPOCH + timedelta(microseconds=round(seconds * 1e6)))
    except OverflowError:
        raise ValueError("a time beyond the calendar") from None


def _formatUTC(moment: datetime) -> str:
    # strftime does not pad years before 1000 everywhere
    text = f"{moment.year:04}{moment:%m%dT%H%M%S}"
    fraction = f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def _formatSMPTE(unit: str, seconds: float) -> str:
    rate, hundredths = 30, round(seconds * 100 / _DROP_FRAME)
    if unit == "smpte-25":
        rate, hundredths = 25, round(seconds * 2500)
    number, part = divmod(hundredths, 100)
    if rate == 30:
        # Ten minutes hold 17982 frames: 1800 in the first minute, 1798 in the others.
        tens, rest = divmod(number, 17982)
        number += 18 * tens + (2 * ((rest - 2) // 1798) if rest >= 1800 else 0)
    whole, frames = divmod(number, rate)
    text = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}:{frames:02}"
    return f"{text}.{part:02}" if part else text
