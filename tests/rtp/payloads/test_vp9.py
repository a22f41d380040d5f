"""VP9, RFC 9628."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturestreams import decode, deliver, encode, payloadsOf, sizesAreEqual, survives

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.vp9 import VP9Format

FORMAT = VP9Format(Track(0, "video", "vp9", profile=0))

# The start of the uncompressed header of a key frame: profile 0, 160x96.
KEY = bytes.fromhex("82498342 0009f005f0")


def keyFrame(profile: int, bitsAfterSync: str, width: int, height: int) -> bytes:
    bits = "10" + f"{profile & 1}{profile >> 1}" + ("0" if profile == 3 else "") + "0010"
    bits += f"{0x498342:024b}" + bitsAfterSync + f"{width - 1:016b}{height - 1:016b}"
    bits = bits.ljust(160, "1")
    return int(bits, 2).to_bytes(20, "big")


def test_vectorKeyFrame() -> None:
    data = KEY + b"k" * 110
    (group,) = FORMAT.pack([Unit(1.0, 1.5, 0.04, True, data)], 64)
    # B, V; then one layer of 160x96; the last payload has E.
    assert group.payloads[0] == bytes.fromhex("0a 10 00a0 0060") + data[:58]
    assert group.payloads[1] == b"\x04" + data[58:]
    assert (group.dts, group.pts, group.key, group.marker) == (1.0, 1.5, True, True)


def test_vectorInterFrame() -> None:
    small, large = FORMAT.pack(
        [Unit(1, 1, 0, False, b"\x86ab"), Unit(2, 2, 0, False, b"\x86" * 150), Unit(3, 3, 0, 0, b"")], 64
    )
    assert small.payloads == [b"\x4c\x86ab"]
    assert [payload[0] for payload in large.payloads] == [0x48, 0x40, 0x44]


@pytest.mark.parametrize(
    ("profile", "bits"),
    [(0, "0101"), (1, "01010" + "00"), (2, "0" + "0101"), (3, "1" + "01010" + "00"), (1, "1110"), (3, "01110")],
)
def test_sizeFromEveryProfile(profile: int, bits: str) -> None:
    (group,) = FORMAT.pack([Unit(0, 0, 0, True, keyFrame(profile, bits, 1920, 1080))], 64)
    assert group.payloads[0][:6] == bytes.fromhex("0e 10 0780 0438")


@pytest.mark.parametrize("data", [b"\x82", b"\x00" * 20, b"\x82\x49\x83\x43" + b"\0" * 20])
def test_damagedKeyFrameHasNoSize(data: bytes) -> None:
    (group,) = FORMAT.pack([Unit(0, 0, 0, True, data)], 64)
    assert group.payloads == [b"\x0c" + data]


@pytest.mark.requirement("SDP-3")
def test_description() -> None:
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.formatParameters()) == ("VP9", 90_000, "profile-id=0")
    assert VP9Format(Track(0, "video", "vp9")).formatParameters() == ""
    with pytest.raises(PayloadError):
        VP9Format(Track(0, "video", "vp9", profile=7))


@pytest.mark.parametrize(
    "descriptor",
    [
        "08",
        "8811",
        "889122",
        "280033",  # layer indices and TL0PICIDX
        "3800",  # flexible mode has none
        "78000302",  # flexible, two references
        "7800030302",
        "0a10 00a00060",  # a structure with the size
        "0a30 00a00060 01400060",  # of two layers
        "0a18 00a00060 02 04aa 08bbcc",  # and a picture group of two, with one and two references
        "0a00",
        "ba9122 00 08 01 00",
    ],
)
def test_everyDescriptorIsSkipped(descriptor: str) -> None:
    (unit,) = VP9Format.unpacker({}).push(1, 2, True, bytes.fromhex(descriptor) + KEY)
    assert (unit.key, unit.data) == (True, KEY)


@pytest.mark.parametrize(
    "payload", ["", "08", "88", "8891", "28", "58", "7803030303aa", "0a", "0a10aabb", "0a0802", "0a080104"]
)
def test_payloadThatEndsInItsDescriptor(payload: str) -> None:
    with pytest.raises(PayloadError):
        VP9Format.unpacker({}).push(1, 2, True, bytes.fromhex(payload))


@pytest.mark.parametrize("descriptor", ["00", "04", "2802 33"])
def test_pictureStartsWithTheLowestLayer(descriptor: str) -> None:
    assert VP9Format.unpacker({}).push(1, 2, True, bytes.fromhex(descriptor) + KEY) == []


@pytest.mark.parametrize(
    ("head", "key"),
    [(0x82, True), (0x86, False), (0x8A, False), (0xA2, True), (0xB0, True), (0xB2, False), (0x42, False)],
)
def test_keyFramesAreKnownByTheirHeader(head: int, key: bool) -> None:
    (unit,) = VP9Format.unpacker({}).push(1, 2, True, bytes((0x0C, head)))
    assert unit.key is key


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=5000)), max_size=4), st.integers(64, 1500))
def test_unpackUndoesPack(frames: list[tuple[bool, bytes]], limit: int) -> None:
    frames = [(key, KEY + data if key else data) for key, data in frames]
    groups = FORMAT.pack([Unit(n, n, 1, key, data) for n, (key, data) in enumerate(frames)], limit)
    assert all(sizesAreEqual(group, limit) for group in groups)
    received = deliver(groups, FORMAT.unpacker({}))
    assert [unit.data for unit in received] == [data for _, data in frames]


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans(), st.binary(max_size=14))))
def test_garbage(packets: list[tuple[int, int, bool, bytes]]) -> None:
    survives(FORMAT.unpacker({}), packets)


def test_realPictures() -> None:
    track, units = encode("vp9", encoder="libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"})
    groups = VP9Format(track).pack(units, 200)
    assert len(payloadsOf(groups)) > 2 * len(units)
    assert payloadsOf(groups)[0][2:6] == bytes.fromhex("00a00060")
    received = deliver(groups, VP9Format.unpacker({}))
    assert [unit.key for unit in received] == [unit.key for unit in units]
    pictures = decode("vp9", b"", [unit.data for unit in units])
    assert len(pictures) == 12
    assert decode("vp9", b"", [unit.data for unit in received]) == pictures


def test_lossDropsOneFrame() -> None:
    units = [Unit(n, n, 1, False, bytes([n]) * 150) for n in range(4)]
    groups = FORMAT.pack(units, 64)
    for lost in range(3, 6):
        received = deliver(groups, FORMAT.unpacker({}), {lost})
        assert [unit.data for unit in received] == [units[n].data for n in (0, 2, 3)]
