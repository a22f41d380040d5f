"""
A presentation as HLS has it: where its segments are, what its tracks are in MP4, and all that is made of it.

Made and asked in reader threads, but for what says otherwise: everything here reads the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import Presentation
from mediasrv.media.tracks import Track, Unit
from mediasrv.streaming.fmp4.formats import NotPackaged
from mediasrv.streaming.fmp4.initsegment import PackagedTrack, initSegment
from mediasrv.streaming.fmp4.mediasegment import mediaSegment
from mediasrv.streaming.fmp4.registry import sampleFormatFor
from mediasrv.streaming.fmp4.silence import filled
from mediasrv.streaming.fmp4.timelines import Timeline
from mediasrv.web.hls.segmenting import Segment, planSegments

#: changes with what is made of a file: URLs are kept for ever, and must then be others
_REVISION = 2

#: bytes of memory for each segment and each track of a package, about
_BOOKKEEPING = 400


@dataclass(frozen=True, slots=True)
class Made:
    """
    A segment of each track, or one key frame.

    @ivar data: by the number of the track; empty for what is no track of the package.
    @ivar size: bytes of all.
    """

    data: tuple[bytes, ...]
    size: int


class Package:
    """
    One version of a presentation.

    @ivar version: names it in URLs: another file or another way to cut it has another one.
    @ivar segments: in order.
    @ivar tracks: those that can be in MP4.
    @ivar refused: a sentence for each track that cannot.
    @ivar size: bytes of memory, about.
    """

    def __init__(self, presentation: Presentation, segmentDuration: float) -> None:
        """
        Reads the first fragment.

        @raise NotMedia: if none of its tracks can be in MP4.
        @raise mediasrv.media.presentation.PresentationChanged: as L{Presentation.read}.
        """
        self.presentation = presentation
        starts = [section.first for section in presentation.sections]
        self.segments = planSegments(presentation.cuts, starts, presentation.duration, segmentDuration)
        self.version = _versionOf(presentation, self.segments)
        self._sections: dict[int, dict[int, PackagedTrack]] = {}
        self.refused: list[str] = []
        packaged = self.section(0)
        self.tracks: list[Track] = [track for track in presentation.tracks if track.index in packaged]
        if not self.tracks:
            raise NotMedia("; ".join(self.refused))
        self.size = _BOOKKEEPING * (len(self.segments) + len(presentation.cuts) // 4) * (1 + len(self.tracks))

    @property
    def video(self) -> Track | None:
        """The pictures that are played; of several tracks the first. Reads nothing."""
        return next((track for track in self.tracks if track.kind == "video"), None)

    @property
    def sounds(self) -> list[Track]:
        """The tracks of sound. Reads nothing."""
        return [track for track in self.tracks if track.kind == "audio"]

    @cached_property
    def keyFrames(self) -> list[int]:
        """The numbers of the fragments that start with a key frame. Reads nothing."""
        return [number for number, cut in enumerate(self.presentation.cuts) if cut.key] if self.video else []

    def section(self, number: int) -> dict[int, PackagedTrack]:
        """The tracks of a section by their numbers, as its segments have them; its first fragment says how."""
        known = self._sections.get(number)
        if known is None:
            section = self.presentation.sections[number]
            fragment = self.presentation.read(section.first)
            known = {}
            for track, units in zip(section.tracks, fragment.units, strict=True):
                packaged = self._package(track, units)
                if packaged is not None:
                    known[track.index] = packaged
            # two threads may have done so; they come to the same
            self._sections[number] = known
        return known

    def _package(self, track: Track, units: Sequence[Unit]) -> PackagedTrack | None:
        try:
            format = sampleFormatFor(track, units)
        except NotPackaged as error:
            self.refused.append(f"track {track.index} ({track.codec}): {error}")
            return None
        return PackagedTrack(track, format, Timeline.startingWith(units, format.timescale, format.frameTicks))

    def codecStrings(self, track: int) -> list[str]:
        """How C{CODECS} names a track, in all sections."""
        names: list[str] = []
        for number in range(len(self.presentation.sections)):
            packaged = self.section(number).get(track)
            if packaged is not None and packaged.format.codecString not in names:
                names.append(packaged.format.codecString)
        return names

    def init(self, track: int, section: int) -> bytes:
        """
        The init segment of a track in a section.

        @raise KeyError: if it is not there.
        """
        return initSegment(self.section(section)[track], self.presentation.duration)

    def make(self, number: int) -> Made:
        """A segment of every track; what is read for one is read for all."""
        segment = self.segments[number]
        units: list[list[Unit]] = [[] for _ in self.presentation.tracks]
        for fragment in range(segment.first, segment.stop):
            for all_, more in zip(units, self.presentation.read(fragment).units, strict=True):
                all_ += more
        packaged = self.section(segment.section)
        data = tuple(
            self._segment(packaged[track], number, units[track]) if track in packaged else b""
            for track in range(len(units))
        )
        return Made(data, sum(map(len, data)))

    def _segment(self, packaged: PackagedTrack, number: int, units: Sequence[Unit]) -> bytes:
        segment, track = self.segments[number], packaged.track
        if self.video is not None and track.kind == "audio":
            units = filled(packaged, units, segment.start, segment.end)
        return mediaSegment(packaged, number, units, self._endOf(track.index, segment))

    def _endOf(self, track: int, segment: Segment) -> float | None:
        """
        NPT seconds in decoding order where what follows a segment of a track starts, if that is known: where the
        pictures have their next key frame.
        """
        cuts = self.presentation.cuts
        if track or segment.stop >= len(cuts) or not self.video:
            return None
        following = cuts[segment.stop]
        isSame = all(each.first != segment.stop for each in self.presentation.sections)
        return following.dts if following.key and isSame else None

    def makeKeyFrame(self, number: int) -> Made:
        """The key frame with which a fragment starts, of the pictures that are played, as a segment of its own."""
        video = self.video
        index = self.keyFrames.index(number)
        if video is None:
            raise KeyError(number)
        section = max(at for at, each in enumerate(self.presentation.sections) if each.first <= number)
        units = [unit for unit in self.presentation.read(number).units[video.index] if unit.key][:1]
        until = self.keyFrameEnd(index)
        data = mediaSegment(self.section(section)[video.index], number, units, until)
        return Made((data,), len(data))

    def keyFrameEnd(self, index: int) -> float:
        """NPT seconds until which a key frame is shown if nothing else is; C{index} counts L{keyFrames}."""
        cuts, frames = self.presentation.cuts, self.keyFrames
        return cuts[frames[index + 1]].pts if index + 1 < len(frames) else self.presentation.duration


def _versionOf(presentation: Presentation, segments: Sequence[Segment]) -> str:
    """A name of what comes of a file: the file's, and how it is cut."""
    named = [str(_REVISION), presentation.version.etag, str(len(presentation.tracks))]
    named += [f"{each.first} {each.start:.6f}" for each in segments]
    return hashlib.blake2s("\n".join(named).encode(), digest_size=8).hexdigest()
