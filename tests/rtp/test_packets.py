"""RTP headers: what is written is read back, and packets that lie about their lengths are refused (SEC-13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.packets import PacketError, RTPPacket, isRTCP, packHeader, parsePacket

HEADER = bytes.fromhex("80e000ff 01020304 a1b2c3d4")
PACKET = RTPPacket(96, True, 255, 0x01020304, 0xA1B2C3D4, b"media")


def test_aPlainPacket() -> None:
    assert parsePacket(HEADER + b"media") == PACKET
    assert packHeader(96, True, 255, 0x01020304, 0xA1B2C3D4) == HEADER
    assert PACKET.toBytes() == HEADER + b"media"


@pytest.mark.requirement("RTP-11")
def test_headersWrap() -> None:
    """RTP-11: running counts may be given as they are."""
    assert packHeader(96, False, 0x1FFFF, 0x1_0000_0002, 1) == bytes.fromhex("8060ffff 00000002 00000001")


@pytest.mark.requirement("SEC-13")
@pytest.mark.parametrize(
    ("first", "rest", "payload"),
    [
        (0x82, b"csrccsrc" + b"media", b"media"),
        (0x90, bytes.fromhex("bede0001 11223344") + b"media", b"media"),
        (0x90, bytes.fromhex("bede0000") + b"media", b"media"),
        (0xA0, b"media\0\0\3", b"media"),
        (0xA0, b"\0\0\0\4", b""),
        (0xB1, b"csrc" + bytes.fromhex("bede0001 11223344") + b"media\1", b"media"),
        (0x80, b"", b""),
    ],
)
def test_whatIsNotPayloadIsTakenAway(first: int, rest: bytes, payload: bytes) -> None:
    packet = parsePacket(bytes([first]) + HEADER[1:] + rest)
    assert packet.payload == payload
    assert (packet.payloadType, packet.marker, packet.sequence) == (96, True, 255)


@pytest.mark.requirement("SEC-13")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(HEADER[:11], id="short"),
        pytest.param(b"\x00" + HEADER[1:], id="version 0"),
        pytest.param(b"\x40" + HEADER[1:], id="version 1"),
        pytest.param(b"\xc0" + HEADER[1:], id="version 3"),
        pytest.param(b"\x82" + HEADER[1:] + b"csrccsr", id="CSRCs beyond the end"),
        pytest.param(b"\x90" + HEADER[1:] + b"\xbe\xde\0", id="extension header beyond the end"),
        pytest.param(b"\x90" + HEADER[1:] + b"\xbe\xde\0\2four", id="extension beyond the end"),
        pytest.param(b"\xa0" + HEADER[1:] + b"pad\0", id="padding of nothing"),
        pytest.param(b"\xa0" + HEADER[1:] + b"pad\5", id="padding beyond the payload"),
        pytest.param(b"\xa0" + HEADER[1:], id="padding without any"),
    ],
)
def test_liesAreRefused(data: bytes) -> None:
    with pytest.raises(PacketError):
        parsePacket(data)


@given(
    st.builds(
        RTPPacket,
        st.integers(0, 127),
        st.booleans(),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=50),
    )
)
def test_writingAndReadingAreInverse(packet: RTPPacket) -> None:
    assert parsePacket(packet.toBytes()) == packet


@pytest.mark.requirement("SEC-13")
@given(st.integers(0, 255), st.binary(max_size=80))
def test_garbageRaisesOnlyOurError(first: int, rest: bytes) -> None:
    data = bytes([first]) + rest
    try:
        packet = parsePacket(data)
    except PacketError:
        return
    assert first >> 6 == 2
    assert packet.payload in data


@pytest.mark.requirement("RTCP-9")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x80\xc8", True),
        (b"\x81\xc9\0\1", True),
        (b"\x80\x60", False),
        (b"\x80\xe0", False),
        (b"\x80", False),
        (b"", False),
    ],
)
def test_rtcpOnASharedPort(data: bytes, expected: bool) -> None:
    assert isRTCP(data) is expected
