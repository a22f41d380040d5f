"""MPEG-1 and MPEG-2 video, RFC 2250 section 3."""

import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picturestreams import decode, deliver, encode, payloadsOf, survives

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.mpegvideo import MPEGVideoFormat

FORMAT = MPEGVideoFormat(Track(0, "video", "mpeg2video"))
SEQUENCE = bytes.fromhex("000001b3 0a0060 13 ffffe0 18")
GROUP = bytes.fromhex("000001b8 00080040")

real = functools.cache(encode)


def picture(reference: int, kind: int, vectors: str = "") -> bytes:
    """A picture header, its last bits as given: full_pel_forward, forward_f_code, full_pel_backward, …"""
    bits = f"{reference:010b}{kind:03b}{0xFFFF:016b}{vectors}"
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return b"\0\0\1\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def coded(row: int, size: int) -> bytes:
    """A slice of so many bytes."""
    return b"\0\0\1" + bytes((row,)) * (size - 3)


def unit(data: bytes, key: bool = False) -> Unit:
    return Unit(1.0, 1.5, 0.04, key, data)


@pytest.mark.requirement("SDP-3")
def test_description() -> None:
    assert (FORMAT.encodingName, FORMAT.payloadType, FORMAT.clockRate) == ("MPV", 32, 90_000)
    assert FORMAT.formatParameters() == ""


def test_wholeSlicesAndTheirHeaders() -> None:
    headers = SEQUENCE + GROUP + picture(5, 1)
    slices = [coded(1, 20), coded(2, 30), coded(3, 10), coded(4, 60), coded(5, 5)]
    (group,) = FORMAT.pack([unit(headers + b"".join(slices), True)], 84)
    assert (group.dts, group.pts, group.key, group.marker) == (1.0, 1.5, True, True)
    assert group.payloads == [
        bytes.fromhex("00053900") + headers + slices[0] + slices[1],  # TR 5; S, B, E; I
        bytes.fromhex("00051900") + slices[2] + slices[3] + slices[4],
    ]


def test_largeSlicesAreCut() -> None:
    headers = picture(1023, 2, "1011")
    slices = [coded(1, 100), coded(2, 20), coded(3, 130), coded(4, 20)]
    (group,) = FORMAT.pack([unit(headers + b"".join(slices))], 64)
    first, third = headers + slices[0], slices[2]
    assert (
        group.payloads
        == [
            bytes.fromhex("03ff120b") + first[:60],  # B; P; full pel, f_code 3
            bytes.fromhex("03ff0a0b") + first[60:],  # E
            bytes.fromhex("03ff1a0b") + slices[1],
            bytes.fromhex("03ff120b") + third[:60],
            bytes.fromhex("03ff020b") + third[60:120],
            bytes.fromhex("03ff0a0b") + third[120:],
            bytes.fromhex("03ff1a0b") + slices[3],
        ]
    )


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (picture(1, 1), "00011900"),
        (picture(2, 2, "0111"), "00021a07"),
        (picture(2, 2, "1001"), "00021a09"),
        (picture(3, 3, "01110111"), "00031b77"),
        (picture(3, 3, "10010010"), "00031b29"),
        (picture(4, 4), "00041c00"),
    ],
)
def test_pictureHeaderIsRepeated(header: bytes, word: str) -> None:
    (group,) = FORMAT.pack([unit(header + coded(1, 9))], 100)
    assert group.payloads == [bytes.fromhex(word) + header + coded(1, 9)]


def test_longHeadersBeforeTheSlice() -> None:
    data = SEQUENCE + b"\0\0\1\xb2" + b"u" * 60 + picture(0, 1) + coded(1, 9)
    (group,) = FORMAT.pack([unit(data, True)], 64)
    assert [payload[:4].hex() for payload in group.payloads] == ["00002100", "00001900"]
    assert b"".join(payload[4:] for payload in group.payloads) == data


def test_fieldsAreTwoPictures() -> None:
    first, second = picture(7, 1) + coded(1, 9) + coded(2, 9), picture(7, 2, "0111") + coded(1, 9) + b"\0\0\1\xb7"
    (group,) = FORMAT.pack([unit(first + second, True)], 100)
    assert group.payloads == [bytes.fromhex("00071900") + first, bytes.fromhex("00071a07") + second]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\1",
        b"junk",
        SEQUENCE,
        picture(0, 1),
        coded(1, 50),
        picture(0, 0) + coded(1, 9),
        picture(0, 5) + coded(1, 9),
    ],
)
def test_damagedPicturesAreLeftOut(data: bytes) -> None:
    good = picture(1, 1) + coded(1, 9)
    assert [group.payloads[0][4:] for group in FORMAT.pack([unit(data), unit(good)], 100)] == [good]


def test_sequenceHeaderFromTheContainer() -> None:
    format_ = MPEGVideoFormat(Track(0, "video", "mpeg2video", SEQUENCE))
    data = picture(0, 1) + coded(1, 9)
    key, other, own = format_.pack([unit(data, True), unit(data), unit(SEQUENCE + GROUP + data, True)], 100)
    assert key.payloads[0][4:] == SEQUENCE + data
    assert other.payloads[0][4:] == data
    assert own.payloads[0][4:] == SEQUENCE + GROUP + data


@pytest.mark.parametrize(
    "header",
    ["00011900", "04011900 00000000", "04011900 00000001 00011223", "04011900 40000001 00011223 02aabbcc 00000000"],
)
def test_everyHeaderIsSkipped(header: str) -> None:
    data = picture(1, 1) + coded(1, 9)
    (received,) = MPEGVideoFormat.unpacker({}).push(1, 2, True, bytes.fromhex(header) + data)
    assert (received.key, received.data) == (True, data)


@pytest.mark.parametrize(
    "payload", ["", "0001", "00011900", "04011900 00000000", "04011900 40000000 02", "00011800 00000100"]
)
def test_payloadThatIsNone(payload: str) -> None:
    with pytest.raises(PayloadError):
        MPEGVideoFormat.unpacker({}).push(1, 2, True, bytes.fromhex(payload))


@given(st.sampled_from(["mpeg1video", "mpeg2video"]), st.integers(64, 1500))
@settings(deadline=None, max_examples=40)
def test_unpackUndoesPack(codec: str, limit: int) -> None:
    track, units = real(codec)
    groups = MPEGVideoFormat(track).pack(units, limit)
    payloads = payloadsOf(groups)
    assert max(map(len, payloads)) <= limit
    # A slice begins a payload that says so, and ends one that says so (section 3.4).
    for before, payload in itertools.pairwise(payloads):
        if payload[4:7] == b"\0\0\1" and 0 < payload[7] < 0xB0:
            assert payload[2] & 0x10
        assert bool(before[2] & 0x08) == (payload[4:7] == b"\0\0\1" and payload[7] not in (0xB2, 0xB5)) or limit < 128
        assert bool(payload[2] & 0x20) == (payload[4:8] == b"\0\0\1\xb3")
    received = deliver(groups, MPEGVideoFormat.unpacker({}))
    assert [unit.data for unit in received] == [unit.data for unit in units]
    assert [unit.key for unit in received] == [unit.key for unit in units]


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
def test_realPictures(codec: str) -> None:
    track, units = encode(codec, options={"bf": "2"})
    groups = MPEGVideoFormat(track).pack(units, 500)
    assert {group.payloads[0][2] & 7 for group in groups} == {1, 2, 3}
    received = deliver(groups, MPEGVideoFormat.unpacker({}))
    pictures = decode(codec, b"", [unit.data for unit in units])
    assert len(pictures) == 12
    assert decode(codec, b"", [unit.data for unit in received]) == pictures


def test_lossDropsOnePicture() -> None:
    track, units = real("mpeg2video")
    groups = MPEGVideoFormat(track).pack(units, 500)
    number = 0
    for dropped, group in enumerate(groups):
        for lost in range(number, number + len(group.payloads)):
            received = deliver(groups, FORMAT.unpacker({}), {lost})
            assert [unit.data for unit in received] == [unit.data for n, unit in enumerate(units) if n != dropped]
        number += len(group.payloads)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans(), st.binary(max_size=20))))
def test_garbage(packets: list[tuple[int, int, bool, bytes]]) -> None:
    survives(FORMAT.unpacker({}), [(n, t, m, data[:4] + SEQUENCE[:4] + data[4:]) for n, t, m, data in packets])
    survives(FORMAT.unpacker({}), packets)


@given(st.lists(st.sampled_from([SEQUENCE, GROUP, picture(1, 1), picture(2, 3), coded(1, 9), b"\0\0\1", b"\0", b"\1"])))
def test_packNeverRaises(parts: list[bytes]) -> None:
    for group in FORMAT.pack([unit(b"".join(parts))], 64):
        assert group.payloads
