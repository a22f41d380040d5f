"""
Pictures: what a decoded frame looks like on a screen, small, as JPEG (ITU-T T.81 in a JFIF file).

Upright as its display matrix says, in square pixels, in the colours that JPEG stands for: BT.601 with full range, HDR
brought down to what any screen shows. Nothing of the file's metadata comes along.
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Any

import av
import av.error
from av.codec.context import Flags
from av.video.reformatter import ColorTrc

#: what pictures are made of: 4:2:0, full range
_PIXELS = "yuvj420p"

#: quality step of FFmpeg's JPEG encoder: 1 is best, 31 worst
_QUALITY = "4"

#: a picture is at most so many times as high as it is wide, and pixels are no more out of square
_EXTREME = 3

#: transfer characteristics whose brightness no common screen has (ITU-R BT.2100)
_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)

#: every how many pixels' brightness is looked at
_SAMPLED = 7


def shrink(frame: Any, width: int, aspect: Fraction | None) -> Any:
    """
    The frame as it is to be seen, not larger than it was.

    @param frame: decoded, from PyAV.
    @param width: pixels across at most; and three times as many down.
    @param aspect: width of a pixel by its height; None if nobody knows.
    @return: a frame that L{codeJPEG} takes.
    @raise ValueError: and FFmpeg's errors, if that is not to be had.
    """
    quarters = round(frame.rotation / 90) % 4
    across, down = _fitted(frame.width, frame.height, width, aspect, bool(quarters % 2))
    wanted = {"width": across, "height": down, "format": _PIXELS, "interpolation": "AREA", "threads": 1}
    wanted |= {"dst_colorspace": "ITU601", "dst_color_range": "JPEG"}
    if frame.color_trc in _HDR:
        try:
            small = frame.reformat(**wanted, dst_color_trc="BT709", dst_color_primaries="BT709")
        except av.error.FFmpegError:  # whatever else is odd about its colours
            small = frame.reformat(**wanted)
    else:
        small = frame.reformat(**wanted)
    return _turned(small, quarters) if quarters else small


def _fitted(width: int, height: int, widest: int, aspect: Fraction | None, onItsSide: bool) -> tuple[int, int]:
    """The size, in square pixels and before it is turned, at which a frame comes out at most so wide."""
    if aspect is None or not Fraction(1, _EXTREME) <= aspect <= _EXTREME:
        aspect = Fraction(1)
    # pixels are made larger, never smaller: nothing that is there gets lost
    shown = (width * max(aspect, Fraction(1)), height / min(aspect, Fraction(1)))
    across, down = reversed(shown) if onItsSide else shown
    scale = min(Fraction(1), widest / Fraction(across), _EXTREME * widest / Fraction(down))
    # chroma has half the size
    return max(2, 2 * round(shown[0] * scale / 2)), max(2, 2 * round(shown[1] * scale / 2))


def _turned(frame: Any, quarters: int) -> Any:
    """The frame, turned counterclockwise by so many right angles."""
    size = (frame.width, frame.height) if quarters == 2 else (frame.height, frame.width)
    turned = av.VideoFrame(*size, _PIXELS)
    for source, target in zip(frame.planes, turned.planes, strict=True):
        width, height = source.width, source.height
        pixels = _packed(source)
        if quarters == 1:
            rows = [pixels[column::width] for column in range(width - 1, -1, -1)]
        elif quarters == 2:
            pixels = pixels[::-1]
            rows = [pixels[start : start + width] for start in range(0, len(pixels), width)]
        else:
            rows = [pixels[(height - 1) * width + column :: -width] for column in range(width)]
        padding = bytes(target.line_size - target.width)
        target.update(b"".join(row + padding for row in rows).ljust(target.buffer_size, b"\0"))
    return turned


def _packed(plane: Any) -> bytes:
    """The bytes of a plane without the padding of its lines."""
    data, width, stride = bytes(plane), plane.width, plane.line_size
    if width == stride:
        return data[: width * plane.height]
    return b"".join(data[start : start + width] for start in range(0, stride * plane.height, stride))


def brightnessOf(frame: Any) -> tuple[float, float]:
    """
    How bright a picture of L{shrink} is, and how much that differs from place to place: the mean and the standard
    deviation of its luminance, where 255 is white.
    """
    samples = _packed(frame.planes[0])[::_SAMPLED]
    mean = sum(samples) / len(samples)
    square = sum(value * value for value in samples) / len(samples)
    return mean, sqrt(max(0.0, square - mean * mean))


def codeJPEG(frame: Any) -> bytes:
    """
    A picture of L{shrink} as a JPEG file.

    @raise av.error.FFmpegError: if the encoder does not want it.
    """
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, _PIXELS
    encoder.time_base = Fraction(1, 25)
    encoder.sample_aspect_ratio = Fraction(1)
    encoder.thread_count = 1
    encoder.flags |= Flags.bitexact  # no comment about the encoder
    encoder.options = {"qmin": _QUALITY, "qmax": _QUALITY}
    frame.pts, frame.time_base = 0, encoder.time_base
    return b"".join(bytes(coded) for coded in (*encoder.encode(frame), *encoder.encode(None)))
