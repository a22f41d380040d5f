"""
The Range of a request (RFC 9110 section 14), for bytes.

A server may ignore Range, and does where that is no harm: a unit other than bytes, a header that is none, and more
ranges than anybody needs (section 14.2 warns of requests for many small or overlapping ranges). What is left is put in
order where ranges overlap or touch, so that no byte is sent twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: as many ranges of one request are answered; beyond it the header is ignored
MOST_RANGES = 16

#: bytes of a Range that is looked at; longer ones are ignored
_LONGEST = 1024
_UNIT = re.compile(r"[ \t]*bytes[ \t]*=(.*)", re.IGNORECASE | re.DOTALL)
_SPEC = re.compile(r"[ \t]*([0-9]*)[ \t]*-[ \t]*([0-9]*)[ \t]*")


class Unsatisfiable(Exception):
    """None of the ranges has a byte that exists: 416 (RFC 9110 section 15.5.17)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """
    @ivar start: the first byte.
    @ivar stop: the one after the last.
    """

    start: int
    stop: int

    @property
    def length(self) -> int:
        """In bytes, at least 1."""
        return self.stop - self.start

    def contentRange(self, size: int) -> str:
        """
        The value of Content-Range.

        @param size: of the whole.
        """
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def parseRange(text: str, size: int) -> list[ByteRange] | None:
    """
    What a client wants to have.

    @param text: the value of Range.
    @param size: bytes of the whole.
    @return: at least one range, in the order asked for; where ranges overlap or touch, merged and in rising order.
        None if the header is to be ignored, and the whole to be sent.
    @raise Unsatisfiable: if nothing of it exists.
    """
    if len(text) > _LONGEST or (match := _UNIT.fullmatch(text)) is None:
        return None
    specs = [spec for spec in match[1].split(",") if spec.strip(" \t")]
    if not 0 < len(specs) <= MOST_RANGES:
        return None
    ranges: list[ByteRange] = []
    for spec in specs:
        found = _SPEC.fullmatch(spec)
        if found is None or not _isRange(found[1], found[2]):
            return None
        resolved = _resolve(found[1], found[2], size)
        if resolved is not None:
            ranges.append(resolved)
    if not ranges:
        raise Unsatisfiable
    return _merged(ranges)


def _isRange(first: str, last: str) -> bool:
    """Whether C{first-last} is one at all (section 14.1.1)."""
    if not first:
        return bool(last)
    return not last or int(first) <= int(last)


def _resolve(first: str, last: str, size: int) -> ByteRange | None:
    """What of a range exists; None if nothing of it does."""
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
    return ByteRange(start, stop) if start < stop else None


def _merged(ranges: list[ByteRange]) -> list[ByteRange]:
    """The same bytes, none of them twice; untouched if that is so already."""
    ordered = sorted(ranges, key=lambda each: each.start)
    merged = ordered[:1]
    for each in ordered[1:]:
        last = merged[-1]
        if each.start <= last.stop:
            merged[-1] = ByteRange(last.start, max(last.stop, each.stop))
        else:
            merged.append(each)
    return ranges if len(merged) == len(ranges) else merged
