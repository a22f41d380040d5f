from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.nalunits import decodeSets, isAnnexB, joinAnnexB, splitAnnexB, splitLengthPrefixed, unescape


@pytest.mark.parametrize(
    ("data", "nalUnits"),
    [
        (b"\0\0\1\x65", [b"\x65"]),
        (b"\0\0\0\1\x67\1\0\0\1\x68\2", [b"\x67\1", b"\x68\2"]),
        (b"\0\0\0\0\0\0\1\x65\0\0\0\0", [b"\x65"]),  # leading and trailing zeros
        (b"\0\0\1\0\0\1\x65", [b"\x65"]),  # an empty one
        (b"\0\0\1\x65\0\0\3\1\0\0\0\1\x41", [b"\x65\0\0\3\1", b"\x41"]),
    ],
)
def test_start_codes(data: bytes, nalUnits: list[bytes]) -> None:
    assert [data[start:end] for start, end in splitAnnexB(data)] == nalUnits


@pytest.mark.parametrize("data", [b"", b"\x65\1\2", b"\1\0\0\1\x65", b"\0\0"])
def test_no_start_code(data: bytes) -> None:
    with pytest.raises(PayloadError):
        splitAnnexB(data)


@given(st.sampled_from([1, 2, 3, 4]), st.lists(st.binary(max_size=200)))
def test_lengths(size: int, nalUnits: list[bytes]) -> None:
    data = b"".join(len(nalUnit).to_bytes(size, "big") + nalUnit for nalUnit in nalUnits)
    assert [data[start:end] for start, end in splitLengthPrefixed(data, size)] == [one for one in nalUnits if one]


@pytest.mark.parametrize("data", [b"\0\0\0\5\x65", b"\xff\xff\xff\xff\x65", b"\0\0\0\1\x65\0", b"\0\0\0"])
def test_length_outside(data: bytes) -> None:
    with pytest.raises(PayloadError):
        splitLengthPrefixed(data, 4)


def test_join() -> None:
    data = joinAnnexB([b"\x67\1", b"\x68"])
    assert data == b"\0\0\0\1\x67\1\0\0\0\1\x68"
    assert isAnnexB(data)
    assert isAnnexB(data[1:])
    assert not isAnnexB(b"\1\x64\0\x1f\xff")


def test_unescape() -> None:
    assert unescape(b"\x42\0\0\3\0\0\3\1\0\3") == b"\x42\0\0\0\0\1\0\3"


@pytest.mark.parametrize(
    ("value", "sets"),
    [
        ("", []),
        ("Z0I=,aM4=", [b"gB", b"h\xce"]),
        ("Z0I, aM4", [b"gB", b"h\xce"]),  # without padding
        ("AAAAAWdC", [b"gB"]),  # with a start code
        ("Z0I=,~,Z", [b"gB"]),
        ("ü", []),
    ],
)
def test_decode_sets(value: str, sets: list[bytes]) -> None:
    assert decodeSets(value) == sets
