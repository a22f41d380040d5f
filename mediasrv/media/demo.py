"""
The demo clips: what is served when nobody says what to serve.

A clock on a test card, with a beep at each full second and a bar that fills up between two of them, so that one can
see and hear whether a stream is smooth, in time and at the right place. Made once, with PyAV, in a few seconds.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sin
from typing import cast

import av
from av.audio import AudioStream
from av.container import OutputContainer
from av.video import VideoStream

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 25
SAMPLE_RATE = 48000

#: seconds that a beep lasts, its frequency, and that of each tenth one
_BEEP, _TONE, _HIGH_TONE = 0.08, 880, 1320

#: rows of three dots each, from the top
_GLYPHS = {
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 1, 1, 1),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
    ":": (0, 2, 0, 2, 0),
    ".": (0, 0, 0, 0, 2),
}
_DOT = 18
_TEXT_TOP = 120
_BAR_TOP, _BAR_BOTTOM = 300, 330

#: luma and both chromas of the colours of the test card, 75 % as in SMPTE EG 1
_COLOURS = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)
_BLACK, _WHITE = 16, 235


@dataclass(frozen=True, slots=True)
class Clip:
    """
    What a demo clip is made of.

    @ivar container: FFmpeg's name of the container.
    @ivar duration: whole seconds.
    @ivar video: FFmpeg's name of the video encoder, and its options.
    @ivar audio: FFmpeg's name of the audio encoder, and the sample format it takes.
    """

    name: str
    container: str
    duration: int
    video: tuple[str, dict[str, str]]
    audio: tuple[str, str]


#: A key frame each second lets a player start and seek quickly.
CLIPS = (
    Clip(
        name="clock.mp4",
        container="mp4",
        duration=60,
        video=("libx264", {"preset": "ultrafast", "bf": "2", "g": "25", "threads": "1"}),
        audio=("aac", "fltp"),
    ),
    Clip(
        name="clock.webm",
        container="webm",
        duration=20,
        video=("libvpx", {"deadline": "realtime", "cpu-used": "16", "b": "600k", "g": "25"}),
        audio=("libopus", "flt"),
    ),
)


def missing(folder: str, clips: tuple[Clip, ...] = CLIPS) -> list[Clip]:
    """The clips that are not in a folder yet."""
    return [clip for clip in clips if not os.path.exists(os.path.join(folder, clip.name))]


def make(folder: str, clip: Clip) -> None:
    """
    Makes a clip. It appears under its name when it is complete; servers that start together do not disturb each other.

    @raise OSError: if it cannot be written (FFmpeg's errors are of this class too).
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, clip.name)
    unfinished = os.path.join(folder, f".{clip.name}.{os.getpid()}")
    try:
        with av.open(unfinished, "w", format=clip.container) as container:
            _write(container, clip)
        os.replace(unfinished, path)
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)


def _write(container: OutputContainer, clip: Clip) -> None:
    encoder, options = clip.video
    video = cast(VideoStream, container.add_stream(encoder, rate=FRAME_RATE, options=options))
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder, sampleFormat = clip.audio
    audio = cast(AudioStream, container.add_stream(encoder, rate=SAMPLE_RATE, layout="mono", format=sampleFormat))
    pictures = _pictures(clip.duration)
    for second in range(clip.duration):
        for _ in range(FRAME_RATE):
            container.mux(video.encode(next(pictures)))
        container.mux(audio.encode(_sound(second, sampleFormat)))
    container.mux(video.encode(None))
    container.mux(audio.encode(None))


def _pictures(duration: int) -> Iterator[av.VideoFrame]:
    """The pictures of so many seconds."""
    card, *chromas = _card()
    for second in range(duration):
        clock = bytearray(card)
        _drawText(clock, f"{second // 60:02}:{second % 60:02}.", 0)
        for part in range(FRAME_RATE):
            luma = bytearray(clock)
            _drawText(luma, f"{part * 100 // FRAME_RATE:02}", 6)
            _fill(luma, 0, _BAR_TOP, WIDTH * part // FRAME_RATE, _BAR_BOTTOM, _WHITE)
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane, data in zip(frame.planes, (bytes(luma), *chromas), strict=True):
                plane.update(data)
            frame.pts = second * FRAME_RATE + part
            yield frame


def _card() -> list[bytes]:
    """The planes of the picture without what moves: colour bars, and black where the clock is drawn."""
    half = WIDTH // 2, HEIGHT // 2
    return [_cardPlane(0, WIDTH, HEIGHT, _BLACK), _cardPlane(1, *half, 128), _cardPlane(2, *half, 128)]


def _cardPlane(plane: int, width: int, height: int, black: int) -> bytes:
    edges = [width * each // len(_COLOURS) for each in range(len(_COLOURS) + 1)]
    bars = zip(_COLOURS, edges, edges[1:], strict=False)
    row = b"".join(bytes([colour[plane]]) * (right - left) for colour, left, right in bars)
    rows = (_TEXT_TOP - _DOT) * height // HEIGHT
    return row * rows + bytes([black]) * (width * (height - rows))


def _drawText(luma: bytearray, text: str, place: int) -> None:
    """Draws glyphs from the given one of the clock's eight places."""
    left = (WIDTH - (8 * 4 - 1) * _DOT) // 2 + place * 4 * _DOT
    for glyph in text:
        for row, dots in enumerate(_GLYPHS[glyph]):
            for column in range(3):
                if dots & 4 >> column:
                    x, y = left + column * _DOT, _TEXT_TOP + row * _DOT
                    _fill(luma, x, y, x + _DOT, y + _DOT, _WHITE)
        left += 4 * _DOT


def _fill(luma: bytearray, left: int, top: int, right: int, bottom: int, value: int) -> None:
    row = bytes([value]) * (right - left)
    for start in range(top * WIDTH + left, bottom * WIDTH + left, WIDTH):
        luma[start : start + len(row)] = row


def _sound(second: int, sampleFormat: str) -> av.AudioFrame:
    """One second that begins with a beep."""
    frequency = _TONE if second % 10 else _HIGH_TONE
    samples = array("f", bytes(4 * SAMPLE_RATE))
    for each in range(int(_BEEP * SAMPLE_RATE)):
        samples[each] = 0.4 * sin(2 * pi * frequency * each / SAMPLE_RATE)
    frame = av.AudioFrame(format=sampleFormat, layout="mono", samples=SAMPLE_RATE)
    frame.planes[0].update(samples.tobytes())
    frame.sample_rate = SAMPLE_RATE
    frame.pts = second * SAMPLE_RATE
    return frame
