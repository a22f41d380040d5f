"""Pieces, and parts of what they make."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.pieces import Extent, Piece, cut, lengthOf

FILE = bytes(range(200))

pieces = st.lists(
    st.one_of(st.binary(max_size=20), st.builds(Extent, st.integers(0, 100), st.integers(0, 100))), max_size=6
)


def read(some: list[Piece]) -> bytes:
    return b"".join(
        piece if isinstance(piece, bytes) else FILE[piece.start : piece.start + piece.length] for piece in some
    )


@given(pieces, st.integers(0, 500), st.integers(0, 500))
def testAnyPart(some: list[Piece], start: int, length: int) -> None:
    part = cut(some, start, start + length)
    assert read(part) == read(some)[start : start + length]
    assert lengthOf(part) == len(read(part))
    assert all(piece if isinstance(piece, bytes) else piece.length for piece in part)
