"""Vorbis in RTP: RFC 5215."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import checkGarbage, checkLoss, checkReceived, encode, parametersOf, receive, transmit, unpackerOf

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.vorbis import VorbisFormat
from mediasrv.rtp.payloads.vorbisheaders import BlockSizes, VorbisConfiguration, readPacked

#: stereo, 48 kHz, blocks of 256 and 2048 samples (Vorbis I section 4.2.2)
IDENTIFICATION = b"\x01vorbis" + bytes(4) + b"\x02" + (48000).to_bytes(4, "little") + bytes(12) + b"\xb8\x01"
COMMENT = b"\x03vorbis" + bytes(300)


def setupHeader(flags: str, books: str = "1" * 100) -> bytes:
    """Modes with these block flags behind something else, lowest bit first (Vorbis I section 4.2.4)."""
    bits = books + f"{len(flags) - 1:06b}"[::-1]
    for number, flag in enumerate(flags):
        bits += flag + "0" * 32 + f"{number & 1:08b}"[::-1]
    bits += "1"
    return b"\x05vorbis" + int(bits[::-1], 2).to_bytes((len(bits) + 7) // 8, "little")


SETUP = setupHeader("01")
EXTRADATA = b"\x02" + bytes([30, 255, 52]) + IDENTIFICATION + COMMENT + SETUP
FORMAT = VorbisFormat(Track(0, "audio", "vorbis", EXTRADATA, sampleRate=48000, channels=2))
IDENT = VorbisConfiguration(IDENTIFICATION, SETUP).ident.to_bytes(3, "big")
SHORT, LONG = b"\x00", b"\x02"  # the first bytes of packets of modes 0 and 1


def following(packets: list[bytes]) -> list[Unit]:
    """Each lasts a quarter of the block before and a quarter of its own; nothing is before the first."""
    sizes = BlockSizes(VorbisConfiguration(IDENTIFICATION, SETUP))
    units = []
    start = previous = 0
    for packet in packets:
        size = sizes.of(packet)
        duration = sizes.duration(packet, previous)
        units.append(Unit(start / 48000, start / 48000, duration / 48000, True, packet))
        start += duration
        previous = size
    return units


@pytest.mark.requirement("SDP-3")
def test_description():
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.channels) == ("vorbis", 48000, 2)
    assert not FORMAT.startMarker
    assert FORMAT.attributes() == []


def test_packedConfiguration():
    """Section 3.2.1: one packed header, its name, the sum of the sizes, 3 headers less one, two sizes, the headers."""
    comment = b"\x03vorbis" + bytes(8) + b"\x01"
    headers = IDENTIFICATION + comment + SETUP
    expected = b"\0\0\0\x01" + IDENT + len(headers).to_bytes(2, "big") + bytes([2, 30, 16]) + headers
    assert FORMAT.formatParameters() == "configuration=" + base64.b64encode(expected).decode()


def test_sizesOfSevenBits():
    """A receiver must read sizes above 127 (section 3.1.1)."""
    headers = IDENTIFICATION + COMMENT + SETUP
    lengths = bytes([2, 30, 0x80 | len(COMMENT) >> 7, len(COMMENT) & 0x7F])
    packed = b"\0\0\0\x01abc" + len(headers).to_bytes(2, "big") + lengths + headers
    for text in (base64.b64encode(packed).decode(), base64.b64encode(packed).decode().rstrip("=")):
        assert readPacked(text) == {0x616263: VorbisConfiguration(IDENTIFICATION, SETUP)}


def test_extradata():
    configuration = VorbisConfiguration(IDENTIFICATION, SETUP)
    assert VorbisConfiguration.fromExtradata(EXTRADATA) == configuration
    assert VorbisConfiguration.fromExtradata(configuration.extradata()) == configuration
    sized = b"".join(len(header).to_bytes(2, "big") + header for header in (IDENTIFICATION, COMMENT, SETUP))
    assert VorbisConfiguration.fromExtradata(sized) == configuration


@pytest.mark.parametrize("extradata", [b"", EXTRADATA[:300], b"\x02\xff", b"\x02" + bytes(50), b"\x00\x1e" + bytes(99)])
def test_refusedTracks(extradata):
    with pytest.raises(PayloadError):
        VorbisFormat(Track(0, "audio", "vorbis", extradata, sampleRate=48000, channels=2))


def test_headersTooLarge():
    large = VorbisConfiguration(IDENTIFICATION, setupHeader("01", "1" * 8 * 66000))
    with pytest.raises(PayloadError):
        large.packed()


@pytest.mark.parametrize("flags", ["0", "1", "01", "10", "0110", "01" * 32])
def test_blockFlags(flags):
    """The mode's number is in the bits behind the packet type."""
    sizes = BlockSizes(VorbisConfiguration(IDENTIFICATION, setupHeader(flags)))
    assert [sizes.of(bytes([mode << 1])) for mode in range(len(flags))] == [2048 if f == "1" else 256 for f in flags]
    assert sizes.of(b"\x01") == sizes.of(b"") == 0


def test_durations():
    """Vorbis I section 4.3.8; the bit behind the mode tells what was before a long block."""
    sizes = BlockSizes(VorbisConfiguration(IDENTIFICATION, SETUP))
    assert [sizes.duration(SHORT, previous) for previous in (0, 256, 2048)] == [128, 128, 576]
    assert [sizes.duration(LONG, previous) for previous in (0, 256, 2048)] == [576, 576, 1024]
    assert sizes.duration(b"\x06", 0) == 1024


def test_timesThatFFmpegMistakes():
    """A short block after a long one starts where that ends, though FFmpeg says 448 samples later."""
    right = following([LONG, SHORT, SHORT, LONG])
    wrong = [*right]
    wrong[1] = Unit(right[1].dts + 448 / 48000, right[1].pts + 448 / 48000, 128 / 48000, True, right[1].data)
    checkReceived(FORMAT, right, transmit(FORMAT, wrong, 1400))
    assert [group.pts for group in FORMAT.pack(wrong, 1400)] == pytest.approx(
        [group.pts for group in FORMAT.pack(right, 1400)]
    )


def test_aGapStaysAGap():
    units = [*following([LONG, LONG]), Unit(0.5, 0.5, 1024 / 48000, True, LONG)]
    assert [group.pts for group in FORMAT.pack(units, 1400)] == [0.0, 0.5]


def test_noModes():
    with pytest.raises(PayloadError):
        BlockSizes(VorbisConfiguration(IDENTIFICATION, b"\x05vorbis" + b"\xff" * 100))
    with pytest.raises(PayloadError):
        BlockSizes(VorbisConfiguration(IDENTIFICATION, b"\x05vorbis"))


def test_severalPacketsInAPayload():
    """Section 2.4: F 0, VDT 0, the number of packets, each behind its size. 50 ms are 2400 samples."""
    groups = FORMAT.pack(following([LONG + b"a", LONG, SHORT + b"b", LONG]), 1400)
    assert [group.payloads for group in groups] == [
        [IDENT + b"\x03\x00\x02\x02a\x00\x01\x02\x00\x02\x00b"],
        [IDENT + b"\x01\x00\x01\x02"],
    ]
    assert [(group.pts, group.marker) for group in groups] == [(0.0, False), (pytest.approx(2176 / 48000), False)]


def test_pieces():
    """Section 5.1: F 1, 2 and 3, no packets, the size of each piece."""
    packet = LONG + bytes(149)
    (group,) = FORMAT.pack(following([packet]), 64)
    assert group.payloads == [
        IDENT + b"\x40\x00\x3a" + packet[:58],
        IDENT + b"\x80\x00\x3a" + packet[58:116],
        IDENT + b"\xc0\x00\x22" + packet[116:],
    ]


packets = st.tuples(st.sampled_from([SHORT, LONG]), st.integers(0, 4000) | st.integers(0, 40)).map(
    lambda parts: parts[0] + bytes(parts[1])
)


@given(st.lists(packets, max_size=30), st.integers(64, 1500))
def test_packThenUnpack(data, limit):
    units = following(data)
    checkReceived(FORMAT, units, transmit(FORMAT, units, limit))


@given(st.lists(packets, max_size=30), st.integers(64, 1500), st.sets(st.integers(0, 60)))
def test_loss(data, limit, lost):
    checkLoss(FORMAT, following(data), limit, lost)


@pytest.mark.parametrize(("sequence", "second"), [(1, 576), (2, 128)])
def test_timesAfterALoss(sequence, second):
    """The first packet's duration depends on the one before it."""
    unpacker = unpackerOf(FORMAT)
    unpacker.push(0, 0, False, IDENT + b"\x01\x00\x01" + LONG)
    received = unpacker.push(sequence, 0, False, IDENT + b"\x02\x00\x01" + SHORT + b"\x00\x01" + SHORT)
    assert [unit.timestamp for unit in received] == [0, second]


def test_otherConfigurationsAndTypesAreDropped():
    """Section 3: no decoding without the configuration; sections 2.2: VDT 1, 2 and 3 are no sound."""
    unpacker = unpackerOf(FORMAT)
    assert unpacker.push(0, 0, False, b"???\x01\x00\x01\x00") == []
    for dataType in (1, 2, 3):
        assert unpacker.push(dataType, 0, False, IDENT + bytes([dataType << 4 | 1]) + b"\x00\x01\x00") == []
    assert len(receive(unpacker, [(4, 0, False, IDENT + b"\x01\x00\x01\x00")])) == 1


payloads = st.binary(max_size=20) | st.tuples(st.integers(0, 255), st.binary(max_size=40)).map(
    lambda parts: IDENT + bytes(parts[:1]) + parts[1]
)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.booleans(), payloads), max_size=20))
def test_garbage(data):
    checkGarbage(unpackerOf(FORMAT), data)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: b"\0\0\0\x01" + data))
def test_garbageConfiguration(data):
    with pytest.raises(PayloadError):
        VorbisFormat.unpacker({"configuration": base64.b64encode(data).decode()})
    with pytest.raises(PayloadError):
        VorbisFormat.unpacker({"configuration": data.decode("latin-1")})


def test_memoryIsBounded():
    unpacker = unpackerOf(FORMAT)
    piece = b"\xff\xff" + bytes(0xFFFF)
    receive(unpacker, [(number, 0, False, IDENT + (b"\x80" if number else b"\x40") + piece) for number in range(4)])
    with pytest.raises(PayloadError):
        unpacker.push(4, 0, False, IDENT + b"\x80" + piece)


@pytest.mark.parametrize(("rate", "limit"), [(48000, 1400), (44100, 200)])
def test_encoded(rate, limit):
    track, units = encode("vorbis", rate, seconds=1.0)
    payloadFormat = VorbisFormat(track)
    received = transmit(payloadFormat, units, limit)
    assert [unit.data for unit in received] == [unit.data for unit in units]
    assert set(readPacked(parametersOf(payloadFormat)["configuration"])) == {
        VorbisConfiguration.fromExtradata(track.extradata).ident
    }
