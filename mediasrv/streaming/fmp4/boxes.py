"""
Boxes, of which ISO base media files consist (ISO/IEC 14496-12 section 4.2): a size, four letters, and what is inside.
"""

from __future__ import annotations

from collections.abc import Iterator

_HEADER = 8


class BoxError(ValueError):
    """Bytes that are no boxes."""


def box(kind: bytes, *parts: bytes) -> bytes:
    """
    A box.

    @param kind: its four letters.
    """
    return b"".join(((_HEADER + sum(map(len, parts))).to_bytes(4, "big"), kind, *parts))


def fullBox(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box that begins with a version and 24 flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def boxesIn(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """
    The boxes one after the other, each as its letters and what is inside.

    @raise BoxError: if one ends after C{data} does, or cannot be.
    """
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + _HEADER]
        header = _HEADER
        if size == 1:
            header = 16
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < header or at + size > len(data):
            raise BoxError(f"a box of {size} bytes in {len(data) - at}")
        yield kind, data[at + header : at + size]
        at += size


def find(data: bytes, *path: bytes) -> bytes:
    """
    What is inside of a box.

    @param path: its letters, after those of the boxes around it.
    @raise BoxError: if it is not there.
    """
    for kind in path:
        for found, content in boxesIn(data):
            if found == kind:
                data = content
                break
        else:
            raise BoxError(f"no box {kind!r}")
    return data
