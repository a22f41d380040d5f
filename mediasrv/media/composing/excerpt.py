"""
A clip: a file, or what lies between two times of it.

Pictures can only begin at a key frame, so a clip with pictures begins at the one at or before the time that was asked
for, and its sound with it. The end is exact: nothing is played that is shown then or later, and where pictures are
reordered nothing that would need such a picture either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from mediasrv.media.composing.part import ROUNDING, Part, move, moved, numbered
from mediasrv.media.descriptions.tree import Clip, DescriptionError
from mediasrv.media.fragments import Cut, sampleBytes, splitSamples
from mediasrv.media.presentation import Presentation, Section
from mediasrv.media.tracks import Fragment, Track, Unit

#: seconds to look back for a key frame
_LOOK_BACK = 60.0

#: seconds before its first picture or sound at which a file may have what primes a decoder; what is earlier is wrong
_LONGEST_LEAD = 1.0

#: seconds that a frame of sound lasts at most
_LONGEST_FRAME = 0.2


class Excerpt(Part):
    """
    A clip of a presentation.

    @ivar presentation: which.
    """

    def __init__(self, presentation: Presentation, clip: Clip, earlier: float = 0.0) -> None:
        """
        Reads where it begins; blocks.

        @param earlier: seconds by which it is to begin earlier than it says, if there is something.
        @raise DescriptionError: if nothing of it can be played.
        @raise mediasrv.media.presentation.PresentationChanged: as L{Presentation.read}.
        """
        self.presentation = presentation
        self._wanted = [track for track in presentation.tracks if clip.only in (None, track.kind)]
        if not self._wanted:
            raise DescriptionError(f"{clip.place}: it has no {clip.only}")
        self.omitted = []
        sound = clip.language
        self.tracks = numbered(
            [
                replace(
                    track,
                    language=sound if sound and track.kind == "audio" else track.language,
                    title=clip.title or track.title,
                )
                for track in self._wanted
            ]
        )
        self._end = presentation.duration if clip.end is None else min(clip.end, presentation.duration)
        begin = max(0.0, clip.begin - earlier)
        if begin >= self._end - ROUNDING:
            raise DescriptionError(f"{clip.place}: it ends before it begins, or begins after its end")
        #: for each track the decoding time of its first unit
        self._entries = [-inf] * len(self._wanted)
        self._first = 0
        self._zero = 0.0
        if begin > 0:
            self._enter(begin)
        last = presentation.fragmentAt(self._end - 2 * ROUNDING)
        self.early = clip.begin - self._zero
        self.duration = self._end - self._zero
        start = presentation.cuts[self._first]
        self.cuts = [Cut(min(start.dts - self._zero, 0.0) if not self._first else 0.0, 0.0, True)]
        inner = presentation.cuts[self._first + 1 : max(last, self._first) + 1]
        self.cuts += [moved(cut, -self._zero) for cut in inner]
        self.sections = [Section(0, self.tracks)]
        units = self.read(0).units
        self.lead = max(0.0, -min((unit.pts for each in units for unit in each), default=0.0))
        self.tail = self._tailOf(self.read(len(self.cuts) - 1).units)
        first = units[0][:1]
        if first:
            self.cuts[0] = Cut(min(first[0].dts, 0.0), 0.0, first[0].key)

    def _tailOf(self, units: Sequence[Sequence[Unit]]) -> float:
        """How much longer than the clip its last frames of sound are."""
        tail = 0.0
        for track, each in zip(self._wanted, units, strict=True):
            if track.kind != "video" and each:
                # the last one may be said to be shorter than it is
                frame = each[-1].duration if sampleBytes(track) else max(unit.duration for unit in each[-3:])
                tail = max(tail, each[-1].pts + frame - self.duration)
        return tail if tail <= _LONGEST_FRAME else 0.0

    def _enter(self, begin: float) -> None:
        """Finds where to begin: the last key frame at or before, or for sound the very time."""
        presentation, reference = self.presentation, self._wanted[0]
        self._first = number = presentation.fragmentAt(begin)
        self._zero = begin
        if reference.kind != "video":
            return
        while presentation.cuts[number].pts > begin - _LOOK_BACK or not number:
            units = presentation.read(number).units
            keys = [unit for unit in units[reference.index] if unit.key and unit.pts <= begin + ROUNDING]
            if keys:
                self._first, self._zero = number, max(0.0, keys[-1].pts)
                self._enterTracks(units, keys[-1])
                return
            if not number:
                break
            number -= 1
        # key frames are too rare: decoders find their way from between, as they do after a seek
        self._zero = presentation.cuts[self._first].pts

    def _enterTracks(self, units: Sequence[Sequence[Unit]], key: Unit) -> None:
        self._entries[0] = key.dts
        for place, track in enumerate(self._wanted[1:], 1):
            if track.kind == "video":
                entries = (unit for unit in units[track.index] if unit.key and unit.pts >= self._zero - ROUNDING)
                self._entries[place] = next((unit.dts for unit in entries), inf)

    def sources(self, number: int) -> Sequence[Presentation]:
        return [self.presentation]

    def shownAt(self, time: float) -> tuple[Presentation, float]:
        return self.presentation, self._zero + time

    @property
    def holds(self) -> bool:
        return False

    def release(self) -> None:
        """It holds nothing."""

    def read(self, number: int) -> Fragment:
        fragment = self.presentation.read(self._first + number)
        units = [
            self._within(track, fragment.units[track.index], self._entries[place], isFirst=not number)
            for place, track in enumerate(self._wanted)
        ]
        for each in units:
            move(each, -self._zero)
        isLast = number + 1 == len(self.cuts)
        end = self.duration if isLast else self.cuts[number + 1].pts
        start = units[0][0].pts if units[0] and units[0][0].key else self.cuts[number].pts
        return Fragment(number, start, end, units, isLast or fragment.last)

    def _within(self, track: Track, units: Sequence[Unit], entry: float, isFirst: bool) -> list[Unit]:
        """The units of a track that belong to the clip."""
        begin = (self._zero if self._zero else -_LONGEST_LEAD) - ROUNDING
        end = self._end - ROUNDING
        if track.kind != "video":
            if isFirst or (units and units[-1].pts + units[-1].duration > end):
                units = [part for unit in units for part in self._cut(track, unit)]
            return [unit for unit in units if begin <= unit.pts < end]
        if isFirst:
            units = [unit for unit in units if unit.dts >= entry - ROUNDING and unit.pts >= begin]
        tooLate = next((place for place, unit in enumerate(units) if unit.pts >= end), len(units))
        return list(units[:tooLate])

    def _cut(self, track: Track, unit: Unit) -> list[Unit]:
        """A run of samples, cut where the clip begins and ends; anything else as it is."""
        parts = [unit]
        for time in (self._zero, self._end):
            last = parts[-1]
            if sampleBytes(track) and last.pts + ROUNDING < time < last.pts + last.duration - ROUNDING:
                parts[-1:] = splitSamples(track, last, time)
        return parts
