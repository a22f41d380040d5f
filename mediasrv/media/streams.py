"""
Streams: what PyAV knows of one stream of a file, as a track, and how its ticks become NPT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av.stream

from mediasrv.media.converting import Converter
from mediasrv.media.tracks import Kind, Track, Unit

#: FFmpeg's numbers for what PyAV gives by name
_AAC_PROFILES = {"Main": 0, "LC": 1, "SSR": 2, "LTP": 3, "HE-AAC": 4, "HE-AACv2": 28}

#: so many samples for each key frame are worth a search, once so many key frames have been found
_SPARSE, _FEW_KEYS = 8, 32

#: of which nothing is said (ITU-T H.273)
_UNKNOWN_COLOR = (2, 2, 2)


@dataclass(slots=True)
class PlayedStream:
    """
    One stream of the file that is played: how its packets become units.

    @ivar stream: from PyAV; another one after the file was opened again.
    @ivar scale: NPT = ticks * scale[0] / scale[1] - zero.
    @ivar zero: seconds of NPT 0 by the container's clock.
    @ivar frame: seconds of an audio frame where the container's clock is too coarse to say; else 0.
    @ivar grid: NPT of the first frame of that grid.
    @ivar converter: what makes units of its packets, if they cannot be delivered as they are.
    @ivar nextDTS: NPT seconds where the last unit ended.
    @ivar shift: seconds to add to NPT since the last break (L{mediasrv.media.breaks}) before the packet that was read.
    @ivar held: units of which FFmpeg does not know yet when they are decoded: with B-frames it has to see some packets
        first, from the beginning of the file and after a seek. None once it knows.
    """

    track: Track
    stream: Any
    scale: tuple[int, int]
    zero: float
    frame: float
    grid: float
    converter: Converter | None
    nextDTS: float = 0.0
    shift: float = 0.0
    held: list[Unit] | None = None

    @classmethod
    def of(cls, stream: Any, track: Track, zero: float, converter: Converter | None) -> PlayedStream:
        """
        @param zero: seconds of NPT 0 by the container's clock.
        """
        base = stream.time_base
        coarse = stream.type == "audio" and converter is None and track.sampleRate and base.denominator <= 1000
        return cls(
            track=track,
            stream=stream,
            scale=(base.numerator, base.denominator),
            zero=zero,
            frame=(stream.codec_context.frame_size or 0) / track.sampleRate if coarse else 0.0,
            grid=float(startOf(stream)) - zero,
            converter=converter,
        )

    def npt(self, ticks: int) -> float:
        """NPT seconds of a time by the stream's clock, unless that jumps."""
        return ticks * self.scale[0] / self.scale[1] - self.zero

    def seconds(self, ticks: int | None) -> float:
        """What so many ticks last."""
        return (ticks or 0) * self.scale[0] / self.scale[1]

    def ticks(self, npt: float) -> int:
        """The time by the stream's clock of NPT seconds, unless it jumps."""
        return int((npt + self.zero) * self.scale[1] / self.scale[0] + 0.5)

    def unit(self, packet: Any) -> Unit:
        """The unit that a packet is, as it is."""
        scale, base = self.scale
        zero = self.zero - self.shift
        # every look at an attribute of a packet costs, and this runs for each unit of a file
        pts, dts, ticks = packet.pts, packet.dts, packet.duration
        duration = ticks * scale / base if ticks else 0.0
        if pts is None:
            pts = dts
        presentation = self.nextDTS if pts is None else pts * scale / base - zero
        if self.frame and pts is not None:
            decoding = presentation = self.onGrid(presentation)
        else:
            decoding = presentation if dts is None or dts == pts else dts * scale / base - zero
        self.nextDTS = decoding + duration
        return Unit(decoding, presentation, duration, packet.is_keyframe, bytes(packet))

    def forget(self) -> None:
        """What comes next does not follow what came last."""
        self.nextDTS = 0.0
        reordered = self.track.kind == "video" and self.converter is None and self.stream.codec_context.has_b_frames
        self.held = [] if reordered else None
        if self.converter is not None:
            self.converter.reset()

    def settled(self, unit: Unit) -> list[Unit]:
        """The units held back, with the decoding times that lead to that of the one after them."""
        held, self.held = self.held or [], None
        step = unit.duration or (1 / float(self.track.frameRate) if self.track.frameRate else 0.0)
        for back, earlier in enumerate(reversed(held), 1):
            earlier.dts = unit.dts - back * step
        return held

    def onGrid(self, time: float) -> float:
        """
        The exact time of an audio frame whose container counts milliseconds: frames follow each other without a gap,
        so within one tick of the container's clock the grid of frame lengths is right and the container is rounded.
        """
        exact = self.grid + round((time - self.grid) / self.frame) * self.frame
        return exact if abs(exact - time) <= 1.01 * self.scale[0] / self.scale[1] else time


def isMedia(stream: Any) -> bool:
    """Whether it is sound or moving pictures."""
    if stream.type not in ("video", "audio"):
        return False  # subtitles and data: no player asks for them over RTSP
    # a cover picture is one picture without time
    return not (stream.disposition & av.stream.Disposition.attached_pic)


def startOf(stream: Any) -> Fraction:
    """When a stream starts to be presented, seconds on the file's own clock."""
    return Fraction((stream.start_time or 0) * stream.time_base)


def zeroOf(streams: Iterable[Any]) -> Fraction:
    """Where NPT 0 is on the file's own clock, in seconds: where the first of its tracks starts to be presented."""
    media = (stream for stream in streams if isMedia(stream) and stream.start_time is not None)
    return min(map(startOf, media), default=Fraction(0))


def keyEntries(entries: Any) -> list[tuple[int, int]]:
    """
    The key frames in the index of a stream: ticks, and bytes of the file before each.

    FFmpeg finds the next one much faster than all entries can be looked at in Python, unless there are many of them.
    """
    keys: list[tuple[int, int]] = []
    at = entries.search_timestamp(entries[0].timestamp, backward=False)
    while at >= 0:
        entry = entries[at]
        if (len(keys) >= _FEW_KEYS and at < _SPARSE * len(keys)) or (keys and entry.timestamp <= keys[-1][0]):
            return [(entry.timestamp, entry.pos) for entry in entries if entry.is_keyframe]
        keys.append((entry.timestamp, entry.pos))
        at = entries.search_timestamp(entry.timestamp + 1, backward=False)
    return keys


def describeStream(index: int, stream: Any, rotation: int = 0) -> Track:
    """
    The track that a stream of PyAV is.

    @param rotation: as L{Track} has it, which PyAV does not say.
    """
    context = stream.codec_context
    kind: Kind = stream.type
    video = kind == "video"
    # the codec's own name, not that of a decoder for it ("mp3float", "libdav1d")
    codec = context.codec.canonical_name
    return Track(
        index=index,
        kind=kind,
        codec=codec,
        extradata=bytes(context.extradata or b""),
        bitRate=int(stream.bit_rate or context.bit_rate or 0),
        language=_language(stream),
        title=str(stream.metadata.get("title", "")),
        width=context.width if video else 0,
        height=context.height if video else 0,
        frameRate=Fraction(stream.average_rate or 0) if video else Fraction(0),
        sampleRate=0 if video else int(context.sample_rate or 0),
        channels=0 if video else int(context.layout.nb_channels),
        profile=_AAC_PROFILES.get(str(context.profile), -99) if codec == "aac" else -99,
        level=context.level if video and isinstance(context.level, int) else -99,
        timescale=stream.time_base.denominator if stream.time_base.numerator == 1 else 0,
        sampleAspect=Fraction(stream.sample_aspect_ratio or 1) if video else Fraction(1),
        color=_color(context) if video else _UNKNOWN_COLOR,
        rotation=rotation if video else 0,
    )


def _color(context: Any) -> tuple[int, int, int]:
    primaries, transfer, matrix = context.color_primaries, context.color_trc, context.colorspace
    return int(primaries), int(transfer), int(matrix)


def _language(stream: Any) -> str:
    language = str(stream.metadata.get("language", ""))
    return "" if language == "und" else language
