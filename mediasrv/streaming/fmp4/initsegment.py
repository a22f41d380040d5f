"""
Init segments: what a decoder needs before any media (ISO/IEC 14496-12 section 8, ISO/IEC 23000-19 section 7.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mediasrv.media.tracks import Track
from mediasrv.streaming.fmp4.boxes import box, fullBox
from mediasrv.streaming.fmp4.formats import SampleFormat
from mediasrv.streaming.fmp4.timelines import Timeline

#: what the files are good for: base media with movie fragments that start where they say, and CMAF tracks
BRANDS = b"iso6\0\0\0\0iso6mp41cmfc"

#: ticks a second of the whole presentation
_MOVIE_CLOCK = 1000
#: 16.16, and the 2.30 in the last column of a matrix
_ONE, _LAST = 0x10000, 0x40000000
#: enabled, in the movie, in the preview
_ENABLED = 7
#: the media is in this file
_SELF = 1


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """
    A track as its segments have it.
    """

    track: Track
    format: SampleFormat
    timeline: Timeline

    @property
    def number(self) -> int:
        """Its C{track_ID}; each track is in segments of its own, but players like them to differ."""
        return self.track.index + 1


def initSegment(packaged: PackagedTrack, duration: float) -> bytes:
    """
    The init segment of a track.

    @param duration: NPT seconds of the end.
    """
    movie = _ints(4, 0, 0, _MOVIE_CLOCK, 0, _ONE) + b"\1\0" + bytes(10) + _matrix(0, 0, 0) + bytes(24)
    number = packaged.number
    extends = box(
        b"mvex",
        fullBox(b"mehd", 1, 0, round(duration * _MOVIE_CLOCK).to_bytes(8, "big")),
        fullBox(b"trex", 0, 0, _ints(4, number, 1, 0, 0, 0)),
    )
    header = fullBox(b"mvhd", 0, 0, movie + (number + 1).to_bytes(4, "big"))
    return box(b"ftyp", BRANDS) + box(b"moov", header, _track(packaged), extends)


def _track(packaged: PackagedTrack) -> bytes:
    track = packaged.track
    isVideo = track.kind == "video"
    # with square pixels, before it is turned
    width = min(round(track.width * track.sampleAspect), 0xFFFF) if isVideo else 0
    height = track.height if isVideo else 0
    header = (
        _ints(4, 0, 0, packaged.number, 0, 0)
        + bytes(8)
        + _ints(2, 0, int(track.kind == "audio"), 0 if isVideo else 0x100, 0)
        + _matrix(track.rotation, width, height)
        + _ints(4, width << 16, height << 16)
    )
    return box(b"trak", fullBox(b"tkhd", 0, _ENABLED, header), *_edits(packaged.timeline), _media(packaged))


def _matrix(rotation: int, width: int, height: int) -> bytes:
    """
    What turns pictures, and puts them back to where they were (ISO/IEC 14496-12 section 6.2.2).

    @param rotation: as L{Track} has it.
    """
    a, b, c, d = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}.get(rotation, (1, 0, 0, 1))
    x, y = {90: (height, 0), 180: (width, height), 270: (0, width)}.get(rotation, (0, 0))
    # a shift by 32768 pixels or more has no place in it; what is shown is the same without
    numbers = (a * _ONE, b * _ONE, 0, c * _ONE, d * _ONE, 0, x << 16, y << 16, _LAST)
    return b"".join((number & 0xFFFFFFFF).to_bytes(4, "big") for number in numbers)


def _edits(timeline: Timeline) -> list[bytes]:
    """The edit that leaves out what is before NPT 0: it lasts as long as there are fragments, written as 0."""
    if not timeline.lead:
        return []
    return [box(b"edts", fullBox(b"elst", 1, 0, _ints(4, 1), _ints(8, 0, timeline.lead), b"\0\1\0\0"))]


def _media(packaged: PackagedTrack) -> bytes:
    isVideo = packaged.track.kind == "video"
    language = _language(packaged.track.language)
    handler, kind = (b"vide", b"vmhd") if isVideo else (b"soun", b"smhd")
    return box(
        b"mdia",
        fullBox(b"mdhd", 0, 0, _ints(4, 0, 0, packaged.format.timescale, 0) + language + bytes(2)),
        fullBox(b"hdlr", 0, 0, bytes(4), handler, bytes(13)),
        box(
            b"minf",
            fullBox(kind, 0, int(isVideo), bytes(8 if isVideo else 4)),
            box(b"dinf", fullBox(b"dref", 0, 0, _ints(4, 1), fullBox(b"url ", 0, _SELF))),
            box(
                b"stbl",
                fullBox(b"stsd", 0, 0, _ints(4, 1), packaged.format.entry()),
                *(fullBox(table, 0, 0, bytes(4)) for table in (b"stts", b"stsc")),
                fullBox(b"stsz", 0, 0, bytes(8)),
                fullBox(b"stco", 0, 0, bytes(4)),
            ),
        ),
    )


def _language(language: str) -> bytes:
    """Three letters of ISO 639-2 in 15 bits (ISO/IEC 14496-12 section 8.4.2)."""
    letters = language if re.fullmatch("[a-z]{3}", language) else "und"
    packed = 0
    for letter in letters:
        packed = packed << 5 | ord(letter) - 0x60
    return packed.to_bytes(2, "big")


def _ints(size: int, *values: int) -> bytes:
    return b"".join(value.to_bytes(size, "big") for value in values)
