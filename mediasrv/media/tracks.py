"""
The values that media are made of: tracks, units and fragments.

Every time in this package is NPT: seconds, as a C{float}, from the start of the presentation (RFC 2326 section 3.6). A
double keeps a 90 kHz tick apart over thousands of years, so C{round(time * clockRate)} gives a container's own tick
back exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Kind = Literal["video", "audio", "text"]

#: For whom a presentation is opened: what RTP carries, the transport stream that a file is, or what browsers decode.
View = Literal["rtp", "mp2t", "web"]


@dataclass(slots=True)
class Unit:
    """
    One access unit: a coded picture, an audio frame, or a run of PCM samples.

    @ivar dts: when it is to be decoded, NPT seconds; never decreases within a track.
    @ivar pts: when it is to be shown, NPT seconds. Below zero for what only primes a decoder.
    @ivar duration: seconds; 0.0 where nobody knows.
    @ivar key: whether decoding can start here.
    @ivar data: as the container holds it (H.264 length-prefixed or with start codes, AAC with or without ADTS, …).
    """

    dts: float
    pts: float
    duration: float
    key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Track:
    """
    One stream of a presentation.

    @ivar index: its position in the presentation's list of tracks.
    @ivar codec: FFmpeg's name of the codec of its units: C{"h264"}, C{"aac"}, C{"pcm_s16le"}, …
    @ivar extradata: the codec's parameters as the container holds them (avcC, AudioSpecificConfig, …), or C{b""}.
    @ivar bitRate: bits per second; 0 where nobody knows.
    @ivar language: ISO 639-2 or BCP 47, or C{""}.
    @ivar frameRate: pictures per second on average; 0 where unknown or for audio.
    @ivar profile: FFmpeg's number of the codec's profile (-99: unknown).
    @ivar level: FFmpeg's number of the codec's level (-99: unknown).
    @ivar timescale: ticks a second by which the container counts; 0 where that is no whole number, or nobody knows.
    @ivar sampleAspect: width to height of a pixel.
    @ivar rotation: degrees by which the pictures are to be turned clockwise: 0, 90, 180 or 270. Width and height are
        those before that.
    @ivar color: primaries, transfer characteristics and matrix as ITU-T H.273 numbers them (2: unknown).
    """

    index: int
    kind: Kind
    codec: str
    extradata: bytes = b""
    bitRate: int = 0
    language: str = ""
    title: str = ""
    width: int = 0
    height: int = 0
    frameRate: Fraction = field(default=Fraction(0))
    sampleRate: int = 0
    channels: int = 0
    profile: int = -99
    level: int = -99
    timescale: int = 0
    sampleAspect: Fraction = field(default=Fraction(1))
    color: tuple[int, int, int] = (2, 2, 2)
    rotation: int = 0

    @property
    def shownSize(self) -> tuple[int, int]:
        """Width and height of the pictures as they are to be seen: upright, with square pixels."""
        width = round(self.width * self.sampleAspect)
        return (self.height, width) if self.rotation % 180 else (width, self.height)


@dataclass(slots=True)
class Fragment:
    """
    A piece of an on-demand presentation, all tracks, a few seconds, normally from one key frame to another.

    @ivar number: its place in the presentation, from 0.
    @ivar start: NPT seconds of its first picture.
    @ivar end: NPT seconds where the next fragment starts, or where the presentation ends.
    @ivar units: for each track of the presentation, in order, its units in decoding order.
    @ivar last: whether nothing comes after it.
    @ivar reference: the index of the track that says where playing can start: the first, unless that is silent here.
    """

    number: int
    start: float
    end: float
    units: list[list[Unit]]
    last: bool = False
    reference: int = 0
