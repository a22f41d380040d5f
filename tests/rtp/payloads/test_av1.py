from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videostreams import checkSizes, decode, encode, receive

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.av1 import AV1Format
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.obus import withSize

SEQUENCE = bytes.fromhex("080000000cc4ff6700be0090")
RECORD = bytes.fromhex("8128 8c00") + withSize(SEQUENCE)
DELIMITER = b"\x10"
KEY = b"\x30\x10" + b"k" * 20
FRAME = b"\x30\x30" + b"f" * 20
HEADER = b"\x18\x30h"
TILES = b"\x20t"
METADATA = b"\x28m"


def low(*obus: bytes) -> bytes:
    """A temporal unit as containers hold it."""
    return b"".join(withSize(obu) for obu in obus)


def packed(obus: list[bytes], key: bool = False, limit: int = 64, extradata: bytes = RECORD) -> list[bytes]:
    unit = Unit(1.0, 2.0, 0.04, key, low(*obus))
    groups = AV1Format(Track(0, "video", "av1", extradata)).pack([unit], limit)
    checkSizes(groups, limit)
    assert [(one.dts, one.pts, one.key, one.marker) for one in groups] == [(1.0, 2.0, key, True)]
    return groups[0].payloads


@pytest.mark.requirement("SDP-3")
@pytest.mark.parametrize(
    ("extradata", "expected"),
    [
        (b"", ""),
        (bytes.fromhex("810d0c00"), "profile=0;level-idx=13;tier=0"),
        (RECORD, "profile=1;level-idx=8;tier=1"),
        (low(SEQUENCE), "profile=0;level-idx=1;tier=0"),
        (low(METADATA), ""),
    ],
)
def test_format_parameters(extradata: bytes, expected: str) -> None:
    assert AV1Format(Track(0, "video", "av1", extradata)).formatParameters() == expected


@pytest.mark.parametrize("extradata", [b"\x81\0\0", RECORD[:-1], b"\x0a\x09\0", b"\x0a\0"])
def test_damaged_extradata(extradata: bytes) -> None:
    with pytest.raises(PayloadError):
        AV1Format(Track(0, "video", "av1", extradata))


@pytest.mark.parametrize(
    ("obus", "key", "payloads"),
    [
        ([DELIMITER, FRAME], False, [b"\x10" + FRAME]),
        ([FRAME, b"\x78\0\0", b"\x40tiles"], False, [b"\x10" + FRAME]),  # padding, tile list
        ([DELIMITER, SEQUENCE, KEY], True, [b"\x28\x0c" + SEQUENCE + KEY]),
        ([KEY], True, [b"\x28\x0c" + SEQUENCE + KEY]),  # repeated
        ([HEADER, TILES, b"\x20u"], False, [b"\x30\3" + HEADER + b"\2" + TILES + b"\x20u"]),
        # no more elements than W can count
        ([HEADER, TILES, TILES, TILES], False, [b"\x30\3" + HEADER + b"\2" + TILES + TILES, b"\x10" + TILES]),
        # no two frames in a packet
        ([FRAME, HEADER, TILES, METADATA, FRAME], False, [
            b"\x10" + FRAME, b"\x20\3" + HEADER + TILES, b"\x20\2" + METADATA + FRAME,
        ]),
        # no two layers in a packet
        ([b"\x2c\x00m", b"\x2c\x08m", b"\x34\x08f"], False, [b"\x10\x2c\x00m", b"\x20\3\x2c\x08m\x34\x08f"]),
        # fragments fill packets
        ([b"\x30" + b"x" * 150], False, [
            b"\x50\x30" + b"x" * 62, b"\xd0" + b"x" * 63, b"\x90" + b"x" * 25,
        ]),
        ([SEQUENCE, b"\x30" + b"x" * 150], True, [
            b"\x68\x0c" + SEQUENCE + b"\x30" + b"x" * 49, b"\xd0" + b"x" * 63, b"\x90" + b"x" * 38,
        ]),
        # the end of one OBU and the start of the next
        ([b"\x18" + b"x" * 70, b"\x20" + b"y" * 70], False, [
            b"\x50\x18" + b"x" * 62, b"\xe0\x08" + b"x" * 8 + b"\x20" + b"y" * 53, b"\x90" + b"y" * 17,
        ]),
        # a whole number of packets, and an OBU after which there is no room
        ([b"\x30" + b"x" * 62], False, [b"\x10\x30" + b"x" * 62]),
        ([b"\x30" + b"x" * 125], False, [b"\x50\x30" + b"x" * 62, b"\x90" + b"x" * 63]),
        ([b"\x18" + b"x" * 61, TILES], False, [b"\x10\x18" + b"x" * 61, b"\x10" + TILES]),
    ],
)  # fmt: skip
def test_payloads(obus: list[bytes], key: bool, payloads: list[bytes]) -> None:
    assert packed(obus, key) == payloads


def test_without_size_field() -> None:
    unit = Unit(1.0, 2.0, 0.04, False, b"\x12\0" + FRAME)
    groups = AV1Format(Track(0, "video", "av1")).pack([unit], 64)
    assert [group.payloads for group in groups] == [[b"\x10" + FRAME]]


@pytest.mark.parametrize("data", [b"", b"\x12\0", b"\x32\xff\xff", b"\x80\0", b"\x32\5abc"])
def test_damaged_unit_is_left_out(data: bytes) -> None:
    units = [Unit(1.0, 1.0, 0.04, False, data), Unit(2.0, 2.0, 0.04, False, low(FRAME))]
    groups = AV1Format(Track(0, "video", "av1")).pack(units, 64)
    assert [group.payloads for group in groups] == [[b"\x10" + FRAME]]


_sizes = st.integers(0, 3000)


@st.composite
def temporalUnits(draw: st.DrawFn) -> tuple[bool, list[bytes]]:
    """Whether it is a key frame, and OBUs in an order that the specification allows."""
    key = draw(st.booleans())
    frame = b"\x30\x10" if key else b"\x30\x30"
    obus = [SEQUENCE] if key else []
    obus += [METADATA + b"m" * size for size in draw(st.lists(_sizes, max_size=4))]
    obus.append(frame + b"f" * draw(_sizes))
    obus += draw(
        st.lists(st.sampled_from([HEADER, TILES, FRAME, METADATA, b"\x34\x08\x30e", b"\x34\x10\x30e"]), max_size=6)
    )
    obus += [b"\x20" + b"t" * size for size in draw(st.lists(_sizes, max_size=4))]
    return key, obus


_limits = st.integers(64, 1500)


@given(st.lists(temporalUnits(), min_size=1, max_size=4), _limits)
def test_there_and_back(stream: list[tuple[bool, list[bytes]]], limit: int) -> None:
    stream.insert(0, (True, [SEQUENCE, KEY]))
    units = [Unit(0.0, 0.0, 0.0, key, low(DELIMITER, *obus)) for key, obus in stream]
    groups = AV1Format(Track(0, "video", "av1")).pack(units, limit)
    checkSizes(groups, limit)
    assert all(bool(group.payloads[0][0] & 8) == group.key for group in groups)
    assert not any(payload[0] & 8 for group in groups for payload in group.payloads[1:])
    received = receive(AV1Format.unpacker({}), groups)
    assert [(unit.key, unit.data) for unit in received] == [(key, low(*obus)) for key, obus in stream]


@given(st.lists(temporalUnits(), min_size=1, max_size=6), _limits, st.data())
def test_loss_drops_whole_units(stream: list[tuple[bool, list[bytes]]], limit: int, data: st.DataObject) -> None:
    # A stream whose units have several frames, as it turns out before the first loss.
    stream = [(True, [SEQUENCE, KEY, FRAME]), (False, [METADATA, FRAME]), *stream]
    units = [Unit(0.0, 0.0, 0.0, key, low(*obus)) for key, obus in stream]
    groups = AV1Format(Track(0, "video", "av1")).pack(units, limit)
    safe = sum(len(group.payloads) for group in groups[:2])
    count = sum(len(group.payloads) for group in groups)
    lost = data.draw(st.sets(st.integers(safe, count - 1), min_size=1))
    received = receive(AV1Format.unpacker({}), groups, lost)
    assert all(unit.data == low(*stream[unit.timestamp // 3600][1]) for unit in received)
    assert len(received) < len(stream)


@given(st.lists(_sizes, min_size=2, max_size=6), _limits, st.data())
def test_one_loss_drops_one_unit(sizes: list[int], limit: int, data: st.DataObject) -> None:
    units = [Unit(0.0, 0.0, 0.0, False, low(FRAME + b"f" * size)) for size in sizes]
    groups = AV1Format(Track(0, "video", "av1")).pack(units, limit)
    lost = data.draw(st.integers(0, sum(len(group.payloads) for group in groups) - 1))
    received = receive(AV1Format.unpacker({}), groups, {lost})
    assert len(received) == len(sizes) - 1
    assert all(unit.data == units[unit.timestamp // 3600].data for unit in received)


def test_key_unit_whose_start_is_lost() -> None:
    obus = [SEQUENCE, METADATA + b"m" * 48, KEY]
    groups = AV1Format(Track(0, "video", "av1")).pack([Unit(0.0, 0.0, 0.0, True, low(*obus))], 64)
    assert groups[0].payloads[1] == b"\x10" + KEY
    assert receive(AV1Format.unpacker({}), groups, {0}) == []


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 3), st.booleans(), st.integers(1, 2)), max_size=30))
def test_garbage(packets: list[tuple[bytes, int, bool, int]]) -> None:
    unpacker = AV1Format.unpacker({})
    sequence = 0
    for payload, timestamp, marker, step in packets:
        sequence += step
        try:
            unpacker.push(sequence, timestamp, marker, payload)
        except PayloadError:
            continue
    unpacker.push(sequence + 1, 9, True, b"\x10" + FRAME)
    assert [unit.data for unit in unpacker.push(sequence + 2, 10, True, b"\x10" + FRAME)] == [low(FRAME)]


@pytest.mark.requirement("SEC-13")
@pytest.mark.parametrize(
    "payload",
    [
        b"\x10",  # no element
        b"\x20\1\x30",  # one instead of two
        b"\x20\5\x30",  # ends outside
        b"\0\2\x30\x30\xff",  # the second has no length
        b"\0\0",  # empty
        b"\x98\x30",  # Z and N
        b"\x10\xb0x",  # forbidden bit
        b"\x10\x32\5x",  # its own size is wrong
    ],
)
def test_refused(payload: bytes) -> None:
    unpacker = AV1Format.unpacker({})
    unpacker.push(0, 0, True, b"\x10" + FRAME)
    with pytest.raises(PayloadError):
        unpacker.push(1, 1, False, payload)
    assert unpacker.push(2, 1, True, b"\x10" + FRAME) == []
    assert len(unpacker.push(3, 2, True, b"\x10" + FRAME)) == 1


def test_what_other_senders_do() -> None:
    unpacker = AV1Format.unpacker({})
    # lengths for all elements, sizes kept, a temporal delimiter, no N
    payload = b"\0" + b"".join(bytes((len(one),)) + one for one in (b"\x12\0", withSize(SEQUENCE), withSize(KEY)))
    received = unpacker.push(0, 0, True, payload)
    assert [(unit.key, unit.data) for unit in received] == [(True, low(SEQUENCE, KEY))]


@pytest.mark.parametrize("container", ["mp4", "matroska"])
@pytest.mark.parametrize("limit", [64, 1400])
def test_encoded(container: str, limit: int) -> None:
    video, units = encode("libsvtav1", container, preset="12", g="6", **{"svtav1-params": "lp=1"})
    form = AV1Format(video)
    assert form.formatParameters().startswith("profile=0;level-idx=")
    received = receive(AV1Format.unpacker({}), form.pack(units, limit))
    assert [(unit.key, unit.data) for unit in received] == [(unit.key, unit.data) for unit in units]
    pictures = decode("libdav1d", [unit.data for unit in received])
    assert len(pictures) == len(units)
    assert pictures == decode("libdav1d", [unit.data for unit in units])
