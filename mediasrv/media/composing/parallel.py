"""
Clips at the same time: a film and its dubbed sound, a talk and its slides.

The first one with pictures decides where the fragments start. The others are read by time: each is cut anew at these
places, so a fragment has what belongs together, and nothing comes twice or is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mediasrv.media.composing.part import Part, move, moved, numbered, parametersOf
from mediasrv.media.composing.sequence import MOST_TRACKS
from mediasrv.media.descriptions.tree import DescriptionError
from mediasrv.media.fragments import LONGEST, Cut, FragmentReader, extendCuts
from mediasrv.media.presentation import Presentation, Section
from mediasrv.media.tracks import Fragment, Track, Unit


class Parallel(Part):
    """Parts at the same time, as long as the longest."""

    def __init__(self, parts: Sequence[Part], names: Sequence[str], fragmentDuration: float) -> None:
        """
        @param names: of the parts, for messages.
        @raise DescriptionError: if nothing can be played.
        """
        if not parts:
            raise DescriptionError("it names no clips")
        self.omitted = [sentence for part in parts for sentence in part.omitted]
        self.early = max(part.early for part in parts)
        shifts = [self.early - part.early for part in parts]
        self.lead = max(0.0, *(part.lead - shift for part, shift in zip(parts, shifts, strict=True)))
        self.duration = max(part.duration + shift for part, shift in zip(parts, shifts, strict=True))
        ends = (part.duration + part.tail + shift for part, shift in zip(parts, shifts, strict=True))
        self.tail = max(0.0, max(ends) - self.duration)
        leader = next((at for at, part in enumerate(parts) if part.tracks[0].kind == "video"), 0)
        self._leader, self._shift = parts[leader], shifts[leader]
        isVideo = self._leader.tracks[0].kind == "video"
        first, *others = (moved(cut, self._shift) for cut in self._leader.cuts)
        self.cuts = [Cut(min(first.dts, 0.0), 0.0, first.key), *others]
        step = LONGEST if isVideo else fragmentDuration
        extendCuts(self.cuts, self.duration, step, fragmentDuration, key=not isVideo)
        self._followers = [
            _Follower(part, shift, self.cuts)
            for at, (part, shift) in enumerate(zip(parts, shifts, strict=True))
            if at != leader
        ]
        self._choose(dict(zip(map(id, parts), names, strict=True)))
        self._lock = threading.Lock()

    def _choose(self, names: dict[int, str]) -> None:
        """Says which tracks there are, and of whom."""
        leader = [(-1, track) for track in self._leader.tracks]
        others = [
            (at, track)
            for at, follower in enumerate(self._followers)
            for track in follower.part.tracks
            if self._isSteady(follower.part, track, names)
        ]
        chosen = sorted([*leader, *others], key=lambda each: each[1].kind != "video")
        for at, track in chosen[MOST_TRACKS:]:
            part = self._leader if at < 0 else self._followers[at].part
            self.omitted.append(f"{names[id(part)]}: its {track.kind} is one track too many")
        chosen = chosen[:MOST_TRACKS]
        self.tracks = numbered([track for _, track in chosen])
        #: for each track who has it (-1: the leader), and which of his it is
        self._places = [(at, track.index) for at, track in chosen]
        self.sections = []
        for section in self._leader.sections:
            tracks = [
                track if at >= 0 else replace(section.tracks[place], index=track.index)
                for track, (at, place) in zip(self.tracks, self._places, strict=True)
            ]
            silent = {index for index, (at, place) in enumerate(self._places) if at < 0 and place in section.silent}
            self.sections.append(Section(section.first, tracks, frozenset(silent)))

    def _isSteady(self, part: Part, track: Track, names: dict[int, str]) -> bool:
        """Whether a track keeps its parameters: it would change them in the middle of a fragment."""
        wanted = parametersOf(track)
        found = [section.tracks[track.index] for section in part.sections if track.index not in section.silent]
        if all(parametersOf(each) == wanted for each in found):
            return True
        self.omitted.append(f"{names[id(part)]}: its {track.kind} changes from clip to clip, beside something else")
        return False

    def sources(self, number: int) -> Sequence[Presentation]:
        found = list(self._leader.sources(number)) if number < len(self._leader.cuts) else []
        for follower in self._followers:
            found += follower.part.sources(follower.fragmentAt(number))
        return found

    def shownAt(self, time: float) -> tuple[Presentation, float]:
        return self._leader.shownAt(max(0.0, time - self._shift))

    @property
    def holds(self) -> bool:
        return any(follower.holds for follower in self._followers) or self._leader.holds

    def release(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                for follower in self._followers:
                    follower.release()
                self._leader.release()
            finally:
                self._lock.release()

    def read(self, number: int) -> Fragment:
        with self._lock:
            led: list[list[Unit]] = [[] for _ in self._leader.tracks]
            if number < len(self._leader.cuts):
                led = self._leader.read(number).units
                for each in led:
                    move(each, self._shift)
            followed = [follower.read(number) for follower in self._followers]
        units = [(led if at < 0 else followed[at])[place] for at, place in self._places]
        isLast = number + 1 == len(self.cuts)
        end = self.duration if isLast else self.cuts[number + 1].pts
        reference = self.sectionAt(number).reference
        mine = units[reference]
        start = mine[0].pts if mine and mine[0].key else self.cuts[number].pts
        return Fragment(number, start, end, units, isLast, reference)


class _Follower:
    """One of the parts that are cut where another one says."""

    def __init__(self, part: Part, shift: float, cuts: Sequence[Cut]) -> None:
        """
        @param shift: seconds by which it starts later.
        """
        self.part = part
        self._shift = shift
        isVideo = part.tracks[0].kind == "video"
        # its own key frames are elsewhere
        self._cuts = [replace(moved(cut, -shift), key=cut.key and not isVideo) for cut in cuts]
        self.release()

    def release(self) -> None:
        """Forgets what was read ahead."""
        self._units = _PartUnits(self.part)
        self._reader = FragmentReader(self._units, self.part.tracks, self._cuts, self.part.duration)

    @property
    def holds(self) -> bool:
        """Whether it may have read something ahead."""
        return self._units.isBegun or self.part.holds

    def fragmentAt(self, number: int) -> int:
        """The number of its own fragment in which another one's fragment starts."""
        return self.part.fragmentAt(self._cuts[number].pts)

    def read(self, number: int) -> list[list[Unit]]:
        """What of it belongs to another one's fragment."""
        units = self._reader.read(number).units
        for each in units:
            move(each, self._shift)
        return units


class _PartUnits:
    """
    All units of a part as if it were one file, for L{FragmentReader}.

    @ivar lead: none is needed: fragments know their times.
    """

    lead = 0.0

    def __init__(self, part: Part) -> None:
        self._part = part
        self._number = 0
        self.isBegun = False

    def seek(self, time: float) -> None:
        self._number = self._part.fragmentAt(time)
        # what is looked for is behind the first unit, and this may be a frame later than its fragment
        if self._number and self._part.cuts[self._number].pts > time - 0.2:
            self._number -= 1

    def rewind(self) -> None:
        self._number = 0

    def units(self) -> Iterator[tuple[int, Unit]]:
        self.isBegun = True
        for number in range(self._number, len(self._part.cuts)):
            fragment = self._part.read(number)
            entries = [(index, unit) for index, units in enumerate(fragment.units) for unit in units]
            entries.sort(key=lambda entry: entry[1].dts)
            del fragment
            yield from entries
