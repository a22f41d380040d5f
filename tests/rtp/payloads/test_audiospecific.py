"""AudioSpecificConfig and ADTS, by hand-made and well-known bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.payloads.audiospecific import ELD, LC, PS, SBR, AudioSpecificConfig, stripADTS
from mediasrv.rtp.payloads.formats import PayloadError


def adts(frame: bytes, crc: bytes = b"") -> bytes:
    """LC, 44100 Hz, stereo (ISO/IEC 14496-3 section 1.A.2.2)."""
    length = 7 + len(crc) + len(frame)
    head = [0xFF, 0xF0 if crc else 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC]
    return bytes(head) + crc + frame


@pytest.mark.parametrize(
    ("encoded", "objectType", "coreRate", "sampleRate", "channels", "frameLength"),
    [
        ("1210", LC, 44100, 44100, 2, 1024),
        ("11b0", LC, 48000, 48000, 6, 1024),  # the example of RFC 3640 section 3.3.6
        ("120856e500", LC, 44100, 44100, 1, 1024),  # FFmpeg: SBR announced as absent
        ("131056e598", LC, 24000, 48000, 2, 1024),  # SBR behind the core's part
        ("2b118800", LC, 24000, 48000, 2, 1024),  # SBR as the object type
        ("1214", LC, 44100, 44100, 2, 960),
        ("1200", LC, 44100, 44100, 0, 1024),  # the channels are in the stream
        ("17802ee010", LC, 24000, 24000, 2, 1024),  # the rate in full
        ("f8e65000", ELD, 48000, 48000, 2, 480),
    ],
)
def test_parse(encoded, objectType, coreRate, sampleRate, channels, frameLength):
    config = AudioSpecificConfig.parse(bytes.fromhex(encoded))
    assert (config.objectType, config.coreRate, config.sampleRate) == (objectType, coreRate, sampleRate)
    assert (config.channels, config.frameLength) == (channels, frameLength)
    assert config.encoded == bytes.fromhex(encoded)


@pytest.mark.parametrize(
    ("objectType", "rate", "channels", "encoded"),
    [(LC, 44100, 2, "1210"), (LC, 48000, 6, "11b0"), (SBR, 48000, 2, "2b118800"), (PS, 48000, 2, "eb098800")],
)
def test_build(objectType, rate, channels, encoded):
    assert AudioSpecificConfig.build(objectType, rate, channels).encoded.hex() == encoded


@given(st.sampled_from([1, LC, 3, 4]), st.integers(1, 200_000), st.integers(1, 8))
def test_buildThenParse(objectType, rate, channels):
    config = AudioSpecificConfig.build(objectType, rate, channels)
    assert (config.objectType, config.sampleRate, config.channels) == (objectType, rate, channels)


@pytest.mark.parametrize(("rate", "channels"), [(0, 2), (44100, 0), (44100, 9)])
def test_buildRefuses(rate, channels):
    with pytest.raises(PayloadError):
        AudioSpecificConfig.build(LC, rate, channels)


@given(st.binary(max_size=20))
def test_garbageRaisesOnlyOurOwn(data):
    try:
        config = AudioSpecificConfig.parse(data)
    except PayloadError:
        return
    assert config.coreRate > 0


@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=3), st.sampled_from([b"", b"cc"]))
def test_stripADTS(frames, crc):
    assert stripADTS(b"".join(adts(frame, crc) for frame in frames)) == frames


def test_stripADTSLeavesBareFrames():
    assert stripADTS(b"\x21\x00\x03") == [b"\x21\x00\x03"]


@pytest.mark.parametrize("data", [adts(b"frame")[:-1], adts(b""), adts(b"frame") + b"\xff", b"\xff\xf1"])
def test_stripADTSRefusesDamage(data):
    with pytest.raises(PayloadError):
        stripADTS(data)


def test_stripADTSRefusesSeveralBlocks():
    several = bytearray(adts(b"frame"))
    several[6] |= 1
    with pytest.raises(PayloadError):
        stripADTS(bytes(several))
