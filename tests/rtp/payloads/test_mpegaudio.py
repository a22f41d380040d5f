"""MPEG audio in RTP: RFC 2250."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import checkGarbage, checkLoss, checkReceived, encode, receive, series, transmit, unpackerOf

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.mpegaudio import MPEGAudioFormat, frameSize

FORMAT = MPEGAudioFormat(Track(0, "audio", "mp3", sampleRate=44100, channels=2))


def frame(header: str, fill: int = 0x55) -> bytes:
    start = bytes.fromhex(header)
    return start + bytes([fill]) * (frameSize(start)[0] - 4)


SMALL = frame("fffb14c4")  # MPEG-1 layer 3, 32 kbit/s, 48 kHz: 96 bytes, 24 ms
LARGE = frame("fffbe0c4")  # MPEG-1 layer 3, 320 kbit/s, 44.1 kHz: 1044 bytes


@pytest.mark.requirement("SDP-3")
def test_description():
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.channels, FORMAT.payloadType) == ("MPA", 90000, 0, 14)
    assert FORMAT.startMarker


@pytest.mark.parametrize(
    ("header", "size", "duration"),
    [
        ("fffb9000", 417, 1152 / 44100),
        ("fffb9200", 418, 1152 / 44100),
        ("fffbe400", 960, 1152 / 48000),
        ("fff38000", 208, 576 / 22050),  # MPEG-2 layer 3, 64 kbit/s
        ("ffe38800", 576, 576 / 8000),  # MPEG-2.5 layer 3 at 8 kHz, 64 kbit/s
        ("fffda000", 626, 1152 / 44100),  # layer 2, 192 kbit/s
        ("ffffe000", 484, 384 / 44100),  # layer 1, 448 kbit/s is e: 12 * 448000 / 44100 = 121 slots of 4
    ],
)
def test_frameSize(header, size, duration):
    assert frameSize(bytes.fromhex(header)) == (size, pytest.approx(duration))


@pytest.mark.parametrize("header", ["", "fffb", "fff90000", "fffb0000", "fffbf000", "fffb9c00", "ffeb9000", "ff1b9000"])
def test_noFrame(header):
    with pytest.raises(PayloadError):
        frameSize(bytes.fromhex(header))


def test_severalFramesInAPacket():
    """As many as 50 ms hold, behind an offset of 0."""
    groups = FORMAT.pack(series([SMALL] * 3, 0.024), 1400)
    assert [group.payloads for group in groups] == [[bytes(4) + SMALL * 2], [bytes(4) + SMALL]]
    assert [(group.pts, group.marker) for group in groups] == [(0.0, False), (0.048, False)]


def test_piecesSayWhereTheyBelong():
    (group,) = FORMAT.pack(series([LARGE], 1152 / 44100), 504)
    assert group.payloads == [
        b"\0\0\x00\x00" + LARGE[:500],
        b"\0\0\x01\xf4" + LARGE[500:1000],
        b"\0\0\x03\xe8" + LARGE[1000:],
    ]


def test_damageIsLeftOut():
    units = series([SMALL, SMALL[:-1], b"junk", b"", SMALL + SMALL], 0.024)
    received = transmit(FORMAT, units, 1400)
    assert [unit.data for unit in received] == [SMALL] * 3


headers = st.sampled_from(["fffb14c4", "fffb9264", "fffbe0c4", "fff38000", "ffe38800", "fffda000", "ffffe000"])
sounds = st.lists(st.builds(frame, headers, st.integers(0, 0xEF)), max_size=8)


def following(data: list[bytes]) -> list[Unit]:
    units = []
    start = 0.0
    for each in data:
        duration = frameSize(each)[1]
        units.append(Unit(start, start, duration, True, each))
        start += duration
    return units


@given(sounds, st.integers(64, 1500))
def test_packThenUnpack(data, limit):
    units = following(data)
    checkReceived(FORMAT, units, transmit(FORMAT, units, limit))


@given(sounds, st.integers(64, 1500), st.sets(st.integers(0, 60)))
def test_loss(data, limit, lost):
    checkLoss(FORMAT, following(data), limit, lost)


payloads = st.binary(max_size=30) | st.tuples(
    st.sampled_from(["0000", "0001", "0040", "00000000fffb14c4", "00000000fffbe0c4"]), st.binary(max_size=200)
).map(lambda parts: bytes.fromhex(parts[0]) + parts[1])


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.booleans(), payloads), max_size=20))
def test_garbage(packets):
    checkGarbage(unpackerOf(FORMAT), packets)


def test_wrongOffsetIsRefused():
    unpacker = unpackerOf(FORMAT)
    unpacker.push(0, 0, False, bytes(4) + LARGE[:500])
    with pytest.raises(PayloadError):
        unpacker.push(1, 0, False, b"\0\0\x01\xf5" + LARGE[500:])
    assert len(receive(unpacker, [(2, 9, False, bytes(4) + SMALL)])) == 1


@pytest.mark.parametrize(
    ("encoder", "codec", "rate", "limit"),
    [("libmp3lame", "mp3", 44100, 1400), ("libmp3lame", "mp3", 22050, 200), ("mp2", "mp2", 48000, 300)],
)
def test_encoded(encoder, codec, rate, limit):
    track, units = encode(encoder, rate, codec=codec)
    payloadFormat = MPEGAudioFormat(track)
    units = [unit for unit in units if unit.data[:2] >= b"\xff\xe0"]
    assert len(units) > 10
    checkReceived(payloadFormat, units, transmit(payloadFormat, units, limit))
