"""E-AC-3 in RTP: RFC 4598."""

from __future__ import annotations

import pytest
import test_ac3
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import checkGarbage, checkLoss, checkReceived, encode, receive, series, transmit, unpackerOf

from mediasrv.media.tracks import Track
from mediasrv.rtp.payloads.eac3 import EAC3Format, readEnhancedFrame
from mediasrv.rtp.payloads.formats import PayloadError

FORMAT = EAC3Format(Track(0, "audio", "eac3", sampleRate=48000, channels=8))
DURATION = 1536 / 48000


def frame(size: int, kind: int = 0, substream: int = 0, blocks: int = 3, fill: int = 0x55) -> bytes:
    """An E-AC-3 frame of an even number of bytes (ATSC A/52 section E.2.2): strmtyp, substreamid, numblkscod."""
    words = size // 2 - 1
    head = b"\x0b\x77" + bytes([kind << 6 | substream << 3 | words >> 8, words & 0xFF, blocks << 4, 16 << 3])
    return head + bytes([fill]) * (size - 6)


@pytest.mark.requirement("SDP-3")
def test_description():
    """No channels in the rtpmap (section 5.2)."""
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.channels) == ("eac3", 48000, 0)
    with pytest.raises(PayloadError):
        EAC3Format(Track(0, "audio", "eac3", sampleRate=24000, channels=2))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(836), (836, 1536, True)),
        (frame(4096, blocks=0), (4096, 256, True)),
        (frame(20, blocks=1), (20, 512, True)),
        (frame(20, blocks=2), (20, 768, True)),
        (frame(20, kind=1), (20, 1536, False)),  # a dependent substream
        (frame(20, substream=1), (20, 1536, False)),  # another program
        (frame(20, kind=2), (20, 1536, True)),
        (test_ac3.frame(0), (128, 1536, True)),  # section 4.4
    ],
)
def test_frameHeaders(data, expected):
    assert readEnhancedFrame(data, 0) == expected


@pytest.mark.parametrize(
    "data", [b"", b"\x0b\x77", frame(20, kind=3), frame(20)[:5] + b"\x88", b"\x0b\x77\0\0\x30\x80"]
)
def test_noFrame(data):
    with pytest.raises(PayloadError):
        readEnhancedFrame(data, 0)


def test_programSetInAPacket():
    """F 0 and the number of frames."""
    unit = frame(20) + frame(30, kind=1)
    (group,) = FORMAT.pack(series([unit], DURATION), 64)
    assert (group.payloads, group.marker) == ([b"\x00\x02" + unit], True)
    assert [received.data for received in receive(unpackerOf(FORMAT), [(0, 0, True, group.payloads[0])])] == [unit]


def test_largeProgramSet():
    """Each frame for itself, the one that is too large in pieces (F 1); all at one time."""
    large, small = frame(100), frame(30, kind=1)
    (group,) = FORMAT.pack(series([large + small], DURATION), 64)
    assert group.payloads == [b"\x01\x02" + large[:62], b"\x01\x02" + large[62:], b"\x00\x01" + small]


def test_programSetsInAPacket():
    """Their times follow from the blocks of the leading frames."""
    first, second = frame(20, blocks=1) + frame(22, kind=1, blocks=1), frame(24)
    received = unpackerOf(FORMAT).push(0, 1000, True, b"\x00\x03" + first + second)
    assert [(unit.timestamp, unit.data) for unit in received] == [(1000, first), (1512, second)]


def test_damageIsLeftOut():
    assert FORMAT.pack(series([frame(20)[:-1], b"", b"junk"], DURATION), 64) == []


sounds = st.lists(
    st.builds(frame, st.integers(3, 2048).map(lambda words: 2 * words), fill=st.integers(0, 10)), max_size=6
)


@given(sounds, st.integers(64, 1500))
def test_packThenUnpack(data, limit):
    units = series(data, DURATION)
    checkReceived(FORMAT, units, transmit(FORMAT, units, limit))


@given(sounds, st.integers(64, 1500), st.sets(st.integers(0, 90)))
def test_loss(data, limit, lost):
    checkLoss(FORMAT, series(data, DURATION), limit, lost)


def test_piecesWithoutTheFirst():
    """What is left of a frame is dropped; the next one, at the same time, is not touched."""
    unpacker = unpackerOf(FORMAT)
    assert unpacker.push(1, 0, False, b"\x01\x03" + bytes(60)) == []
    assert unpacker.push(2, 0, True, b"\x01\x03" + bytes(60)) == []
    assert unpacker.push(3, 0, False, b"\x01\x02" + frame(100)[:60]) == []
    assert [unit.data for unit in unpacker.push(4, 0, True, b"\x01\x02" + frame(100)[60:])] == [frame(100)]


payloads = st.binary(max_size=20) | st.tuples(st.integers(0, 1), st.integers(0, 3), st.binary(max_size=40)).map(
    lambda parts: bytes(parts[:2]) + frame(20) + parts[2]
)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.booleans(), payloads), max_size=20))
def test_garbage(packets):
    checkGarbage(unpackerOf(FORMAT), packets)


@pytest.mark.parametrize(
    ("rate", "layout", "limit"), [(48000, "stereo", 1400), (44100, "5.1", 300), (32000, "mono", 64)]
)
def test_encoded(rate, layout, limit):
    track, units = encode("eac3", rate, layout)
    payloadFormat = EAC3Format(track)
    checkReceived(payloadFormat, units, transmit(payloadFormat, units, limit))
