"""Motion JPEG, RFC 2435."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picturestreams import decode, deliver, encode, payloadsOf, sizesAreEqual, survives

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.jpeg import JPEGFormat
from mediasrv.rtp.payloads.jpegtables import STANDARD_HUFFMAN, quantizationTables

FORMAT = JPEGFormat(Track(0, "video", "mjpeg", width=160, height=96))
LUMINANCE, CHROMINANCE = bytes(range(1, 65)), bytes(range(65, 129))


def segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg(scan: bytes = b"scan", **segments: bytes | None) -> bytes:
    """A picture of 160x96 in 4:2:0 with these segments replaced, or left out if None."""
    parts = {
        "app": segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        "luminance": segment(0xDB, b"\0" + LUMINANCE),
        "chrominance": segment(0xDB, b"\1" + CHROMINANCE),
        "restart": b"",
        "frame": segment(0xC0, bytes.fromhex("08 0060 00a0 03 012200 021101 031101")),
        "huffman": segment(0xC4, b"".join(bytes((n,)) + table for n, table in STANDARD_HUFFMAN.items())),
        "start": segment(0xDA, bytes.fromhex("03 0100 0211 0311 003f00")),
    }
    parts.update({name: body or b"" for name, body in segments.items()})
    return b"\xff\xd8" + b"".join(parts.values()) + scan + b"\xff\xd9"


@functools.cache
def real(count: int = 4, width: int = 160, height: int = 96) -> list[Unit]:
    return encode("mjpeg", count, width, height, "yuvj420p", {"huffman": "default"})[1]


def unit(data: bytes) -> Unit:
    return Unit(1.0, 1.5, 0.04, True, data)


@pytest.mark.requirement("SDP-3")
def test_description() -> None:
    assert (FORMAT.encodingName, FORMAT.payloadType, FORMAT.clockRate) == ("JPEG", 26, 90_000)
    assert FORMAT.formatParameters() == ""


@pytest.mark.parametrize(("width", "height"), [(2041, 96), (160, 2041)])
def test_tooLarge(width: int, height: int) -> None:
    with pytest.raises(PayloadError):
        JPEGFormat(Track(0, "video", "mjpeg", width=width, height=height))


def test_vector() -> None:
    scan = bytes(range(250)) * 2
    (group,) = FORMAT.pack([unit(jpeg(scan))], 240)
    assert (group.dts, group.pts, group.key, group.marker) == (1.0, 1.5, True, True)
    scan += b"\xff\xd9"
    assert group.payloads == [
        bytes.fromhex("00000000 01ff140c 00000080") + LUMINANCE + CHROMINANCE + scan[:100],
        bytes.fromhex("00000064 01ff140c") + scan[100:332],
        bytes.fromhex("0000014c 01ff140c") + scan[332:],
    ]


def test_restartMarkers() -> None:
    data = jpeg(b"s" * 300, restart=segment(0xDD, b"\0\5"))
    (group,) = FORMAT.pack([unit(data)], 240)
    assert group.payloads[0][:16] == bytes.fromhex("00000000 41ff140c 0005ffff 00000080")
    assert group.payloads[1] == bytes.fromhex("00000060 41ff140c 0005ffff") + b"s" * 204 + b"\xff\xd9"
    (received,) = deliver([group], FORMAT.unpacker({}))
    assert segment(0xDD, b"\0\5") in received.data
    assert received.data.endswith(b"s" * 300 + b"\xff\xd9")


@pytest.mark.parametrize(
    "data",
    [
        jpeg(app=None),
        jpeg(huffman=None),  # as in AVI
        jpeg(app=segment(0xE1, b"Exif" * 100) + segment(0xFE, b"comment")),
        jpeg(app=b"\xff\xff\xff"),
        jpeg() + b"\0\0\0",
        jpeg(luminance=segment(0xDB, b"\0" + LUMINANCE + b"\1" + CHROMINANCE), chrominance=None),
        jpeg(
            luminance=segment(0xDB, b"\3" + LUMINANCE),
            frame=segment(0xC0, bytes.fromhex("0800600 0a003 012203 021101 031101".replace(" ", ""))),
        ),
        jpeg(frame=segment(0xC0, bytes.fromhex("08 0059 0099 03 012200 021101 031101"))),  # rounded up
        jpeg(
            frame=segment(0xC0, bytes.fromhex("08 0060 00a0 03 002200 011101 021101")),
            start=segment(0xDA, bytes.fromhex("03 0000 0111 0211 003f00")),
        ),
    ],
)
def test_headersThatMeanTheSame(data: bytes) -> None:
    FORMAT.check(data)
    (group,) = FORMAT.pack([unit(data)], 240)
    assert group.payloads == [bytes.fromhex("00000000 01ff140c 00000080") + LUMINANCE + CHROMINANCE + b"scan\xff\xd9"]


def test_widePrecisionAndOtherSampling() -> None:
    wide = b"".join(bytes((1, value)) for value in LUMINANCE)
    frame = segment(0xC0, bytes.fromhex("08 0060 00a0 03 012100 021101 031101"))
    (group,) = FORMAT.pack([unit(jpeg(luminance=segment(0xDB, b"\x10" + wide), frame=frame))], 240)
    assert group.payloads[0][:12] == bytes.fromhex("00000000 00ff140c 000100c0")
    assert group.payloads[0][12:204] == wide + CHROMINANCE
    (received,) = deliver([group], FORMAT.unpacker({}))
    assert segment(0xDB, b"\x10" + wide) + segment(0xDB, b"\1" + CHROMINANCE) + frame in received.data


def test_widePrecisionOfColours() -> None:
    wide = b"".join(bytes((1, value)) for value in CHROMINANCE)
    (group,) = FORMAT.pack([unit(jpeg(chrominance=segment(0xDB, b"\x11" + wide)))], 240)
    assert group.payloads[0][8:204] == bytes.fromhex("000200c0") + LUMINANCE + wide
    (received,) = deliver([group], FORMAT.unpacker({}))
    assert segment(0xDB, b"\0" + LUMINANCE) + segment(0xDB, b"\x11" + wide) in received.data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        jpeg()[:300],
        jpeg(luminance=None),
        jpeg(chrominance=None),
        jpeg(luminance=segment(0xDB, b"\0" + LUMINANCE[:-1])),
        jpeg(frame=None),
        jpeg(frame=segment(0xC2, bytes.fromhex("08 0060 00a0 03 012200 021101 031101"))),  # progressive
        jpeg(frame=segment(0xC0, bytes.fromhex("08 0060 00a0 03 011100 021101 031101"))),  # 4:4:4
        jpeg(frame=segment(0xC0, bytes.fromhex("08 0060 00a0 03 012200 021201 031201"))),  # FFmpeg's 4:2:2
        jpeg(frame=segment(0xC0, bytes.fromhex("08 0060 07f9 03 012200 021101 031101"))),  # 2041 wide
        jpeg(frame=segment(0xC0, bytes.fromhex("08 0060 00a0 03 012200 021101 031100"))),  # three tables
        jpeg(
            frame=segment(0xC0, bytes.fromhex("08 0060 00a0 01 011100")),
            start=segment(0xDA, bytes.fromhex("01 0100 003f00")),
        ),
        jpeg(start=segment(0xDA, bytes.fromhex("01 0100 003f00"))),  # a scan per component
        jpeg(start=segment(0xDA, bytes.fromhex("03 0100 0200 0300 003f00"))),  # chrominance with luminance's code
        jpeg(huffman=segment(0xC4, b"\x00\x01" + bytes(15) + b"\x00")),  # an optimized table
        jpeg(huffman=segment(0xC4, b"\x11\x01" + bytes(15) + b"\x00")),  # another
        jpeg() + jpeg(),  # two fields
        jpeg(app=b"\xff\xe0\0\1"),
        jpeg(app=b"junk"),
    ],
)
def test_picturesThatCannotBeCarried(data: bytes) -> None:
    with pytest.raises(PayloadError):
        FORMAT.check(data)
    assert [len(group.payloads) for group in FORMAT.pack([unit(data), unit(jpeg())], 1400)] == [1]


def test_noRoomForTheTables() -> None:
    assert FORMAT.pack([unit(jpeg())], 140) == []
    assert len(FORMAT.pack([unit(jpeg())], 141)[0].payloads) == 2


@given(st.integers(141, 1500))
@settings(deadline=None, max_examples=40)
def test_unpackUndoesPack(limit: int) -> None:
    units = real()
    groups = FORMAT.pack(units, limit)
    assert all(sizesAreEqual(group, limit) for group in groups)
    received = deliver(groups, FORMAT.unpacker({}))
    assert all(unit.key for unit in received)
    scans = [unit.data[unit.data.index(b"\xff\xda") :] for unit in units]
    assert [unit.data[unit.data.index(b"\xff\xda") :] for unit in received] == scans
    # Our own headers, read again, give the same payloads.
    again = FORMAT.pack([Unit(0, 0, 0, True, unit.data) for unit in received], limit)
    assert payloadsOf(again) == payloadsOf(groups)


def test_realPictures() -> None:
    units = real()
    received = deliver(FORMAT.pack(units, 500), FORMAT.unpacker({}))
    pictures = decode("mjpeg", b"", [unit.data for unit in units])
    assert len(pictures) == 4
    assert decode("mjpeg", b"", [unit.data for unit in received]) == pictures


def test_lossDropsOnePicture() -> None:
    units = real()
    groups = FORMAT.pack(units, 1000)
    start, count = len(groups[0].payloads), len(groups[1].payloads)
    assert count > 2
    whole = deliver(groups, FORMAT.unpacker({}))
    for lost in range(start, start + count):
        received = deliver(groups, FORMAT.unpacker({}), {lost})
        assert received == [whole[0], *whole[2:]]


def test_tablesOfAQuality() -> None:
    (received,) = FORMAT.unpacker({}).push(1, 2, True, bytes.fromhex("00000000 01 32 140c") + b"scan")
    assert segment(0xDB, b"\0" + quantizationTables(50)[:64]) in received.data
    assert received.data.endswith(b"scan\xff\xd9")
    # Table K.1 begins 16 11 10 …, K.2 17 18 24 …; zig-zag reads 16 11 12 14 and 17 18 18 24.
    assert quantizationTables(50)[:4] == bytes((16, 11, 12, 14))
    assert quantizationTables(50)[64:68] == bytes((17, 18, 18, 24))
    assert quantizationTables(1)[:2] == bytes((255, 255))
    assert quantizationTables(99)[:2] == bytes((1, 1)) == quantizationTables(99)[:2]
    assert quantizationTables(25)[:2] == bytes((32, 22))


def test_tablesAreRemembered() -> None:
    unpacker = FORMAT.unpacker({})
    first = bytes.fromhex("00000000 01c8140c 00000080") + LUMINANCE + CHROMINANCE + b"a"
    (told,) = unpacker.push(1, 2, True, first)
    (remembered,) = unpacker.push(2, 3, True, bytes.fromhex("00000000 01c8140c 00000000") + b"a")
    assert remembered.data == told.data
    assert segment(0xDB, b"\1" + CHROMINANCE) in told.data
    for quality in ("c9", "ff"):
        with pytest.raises(PayloadError):
            unpacker.push(3, 4, True, bytes.fromhex(f"00000000 01{quality}140c 00000000") + b"a")


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "00000000 0132140c",
        "00000000 0232140c aa",  # type 2
        "00000000 8032140c aa",  # a dynamic type
        "00000000 0132000c aa",  # no width
        "00000000 01321400 aa",
        "00000000 0100140c aa",  # reserved Q
        "00000000 0164140c aa",
        "00000000 01ff140c 0000",
        "00000000 01ff140c 00000080 aa",
        "00000000 01ff140c 00000002 aabb",
        "00000000 41",
    ],
)
def test_payloadThatIsNone(payload: str) -> None:
    with pytest.raises(PayloadError):
        FORMAT.unpacker({}).push(1, 2, True, bytes.fromhex(payload))


@pytest.mark.parametrize("second", ["00000005 0132140c", "00000000 0132140c", "00000004 0132150c", "00000004 0133140c"])
def test_payloadThatDoesNotContinue(second: str) -> None:
    unpacker = FORMAT.unpacker({})
    unpacker.push(1, 2, False, bytes.fromhex("00000000 0132140c") + b"scan")
    with pytest.raises(PayloadError):
        unpacker.push(2, 2, True, bytes.fromhex(second) + b"more")


@pytest.mark.requirement("SEC-13")
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.integers(0, 3),
            st.booleans(),
            st.builds(
                lambda *parts: b"".join(parts),
                st.sampled_from([b"", b"\0\0\0\0", b"\0\0\0\1"]),
                st.sampled_from([b"", b"\1\x32\1\1", b"\x40\x32\1\1", b"\0\xff\1\1\0\0\0\x80", b"\1\xc8\1\1\0\0\0\0"]),
                st.binary(max_size=140),
            ),
        )
    )
)
def test_garbage(packets: list[tuple[int, int, bool, bytes]]) -> None:
    survives(FORMAT.unpacker({}), packets)


@given(st.data())
def test_packNeverRaises(data: st.DataObject) -> None:
    whole = bytearray(jpeg())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    FORMAT.pack([unit(bytes(whole[: data.draw(st.integers(0, len(whole)))]))], 500)
    FORMAT.pack([unit(bytes(whole))], 500)
