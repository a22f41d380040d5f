"""
Times in descriptions: clock values of SMIL (SMIL 3.0 section 5.4.3, Clock values) and what C{clipBegin} and C{clipEnd}
take besides (section 4.4.1, Media clipping).
"""

from __future__ import annotations

import re

# people write the minutes with one digit, which SMIL does not allow
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-5]?[0-9]):([0-5][0-9](?:\.[0-9]{1,12})?)")
_COUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,12})?)(h|min|s|ms)?")
_SMPTE = re.compile(r"([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])(?::([0-9]{2})(?:\.([0-9]{1,2}))?)?")

_UNITS = {"h": 3600.0, "min": 60.0, "s": 1.0, "ms": 0.001, None: 1.0}

#: seconds of a frame; the ones of C{smpte-30-drop} are numbered so that the clock keeps time
_FRAMES = {"smpte": 1 / 30, "smpte-25": 1 / 25, "smpte-30-drop": 1001 / 30000}


def parseClock(text: str) -> float:
    """
    Seconds of a clock value: C{1:02:03.5}, C{02:03}, C{90}, C{1.5min}, C{500ms}.

    @raise ValueError: for anything else.
    """
    text = text.strip()
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600.0 + int(match[2]) * 60 + float(match[3])
    if match := _COUNT.fullmatch(text):
        return float(match[1]) * _UNITS[match[2]]
    raise ValueError("no clock value")


def parseClip(text: str) -> float:
    """
    Seconds of a clock value, which may begin with C{npt=}, or of a time code with C{smpte=}, C{smpte-25=} or
    C{smpte-30-drop=}.

    @raise ValueError: for anything else.
    """
    unit, mark, value = text.strip().partition("=")
    if not mark:
        return parseClock(unit)
    if unit == "npt":
        return parseClock(value)
    if unit not in _FRAMES:
        raise ValueError("no clock value")
    return _timeCode(unit, value)


def _timeCode(unit: str, text: str) -> float:
    match = _SMPTE.fullmatch(text)
    hours, minutes, seconds, frames = (int(part or 0) for part in match.groups()[:4]) if match else (0, 0, 0, 99)
    if match is None or frames >= (25 if unit == "smpte-25" else 30):
        raise ValueError("no time code")
    count = frames + int((match[5] or "0").ljust(2, "0")) / 100
    whole = hours * 3600 + minutes * 60 + seconds
    if unit != "smpte-30-drop":
        return whole + count * _FRAMES[unit]
    # the first two numbers of each minute are dropped, but for every tenth
    minutes += hours * 60
    return (whole * 30 - 2 * (minutes - minutes // 10) + count) * _FRAMES[unit]
