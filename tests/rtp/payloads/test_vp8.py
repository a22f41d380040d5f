"""VP8, RFC 7741."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picturestreams import decode, deliver, encode, payloadsOf, sizesAreEqual, survives

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.vp8 import VP8Format

FORMAT = VP8Format(Track(0, "video", "vp8"))


def test_vector() -> None:
    units = [
        Unit(1.0, 1.5, 0.04, True, b"\x10" + b"k" * 125),
        Unit(2.0, 2.0, 0.04, False, b"\x11"),
        Unit(3, 3, 0, 0, b""),
    ]
    first, second = FORMAT.pack(units, 64)
    assert first.payloads == [b"\x10\x10" + b"k" * 62, b"\x00" + b"k" * 63]
    assert (first.dts, first.pts, first.key, first.marker) == (1.0, 1.5, True, True)
    assert (second.payloads, second.key, second.pts) == ([b"\x10\x11"], False, 2.0)


def test_descriptionNeedsNoParameters() -> None:
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.payloadType) == ("VP8", 90_000, None)
    assert FORMAT.formatParameters() == ""


@pytest.mark.parametrize(
    "descriptor",
    ["10", "9000", "908011", "90809122", "904033", "902044", "901044", "90f0912233 44", "90e0112233", "b0c07f33"],
)
def test_everyDescriptorIsSkipped(descriptor: str) -> None:
    (unit,) = VP8Format.unpacker({}).push(1, 2, True, bytes.fromhex(descriptor) + b"\x10data")
    assert (unit.key, unit.data) == (True, b"\x10data")


@pytest.mark.parametrize("payload", ["", "10", "90", "9080", "908091", "90f0912233"])
def test_payloadThatEndsInItsDescriptor(payload: str) -> None:
    with pytest.raises(PayloadError):
        VP8Format.unpacker({}).push(1, 2, True, bytes.fromhex(payload))


@pytest.mark.parametrize("descriptor", [b"\x00", b"\x11", b"\x01"])
def test_frameStartsWithPartitionZero(descriptor: bytes) -> None:
    assert VP8Format.unpacker({}).push(1, 2, True, descriptor + b"\x10data") == []


@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=4), st.integers(64, 1500))
def test_unpackUndoesPack(frames: list[bytes], limit: int) -> None:
    groups = FORMAT.pack([Unit(n, n, 1, not data[0] & 1, data) for n, data in enumerate(frames)], limit)
    assert all(sizesAreEqual(group, limit) for group in groups)
    received = deliver(groups, FORMAT.unpacker({}))
    assert [unit.data for unit in received] == frames
    assert [unit.key for unit in received] == [group.key for group in groups]


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans(), st.binary(max_size=12))))
def test_garbage(packets: list[tuple[int, int, bool, bytes]]) -> None:
    survives(FORMAT.unpacker({}), packets)


def test_realPictures() -> None:
    track, units = encode("vp8", encoder="libvpx")
    groups = VP8Format(track).pack(units, 400)
    assert len(payloadsOf(groups)) > 2 * len(units)
    received = deliver(groups, VP8Format.unpacker({}))
    assert [unit.key for unit in received] == [unit.key for unit in units]
    pictures = decode("vp8", b"", [unit.data for unit in units])
    assert len(pictures) == 12
    assert decode("vp8", b"", [unit.data for unit in received]) == pictures


def test_lossDropsOneFrame() -> None:
    units = [Unit(n, n, 1, n == 0, bytes([n]) * 150) for n in range(4)]
    groups = FORMAT.pack(units, 64)
    for lost in range(3, 6):
        received = deliver(groups, FORMAT.unpacker({}), {lost})
        assert [unit.data for unit in received] == [units[n].data for n in (0, 2, 3)]
