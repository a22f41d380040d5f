"""Base64 that arrives in pieces (requirements TUN-3, SEC-23)."""

from __future__ import annotations

import base64
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtsp.base64stream import Base64Decoder, Base64Error

pytestmark = pytest.mark.requirement("TUN-3")

GROUPS = re.compile(rb"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)*")


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cuts at places, which may be the same and beyond the end."""
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


places = st.lists(st.integers(0, 300), max_size=20)


@given(st.lists(st.binary(max_size=30), max_size=8), st.integers(1, 20), places)
def testAnyWritesWithAnyLinesCutAnywhere(writes: list[bytes], width: int, where: list[int]) -> None:
    """Each write has its own padding; lines are broken where it pleases."""
    text = b"".join(base64.b64encode(write) for write in writes)
    broken = b"\r\n".join(text[start : start + width] for start in range(0, len(text), width))
    decoder = Base64Decoder()
    assert b"".join(decoder.feed(piece) for piece in cut(broken, where)) == b"".join(writes)


@given(st.binary(max_size=60))
def testByteByByte(data: bytes) -> None:
    """What is complete comes at once: three bytes with the fourth character."""
    decoder = Base64Decoder()
    text = base64.b64encode(data)
    got = b""
    for number in range(len(text)):
        got += decoder.feed(text[number : number + 1])
        assert len(got) == min(len(data), (number + 1) // 4 * 3)
    assert got == data


@given(st.text("Aa+/=! \n", max_size=40), places)
def testGarbageIsAnErrorHoweverItIsCut(text: str, where: list[int]) -> None:
    """Nothing but groups of four, of which the last may be unfinished, is taken."""
    data = text.encode()
    bare = data.translate(None, b" \n")
    whole = len(bare) // 4 * 4
    isFine = GROUPS.fullmatch(bare[:whole]) and re.fullmatch(rb"[Aa+/]{0,3}|[Aa+/]{2}=", bare[whole:])
    decoder = Base64Decoder()
    try:
        for piece in cut(data, where):
            decoder.feed(piece)
    except Base64Error:
        assert not isFine
    else:
        assert isFine


@pytest.mark.parametrize(
    "text", [b"AAAA==", b"A===", b"=AAA", b"AA=A", b"AAAA====", b"AA-A", b"AA\0A", b"AAAA==AAAA=="]
)
def testWhatIsNoBase64(text: bytes) -> None:
    with pytest.raises(Base64Error):
        Base64Decoder().feed(text)
