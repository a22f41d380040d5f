"""AC-3 in RTP: RFC 4184."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import checkGarbage, checkLoss, checkReceived, encode, receive, series, transmit, unpackerOf

from mediasrv.media.tracks import Track
from mediasrv.rtp.payloads.ac3 import AC3Format, readFrame
from mediasrv.rtp.payloads.formats import PayloadError

FORMAT = AC3Format(Track(0, "audio", "ac3", sampleRate=48000, channels=6))
DURATION = 1536 / 48000


def frame(code: int, rate: int = 0, fill: int = 0x55) -> bytes:
    """A frame of that frmsizecod (ATSC A/52 table 5.18) and fscod."""
    start = b"\x0b\x77\0\0" + bytes([rate << 6 | code]) + b"\x40"
    return start + bytes([fill]) * (readFrame(start, 0).size - 6)


@pytest.mark.requirement("SDP-3")
def test_description():
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.channels) == ("ac3", 48000, 6)
    assert not FORMAT.startMarker


@pytest.mark.parametrize(("rate", "channels"), [(24000, 2), (48000, 7)])
def test_refusedTracks(rate, channels):
    with pytest.raises(PayloadError):
        AC3Format(Track(0, "audio", "ac3", sampleRate=rate, channels=channels))


@pytest.mark.parametrize(
    ("code", "rate", "words"),
    [
        (0, 0, 64),
        (0, 1, 69),
        (1, 1, 70),
        (0, 2, 96),
        (28, 0, 768),
        (28, 1, 835),
        (29, 1, 836),
        (37, 2, 1920),
        (37, 1, 1394),
    ],
)
def test_frameSizes(code, rate, words):
    """Rows of ATSC A/52 table 5.18."""
    assert readFrame(frame(code, rate), 0).size == 2 * words


@pytest.mark.parametrize("start", ["", "0b77", "0b7800000040", "0b770000c040", "0b7700002640", "0b7700000058"])
def test_noFrame(start):
    """The last is E-AC-3, which this format must not carry (section 4)."""
    with pytest.raises(PayloadError):
        readFrame(bytes.fromhex(start), 0)


def test_wholeFrame():
    """FT 0, NF 1."""
    groups = FORMAT.pack(series([frame(0), frame(2)], DURATION), 1400)
    assert [group.payloads for group in groups] == [[b"\x00\x01" + frame(0)], [b"\x00\x01" + frame(2)]]
    assert [(group.pts, group.marker) for group in groups] == [(0.0, True), (DURATION, True)]


@pytest.mark.parametrize(("room", "kind"), [(80, 1), (79, 2)])
def test_piecesAndFiveEighths(room, kind):
    """128 bytes are 64 words, 5/8 of them are 80 bytes (section 4.2): FT 1 with them, FT 2 without; then FT 3."""
    (group,) = FORMAT.pack(series([frame(0)], DURATION), room + 2)
    whole = frame(0)
    assert group.payloads == [bytes([kind, 2]) + whole[:room], b"\x03\x02" + whole[room:]]


def test_damageIsLeftOut():
    units = series([frame(0), frame(0)[:-1], b"", b"junk"], DURATION)
    assert [unit.data for unit in transmit(FORMAT, units, 1400)] == [frame(0)]


sounds = st.lists(st.builds(frame, st.integers(0, 37), st.integers(0, 2), st.integers(0, 10)), max_size=6)


@given(sounds, st.integers(64, 1500))
def test_packThenUnpack(data, limit):
    units = series(data, DURATION)
    checkReceived(FORMAT, units, transmit(FORMAT, units, limit))


@given(sounds, st.integers(64, 1500), st.sets(st.integers(0, 90)))
def test_loss(data, limit, lost):
    checkLoss(FORMAT, series(data, DURATION), limit, lost)


def test_severalFramesInAPacket():
    received = unpackerOf(FORMAT).push(0, 0xFFFFFF00, True, b"\x00\x02" + frame(0) + frame(2))
    assert [(unit.timestamp, unit.data) for unit in received] == [(0xFFFFFF00, frame(0)), (1280, frame(2))]


def test_piecesThatDisagree():
    unpacker = unpackerOf(FORMAT)
    assert unpacker.push(0, 0, False, b"\x02\x03" + frame(0)[:40]) == []
    with pytest.raises(PayloadError):
        unpacker.push(1, 0, False, b"\x03\x02" + frame(0)[40:])
    assert unpacker.push(2, 0, False, b"\x02\x02" + frame(0)[:40]) == []
    with pytest.raises(PayloadError):
        unpacker.push(3, 0, True, b"\x03\x02" + frame(0)[41:])
    assert len(receive(unpacker, [(4, 9, True, b"\x00\x01" + frame(0))])) == 1


payloads = st.binary(max_size=20) | st.tuples(st.integers(0, 3), st.integers(0, 3), st.binary(max_size=140)).map(
    lambda parts: bytes(parts[:2]) + b"\x0b\x77\0\0\0\x40" + parts[2]
)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.booleans(), payloads), max_size=20))
def test_garbage(packets):
    checkGarbage(unpackerOf(FORMAT), packets)


@pytest.mark.parametrize(("rate", "limit"), [(48000, 1400), (44100, 300), (32000, 64)])
def test_encoded(rate, limit):
    track, units = encode("ac3", rate)
    payloadFormat = AC3Format(track)
    checkReceived(payloadFormat, units, transmit(payloadFormat, units, limit))
