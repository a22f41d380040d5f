"""
Bytes that are to be had one after the other: some made here, the others as they are in a file.

So a file whose parts are in another order, or some ranges of it with words in between, need not be made to be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """
    A part of a file.

    @ivar start: its first byte.
    @ivar length: in bytes.
    """

    start: int
    length: int


Piece = bytes | Extent


def lengthOf(pieces: Iterable[Piece]) -> int:
    """Bytes of all pieces together."""
    return sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in pieces)


def cut(pieces: Sequence[Piece], start: int, stop: int) -> list[Piece]:
    """
    A part of what pieces make.

    @param start: its first byte.
    @param stop: the one after its last.
    """
    found: list[Piece] = []
    position = 0
    for piece in pieces:
        length = len(piece) if isinstance(piece, bytes) else piece.length
        first, last = max(start - position, 0), min(stop - position, length)
        if first < last:
            found.append(piece[first:last] if isinstance(piece, bytes) else Extent(piece.start + first, last - first))
        position += length
        if position >= stop:
            break
    return found
