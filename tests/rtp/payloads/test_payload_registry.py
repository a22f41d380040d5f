"""Which format carries what (the module is called like the registry of sessions, whose tests are test_registry.py)."""

from __future__ import annotations

import pytest

from mediasrv.media.tracks import Track
from mediasrv.rtp.payloads.aac import AACFormat
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.h264 import H264Format
from mediasrv.rtp.payloads.pcm import L16Format
from mediasrv.rtp.payloads.registry import (
    FORMATS,
    STATIC_ENCODINGS,
    carries,
    formatFor,
    unpackerFor,
    unpackerForPayloadType,
)

CARRIED = """
    h264 hevc av1 vp8 vp9 mpeg4 mpeg1video mpeg2video mjpeg mpegts
    aac opus mp1 mp2 mp3 ac3 eac3 vorbis
    pcm_mulaw pcm_alaw pcm_u8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be adpcm_g722
"""


@pytest.mark.parametrize("codec", CARRIED.split())
def test_carried(codec):
    assert carries(codec)


@pytest.mark.parametrize("codec", ["", "flac", "alac", "dts", "pcm_f32le", "H264"])
def test_notCarried(codec):
    assert not carries(codec)
    with pytest.raises(PayloadError):
        formatFor(Track(0, "audio", codec, sampleRate=48000, channels=2))


def test_formatFor():
    assert isinstance(formatFor(Track(0, "audio", "pcm_s16le", sampleRate=48000, channels=2)), L16Format)
    assert isinstance(formatFor(Track(0, "audio", "aac", bytes.fromhex("1190"))), AACFormat)


def test_noTwoFormatsShareACodecOrAName():
    codecs = [codec for found in FORMATS for codec in found.codecs]
    names = [found.encodingName.lower() for found in FORMATS]
    assert len(set(codecs)) == len(codecs)
    assert len(set(names)) == len(names)
    assert H264Format in FORMATS


def test_namesInAnyCase():
    """What ffmpeg, GStreamer and cameras write."""
    parameters = {"sizeLength": "13", "indexLength": "3", "indexDeltaLength": "3", "config": "1190"}
    unpacker = unpackerFor("MPEG4-GENERIC", 48000, 2, parameters)
    assert unpacker.push(0, 0, True, b"\x00\x10\x00\x08a")[0].data == b"a"
    with pytest.raises(PayloadError):
        unpackerFor("x-unknown", 8000, 1, {})


def test_clockRateAndChannelsReachTheUnpacker():
    """Four bytes are two frames of one channel, and one of two."""
    assert unpackerFor("l16", 44100, 0, {}).push(0, 0, False, bytes(2))
    with pytest.raises(PayloadError):
        unpackerFor("l16", 44100, 2, {}).push(0, 0, False, bytes(2))
    parameters = {"sizelength": "13", "indexlength": "3", "indexdeltalength": "3", "config": "1310"}
    received = unpackerFor("mpeg4-generic", 48000, 2, parameters).push(0, 0, True, b"\x00\x20\x00\x08\x00\x08ab")
    assert [unit.timestamp for unit in received] == [0, 2048]


@pytest.mark.parametrize(("payloadType", "size"), [(0, 1), (8, 1), (9, 1), (10, 4), (11, 2)])
def test_staticPayloadTypes(payloadType, size):
    """RFC 3551 tables 4 and 5."""
    unpacker = unpackerForPayloadType(payloadType, {})
    assert unpacker.push(0, 0, False, bytes(size))[0].data == bytes(size)


def test_everyStaticEncodingIsAFormat():
    for payloadType in STATIC_ENCODINGS:
        unpackerForPayloadType(payloadType, {})
    for payloadType in (3, 96):
        with pytest.raises(PayloadError):
            unpackerForPayloadType(payloadType, {})


@pytest.mark.parametrize(
    ("codec", "rate", "channels"),
    [
        ("pcm_mulaw", 8000, 1),
        ("pcm_alaw", 8000, 1),
        ("adpcm_g722", 16000, 1),
        ("pcm_s16le", 44100, 2),
        ("mp3", 32000, 2),
    ],
)
def test_staticPayloadTypesMeanTheFormat(codec, rate, channels):
    found = formatFor(Track(0, "audio", codec, sampleRate=rate, channels=channels))
    assert found.payloadType is not None
    encoding = STATIC_ENCODINGS[found.payloadType]
    assert (found.encodingName, found.clockRate, max(found.channels, 1)) == encoding
