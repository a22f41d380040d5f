"""MPEG transport streams, RFC 2250 section 2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturestreams import deliver, survives

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.mpegts import TransportStreamFormat

FORMAT = TransportStreamFormat(Track(0, "video", "mpegts"))


def packet(number: int, control: int = 0x10, field: bytes = b"") -> bytes:
    return (b"\x47\x01\x00" + bytes((control | number & 15,)) + field).ljust(188, bytes((number & 255,)))


@pytest.mark.requirement("SDP-3")
def test_description() -> None:
    assert (FORMAT.encodingName, FORMAT.payloadType, FORMAT.clockRate) == ("MP2T", 33, 90_000)
    assert FORMAT.formatParameters() == ""


def test_sevenPacketsAtMost() -> None:
    data = b"".join(map(packet, range(16)))
    (group,) = FORMAT.pack([Unit(1.0, 2.0, 0, True, data)], 1400)
    assert [len(payload) for payload in group.payloads] == [7 * 188, 7 * 188, 2 * 188]
    assert (group.dts, group.pts, group.key, group.marker) == (1.0, 2.0, True, False)
    (group,) = FORMAT.pack([Unit(1.0, 2.0, 0, True, data)], 9000)
    assert [len(payload) for payload in group.payloads] == [7 * 188, 7 * 188, 2 * 188]


@given(st.integers(1, 40), st.integers(188, 1500))
def test_unpackUndoesPack(count: int, limit: int) -> None:
    data = b"".join(map(packet, range(count)))
    (group,) = FORMAT.pack([Unit(0, 0, 0, False, data)], limit)
    assert all(len(payload) % 188 == 0 and len(payload) <= limit for payload in group.payloads)
    assert len({len(payload) for payload in group.payloads[:-1]}) < 2
    assert b"".join(unit.data for unit in deliver([group], FORMAT.unpacker({}))) == data


@pytest.mark.parametrize("data", [b"", packet(0)[:-1], packet(0) + b"\x47", packet(0) + b"\x00" * 188])
def test_partsOfPacketsAreLeftOut(data: bytes) -> None:
    good = Unit(1, 1, 0, False, packet(3))
    assert [group.payloads for group in FORMAT.pack([Unit(0, 0, 0, True, data), good], 1400)] == [[packet(3)]]
    with pytest.raises(PayloadError):
        FORMAT.unpacker({}).push(1, 1, False, data)


def test_noRoomForOnePacket() -> None:
    assert FORMAT.pack([Unit(0, 0, 0, True, packet(0))], 187) == []


def test_randomAccessIsKey() -> None:
    unpacker = FORMAT.unpacker({})
    for key, second in [
        (True, packet(1, 0x30, b"\x07\x50")),
        (False, packet(1, 0x30, b"\x07\x10")),
        (False, packet(1, 0x30, b"\x00\x50")),  # an adaptation field without flags
        (False, packet(1, 0x10, b"\x07\x50")),  # none at all
    ]:
        (unit,) = unpacker.push(1, 5, False, packet(0) + second)
        assert (unit.key, unit.timestamp) == (key, 5)


def test_lossTakesOnePayload() -> None:
    data = b"".join(map(packet, range(16)))
    groups = FORMAT.pack([Unit(0, 0, 0, False, data)], 1400)
    received = deliver(groups, FORMAT.unpacker({}), {1})
    assert b"".join(unit.data for unit in received) == data[: 7 * 188] + data[14 * 188 :]


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans(), st.binary(max_size=20))))
def test_garbage(packets: list[tuple[int, int, bool, bytes]]) -> None:
    survives(FORMAT.unpacker({}), packets)
