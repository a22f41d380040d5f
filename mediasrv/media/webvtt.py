"""
WebVTT (W3C): cues to a file, and files of others, however they are written, to cues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mediasrv.media.cues import MOST_CUES, Cue
from mediasrv.media.cuetext import fromTagged

MIME_TYPE = "text/vtt; charset=utf-8"

#: a time with hours or without, of WebVTT or SubRip, whatever stands before the fraction
_TIME = r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,3})(?:[.,:](\d{1,9}))?"
_TIMING = re.compile(rf"\s{{0,20}}{_TIME}\s{{0,20}}-{{1,3}}>\s{{0,20}}{_TIME}(?:[ \t](.{{0,300}}))?", re.ASCII)

#: settings of a cue (section 4.4); those of regions go, with the regions
_SETTING = re.compile(r"(?:vertical:(?:rl|lr)|(?:line|position|size|align):[a-z0-9.%,-]{1,40})", re.ASCII)

#: blocks that hold no cues
_OTHERS = ("NOTE", "STYLE", "REGION")


def formatCues(cues: Iterable[Cue], timestampMap: int | None = None) -> bytes:
    """
    A file of WebVTT.

    @param timestampMap: for a segment of HLS, the time in a clock of 90 kHz that NPT 0 has in the media (RFC 8216
        section 3.5).
    """
    lines = ["WEBVTT"]
    if timestampMap is not None:
        lines.append(f"X-TIMESTAMP-MAP=MPEGTS:{timestampMap % (1 << 33)},LOCAL:00:00:00.000")
    for cue in cues:
        timing = f"{_formatTime(cue.start)} --> {_formatTime(cue.end)}"
        lines += ["", f"{timing} {cue.settings}" if cue.settings else timing, cue.text]
    # an empty line at the end: FFmpeg takes the segments of HLS for one file
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


def _formatTime(seconds: float) -> str:
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def parseWebVTT(text: str) -> Iterator[Cue]:
    """
    The cues of a file of WebVTT; what is none is stepped over.
    """
    lines = text.splitlines()
    at, isOther = 0, False
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip():
            isOther = False
        elif line.split(" ", 1)[0].split("\t", 1)[0] in _OTHERS and (at < 2 or not lines[at - 2].strip()):
            isOther = True
        elif not isOther and (timing := _TIMING.match(line)) is not None:
            first = at
            while at < len(lines) and lines[at].strip() and not _TIMING.match(lines[at]):
                at += 1
            yield _cueOf(timing, lines[first:at], _settingsOf(timing[9] or ""))


def parseSubRip(text: str) -> Iterator[Cue]:
    """
    The cues of a SubRip file. All that counts are the lines with times: numbers may be missing or wrong, and there may
    be empty lines in the middle of a text.
    """
    timing: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.splitlines():
        found = _TIMING.match(line)
        if found is None:
            lines.append(line)
            continue
        if timing is not None:
            yield _cueOf(timing, _withoutNumber(lines))
        timing, lines = found, []
    if timing is not None:
        yield _cueOf(timing, lines)


def _withoutNumber(lines: list[str]) -> list[str]:
    """The text of a cue without the number of the next one, which stands by itself after an empty line."""
    if lines and lines[-1].strip().isdecimal() and (len(lines) == 1 or not lines[-2].strip()):
        return lines[:-1]
    return lines


def _cueOf(timing: re.Match[str], lines: list[str], settings: str = "") -> Cue:
    return Cue(_secondsOf(timing, 1), _secondsOf(timing, 5), fromTagged("\n".join(lines)), settings)


def _secondsOf(timing: re.Match[str], group: int) -> float:
    hours, minutes, seconds, fraction = (timing[group + offset] or "0" for offset in range(4))
    return float(f"{int(hours) * 3600 + int(minutes) * 60 + int(seconds)}.{fraction}")


def _settingsOf(text: str) -> str:
    return " ".join(word for word in text.split() if _SETTING.fullmatch(word))


def decode(data: bytes) -> str:
    """
    The text of a file whose encoding nobody says: UTF-16 with a byte order mark, UTF-8, or else what Windows has
    written in western Europe.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def parseFile(data: bytes) -> list[Cue]:
    """The cues of a file of WebVTT or SubRip, whichever it is: many a file has the wrong name."""
    text = decode(data)
    parse = parseWebVTT if text.lstrip("\ufeff").startswith("WEBVTT") else parseSubRip
    cues: list[Cue] = []
    for cue in parse(text):
        cues.append(cue)
        if len(cues) >= MOST_CUES:
            break
    return cues
