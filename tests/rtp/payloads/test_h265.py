from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videostreams import checkSizes, decode, encode, receive

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.h265 import H265Format
from mediasrv.rtp.payloads.nalunits import joinAnnexB, splitAnnexB, splitLengthPrefixed

VPS = bytes.fromhex("40010c01ffff0160")
SPS = bytes.fromhex("42010101600000030090000003000003005da00280")
PPS = bytes.fromhex("4401c073c189")
IDR = b"\x26\x01\xaf" + b"i" * 50
SLICE = b"\x02\x01\xd0" + b"p" * 50
SEI = b"\x4e\x01\x05\x02ab\x80"
PARAMETERS = (
    "profile-space=0;profile-id=1;tier-flag=0;level-id=93;interop-constraints=900000000000;sprop-max-don-diff=0;"
    "sprop-vps=QAEMAf//AWA=;sprop-sps=QgEBAWAAAAMAkAAAAwAAAwBdoAKA;sprop-pps=RAHAc8GJ"
)


def hvcC(arrays: list[list[bytes]], lengthSize: int = 4) -> bytes:
    record = b"\1" + bytes(20) + bytes((0xFC | lengthSize - 1, len(arrays)))
    for array in arrays:
        record += struct.pack("!BH", 0x80 | array[0][0] >> 1, len(array))
        record += b"".join(struct.pack("!H", len(one)) + one for one in array)
    return record


def track(extradata: bytes) -> Track:
    return Track(0, "video", "hevc", extradata)


def prefixed(nalUnits: list[bytes], lengthSize: int = 4) -> bytes:
    return b"".join(len(one).to_bytes(lengthSize, "big") + one for one in nalUnits)


def nalUnitsOf(data: bytes) -> list[bytes]:
    return [data[start:end] for start, end in splitAnnexB(data)]


@pytest.mark.requirement("SDP-3")
@pytest.mark.parametrize(
    ("extradata", "expected"),
    [
        (b"", "sprop-max-don-diff=0"),
        (hvcC([[VPS], [SPS], [PPS], [SEI]]), PARAMETERS),
        (hvcC([[PPS, PPS + b"2"], [SPS], [VPS]]), PARAMETERS),
        (joinAnnexB([VPS, SPS, PPS]), PARAMETERS),
        (hvcC([[VPS], [SPS], [PPS]])[:-1], PARAMETERS.partition(";sprop-vps")[0]),
        (hvcC([]), "sprop-max-don-diff=0"),
    ],
)
def test_format_parameters(extradata: bytes, expected: str) -> None:
    assert H265Format(track(extradata)).formatParameters() == expected


@given(st.binary(max_size=60))
def test_any_extradata(extradata: bytes) -> None:
    for data in (extradata, b"\1" + bytes(20) + extradata, b"\0\0\1" + extradata, b"\0\0\1\x42" + extradata):
        try:
            H265Format(track(data)).formatParameters()
        except PayloadError:
            assert not data.startswith(b"\0\0\1")


@pytest.mark.parametrize("lengthSize", [1, 2, 4])
@pytest.mark.parametrize(
    ("nalUnits", "key", "payloads"),
    [
        ([SLICE], False, [SLICE]),
        (
            [SEI, IDR],
            True,
            [b"\x60\x01\0\x08" + VPS + b"\0\x15" + SPS + b"\0\6" + PPS + b"\0\7" + SEI, IDR],
        ),
        ([VPS, SPS, PPS, IDR], True, [b"\x60\x01\0\x08" + VPS + b"\0\x15" + SPS + b"\0\6" + PPS, IDR]),
        # delimiter, filler data, what RTP or nobody uses, and half a header
        ([b"\x46\x01\x50", SLICE, b"\x4c\x01\xff", b"\x62\x01\x81", b"\x7c\x01x", b"\x02"], False, [SLICE]),
        # the lowest layer and temporal identifier, F if any has it
        ([b"\x02\x0caa", b"\x83\x0abb"], False, [b"\xe0\x0a\0\4\x02\x0caa\0\4\x83\x0abb"]),
        ([b"\x03\x04aa", b"\x03\x0bbb"], False, [b"\x61\x03\0\4\x03\x04aa\0\4\x03\x0bbb"]),
        # as many as fit, to the byte
        ([b"\x02" * 29, b"\x02" * 29], False, [b"\x60\x02\0\x1d" + b"\x02" * 29 + b"\0\x1d" + b"\x02" * 29]),
        ([b"\x02" * 29, b"\x02" * 30], False, [b"\x02" * 29, b"\x02" * 30]),
        (
            [b"\x27\x09" + bytes(range(1, 130))],
            False,
            [
                b"\x63\x09\x93" + bytes(range(1, 62)),
                b"\x63\x09\x13" + bytes(range(62, 123)),
                b"\x63\x09\x53" + bytes(range(123, 130)),
            ],
        ),
        ([b"\x26\x01" + b"x" * 63], False, [b"\x62\x01\x93" + b"x" * 61, b"\x62\x01\x53xx"]),
        ([b"\x26\x01" + b"x" * 62], False, [b"\x26\x01" + b"x" * 62]),
    ],
)
def test_payloads(nalUnits: list[bytes], key: bool, payloads: list[bytes], lengthSize: int) -> None:
    for extradata, data in (
        (hvcC([[SPS], [PPS], [VPS]], lengthSize), prefixed(nalUnits, lengthSize)),
        (joinAnnexB([VPS, SPS, PPS]), joinAnnexB(nalUnits)),
    ):
        groups = H265Format(track(extradata)).pack([Unit(1.0, 2.0, 0.04, key, data)], 64)
        assert [group.payloads for group in groups] == [payloads]
        assert (groups[0].dts, groups[0].pts, groups[0].key, groups[0].marker) == (1.0, 2.0, key, True)


_bodies = st.binary(max_size=3000).map(lambda body: body.replace(b"\0", b"0"))
_headers = st.sampled_from([b"\x02\x01", b"\x26\x01", b"\x2a\x02", b"\x03\x0b"])


@st.composite
def pictures(draw: st.DrawFn, sets: bool = True) -> list[bytes]:
    """The NAL units of a picture; only its first slice says that it is the first."""
    before = draw(st.lists(st.sampled_from([SEI, SEI + b"x" * 300, *(VPS, SPS, PPS)[: 3 * sets]]), max_size=4))
    slices = [draw(_headers) + b"\x88" + draw(_bodies)]
    slices += [header + b"\x12" + body for header, body in draw(st.lists(st.tuples(_headers, _bodies), max_size=5))]
    return [*before, *slices]


_limits = st.integers(64, 1500)


@given(st.lists(pictures(), min_size=1, max_size=4), _limits, st.booleans())
def test_there_and_back(stream: list[list[bytes]], limit: int, lengths: bool) -> None:
    extradata = hvcC([]) if lengths else b""
    write = prefixed if lengths else joinAnnexB
    units = [Unit(float(number), 0.0, 0.0, False, write(nalUnits)) for number, nalUnits in enumerate(stream)]
    groups = H265Format(track(extradata)).pack(units, limit)
    checkSizes(groups, limit)
    received = receive(H265Format.unpacker({}), groups)
    for unit, nalUnits in zip(received, stream, strict=True):
        assert nalUnitsOf(unit.data)[-len(nalUnits) :] == nalUnits
        assert unit.key == any(one[0] in (0x26, 0x2A) for one in nalUnits)
        if not unit.key:
            assert unit.data == joinAnnexB(nalUnits)


@given(st.lists(pictures(sets=False), min_size=2, max_size=6), _limits, st.data())
def test_loss_drops_whole_pictures(stream: list[list[bytes]], limit: int, data: st.DataObject) -> None:
    stream = [[VPS, SPS, PPS, b"\x4e\x01" + b"s" * 80, *nalUnits] for nalUnits in stream]
    units = [Unit(0.0, 0.0, 0.0, False, joinAnnexB(nalUnits)) for nalUnits in stream]
    groups = H265Format(track(b"")).pack(units, limit)
    count = sum(len(group.payloads) for group in groups)
    lost = data.draw(st.sets(st.integers(len(groups[0].payloads), count - 1), min_size=1))
    received = receive(H265Format.unpacker({}), groups, lost)
    assert all(nalUnitsOf(unit.data) == stream[unit.timestamp // 3600] for unit in received)
    assert len(received) < len(stream)


def test_joined_after_the_first_slice() -> None:
    unpacker = H265Format.unpacker({})
    assert unpacker.push(1, 0, True, b"\x02\x01\x12second slice") == []
    assert [unit.data for unit in unpacker.push(2, 1, True, SLICE)] == [joinAnnexB([SLICE])]


_payloads = st.one_of(
    st.binary(max_size=60),
    st.tuples(st.sampled_from([0x60, 0x62, 0x64, 0x7E, 2, 0x26]), st.binary(max_size=30)).map(
        lambda parts: bytes(parts[:1]) + parts[1]
    ),
)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(_payloads, st.integers(0, 3), st.booleans(), st.integers(1, 2)), max_size=30))
def test_garbage(packets: list[tuple[bytes, int, bool, int]]) -> None:
    unpacker = H265Format.unpacker({"sprop-vps": "Z0I=", "sprop-sps": "?"})
    sequence = 0
    for payload, timestamp, marker, step in packets:
        sequence += step
        try:
            unpacker.push(sequence, timestamp, marker, payload)
        except PayloadError:
            continue
    unpacker.push(sequence + 1, 9, True, SLICE)
    assert [unit.data for unit in unpacker.push(sequence + 2, 10, True, SLICE)] == [joinAnnexB([SLICE])]


@pytest.mark.requirement("SEC-13")
@pytest.mark.parametrize(
    "payload",
    [
        b"\x64\x01\0\0",  # PACI
        b"\x66\x01\0",  # not specified
        b"\x02",
        b"\x60\x01\0\x09\x02\x01",  # AP that ends too early
        b"\x60\x01\0\1\x02",  # half a header in an AP
        b"\x60\x01\0\2\x60\x01",  # AP in an AP
        b"\x62\x01",
        b"\x62\x01\xb0x",  # FU of an AP
    ],
)
def test_refused(payload: bytes) -> None:
    unpacker = H265Format.unpacker({})
    unpacker.push(0, 0, True, SLICE)
    with pytest.raises(PayloadError):
        unpacker.push(1, 1, False, payload)
    assert unpacker.push(2, 1, True, SLICE) == []
    assert len(unpacker.push(3, 2, True, SLICE)) == 1


@pytest.mark.parametrize("name", ["sprop-max-don-diff", "sprop-depack-buf-nalus"])
def test_decoding_order_numbers_are_refused(name: str) -> None:
    H265Format.unpacker({name: "0"})
    with pytest.raises(PayloadError):
        H265Format.unpacker({name: "1"})


def test_parameter_sets_of_the_description() -> None:
    described = dict(part.split("=", 1) for part in PARAMETERS.split(";"))
    unpacker = H265Format.unpacker(described)
    assert [nalUnitsOf(unit.data) for unit in unpacker.push(0, 0, True, IDR)] == [[VPS, SPS, PPS, IDR]]
    assert [nalUnitsOf(unit.data) for unit in unpacker.push(1, 1, True, SLICE)] == [[SLICE]]


@pytest.mark.parametrize("container", ["mp4", "mpegts", "matroska"])
@pytest.mark.parametrize("limit", [64, 1400])
def test_encoded(container: str, limit: int) -> None:
    options = {"x265-params": "log-level=none:keyint=6:pools=1:frame-threads=1:slices=2"}
    video, units = encode("libx265", container, **options)
    form = H265Format(video)
    assert "sprop-sps=" in form.formatParameters()
    received = receive(H265Format.unpacker({}), form.pack(units, limit))
    assert [unit.key for unit in received] == [unit.key for unit in units]
    for unit, original in zip(received, units, strict=True):
        data = original.data
        spans = splitLengthPrefixed(data, form.lengthSize) if form.lengthSize else splitAnnexB(data)
        nalUnits = [data[start:end] for start, end in spans if data[start] >> 1 != 35]
        assert nalUnitsOf(unit.data)[-len(nalUnits) :] == nalUnits
        assert not unit.key or nalUnitsOf(unit.data)[0][0] >> 1 == 32
    pictures = decode("hevc", [unit.data for unit in received])
    assert len(pictures) == len(units)
    assert pictures == decode("hevc", [unit.data for unit in units], video.extradata)
