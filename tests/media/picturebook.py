"""Films whose pictures say when they are, and a look at JPEG files."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av

RED, GREEN, BLUE, WHITE, BLACK = (220, 30, 30), (30, 200, 30), (30, 30, 220), (235, 235, 235), (0, 0, 0)

#: what a second of a film shows: the colours of its upper left, upper right, lower left and lower right quarter
Quarters = tuple[tuple[int, int, int], ...]

#: to tell which way up a picture is
COMPASS: Quarters = (RED, GREEN, BLUE, WHITE)


def rainbow(second: int) -> Quarters:
    """Another grey each second, beside red."""
    shade = (30 + 20 * second % 200,) * 3
    return (shade, RED, shade, RED)


def painted(quarters: Quarters, width: int, height: int) -> Any:
    """A frame in RGB."""
    frame = av.VideoFrame(width, height, "rgb24")
    left, right = width // 2, width - width // 2
    upper, lower = (bytes(quarters[at]) * left + bytes(quarters[at + 1]) * right for at in (0, 2))
    padding = bytes(frame.planes[0].line_size - 3 * width)
    lines = (upper + padding) * (height // 2) + (lower + padding) * (height - height // 2)
    frame.planes[0].update(lines.ljust(frame.planes[0].buffer_size, b"\0"))
    return frame


def makeFilm(
    path: Any,
    shown: Callable[[int], Quarters] = lambda second: COMPASS,
    *,
    seconds: int = 4,
    size: tuple[int, int] = (192, 96),
    codec: str = "libx264",
    rate: int = 8,
    gop: int = 8,
    bFrames: int = 0,
    pixels: str = "yuv420p",
    rotation: int = 0,
    aspect: Fraction | None = None,
    offset: float = 0.0,
) -> str:
    """
    Writes a film without sound and returns its path.

    @param shown: the picture of each second.
    @param rotation: degrees counterclockwise by which a player is to turn it.
    @param aspect: of a pixel.
    @param offset: seconds on the container's clock where it starts.
    """
    with av.open(str(path), "w") as container:
        options = {"g": str(gop), "bf": str(bFrames), "threads": "1"}
        if codec == "libx264":
            options |= {"preset": "ultrafast", "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0"}
        stream: Any = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = Fraction(1, rate)
        stream.codec_context.bit_rate = 4_000_000
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(seconds * rate):
            full = painted(shown(number // rate), *size)
            frame = full.reformat(format=pixels, dst_colorspace="ITU601")
            frame.pts, frame.time_base = number + round(offset * rate), Fraction(1, rate)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return os.fspath(path)


class Look:
    """
    What a JPEG file shows.

    @ivar width: pixels.
    @ivar height: pixels.
    """

    def __init__(self, data: bytes) -> None:
        assert data[:2] == b"\xff\xd8"
        assert data[-2:] == b"\xff\xd9"
        decoder: Any = av.CodecContext.create("mjpeg", "r")
        (frame,) = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        self.width, self.height = frame.width, frame.height
        self._pixels = frame.reformat(format="rgb24")

    def at(self, across: float, down: float) -> tuple[int, ...]:
        """The colour at shares of the width and the height."""
        plane = self._pixels.planes[0]
        start = int(down * self.height) * plane.line_size + int(across * self.width) * 3
        return tuple(bytes(plane)[start : start + 3])

    @property
    def quarters(self) -> Quarters:
        """The colours in the middle of its four quarters."""
        return tuple(self.at(across, down) for down in (0.25, 0.75) for across in (0.25, 0.75))


def isLike(found: Quarters, wanted: Quarters, tolerance: int = 14) -> bool:
    """Whether colours are the same but for what coding does to them."""
    pairs = zip(found, wanted, strict=True)
    return all(abs(one - other) <= tolerance for left, right in pairs for one, other in zip(left, right, strict=True))
