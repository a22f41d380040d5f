"""Opus in RTP: RFC 7587."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import checkGarbage, checkLoss, checkReceived, encode, series, transmit, unpackerOf

from mediasrv.media.tracks import Track
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.opus import OpusFormat, splitFrames

FORMAT = OpusFormat(Track(0, "audio", "opus", sampleRate=48000, channels=2))
TOC = 0xFC  # CELT, 20 ms, stereo, one frame


@pytest.mark.requirement("SDP-3")
def test_description():
    """The clock and the two channels are constants; what is inside is in sprop-stereo (section 7)."""
    mono = OpusFormat(Track(0, "audio", "opus", sampleRate=16000, channels=1))
    assert [(f.encodingName, f.clockRate, f.channels) for f in (FORMAT, mono)] == [("opus", 48000, 2)] * 2
    assert FORMAT.formatParameters() == "sprop-stereo=1"
    assert mono.formatParameters() == "sprop-stereo=0"
    assert FORMAT.startMarker


@pytest.mark.parametrize(
    ("channels", "head"),
    [(6, b""), (2, b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\x01\x02\x00")],
)
def test_severalStreamsAreRefused(channels, head):
    with pytest.raises(PayloadError):
        OpusFormat(Track(0, "audio", "opus", head, sampleRate=48000, channels=channels))


@pytest.mark.parametrize(
    ("packet", "duration", "frames"),
    [
        ("fc", 960, [""]),
        ("fc6162", 960, ["6162"]),
        ("fd61626364", 960, ["6162", "6364"]),
        ("fe0161626364", 960, ["61", "626364"]),
        ("ff03616263", 960, ["61", "62", "63"]),
        ("ff82026162636465", 960, ["6162", "636465"]),
        ("ff42026162" + "0000", 960, ["61", "62"]),  # two bytes of padding
        ("00", 480, [""]),
        ("18aa", 2880, ["aa"]),
        ("e0aa", 120, ["aa"]),
        ("68aa", 960, ["aa"]),
    ],
)
def test_splitFrames(packet, duration, frames):
    """RFC 6716 section 3.2, codes 0 to 3."""
    assert splitFrames(bytes.fromhex(packet)) == (duration, [bytes.fromhex(frame) for frame in frames])


@pytest.mark.parametrize(
    "packet",
    [
        "",
        "fd616263",
        "fe",
        "fefc",
        "fe0561",
        "ff",
        "ff00",
        "ff026161ff",
        "ff820961",
        "ff42ff",
        "ff420561",
        "ff07" + "61" * 7,
    ],
)
def test_malformed(packet):
    with pytest.raises(PayloadError):
        splitFrames(bytes.fromhex(packet))


def test_frameOfMaximumSize():
    """A two-byte size: 252 + 3 and 4 times 255 (RFC 6716 section 3.2.1)."""
    packet = b"\xfe\xff\xff" + bytes(1275) + b"ab"
    assert [len(frame) for frame in splitFrames(packet)[1]] == [1275, 2]
    with pytest.raises(PayloadError):
        splitFrames(b"\xfc" + bytes(1276))


def test_largeUnitsAreDivided():
    """Above the limit three frames go their own way, with times of their own."""
    packet = bytes([TOC | 3, 0x03]) + b"a" * 40 + b"b" * 40 + b"c" * 40
    groups = FORMAT.pack(series([packet], 0.06, 1.0), 64)
    assert [group.payloads for group in groups] == [[bytes([TOC]) + letter * 40] for letter in (b"a", b"b", b"c")]
    assert [round(group.pts, 6) for group in groups] == [1.0, 1.02, 1.04]


def test_whatCannotBeDividedIsWhole():
    """Above the limit or not; what is no Opus is left out."""
    unit = bytes([TOC]) + bytes(100)
    groups = FORMAT.pack(series([unit, b"", b"\xff"], 0.02), 64)
    assert [group.payloads for group in groups] == [[unit]]


packets = st.binary(max_size=62).map(lambda data: bytes([TOC]) + data)


@given(st.lists(packets, max_size=20), st.integers(64, 1500), st.sets(st.integers(0, 20)))
def test_packThenUnpack(data, limit, lost):
    units = series(data, 0.02)
    checkReceived(FORMAT, units, transmit(FORMAT, units, limit))
    checkLoss(FORMAT, units, limit, lost)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(64, 80))
def test_garbage(data, limit):
    checkGarbage(unpackerOf(FORMAT), [(n, 0, False, payload) for n, payload in enumerate(data)])
    for group in FORMAT.pack(series(data, 0.02), limit):
        splitFrames(group.payloads[0])


@pytest.mark.parametrize("duration", ["2.5", "20", "60"])
def test_encoded(duration):
    track, units = encode("libopus", codec="opus", options={"frame_duration": duration})
    payloadFormat = OpusFormat(track)
    assert units[0].pts < 0
    checkReceived(payloadFormat, units, transmit(payloadFormat, units, 1400))
