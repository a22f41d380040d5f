from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.obus import (
    decodeSize,
    encodeSize,
    obuLayer,
    obuPayload,
    obuType,
    sequenceLevel,
    splitOBUs,
    withoutSize,
    withSize,
)


@given(st.integers(0, 2**32 - 1), st.binary(max_size=5))
def test_sizes(value: int, before: bytes) -> None:
    assert decodeSize(before + encodeSize(value) + b"x", len(before)) == (value, len(before + encodeSize(value)))


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (16384, "808001")]
)
def test_known_sizes(value: int, encoded: str) -> None:
    assert encodeSize(value).hex() == encoded


def test_longer_than_needed() -> None:
    assert decodeSize(b"\x85\x80\x00", 0) == (5, 3)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80" * 9 + b"\0", b"\xff\xff\xff\xff\xff\0"])
def test_damaged_size(data: bytes) -> None:
    with pytest.raises(PayloadError):
        decodeSize(data, 0)


def test_split() -> None:
    # temporal delimiter, sequence header, frame with layer, frame without size
    obus = splitOBUs(bytes.fromhex("1200 0a03aabbcc 36480211 22 30ff"))
    assert [obu.hex() for obu in obus] == ["10", "08aabbcc", "34481122", "30ff"]
    assert [obuType(obu) for obu in obus] == [2, 1, 6, 6]
    assert [obuLayer(obu) for obu in obus] == [-1, -1, 9, -1]
    assert [obuPayload(obu).hex() for obu in obus] == ["", "aabbcc", "1122", "ff"]


@pytest.mark.parametrize("data", ["0a", "0a02aa", "0aff", "34", "8a00", "3a", "3600"])
def test_damaged(data: str) -> None:
    with pytest.raises(PayloadError):
        splitOBUs(bytes.fromhex(data))


@pytest.mark.parametrize(("bare", "sized"), [("08aabb", "0a02aabb"), ("3448ff", "364801ff"), ("10", "1200")])
def test_size_on_and_off(bare: str, sized: str) -> None:
    assert withSize(bytes.fromhex(bare)).hex() == sized
    assert withoutSize(bytes.fromhex(sized)).hex() == bare
    assert withoutSize(bytes.fromhex(bare)).hex() == bare


@pytest.mark.parametrize("data", ["", "0a01aa1200"])
def test_not_one(data: str) -> None:
    with pytest.raises(PayloadError):
        withoutSize(bytes.fromhex(data))


def bits(text: str) -> bytes:
    text = text.replace(" ", "")
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("000 1 1 00101", (0, 5, 0)),  # reduced still picture
        ("001 0 0 0 0 00000 000000000000 01000 1", (1, 8, 1)),
        ("010 0 0 0 0 00000 000000000000 00111 1", (2, 7, 0)),  # no tier below level 4.0
        # timing, equal intervals (uvlc 2), decoder model
        ("000 0 0 1" + "1" * 64 + "1 011 1" + "1" * 47 + "0 00000 000000000000 01101 1", (0, 13, 1)),
    ],
)
def test_sequence_level(header: str, expected: tuple[int, int, int]) -> None:
    assert sequenceLevel(bits(header)) == expected


def test_truncated_sequence_header() -> None:
    with pytest.raises(PayloadError):
        sequenceLevel(b"\0\0")
