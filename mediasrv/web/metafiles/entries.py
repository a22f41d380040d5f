"""
What meta files are made of, and text that cannot break one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio"]

#: characters of a title; the rest is cut off
_LONGEST = 255

#: what ends lines, or moves a cursor
_CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]+")
#: what neither UTF-8 nor XML can say
_IMPOSSIBLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
#: what makes the text after it run the other way, where it may be shown with other text; and the byte order mark
_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A presentation in a meta file.

    @ivar url: absolute, percent-encoded: ASCII without spaces, quotes and angle brackets.
    @ivar title: one line, as L{oneLine} gives it.
    @ivar duration: seconds; None if nobody knows, or it is live.
    @ivar kind: C{video} if there is something to see; None if nobody knows.
    """

    url: str
    title: str
    duration: float | None = None
    kind: Kind | None = None


#: Makes a meta file of its own title and its entries, of which there is one at least.
Writer = Callable[[str, Sequence[Entry]], bytes]


def oneLine(text: str) -> str:
    """The text as a title: it ends no line, leaves no XML, and does not change the order of what stands beside it."""
    text = _CONTROLS.sub(" ", text)
    text = _IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return _INVISIBLE.sub("", text).strip()[:_LONGEST].rstrip()


def wholeSeconds(duration: float | None) -> int:
    """A duration for formats that count in seconds: one second at least, and -1 for what has none."""
    return -1 if duration is None else max(1, round(duration))
