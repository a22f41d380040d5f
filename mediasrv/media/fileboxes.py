"""
Boxes, of which MP4 and QuickTime files consist (ISO/IEC 14496-12 section 4.2), found by their headers: what is inside
of them is not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER, _LONG_HEADER = 8, 16


class FileBoxError(ValueError):
    """What is there is no box, or not all of one; the text says why."""


@dataclass(frozen=True, slots=True)
class FileBox:
    """
    @ivar kind: its four letters.
    @ivar start: of its header in the file.
    @ivar head: bytes of its header.
    @ivar size: bytes of all of it.
    """

    kind: bytes
    start: int
    head: int
    size: int

    @property
    def body(self) -> int:
        """Where in the file what is inside starts."""
        return self.start + self.head

    @property
    def end(self) -> int:
        """Where in the file it ends."""
        return self.start + self.size


def fileBoxes(descriptor: int, start: int, end: int, most: int) -> Iterator[FileBox]:
    """
    The boxes between two places in a file, one after the other.

    @param most: how many there may be.
    @raise FileBoxError: if something else is there, or more of them.
    @raise OSError: if it cannot be read.
    """
    position, count = start, 0
    while position < end:
        count += 1
        if count > most:
            raise FileBoxError("too many boxes")
        header = os.pread(descriptor, _LONG_HEADER, position)
        if len(header) < _HEADER:
            raise FileBoxError("no box")
        size, kind, head = int.from_bytes(header[:4], "big"), header[4:_HEADER], _HEADER
        if size == 1 and len(header) == _LONG_HEADER:
            size, head = int.from_bytes(header[_HEADER:], "big"), _LONG_HEADER
        elif size == 0:
            size = end - position
        if size < head or position + size > end:
            raise FileBoxError("no box, or not all of it")
        yield FileBox(kind, position, head, size)
        position += size
