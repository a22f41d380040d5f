"""Boxes, and what is none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.streaming.fmp4.boxes import BoxError, box, boxesIn, find, fullBox


@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=50)), max_size=5))
def testThereAndBack(contents: list[tuple[bytes, bytes]]) -> None:
    assert list(boxesIn(b"".join(box(kind, content) for kind, content in contents))) == contents


@given(st.binary(max_size=60))
def testGarbage(data: bytes) -> None:
    """Is an error of ours, or boxes by chance."""
    with contextlib.suppress(BoxError):
        list(boxesIn(data))


def testFind() -> None:
    data = box(b"moov", fullBox(b"mvhd", 1, 2, b"x"), box(b"trak", box(b"mdia", b"y")))
    assert find(data, b"moov", b"mvhd") == b"\1\0\0\2x"
    assert find(data, b"moov", b"trak", b"mdia") == b"y"
    with pytest.raises(BoxError, match="trex"):
        find(data, b"moov", b"trex")


def testLargeSizes() -> None:
    """64 bits, if 32 bits say 1."""
    assert list(boxesIn(b"\0\0\0\1mdat" + (18).to_bytes(8, "big") + b"ab")) == [(b"mdat", b"ab")]
    with pytest.raises(BoxError):
        list(boxesIn(b"\0\0\0\1mdat" + (19).to_bytes(8, "big") + b"ab"))
