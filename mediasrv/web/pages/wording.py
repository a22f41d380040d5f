"""
How pages write what is not text: names of files, paths in URLs, durations, sizes, dates and languages.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from urllib.parse import quote


def shown(name: str) -> str:
    """A name of a file as text that can be shown: it may hold any bytes, and characters that are no text."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def linked(segments: Sequence[str]) -> str:
    """Path segments as a relative reference (RFC 3986 section 4.2): no colon of a name is taken for a scheme."""
    return "/".join(quote(os.fsencode(segment), safe="") for segment in segments)


def clock(seconds: float) -> str:
    """C{1:02:03}, C{2:03}."""
    whole = int(seconds + 0.5)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def period(seconds: float) -> str:
    """The same as C{datetime} of HTML's C{time} wants it: C{PT123.4S}."""
    return f"PT{seconds:.1f}S"


def size(count: int) -> str:
    """Bytes, in decimal units: C{50.2 MB}, C{123 MB}."""
    if count < 1000:
        return f"{count} B"
    amount, units = count / 1000, ["kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if amount >= 99.95 else f"{amount:.1f} {units[0]}"


def bitRate(rate: float) -> str:
    """Bits per second: C{1.2 Mbit/s}."""
    return f"{rate / 1e6:.1f} Mbit/s" if rate >= 1e6 else f"{rate / 1e3:.0f} kbit/s"


def day(timestamp: float) -> str:
    """Unix seconds as a date of this machine: C{2026-11-25}."""
    return time.strftime("%Y-%m-%d", time.localtime(timestamp))


def moment(timestamp: float) -> str:
    """Unix seconds as HTML's C{time} wants it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(timestamp))


def counted(count: int, one: str, many: str) -> str:
    """C{1 file}, C{2 files}."""
    return f"{count:,} {one if count == 1 else many}"


#: of ISO 639-2, what films mostly have; others are shown as they are
_LANGUAGES = {
    "ara": "Arabic",
    "ces": "Czech",
    "chi": "Chinese",
    "cze": "Czech",
    "dan": "Danish",
    "de": "German",
    "deu": "German",
    "dut": "Dutch",
    "ell": "Greek",
    "en": "English",
    "eng": "English",
    "es": "Spanish",
    "fin": "Finnish",
    "fr": "French",
    "fra": "French",
    "fre": "French",
    "ger": "German",
    "gre": "Greek",
    "heb": "Hebrew",
    "hin": "Hindi",
    "hun": "Hungarian",
    "it": "Italian",
    "ita": "Italian",
    "ja": "Japanese",
    "jpn": "Japanese",
    "ko": "Korean",
    "kor": "Korean",
    "nld": "Dutch",
    "nor": "Norwegian",
    "pl": "Polish",
    "pol": "Polish",
    "por": "Portuguese",
    "pt": "Portuguese",
    "ron": "Romanian",
    "ru": "Russian",
    "rum": "Romanian",
    "rus": "Russian",
    "spa": "Spanish",
    "swe": "Swedish",
    "tur": "Turkish",
    "ukr": "Ukrainian",
    "zh": "Chinese",
    "zho": "Chinese",
}


def language(code: str) -> str:
    """The name of a language; C{""} for none and for C{und}."""
    return "" if code in ("", "und", "mul", "zxx") else _LANGUAGES.get(code.lower(), code)
