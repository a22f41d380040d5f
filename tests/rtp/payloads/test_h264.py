from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from videostreams import checkSizes, decode, encode, receive

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.h264 import H264Format
from mediasrv.rtp.payloads.nalunits import joinAnnexB, splitAnnexB, splitLengthPrefixed

SPS = bytes.fromhex("6764001fac2ca5014016ec")
PPS = bytes.fromhex("68ee3cb0")
SPS_2 = bytes.fromhex("674d401f00")[:-1]
IDR = b"\x65\x88" + b"i" * 50
SLICE = b"\x41\x9a" + b"p" * 40
SEI = b"\x06\x05\x02ab\x80"
RECOVERY = b"\x06\x05\x02ab\x06\x01\xc4\x80"


def avcC(spss: list[bytes], ppss: list[bytes], lengthSize: int = 4) -> bytes:
    record = bytes((1, 0x64, 0, 0x1F, 0xFC | lengthSize - 1, 0xE0 | len(spss)))
    record += b"".join(struct.pack("!H", len(one)) + one for one in spss)
    return record + bytes((len(ppss),)) + b"".join(struct.pack("!H", len(one)) + one for one in ppss)


def track(extradata: bytes) -> Track:
    return Track(0, "video", "h264", extradata)


def prefixed(nalUnits: list[bytes], lengthSize: int = 4) -> bytes:
    return b"".join(len(one).to_bytes(lengthSize, "big") + one for one in nalUnits)


def packed(extradata: bytes, data: bytes, key: bool = False, limit: int = 64) -> list[bytes]:
    groups = H264Format(track(extradata)).pack([Unit(1.0, 2.0, 0.04, key, data)], limit)
    checkSizes(groups, limit)
    return [payload for group in groups for payload in group.payloads]


def nalUnitsOf(data: bytes) -> list[bytes]:
    return [data[start:end] for start, end in splitAnnexB(data)]


@pytest.mark.requirement("SDP-3")
@pytest.mark.parametrize(
    ("extradata", "expected"),
    [
        (b"", "packetization-mode=1"),
        (
            avcC([SPS], [PPS]),
            "packetization-mode=1;profile-level-id=64001F;sprop-parameter-sets=Z2QAH6wspQFAFuw=,aO48sA==",
        ),
        (
            joinAnnexB([SPS, PPS]),
            "packetization-mode=1;profile-level-id=64001F;sprop-parameter-sets=Z2QAH6wspQFAFuw=,aO48sA==",
        ),
        # exactly one of each
        (
            avcC([SPS_2, SPS], [PPS, PPS + b"2"]),
            "packetization-mode=1;profile-level-id=4D401F;sprop-parameter-sets=Z01AHw==,aO48sA==",
        ),
        (avcC([], []), "packetization-mode=1;profile-level-id=64001F"),
        (avcC([SPS], [PPS])[:20], "packetization-mode=1;profile-level-id=64001F"),
    ],
)
def test_format_parameters(extradata: bytes, expected: str) -> None:
    assert H264Format(track(extradata)).formatParameters() == expected


@pytest.mark.parametrize("extradata", [b"\1", b"\2\x64\0\x1f\xff\xe1\0", b"garbage", b"\1\x64\0\x1f\xff"])
def test_unknown_extradata(extradata: bytes) -> None:
    with pytest.raises(PayloadError):
        H264Format(track(extradata))


@given(st.binary(max_size=40))
def test_any_extradata(extradata: bytes) -> None:
    for data in (extradata, b"\1" + extradata, b"\0\0\1" + extradata):
        try:
            H264Format(track(data)).formatParameters()
        except PayloadError:
            assert not data.startswith(b"\0\0\1")


@pytest.mark.parametrize("lengthSize", [1, 2, 4])
@pytest.mark.parametrize(
    ("nalUnits", "key", "payloads"),
    [
        ([SLICE], False, [SLICE]),
        # parameter sets and SEI share a STAP-A: its NRI is the highest
        ([SEI, IDR], True, [b"\x78\0\x0b" + SPS + b"\0\4" + PPS + b"\0\6" + SEI, IDR]),
        # nothing is repeated that is there
        ([SPS, PPS, IDR], True, [b"\x78\0\x0b" + SPS + b"\0\4" + PPS, IDR]),
        ([SPS_2, IDR], True, [b"\x78\0\4" + PPS + b"\0\4" + SPS_2, IDR]),
        # the delimiter, filler data and what RTP uses for itself stay behind
        ([b"\x09\xf0", SLICE, b"\x0c\xff\x80", b"\x18\1", b"\x1c\x81"], False, [SLICE]),
        ([b"\x01aaa", b"\x21bbb", b"\x81ccc"], False, [b"\xb8\0\4\x01aaa\0\4\x21bbb\0\4\x81ccc"]),
        # as many as fit, to the byte
        ([b"\x01" * 29, b"\x01" * 30], False, [b"\x18\0\x1d" + b"\x01" * 29 + b"\0\x1e" + b"\x01" * 30]),
        ([b"\x01" * 30, b"\x01" * 30], False, [b"\x01" * 30, b"\x01" * 30]),
        # a NAL unit that fits is not cut, however little room it leaves
        ([b"\x01" * 64, b"\x01" * 3], False, [b"\x01" * 64, b"\x01" * 3]),
        (
            [b"\x65" + bytes(range(1, 130))],
            False,
            [
                b"\x7c\x85" + bytes(range(1, 63)),
                b"\x7c\x05" + bytes(range(63, 125)),
                b"\x7c\x45" + bytes(range(125, 130)),
            ],
        ),
        ([b"\x65" + b"x" * 124], False, [b"\x7c\x85" + b"x" * 62, b"\x7c\x45" + b"x" * 62]),
        ([b"\x65" + b"x" * 64], False, [b"\x7c\x85" + b"x" * 62, b"\x7c\x45xx"]),
    ],
)
def test_payloads(nalUnits: list[bytes], key: bool, payloads: list[bytes], lengthSize: int) -> None:
    if key:
        nalUnits = [b"\x09\x10", *nalUnits]
    assert packed(avcC([SPS], [PPS], lengthSize), prefixed(nalUnits, lengthSize), key) == payloads
    assert packed(joinAnnexB([SPS, PPS]), joinAnnexB(nalUnits), key) == payloads


def test_group() -> None:
    units = [Unit(1.0, 2.0, 0.04, True, joinAnnexB([IDR])), Unit(1.04, 1.04, 0.04, False, joinAnnexB([SLICE]))]
    groups = H264Format(track(b"")).pack(units, 1400)
    assert [(one.dts, one.pts, one.key, one.marker) for one in groups] == [
        (1.0, 2.0, True, True),
        (1.04, 1.04, False, True),
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0\x20\x65abc", prefixed([SLICE]) + b"\0", prefixed([b"\x09\xf0"]), prefixed([b""]), b"\xff" * 9],
)
def test_damaged_unit_is_left_out(data: bytes) -> None:
    whole = Unit(2.0, 2.0, 0.04, False, prefixed([SLICE]))
    groups = H264Format(track(avcC([SPS], [PPS]))).pack([Unit(1.0, 1.0, 0.04, False, data), whole], 1400)
    assert [group.payloads for group in groups] == [[SLICE]]


def test_large_nal_unit() -> None:
    nalUnit = b"\x65" + b"x" * 200_000
    payloads = packed(avcC([SPS], [PPS]), prefixed([nalUnit]), limit=1400)
    assert {len(payload) for payload in payloads[:-1]} == {1400}
    # A transport over TCP may allow more than a length field of a STAP-A can say.
    assert len(packed(b"", joinAnnexB([nalUnit, SLICE]), limit=1_000_000)) == 5


# Parts of a slice must not look like start codes: the encoder escapes them.
_bodies = st.binary(max_size=3000).map(lambda body: body.replace(b"\0", b"0"))
_slices = st.lists(st.tuples(st.sampled_from([b"\x41", b"\x01", b"\x65"]), _bodies), max_size=5)


@st.composite
def pictures(draw: st.DrawFn, sets: bool = True) -> list[bytes]:
    """The NAL units of a picture; only its first slice says that it is the first."""
    before = draw(st.lists(st.sampled_from([SEI, RECOVERY, SEI + b"x" * 300, *(SPS, PPS)[: 2 * sets]]), max_size=4))
    slices = [draw(st.sampled_from([b"\x41", b"\x01", b"\x65"])) + b"\x88" + draw(_bodies)]
    slices += [header + b"\x12" + body for header, body in draw(_slices)]
    return [*before, *slices]


_limits = st.integers(64, 1500)


@given(st.lists(pictures(), min_size=1, max_size=4), _limits, st.booleans())
def test_there_and_back(stream: list[list[bytes]], limit: int, lengths: bool) -> None:
    extradata = avcC([], []) if lengths else b""
    write = prefixed if lengths else joinAnnexB
    units = [Unit(float(number), 0.0, 0.0, False, write(nalUnits)) for number, nalUnits in enumerate(stream)]
    groups = H264Format(track(extradata)).pack(units, limit)
    checkSizes(groups, limit)
    received = receive(H264Format.unpacker({}), groups)
    # Only what a key picture lacks may have been added, from pictures before it.
    for unit, nalUnits in zip(received, stream, strict=True):
        assert nalUnitsOf(unit.data)[-len(nalUnits) :] == nalUnits
        assert unit.key == any(one[0] == 0x65 or one == RECOVERY for one in nalUnits)
        if not unit.key:
            assert unit.data == joinAnnexB(nalUnits)


@given(st.lists(pictures(sets=False), min_size=2, max_size=6), _limits, st.data())
def test_loss_drops_whole_pictures(stream: list[list[bytes]], limit: int, data: st.DataObject) -> None:
    # Every picture starts with what only starts a picture, so that even the first is known to be whole or not.
    stream = [[SPS, PPS, b"\x06" + b"s" * 80, *nalUnits] for nalUnits in stream]
    units = [Unit(0.0, 0.0, 0.0, False, joinAnnexB(nalUnits)) for nalUnits in stream]
    groups = H264Format(track(b"")).pack(units, limit)
    count = sum(len(group.payloads) for group in groups)
    lost = data.draw(st.sets(st.integers(len(groups[0].payloads), count - 1), min_size=1))
    received = receive(H264Format.unpacker({}), groups, lost)
    assert all(nalUnitsOf(unit.data) == stream[unit.timestamp // 3600] for unit in received)
    assert len(received) < len(stream)


@given(st.integers(0, 65535), _limits, st.data())
def test_one_loss_drops_one_picture(first: int, limit: int, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 3000), min_size=2, max_size=6))
    units = [Unit(0.0, 0.0, 0.0, False, b"\0\0\1\x41\x9a" + b"p" * size) for size in sizes]
    groups = H264Format(track(b"")).pack(units, limit)
    lost = data.draw(st.integers(0, sum(len(group.payloads) for group in groups) - 1))
    received = receive(H264Format.unpacker({}), groups, {lost}, first)
    assert len(received) == len(sizes) - 1
    assert all(len(unit.data) == 6 + sizes[unit.timestamp // 3600] for unit in received)


def test_joined_after_the_first_slice() -> None:
    unpacker = H264Format.unpacker({})
    assert unpacker.push(1, 0, True, b"\x41\x12second slice") == []
    assert [unit.data for unit in unpacker.push(2, 1, True, SLICE)] == [joinAnnexB([SLICE])]


_payloads = st.one_of(
    st.binary(max_size=60),
    st.tuples(st.sampled_from([24, 28, 0x7C, 0x78, 25, 29, 5, 6]), st.binary(max_size=30)).map(
        lambda parts: bytes(parts[:1]) + parts[1]
    ),
)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(_payloads, st.integers(0, 3), st.booleans(), st.integers(1, 2)), max_size=30))
def test_garbage(packets: list[tuple[bytes, int, bool, int]]) -> None:
    unpacker = H264Format.unpacker({"sprop-parameter-sets": "Z0I=,aM4="})
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
        b"\x19\0\0\0\5" + SLICE,  # STAP-B
        b"\x1a\0\0\0\5",  # MTAP16
        b"\x1d\x81\0\0x",  # FU-B
        b"\x1e\0",  # reserved
        b"\x18\0\x09\x41",  # STAP-A that ends too early
        b"\x18\0\2\x18\0",  # STAP-A in a STAP-A
        b"\x1c",
        b"\x1c\x98x",  # FU-A of a STAP-A
    ],
)
def test_refused(payload: bytes) -> None:
    unpacker = H264Format.unpacker({})
    unpacker.push(0, 0, True, SLICE)
    with pytest.raises(PayloadError):
        unpacker.push(1, 1, False, payload)
    assert unpacker.push(2, 1, True, SLICE) == []
    assert len(unpacker.push(3, 2, True, SLICE)) == 1


def test_refused_mode() -> None:
    with pytest.raises(PayloadError):
        H264Format.unpacker({"packetization-mode": "2"})


@pytest.mark.parametrize(
    ("nalUnits", "key"),
    [
        ([IDR], True),
        ([SLICE], False),
        ([RECOVERY, SLICE], True),
        ([SEI, SLICE], False),
        ([b"\x06\xff\xff", SLICE], False),
    ],
)
def test_key(nalUnits: list[bytes], key: bool) -> None:
    groups = H264Format(track(b"")).pack([Unit(0.0, 0.0, 0.0, False, joinAnnexB(nalUnits))], 1400)
    assert [unit.key for unit in receive(H264Format.unpacker({}), groups)] == [key]


def test_parameter_sets_of_the_description_and_of_the_stream() -> None:
    sprop = f"{base64.b64encode(SPS).decode()},{base64.b64encode(PPS).decode()}"
    unpacker = H264Format.unpacker({"sprop-parameter-sets": sprop})
    delimiter = b"\x09\xf0"
    sent = [[IDR], [SLICE], [SPS_2], [delimiter], [IDR]]
    received = [
        nalUnitsOf(unit.data)
        for position, (nalUnit,) in enumerate(sent)
        for unit in unpacker.push(position, min(position, 3), position not in (3,), nalUnit)
    ]
    assert received == [[SPS, PPS, IDR], [SLICE], [SPS_2], [delimiter, SPS_2, PPS, IDR]]


@pytest.mark.parametrize("container", ["mp4", "mpegts", "matroska"])
@pytest.mark.parametrize("limit", [64, 1400])
def test_encoded(container: str, limit: int) -> None:
    video, units = encode("libx264", container, g="6", x264opts="slices=2", bf="2")
    form = H264Format(video)
    assert form.formatParameters().count(",") == 1
    received = receive(H264Format.unpacker({}), form.pack(units, limit))
    assert [unit.key for unit in received] == [unit.key for unit in units]
    for unit, original in zip(received, units, strict=True):
        data = original.data
        spans = splitLengthPrefixed(data, form.lengthSize) if form.lengthSize else splitAnnexB(data)
        nalUnits = [data[start:end] for start, end in spans if data[start] & 0x1F != 9]
        assert nalUnitsOf(unit.data)[-len(nalUnits) :] == nalUnits
        assert not unit.key or nalUnitsOf(unit.data)[0][0] & 0x1F == 7
    pictures = decode("h264", [unit.data for unit in received])
    assert len(pictures) == len(units)
    assert pictures == decode("h264", [unit.data for unit in units], video.extradata)
