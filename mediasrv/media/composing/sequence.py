"""
Clips one after the other, on one timeline.

All tracks of a clip start together at its seam, however much longer or shorter the sound of the one before was than its
pictures. What primes a decoder of sound comes after the seam, where it is the beginning of a file that lies before
everything; so nothing is lost and times never go backwards, for some hundredths of a second between two clips.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence as Several
from dataclasses import replace

from mediasrv.media.composing.part import ROUNDING, Continues, Part, move, moved, numbered
from mediasrv.media.descriptions.tree import DescriptionError
from mediasrv.media.fragments import Cut
from mediasrv.media.presentation import Presentation, Section
from mediasrv.media.tracks import Fragment, Track, Unit

#: tracks of a composition
MOST_TRACKS = 32


class Sequence(Part):
    """Parts one after the other."""

    def __init__(self, parts: Several[Part], names: Several[str], continues: Continues) -> None:
        """
        @param names: of the parts, for messages.
        @raise DescriptionError: if nothing can be played.
        """
        self.omitted = [sentence for part in parts for sentence in part.omitted]
        matched = _match(parts, names, continues, self.omitted)
        self._parts = [part for part, _ in matched]
        self.tracks, self._places = _inOrder(matched)
        self.lead, self.early = self._parts[0].lead, self._parts[0].early
        self.cuts: list[Cut] = []
        self.sections: list[Section] = []
        self._firsts: list[int] = []
        #: for each part the time of its own 0, and of the seam in front of it
        self._zeros: list[float] = []
        self._seams: list[float] = []
        self.duration = 0.0
        for number, part in enumerate(self._parts):
            self._append(part, self._places[number])

    def _append(self, part: Part, places: Several[int | None]) -> None:
        seam = self.duration + self.tail
        zero = seam + part.lead if self._firsts else 0.0
        self._firsts.append(len(self.cuts))
        self._seams.append(seam)
        self._zeros.append(zero)
        for section in part.sections:
            tracks = [
                track if place is None else replace(section.tracks[place], index=track.index)
                for track, place in zip(self.tracks, places, strict=True)
            ]
            silent = {
                track.index
                for track, place in zip(self.tracks, places, strict=True)
                if place is None or place in section.silent
            }
            self.sections.append(Section(len(self.cuts) + section.first, tracks, frozenset(silent)))
        first, *others = (moved(cut, zero) for cut in part.cuts)
        if self.cuts:
            first = Cut(min(first.dts, seam), seam, first.key)
        self.cuts += [first, *others]
        self.duration, self.tail = zero + part.duration, part.tail

    def _find(self, number: int) -> tuple[int, int]:
        """The part that has a fragment, and the fragment's number in there."""
        at = bisect_right(self._firsts, number) - 1
        return at, number - self._firsts[at]

    def sources(self, number: int) -> Several[Presentation]:
        at, inner = self._find(number)
        return self._parts[at].sources(inner)

    def shownAt(self, time: float) -> tuple[Presentation, float]:
        at = max(0, bisect_right(self._seams, time) - 1)
        return self._parts[at].shownAt(max(0.0, time - self._zeros[at]))

    @property
    def holds(self) -> bool:
        return any(part.holds for part in self._parts)

    def release(self) -> None:
        for part in self._parts:
            part.release()

    def read(self, number: int) -> Fragment:
        at, inner = self._find(number)
        fragment = self._parts[at].read(inner)
        units = [[] if place is None else fragment.units[place] for place in self._places[at]]
        for each in units:
            move(each, self._zeros[at])
        reference = self.sectionAt(number).reference
        isLast = number + 1 == len(self.cuts)
        if inner == 0 and at:
            self._joinLater(at, units)
        if at + 1 < len(self._parts) and number + 1 == self._firsts[at + 1]:
            self._joinEarlier(at, units)
        end = self.duration if isLast else self.cuts[number + 1].pts
        mine = units[reference] if units else []
        start = mine[0].pts if mine and mine[0].key else self.cuts[number].pts
        isOver = fragment.last and at + 1 == len(self._parts)
        return Fragment(number, start, end, units, isLast or isOver, reference)

    # Decoding times at a seam: where pictures are reordered, the first one is decoded before it is shown, and so before
    # the seam. That must not be before the last one of the clip in front of it.

    def _handover(self, at: int) -> float:
        """When decoding goes over from a part to the next one."""
        ahead = [part.cuts[0].pts - part.cuts[0].dts for part in self._parts[at : at + 2]]
        return self._seams[at + 1] - max(0.0, min(ahead))

    def _joinLater(self, at: int, units: Several[Several[Unit]]) -> None:
        """Has nothing of a part's beginning be decoded too early."""
        handover = self._handover(at - 1)
        for each in units:
            for unit in each:
                if unit.dts >= handover - ROUNDING:
                    break
                unit.dts = handover

    def _joinEarlier(self, at: int, units: Several[Several[Unit]]) -> None:
        """Has nothing of a part's end be decoded too late."""
        handover = self._handover(at)
        for track, each in zip(self.tracks, units, strict=True):
            if track.kind == "video":
                for unit in reversed(each):
                    if unit.dts <= handover:
                        break
                    unit.dts = handover


#: a part, and for each track of the sequence so far which of its own tracks goes on there
_Matched = tuple[Part, list[int | None]]


def _match(
    parts: Several[Part], names: Several[str], continues: Continues, omitted: list[str]
) -> list[tuple[Part, dict[int, Track]]]:
    """
    Which tracks go on in which.

    @return: the parts that have something to play, each with its tracks by the number of the track that they are in
        the sequence, in the order in which these came up.
    """
    begun: list[Track] = []
    matched: list[tuple[Part, dict[int, Track]]] = []
    for part, name in zip(parts, names, strict=True):
        mine: dict[int, Track] = {}
        left: list[Track] = []
        for track in part.tracks:
            free = [
                number
                for number, other in enumerate(begun)
                if other.kind == track.kind and number not in mine and continues(other, track)
            ]
            free.sort(key=lambda number: begun[number].language != track.language)
            if free:
                mine[free[0]] = track
            else:
                left.append(track)
        for track in left:
            # it begins something new only where there is no place in which it should have gone on
            isTaken = sum(other.kind == track.kind for other in begun) > sum(
                begun[number].kind == track.kind for number in mine
            )
            if isTaken or len(begun) == MOST_TRACKS:
                omitted.append(f"{name}: its {track.kind} ({track.codec}) cannot follow what comes before it")
            else:
                mine[len(begun)] = track
                begun.append(track)
        if mine:
            matched.append((part, mine))
    if not matched:
        raise DescriptionError("; ".join(omitted) or "it names no clips")
    return matched


def _inOrder(matched: Several[tuple[Part, dict[int, Track]]]) -> tuple[list[Track], list[list[int | None]]]:
    """The tracks of the sequence, video first, and for each part which of its tracks are these."""
    begun: dict[int, Track] = {}
    for _, mine in matched:
        for number, track in mine.items():
            begun.setdefault(number, track)
    order = sorted(begun, key=lambda number: (begun[number].kind != "video", number))
    places = [[mine[number].index if number in mine else None for number in order] for _, mine in matched]
    return numbered([begun[number] for number in order]), places
