"""
What every codec has to say about itself in MP4: its sample entry, its name for C{CODECS}, and its units as samples.

The configuration comes from the container where it has one; MPEG streams have it in their first units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

from mediasrv.media.tracks import Track, Unit
from mediasrv.streaming.fmp4.boxes import box, fullBox

#: ticks a second of pictures, where the container has none that are fine enough
_PICTURE_CLOCK = 90000
#: a container that counts milliseconds has rounded already
_FINE, _FINEST = 10_000, 10_000_000


class NotPackaged(ValueError):
    """A track that cannot be in MP4; the text says why."""


class SampleFormat(ABC):
    """
    One track in MP4.

    @cvar codecs: FFmpeg's names of the codecs.
    @ivar timescale: ticks a second in its segments.
    @ivar codecString: its element of C{CODECS} (RFC 6381).
    @ivar frameTicks: ticks of every sample; 0 where they differ, or nobody knows.
    @ivar silence: a sample that is nothing but silence; C{b""} where there is none.
    @ivar silentTicks: how long that is.
    """

    codecs: ClassVar[frozenset[str]] = frozenset()
    timescale: int
    codecString: str
    frameTicks: int = 0
    silence: bytes = b""
    silentTicks: int = 0

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        """
        @param units: the first ones; none at all if they have not been read, which may be an error then.
        @raise NotPackaged: if the track cannot be described.
        """
        self.track = track

    @abstractmethod
    def entry(self) -> bytes:
        """The sample entry (ISO/IEC 14496-12 section 8.5.2)."""

    def samples(self, unit: Unit) -> list[bytes]:
        """The samples that a unit is: one, or none if it is damaged."""
        return [unit.data]

    def amid(self, unit: Unit) -> Unit:
        """A unit as it is to be in the midst of a segment, where players may start at what looks as if they could."""
        return unit


class PictureFormat(SampleFormat):
    """A track of pictures."""

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        if not 0 < track.width < 1 << 16 or not 0 < track.height < 1 << 16:
            raise NotPackaged(f"pictures of {track.width}x{track.height}")
        self.timescale = track.timescale if _FINE <= track.timescale <= _FINEST else _PICTURE_CLOCK

    def visualEntry(self, kind: bytes, configuration: bytes) -> bytes:
        """
        A sample entry for pictures (ISO/IEC 14496-12 section 12.1.3).

        @param configuration: the codec's own box.
        """
        track = self.track
        size = track.width.to_bytes(2, "big") + track.height.to_bytes(2, "big")
        fixed = (_START, bytes(16), size, _RESOLUTION, bytes(4), b"\0\1", bytes(32), b"\0\x18\xff\xff")
        return box(kind, *fixed, configuration, *self._color(), *self._aspect())

    def _color(self) -> list[bytes]:
        color = self.track.color
        if color == (2, 2, 2) or not all(0 <= each < 256 for each in color):
            return []
        return [box(b"colr", b"nclx", *(each.to_bytes(2, "big") for each in color), b"\0")]

    def _aspect(self) -> list[bytes]:
        aspect = Fraction(self.track.sampleAspect)
        if aspect <= 0 or aspect == 1:
            return []
        aspect = aspect.limit_denominator(1 << 16)
        return [box(b"pasp", aspect.numerator.to_bytes(4, "big"), aspect.denominator.to_bytes(4, "big"))]


class SoundFormat(SampleFormat):
    """A track of sound; it counts samples."""

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        if track.sampleRate <= 0:
            raise NotPackaged("sound without a sample rate")
        self.timescale = track.sampleRate

    def soundEntry(self, kind: bytes, configuration: bytes, bits: int = 16) -> bytes:
        """
        A sample entry for sound (ISO/IEC 14496-12 section 12.2.3).

        @param bits: of a sample.
        """
        track = self.track
        # 16.16: what is more than it can say is left to the configuration
        rate = (track.sampleRate if track.sampleRate < 1 << 16 else 0) << 16
        channels = (track.channels or 2).to_bytes(2, "big")
        return box(
            kind, _START, bytes(8), channels, bits.to_bytes(2, "big"), bytes(4), rate.to_bytes(4, "big"), configuration
        )


#: six bytes reserved, and the data reference that says "in this file"
_START = bytes(6) + b"\0\1"
#: 72 dots an inch, twice
_RESOLUTION = b"\0\x48\0\0" * 2


def elementaryStream(objectType: int, specific: bytes) -> bytes:
    """
    C{esds}: what MPEG-4 Systems says of a stream of sound (ISO/IEC 14496-1 section 7.2.6, 14496-14 section 5.6).

    @param objectType: ISO/IEC 14496-1 table 5.
    @param specific: the DecoderSpecificInfo; none if empty.
    """
    info = _descriptor(5, specific) if specific else b""
    decoder = _descriptor(4, bytes((objectType, 0x15)) + bytes(11) + info)
    return fullBox(b"esds", 0, 0, _descriptor(3, bytes(3) + decoder + _descriptor(6, b"\2")))


def _descriptor(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes((tag, *(size >> shift & 0x7F | 0x80 for shift in (21, 14, 7)), size & 0x7F)) + content
