"""
Conversion, on the fly, of what RTP has no payload format for: sound that nothing carries (FLAC, DTS, float PCM, …) to
16-bit PCM, and JPEG pictures that RFC 2435 cannot express to ones that it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol

import av
import av.error
import av.filter

from mediasrv.media.tracks import Track

#: more than eight channels are no audio that a player of RTP knows
_MAXIMUM_CHANNELS = 8

#: sum of the quantization table (that of MPEG-1) which FFmpeg's JPEG encoder scales, eight times its quality step
_REFERENCE_TABLE = 2114 / 8

#: quality steps of FFmpeg's JPEG encoder: best, worst, and where the source does not tell
_BEST, _WORST, _GOOD = 1, 31, 3

#: the encoder's clock, which nobody looks at
_CODED_BASE = Fraction(1, 25)


class Converter(Protocol):
    """Makes units of another codec of the packets of one stream."""

    def describe(self, track: Track) -> Track:
        """The track that comes out, for the one that went in."""

    def reset(self) -> None:
        """Forgets what went before: the next packet follows a seek."""

    def reopened(self, context: Any) -> None:
        """Goes on with another codec context: the file was opened again."""

    def convert(self, packet: Any) -> list[tuple[float, float, bytes]]:
        """
        What becomes of a packet.

        @return: for each unit when it starts in seconds by the container's clock, how many seconds it lasts, and its
            data. A damaged packet gives nothing.
        """


class PCMConverter:
    """Turns packets of one audio stream into interleaved little-endian 16-bit samples at the stream's own rate."""

    def __init__(self, context: Any) -> None:
        """
        @param context: the codec context of the stream, from PyAV.
        """
        self._context = _alone(context)
        self._channels = min(context.layout.nb_channels, _MAXIMUM_CHANNELS)
        self._layout = context.layout.name if self._channels == context.layout.nb_channels else "stereo"
        self._rate = context.sample_rate
        self._resampler: _Resampler | None = None
        self._end: float | None = None  # seconds where the last frame ended

    def describe(self, track: Track) -> Track:
        """As L{Converter.describe}."""
        channels = self._channels if self._layout != "stereo" else 2
        return replace(
            track,
            codec="pcm_s16le",
            extradata=b"",
            channels=channels,
            bitRate=track.sampleRate * channels * 16,
            profile=-99,
        )

    def reset(self) -> None:
        """As L{Converter.reset}."""
        self._context.flush_buffers()
        self._resampler = None
        self._end = None

    def reopened(self, context: Any) -> None:
        """As L{Converter.reopened}."""
        self._context = _alone(context)
        self._resampler = None
        self._end = None

    def convert(self, packet: Any) -> list[tuple[float, float, bytes]]:
        """As L{Converter.convert}."""
        try:
            frames = self._context.decode(packet)
        except (av.error.FFmpegError, ValueError):
            return []
        sounds = []
        for frame in frames:
            # of several frames in a packet only the first has a time
            start = frame.time if frame.time is not None else self._end
            if start is None or not frame.samples or not frame.sample_rate:
                continue
            duration = frame.samples / frame.sample_rate
            self._end = start + duration
            try:
                sounds.append((start, duration, b"".join(self._convert(frame))))
            except (av.error.FFmpegError, ValueError):
                continue
        return sounds

    def _convert(self, frame: Any) -> list[bytes]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind == ("s16", self._layout, self._rate):
            return [self._samples(frame)]
        if self._resampler is None or self._resampler.kind != kind:
            # a broadcast has stereo now and six channels then; who was told of stereo goes on to get that
            self._resampler = _Resampler(kind, self._layout, self._rate)
        return [self._samples(converted) for converted in self._resampler.resample(frame)]

    def _samples(self, frame: Any) -> bytes:
        # a plane is padded beyond its samples
        return bytes(frame.planes[0])[: frame.samples * 2 * frame.layout.nb_channels]


class _Resampler:
    """
    Makes 16-bit samples of frames of one kind. PyAV's own has as many threads as there are processors, for each file.

    @ivar kind: sample format, channel layout and sample rate of what it takes.
    """

    def __init__(self, kind: tuple[str, str, int], layout: str, rate: int) -> None:
        self.kind = kind
        form, channels, source = kind
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        taken = {"sample_rate": str(source), "sample_fmt": form, "channel_layout": channels, "time_base": f"1/{source}"}
        made = {"sample_rates": str(rate), "sample_fmts": "s16", "channel_layouts": layout}
        self._graph.link_nodes(
            self._graph.add("abuffer", **taken), self._graph.add("aformat", **made), self._graph.add("abuffersink")
        ).configure()

    def resample(self, frame: Any) -> Iterator[Any]:
        self._graph.push(frame)
        while True:
            try:
                yield self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


class JPEGConverter:
    """Codes JPEG pictures anew, each by itself: 4:2:0, baseline, with the Huffman tables of the standard."""

    def __init__(self, context: Any) -> None:
        """
        @param context: the codec context of the stream, from PyAV.
        """
        self.reopened(context)
        self._encoder: Any = None
        self._count = 0
        self._kind: tuple[int, int, int] | None = None  # width, height and quality of what the encoder takes

    def describe(self, track: Track) -> Track:
        """As L{Converter.describe}."""
        return replace(track, bitRate=0, extradata=b"", profile=-99)

    def reset(self) -> None:
        """Every picture stands for itself: there is nothing to forget."""

    def reopened(self, context: Any) -> None:
        """As L{Converter.reopened}."""
        self._context = _alone(context)

    def convert(self, packet: Any) -> list[tuple[float, float, bytes]]:
        """As L{Converter.convert}."""
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return []
        try:
            frames = self._context.decode(packet)
            data = b"".join(self._encode(frame, bytes(packet)) for frame in frames[:1])
        except (av.error.FFmpegError, ValueError):
            return []
        base = packet.time_base
        return [(float(time * base), float((packet.duration or 0) * base), data)] if data else []

    def _encode(self, frame: Any, source: bytes) -> bytes:
        frame = frame.reformat(format="yuvj420p")
        kind = (frame.width, frame.height, _qualityOf(source))
        if kind != self._kind:
            self._encoder, self._kind = _encoder(*kind), kind
        # the encoder wants its times to grow; ours are the packet's
        self._count += 1
        frame.pts, frame.time_base = self._count, _CODED_BASE
        return b"".join(bytes(coded) for coded in self._encoder.encode(frame))


def _alone(context: Any) -> Any:
    """
    A codec context that decodes in the thread that asks. Else each file that is open would have as many threads as
    there are processors; and several would answer a packet with the picture of an earlier one.
    """
    context.thread_type = "NONE"
    context.thread_count = 1
    return context


def _encoder(width: int, height: int, quality: int) -> Any:
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = _CODED_BASE
    encoder.thread_count = 1
    encoder.options = {"huffman": "default", "qmin": str(quality), "qmax": str(quality)}
    return encoder


def _qualityOf(picture: bytes) -> int:
    """The quality step of FFmpeg's encoder that comes nearest to a picture's table for luminance (T.81 B.2.4.1)."""
    at = picture.find(b"\xff\xdb")
    table = picture[at + 5 : at + 69]
    if at < 0 or len(table) < 64 or picture[at + 4] >> 4:
        return _GOOD
    return min(_WORST, max(_BEST, round(sum(table) / _REFERENCE_TABLE)))
