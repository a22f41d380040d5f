"""Silent frames are what they say, and stand where something is missing."""

from __future__ import annotations

from typing import Any

import av
import pytest

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.audiospecific import AudioSpecificConfig
from mediasrv.streaming.fmp4.initsegment import PackagedTrack
from mediasrv.streaming.fmp4.registry import sampleFormatFor
from mediasrv.streaming.fmp4.silence import filled, silentAAC, silentOpus
from mediasrv.streaming.fmp4.timelines import Timeline

FRAME = 1024 / 48000


def decoded(codec: str, extradata: bytes, frame: bytes) -> Any:
    decoder: Any = av.CodecContext.create(codec, "r")
    decoder.extradata = extradata
    frames = [made for _ in range(3) for made in decoder.decode(av.Packet(frame))]
    return frames + list(decoder.decode(None))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
def testAAC(channels: int) -> None:
    """A decoder agrees about the channels, and hears nothing."""
    config = AudioSpecificConfig.build(2, 48000, channels).encoded
    frames = decoded("aac", config, silentAAC(channels))
    assert len(frames) == 3
    for frame in frames:
        assert (frame.samples, frame.layout.nb_channels) == (1024, channels)
        assert not any(any(bytes(plane)) for plane in frame.planes)


@pytest.mark.parametrize("channels", [1, 2])
def testOpus(channels: int) -> None:
    head = b"OpusHead\1" + bytes((channels,)) + bytes(2) + (48000).to_bytes(4, "little") + bytes(3)
    frames = decoded("opus", head, silentOpus(channels))
    assert sum(frame.samples for frame in frames) >= 2 * 960
    for frame in frames:
        assert frame.layout.nb_channels == channels
        assert not any(any(bytes(plane)) for plane in frame.planes)


def testNone() -> None:
    assert silentAAC(8) == silentAAC(0) == b""
    assert silentOpus(6) == b""


def track(codec: str = "aac") -> PackagedTrack:
    found = Track(1, "audio", codec, sampleRate=48000, channels=2, profile=1)
    format = sampleFormatFor(found)
    return PackagedTrack(found, format, Timeline(48000, 0, 0, format.frameTicks))


def sound(start: float, count: int) -> list[Unit]:
    return [Unit(start + each * FRAME, start + each * FRAME, FRAME, True, b"sound") for each in range(count)]


@pytest.mark.parametrize(
    ("units", "before", "after"),
    [
        ([], 188, 0),
        (sound(0.0, 188), 0, 0),
        (sound(0.0, 180), 0, 0),  # what is missing can be borne
        (sound(0.0, 100), 0, 88),
        (sound(88 * FRAME, 100), 88, 0),
        (sound(50 * FRAME, 100), 50, 38),
    ],
)
def testWhereSomethingIsMissing(units: list[Unit], before: int, after: int) -> None:
    """A frame after the other, none of them over another."""
    made = filled(track(), units, 0.0, 4.0)
    heard = [each.data == b"sound" for each in made]
    assert (heard.count(True), heard.count(False)) == (len(units), before + after)
    assert heard[:before] == [False] * before
    times = [round(each.dts / FRAME) for each in made]
    assert times == list(range(times[0], times[0] + len(times)))
    assert times[0] == 0
    assert max(times) <= 187


def testWhatHasNone() -> None:
    """FLAC stays as it is."""
    info = bytes(10) + (48000 << 12 | 1 << 9 | 15 << 4).to_bytes(4, "big") + bytes(20)
    found = Track(1, "audio", "flac", info, sampleRate=48000, channels=2)
    packaged = PackagedTrack(found, sampleFormatFor(found), Timeline(48000))
    assert filled(packaged, sound(0.0, 3), 0.0, 4.0) == sound(0.0, 3)
