"""MPEG-4 Visual, RFC 6416, and the packed pictures of DivX."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturestreams import decode, deliver, encode, payloadsOf, sizesAreEqual, survives

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.mpeg4visual import MPEG4VisualFormat

CONFIG = bytes.fromhex("000001b0f5 000001b509 00000100 00000120 0086c4 000001b2") + b"by hand"
FORMAT = MPEG4VisualFormat(Track(0, "video", "mpeg4", CONFIG))
INTRA, PREDICTED, BIDIRECTIONAL = (b"\0\0\1\xb6" + bytes((kind,)) for kind in (0x10, 0x50, 0x90))
NOT_CODED = b"\0\0\1\xb6\x51\x0b\x7f"


@pytest.mark.requirement("SDP-3")
def test_description() -> None:
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.payloadType) == ("MP4V-ES", 90_000, None)
    assert FORMAT.formatParameters() == f"profile-level-id=245;config={CONFIG.hex().upper()}"


@pytest.mark.parametrize("more", ["000001b3 00100700", "000001b6 10"])
def test_configurationEndsBeforeThePictures(more: str) -> None:
    track = Track(0, "video", "mpeg4", CONFIG + bytes.fromhex(more))
    assert MPEG4VisualFormat(track).formatParameters() == FORMAT.formatParameters()


@pytest.mark.parametrize(
    ("profile", "level", "expected"),
    [(15, 5, "profile-level-id=245;config="), (-99, 5, "config="), (15, -99, "config=")],
)
def test_profileWithoutSequenceHeader(profile: int, level: int, expected: str) -> None:
    layer = bytes.fromhex("00000100 00000120 0086c4")
    track = Track(0, "video", "mpeg4", layer, profile=profile, level=level)
    assert MPEG4VisualFormat(track).formatParameters() == expected + layer.hex().upper()


@pytest.mark.parametrize("extradata", [b"", CONFIG[:9], INTRA + CONFIG])
def test_noConfiguration(extradata: bytes) -> None:
    with pytest.raises(PayloadError):
        MPEG4VisualFormat(Track(0, "video", "mpeg4", extradata))


def test_vector() -> None:
    data = INTRA + bytes(range(100))
    groups = FORMAT.pack(
        [Unit(1.0, 1.5, 0.04, True, data), Unit(2, 2, 0, False, b""), Unit(3, 3, 0, False, b"junk")], 64
    )
    (group,) = groups
    assert group.payloads == [data[:64], data[64:]]
    assert (group.dts, group.pts, group.key, group.marker) == (1.0, 1.5, True, True)


@pytest.mark.parametrize(
    ("data", "key"),
    [(INTRA, True), (CONFIG + INTRA, True), (PREDICTED, False), (BIDIRECTIONAL, False), (CONFIG, False)],
)
def test_intraIsKey(data: bytes, key: bool) -> None:
    (unit,) = FORMAT.unpacker({}).push(1, 2, True, data)
    assert (unit.key, unit.data) == (key, data)


def test_pictureThatHasLostItsStart() -> None:
    unpacker = FORMAT.unpacker({})
    assert unpacker.push(1, 2, True, b"end") == []
    with pytest.raises(PayloadError):
        unpacker.push(2, 3, True, b"")


@given(st.lists(st.binary(max_size=5000), max_size=4), st.integers(64, 1500))
def test_unpackUndoesPack(pictures: list[bytes], limit: int) -> None:
    pictures = [PREDICTED + picture for picture in pictures]
    groups = FORMAT.pack([Unit(n, n, 1, False, data) for n, data in enumerate(pictures)], limit)
    assert all(sizesAreEqual(group, limit) for group in groups)
    assert [unit.data for unit in deliver(groups, FORMAT.unpacker({}))] == pictures


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans(), st.binary(max_size=6))))
def test_garbage(packets: list[tuple[int, int, bool, bytes]]) -> None:
    survives(FORMAT.unpacker({}), [(n, t, m, b"\0\0\1" + data if data else data) for n, t, m, data in packets])


def test_lossDropsOnePicture() -> None:
    units = [Unit(n, n, 1, n == 0, PREDICTED + bytes([n + 9]) * 150) for n in range(4)]
    groups = FORMAT.pack(units, 64)
    for lost in range(3, 6):
        received = deliver(groups, FORMAT.unpacker({}), {lost})
        assert [unit.data for unit in received] == [units[n].data for n in (0, 2, 3)]


def test_realPictures() -> None:
    track, units = encode("mpeg4", options={"bf": "2", "flags": "+global_header"})
    groups = MPEG4VisualFormat(track).pack(units, 400)
    assert len(payloadsOf(groups)) > 2 * len(units)
    received = deliver(groups, MPEG4VisualFormat.unpacker({}))
    assert [unit.key for unit in received] == [unit.key for unit in units]
    config = bytes.fromhex(MPEG4VisualFormat(track).formatParameters().split("config=")[1])
    pictures = decode("mpeg4", track.extradata, [unit.data for unit in units])
    assert len(pictures) == 12
    assert decode("mpeg4", config, [unit.data for unit in received]) == pictures


def packed(units: list[Unit]) -> list[Unit]:
    """What DivX makes of pictures in coding order, at 25 per second: each B goes to the picture before it."""
    chunks: list[bytes] = []
    for unit in units:
        if unit.data.startswith(BIDIRECTIONAL[:4]) and unit.data[4] >> 6 == 2:
            chunks[-1] += unit.data
            chunks.append(NOT_CODED)
        else:
            chunks.append(unit.data)
    keys = [unit.key for unit in units]
    return [Unit(n / 25, n / 25 + 9, 0.04, keys[n], data) for n, data in enumerate(chunks)]


def test_packedPicturesAreTakenApart() -> None:
    track, units = encode("mpeg4", 10, options={"bf": "1", "flags": "+global_header"})
    mark = b"\0\0\1\xb2DivX503b1393"
    divx = MPEG4VisualFormat(Track(0, "video", "mpeg4", track.extradata + mark + b"p"))
    assert divx.formatParameters().endswith((track.extradata + mark).hex().upper())
    assert sum(unit.data == NOT_CODED for unit in packed(units)) > 3
    groups = divx.pack(packed(units), 1400)
    assert [b"".join(group.payloads) for group in groups] == [unit.data for unit in units]
    assert [round(group.pts * 25) for group in groups] == [round(unit.pts * 25) for unit in units]
    assert [group.key for group in groups] == [unit.key for unit in units]
    assert all(first.dts <= second.dts for first, second in itertools.pairwise(groups))
    assert all(group.dts <= group.pts for group in groups)


def test_twoPackedPicturesInARow() -> None:
    divx = MPEG4VisualFormat(Track(0, "video", "mpeg4", CONFIG + b"\0\0\1\xb2DivX501Build481p"))
    chunks = [INTRA, PREDICTED + b"p" * 30 + BIDIRECTIONAL + b"1", BIDIRECTIONAL + b"2" * 30, NOT_CODED, PREDICTED]
    groups = divx.pack([Unit(n, n, 1, not n, data) for n, data in enumerate(chunks)], 1400)
    assert [(group.payloads[0][4], group.pts) for group in groups] == [
        (0x10, 0),
        (0x50, 3),
        (0x90, 1),
        (0x90, 2),
        (0x50, 4),
    ]


def test_packedPictureWithoutPlaceholder() -> None:
    divx = MPEG4VisualFormat(Track(0, "video", "mpeg4", CONFIG + b"\0\0\1\xb2DivX501Build481p"))
    groups = divx.pack([Unit(1.0, 1.0, 0.5, True, INTRA + BIDIRECTIONAL)], 1400)
    assert [(group.pts, group.key) for group in groups] == [(1.5, True), (1.0, False)]


def test_unmarkedStreamStaysAsItIs() -> None:
    (group,) = FORMAT.pack([Unit(1.0, 1.0, 0.5, True, INTRA + BIDIRECTIONAL)], 1400)
    assert group.payloads == [INTRA + BIDIRECTIONAL]
