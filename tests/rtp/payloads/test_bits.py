from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.payloads.bits import BitReader
from mediasrv.rtp.payloads.formats import PayloadError


def test_reads_from_the_most_significant_bit() -> None:
    bits = BitReader(b"\xa5\x0f")
    assert [bits.read(1), bits.read(3), bits.read(8), bits.read(4)] == [1, 2, 0x50, 0xF]
    with pytest.raises(PayloadError):
        bits.read(1)


@given(st.lists(st.integers(0, 2**32 - 2), max_size=20))
def test_exp_golomb(values: list[int]) -> None:
    written = "".join("0" * ((value + 1).bit_length() - 1) + f"{value + 1:b}" for value in values)
    written += "0" * (-len(written) % 8)
    bits = BitReader(int(written or "0", 2).to_bytes(len(written) // 8, "big"))
    assert [bits.expGolomb() for _ in values] == values


@pytest.mark.parametrize("data", [b"", b"\0", bytes(40), b"\x01"])
def test_exp_golomb_without_end(data: bytes) -> None:
    with pytest.raises(PayloadError):
        BitReader(data).expGolomb()
