"""
The media that the tests play: short clips of every codec, made with PyAV.

No two pictures and no two frames of sound are alike, so that a unit says by its bytes which one it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.filter import Graph

WIDTH, HEIGHT, FRAME_RATE = 320, 240, 25


@dataclass(frozen=True)
class Picture:
    """
    How a clip's video is encoded.

    @ivar options: of the encoder; a key frame every second if they say nothing of it.
    """

    encoder: str
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"


@dataclass(frozen=True)
class Sound:
    """How a clip's audio is encoded."""

    encoder: str
    samples: str
    rate: int = 48000
    layout: str = "stereo"
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Clip:
    """
    @ivar name: of the file.
    @ivar format: FFmpeg's name of the container.
    @ivar numbered: whether the pictures show their numbers: eight bars, white where the bit is set, the highest first.
    """

    name: str
    format: str
    picture: Picture | None = None
    sound: Sound | None = None
    options: dict[str, str] = field(default_factory=dict)
    seconds: float = 3.0
    numbered: bool = False


_FAST = {"preset": "ultrafast", "threads": "1", "x264-params": "scenecut=0"}
_H264 = Picture("libx264", _FAST | {"bf": "0"})
_H264_B = Picture("libx264", _FAST | {"bf": "2"})
_H265 = Picture("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:bframes=2:keyint=25"})
_VP8 = Picture("libvpx", {"deadline": "realtime", "cpu-used": "16", "b": "600k"})
_VP9 = Picture("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "600k"})
_AV1 = Picture("libsvtav1", {"preset": "12", "svtav1-params": "lp=1", "crf": "40"})
_MPEG4 = Picture("mpeg4", {"b": "800k"})
_MPEG2 = Picture("mpeg2video", {"b": "1500k", "bf": "2"})
_JPEG = Picture("mjpeg", {"huffman": "default", "q": "8"}, "yuvj420p")

_AAC = Sound("aac", "fltp", 44100)
_OPUS = Sound("libopus", "flt")
_MP3 = Sound("libmp3lame", "fltp", 44100)
_MP2 = Sound("mp2", "s16")
_AC3 = Sound("ac3", "fltp")
_EAC3 = Sound("eac3", "fltp")
_VORBIS = Sound("vorbis", "fltp", options={"strict": "-2"})
_FLAC = Sound("flac", "s16", 44100)
_PCM = Sound("pcm_s16le", "s16", 44100)

#: one of every codec, each in a container that people have it in
CLIPS = {
    clip.name: clip
    for clip in (
        Clip("h264.mp4", "mp4", _H264_B, _AAC),
        Clip("h264.mkv", "matroska", _H264, _OPUS),
        Clip("h264.ts", "mpegts", _H264_B, _AAC),
        Clip("h264-fragmented.mp4", "mp4", _H264_B, _EAC3, {"movflags": "frag_keyframe+delay_moov"}),
        Clip("h265.mp4", "mp4", _H265, _AC3),
        Clip("h265.mkv", "matroska", _H265, _FLAC),
        Clip("vp8.webm", "webm", _VP8, _VORBIS),
        Clip("vp9.webm", "webm", _VP9, _OPUS),
        Clip("av1.mp4", "mp4", _AV1, _OPUS),
        Clip("mpeg4.avi", "avi", _MPEG4, _MP3),
        Clip("mpeg2.ts", "mpegts", _MPEG2, _MP2),
        Clip("mpeg2.mpg", "vob", _MPEG2, _AC3),
        Clip("mjpeg.mov", "mov", _JPEG, _PCM),
        Clip("aac.m4a", "ipod", sound=_AAC),
        Clip("opus.opus", "opus", sound=_OPUS),
        Clip("mp3.mp3", "mp3", sound=_MP3),
        Clip("mp2.mp2", "mp2", sound=_MP2),
        Clip("ac3.ac3", "ac3", sound=_AC3),
        Clip("eac3.eac3", "eac3", sound=_EAC3),
        Clip("vorbis.ogg", "ogg", sound=_VORBIS),
        Clip("flac.flac", "flac", sound=_FLAC),
        Clip("pcm.wav", "wav", sound=_PCM),
        Clip("alaw.wav", "wav", sound=Sound("pcm_alaw", "s16", 8000, "mono")),
        Clip("mulaw.wav", "wav", sound=Sound("pcm_mulaw", "s16", 8000, "mono")),
        Clip("g722.wav", "wav", sound=Sound("g722", "s16", 16000, "mono")),
    )
}

#: the same pictures without sound
SILENT = {
    f"silent-{clip.name}": replace(clip, name=f"silent-{clip.name}", sound=None)
    for clip in CLIPS.values()
    if clip.picture is not None
}

#: clips for tests of their own
SPECIAL = {
    clip.name: clip
    for clip in (
        # what is sought in: 24 key frames, at irregular places to any clock
        Clip("seek.mp4", "mp4", Picture("libx264", _FAST | {"bf": "2", "g": "21"}), _AAC, seconds=20.0),
        # what browsers play, in the containers that people have it in
        Clip("web.mp4", "mp4", _H264_B, _AAC, seconds=8.0),
        Clip("web-fragmented.mp4", "mp4", _H264_B, _AAC, {"movflags": "frag_keyframe+empty_moov"}, seconds=8.0),
        Clip("web.mkv", "matroska", _H264_B, _AAC, seconds=8.0),
        Clip("web-vp9.webm", "webm", _VP9, _OPUS, seconds=8.0),
        Clip("web-vp8.webm", "webm", _VP8, _VORBIS, seconds=8.0),
        Clip("web.mp3", "mp3", sound=_MP3, seconds=8.0),
        Clip("web.ogg", "ogg", sound=_VORBIS, seconds=8.0),
        Clip("web.flac", "flac", sound=_FLAC, seconds=8.0),
        # what is played at other rates: a key frame every fifth picture, no picture has to wait for another one
        Clip("numbers.mp4", "mp4", Picture("libx264", _FAST | {"bf": "0", "g": "5"}), seconds=10.0, numbered=True),
    )
}

#: every clip by its name
ALL = CLIPS | SILENT | SPECIAL


def make(folder: Path, name: str) -> Path:
    """
    The clip of this name in a folder that several processes may share; made if it is not there.
    """
    path = folder / name
    if not path.exists():
        unfinished = folder / f".{os.getpid()}.{name}"
        clip = ALL[name]
        with av.open(str(unfinished), "w", format=clip.format, options=clip.options) as container:
            _write(container, clip)
        # never in the place of one that another process made meanwhile, and may be playing
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
        unfinished.unlink()
    return path


def _write(container: Any, clip: Clip) -> None:
    feeds = []
    if clip.picture is not None:
        feeds.append(_feed(_pictureStream(container, clip.picture), _pictures(clip)))
    if clip.sound is not None:
        feeds.append(_feed(_soundStream(container, clip.sound), _sounds(clip)))
    # the track that is behind goes on, as in files that people have
    times = [0.0] * len(feeds)
    while feeds:
        behind = times.index(min(times))
        try:
            times[behind], packets = next(feeds[behind])
        except StopIteration:
            del feeds[behind], times[behind]
            continue
        container.mux(packets)


def _pictureStream(container: Any, picture: Picture) -> Any:
    stream = container.add_stream(picture.encoder, rate=FRAME_RATE, options={"g": "25"} | picture.options)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, picture.pixels
    return stream


def _soundStream(container: Any, sound: Sound) -> Any:
    return container.add_stream(
        sound.encoder, rate=sound.rate, layout=sound.layout, format=sound.samples, options=sound.options
    )


def _feed(stream: Any, frames: Iterator[Any]) -> Iterator[tuple[float, list[Any]]]:
    """Encodes; yields packets and how far they reach, in seconds."""
    for frame in frames:
        yield float(frame.pts * frame.time_base), stream.encode(frame)
    yield float("inf"), stream.encode(None)


def _pictures(clip: Clip) -> Iterator[Any]:
    """A test card that moves, or numbers."""
    assert clip.picture is not None
    if clip.numbered:
        yield from numbers(round(clip.seconds * FRAME_RATE))
        return
    source = f"size={WIDTH}x{HEIGHT}:rate={FRAME_RATE}:duration={clip.seconds}"
    yield from _pulled(("testsrc2", source), ("format", clip.picture.pixels), ("buffersink", ""))


def numbers(count: int) -> Iterator[Any]:
    """Pictures that show their numbers, from 0 to 255 and then again."""
    for number in range(count):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        bars = b"".join(bytes((235 if number >> bit & 1 else 16,)) * (WIDTH // 8) for bit in range(7, -1, -1))
        gray = b"\x80" * (WIDTH // 2)
        for plane, line in zip(frame.planes, (bars, gray, gray), strict=True):
            plane.update(line.ljust(plane.line_size, b"\x80") * plane.height)
        yield frame


def _sounds(clip: Clip) -> Iterator[Any]:
    """Noise, which is never the same twice."""
    sound = clip.sound
    assert sound is not None
    source = f"seed=1:amplitude=0.2:sample_rate={sound.rate}:duration={clip.seconds}"
    converted = f"sample_fmts={sound.samples}:channel_layouts={sound.layout}"
    return _pulled(("anoisesrc", source), ("aformat", converted), ("abuffersink", ""))


def _pulled(*filters: tuple[str, str]) -> Iterator[Any]:
    graph = Graph()
    graph.link_nodes(*[graph.add(name, arguments or None) for name, arguments in filters]).configure()
    while True:
        try:
            yield graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            return
