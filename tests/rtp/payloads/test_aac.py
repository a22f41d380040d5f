"""AAC in RTP: RFC 3640."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soundstreams import checkGarbage, checkLoss, checkReceived, encode, receive, series, transmit, unpackerOf
from test_audiospecific import adts

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.aac import AACFormat
from mediasrv.rtp.payloads.formats import PayloadError

DURATION = 1024 / 48000
FORMAT = AACFormat(Track(0, "audio", "aac", bytes.fromhex("1190"), sampleRate=48000, channels=2))
HBR = {"sizelength": "13", "indexlength": "3", "indexdeltalength": "3", "config": "1190", "clockrate": "48000"}

PATTERN = b"\x21" + bytes(range(251)) * 16
frames = st.integers(1, 4000).map(lambda size: PATTERN[:size])


@pytest.mark.requirement("SDP-3")
def test_description():
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.channels) == ("mpeg4-generic", 48000, 2)
    assert FORMAT.formatParameters() == (
        "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
        "constantDuration=1024;config=1190"
    )


def test_highEfficiencyRunsAtTheOutputRate():
    """Parametric stereo and SBR in the configuration; each frame is 2048 samples of what comes out."""
    track = Track(0, "audio", "aac", bytes.fromhex("eb098800"), sampleRate=48000, channels=2)
    assert AACFormat(track).clockRate == 48000
    assert "constantDuration=2048;" in AACFormat(track).formatParameters()


def test_configurationFromTheTrack():
    """Units with ADTS come without configuration."""
    lc = AACFormat(Track(0, "audio", "aac", sampleRate=44100, channels=2, profile=1))
    assert lc.formatParameters().endswith("config=1210")
    he = AACFormat(Track(0, "audio", "aac", sampleRate=48000, channels=2, profile=4))
    assert he.formatParameters().endswith("config=2b118800")


@pytest.mark.parametrize(
    "track",
    [
        Track(0, "audio", "aac", b"\x12", sampleRate=48000, channels=2),
        Track(0, "audio", "aac", sampleRate=0, channels=2, profile=1),
        Track(0, "audio", "aac", sampleRate=48000, channels=2, profile=38),
    ],
)
def test_refusedTracks(track):
    with pytest.raises(PayloadError):
        AACFormat(track)


def test_framesInAPacket():
    """RFC 3640 sections 3.2.1 and 3.3.6: 16 bits of header for each of four frames, its size shifted by 3 bits."""
    groups = FORMAT.pack(series([b"\x21ab", b"\x21c", b"\x21d", b"\x21e", b"\x21f"], DURATION), 1400)
    assert [group.payloads for group in groups] == [
        [b"\x00\x40\x00\x18\x00\x10\x00\x10\x00\x10\x21ab\x21c\x21d\x21e"],
        [b"\x00\x10\x00\x10\x21f"],
    ]
    assert [(group.pts, group.marker) for group in groups] == [(0.0, True), (4 * DURATION, True)]


def test_noFramesBeyondTheLatency():
    """Two frames at 22.05 kHz are 93 ms, three 139; at 8 kHz one is 128."""
    for rate, config, sizes in ((22050, "1390", [2, 1]), (8000, "1590", [1, 1, 1])):
        track = Track(0, "audio", "aac", bytes.fromhex(config), sampleRate=rate, channels=2)
        groups = AACFormat(track).pack(series([b"\x21a", b"\x21b", b"\x21c"], 1024 / rate), 1400)
        assert [group.payloads[0][1] // 16 for group in groups] == sizes


def test_pieces():
    """Each with the size of the whole; the marker, which is the group's, on the last."""
    frame = b"\x21" + bytes(99)
    (group,) = FORMAT.pack(series([frame], DURATION), 64)
    header = b"\x00\x10\x03\x20"
    assert group.payloads == [header + frame[:60], header + frame[60:]]


def test_adtsIsStripped():
    damaged = adts(b"\x21cd")[:-1]
    units = series([adts(b"\x21ab"), damaged, adts(b"\x21e") + adts(b"\x21f")], DURATION)
    groups = FORMAT.pack(units, 1400)
    assert [group.payloads for group in groups] == [
        [b"\x00\x10\x00\x18\x21ab"],
        [b"\x00\x20\x00\x10\x00\x10\x21e\x21f"],
    ]


def test_whatThirteenBitsCannotCountIsLeftOut():
    assert FORMAT.pack(series([b"\x21" + bytes(8191), b""], DURATION), 1400) == []


@given(st.lists(frames, max_size=12), st.integers(64, 1500))
def test_packThenUnpack(data, limit):
    units = series(data, DURATION)
    checkReceived(FORMAT, units, transmit(FORMAT, units, limit))


@given(st.lists(frames, max_size=12), st.integers(64, 1500), st.sets(st.integers(0, 60)))
def test_loss(data, limit, lost):
    checkLoss(FORMAT, series(data, DURATION), limit, lost)


payloads = st.binary(max_size=40) | st.binary(max_size=30).map(lambda data: b"\x00\x10" + data)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.booleans(), payloads), max_size=20))
@settings(max_examples=300)
def test_garbage(packets):
    checkGarbage(unpackerOf(FORMAT), packets)


@pytest.mark.requirement("SEC-13")
@given(
    st.dictionaries(
        st.sampled_from(
            ["sizelength", "indexlength", "ctsdeltalength", "dtsdeltalength", "auxiliarydatasizelength", "config"]
        ),
        st.sampled_from(["", "0", "1", "6", "13", "32", "33", "x", "-1", "1190", "²"]),
    ),
    st.lists(st.binary(max_size=40), max_size=5),
)
def test_garbageParameters(parameters, data):
    try:
        unpacker = AACFormat.unpacker(parameters)
    except PayloadError:
        return
    checkGarbage(unpacker, [(n, 0, True, payload) for n, payload in enumerate(data)])


def test_otherHeaderLayouts():
    """Sizes of 6 bits, index 2, CTS delta of 4 where flagged, a RAP flag; 8 bits of auxiliary size and 8 of data."""
    unpacker = AACFormat.unpacker(
        {
            "sizelength": "6",
            "indexlength": "2",
            "indexdeltalength": "2",
            "ctsdeltalength": "4",
            "randomaccessindication": "1",
            "auxiliarydatasizelength": "8",
            "constantduration": "512",
        }
    )
    bits = "0000100001" + "00000100101010"
    section = int(bits.ljust(24, "0"), 2).to_bytes(3, "big")
    payload = len(bits).to_bytes(2, "big") + section + b"\x08\x77" + b"abc"
    received = unpacker.push(0, 1000, True, payload)
    assert [(unit.timestamp, unit.data) for unit in received] == [(1000, b"ab"), (1512, b"c")]


def test_receivedADTSIsStripped():
    frame = adts(b"\x21ab")
    payload = b"\x00\x10" + (len(frame) << 3).to_bytes(2, "big") + frame
    assert [unit.data for unit in AACFormat.unpacker(HBR).push(0, 0, True, payload)] == [b"\x21ab"]


@pytest.mark.parametrize(
    "payload", ["", "0010000061", "0020001000116161", "00100010", "0020000800106162", "0000", "0011001061"]
)
def test_refusedPayloads(payload):
    """Nothing; an empty frame; interleaving; no data; data cut off; no header; a header cut off."""
    unpacker = AACFormat.unpacker(HBR)
    with pytest.raises(PayloadError):
        unpacker.push(0, 0, True, bytes.fromhex(payload))
    assert len(receive(unpacker, [(1, 5, True, b"\x00\x10\x00\x08a")])) == 1


@pytest.mark.parametrize("header", [b"\x00\x10\x00\x18", b"\x00\x10\x00\x28"])
def test_piecesThatDisagree(header):
    """More than the three bytes of the whole; another whole."""
    unpacker = AACFormat.unpacker(HBR)
    assert unpacker.push(0, 0, False, b"\x00\x10\x00\x18ab") == []
    with pytest.raises(PayloadError):
        unpacker.push(1, 0, True, header + b"cd")
    assert len(receive(unpacker, [(2, 5, True, b"\x00\x10\x00\x08a")])) == 1


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_encoded(layout):
    track, units = encode("aac", 44100, layout)
    payloadFormat = AACFormat(track)
    checkReceived(payloadFormat, units, transmit(payloadFormat, units, 300))


def test_encodedLikeADTS():
    track, units = encode("aac", 44100)
    bare = Track(0, "audio", "aac", sampleRate=44100, channels=2, profile=1)
    wrapped = [Unit(unit.dts, unit.pts, unit.duration, True, adts(unit.data)) for unit in units]
    assert AACFormat(bare).pack(wrapped, 1400) == AACFormat(track).pack(units, 1400)
