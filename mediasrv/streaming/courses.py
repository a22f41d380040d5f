"""
Courses: the order and the pace in which a presentation is played at a Scale (RFC 2326 section 12.34).

Time on a course is NPT divided by Scale: seconds of play-out, which increase whatever the direction. A I{view} is a
fragment as a course shows it, with the same payloads at the course's times, so that a player plays it like any other.
It is made once for all viewers of that Scale.

Up to twice as fast every picture is shown, its timestamps closer together; slow motion is the same with a Scale below
1. Faster than that only key frames are, at a rate that decoders can follow. Backwards, groups of pictures come in
reverse order. Ordinary players show what they decode as it comes: for them a group is its key frame. Who can store a
group and turn it round gets it whole on request, in decoding order, in front of the time when its last picture is
shown. Sound is left out, for nobody wants to hear it at another pitch or in pieces; where there is nothing else it
comes in pieces at its own pace, with what lies between them left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import floor

from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import Burst, PacketFragment, sizeOf
from mediasrv.rtp.payloads.formats import PayloadFormat

#: beyond this Scale, in either direction, only key frames are sent
EVERY_PICTURE = 2.0

#: seconds of play-out between two key frames at least, where there are only these
_INTERVAL = 0.125

#: seconds of each piece of sound, where there are only these
_PIECE = 0.5

_ROUNDING = 1e-6


def usableScale(presentation: Presentation, wanted: float, limit: float) -> float:
    """
    The Scale that a presentation is really played at, the nearest possible to what is wanted (HDR-2).

    @param limit: of its amount, in both directions; slow motion goes down to its reciprocal.
    """
    if presentation.tracks[0].codec == "mpegts":
        return 1.0  # it has clocks of its own inside
    amount = min(max(abs(wanted), slowestScale(presentation, limit)), limit)
    return round(amount if wanted > 0 else -amount, 6)


def slowestScale(presentation: Presentation, limit: float) -> float:
    """The smallest amount of Scale that a presentation is played at, given the largest."""
    return 1 / limit if _hasPictures(presentation) else 1.0  # there is no slow motion of sound in pieces


def _hasPictures(presentation: Presentation) -> bool:
    return any(track.kind == "video" for track in presentation.tracks)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """
    One way through a presentation.

    @ivar scale: NPT seconds in a second of play-out; negative backwards, never 0.
    @ivar wholeGroups: whether groups of pictures come whole backwards.
    """

    presentation: Presentation
    scale: float = 1.0
    wholeGroups: bool = False

    @property
    def kind(self) -> tuple[float, bool]:
        """What tells it from other courses of its presentation."""
        return self.scale, self.wholeGroups and self.isReverse

    @property
    def isReverse(self) -> bool:
        return self.scale < 0

    @property
    def showsAll(self) -> bool:
        """Whether every picture is shown; else only key frames are."""
        return abs(self.scale) <= EVERY_PICTURE and (self.wholeGroups or not self.isReverse)

    @property
    def end(self) -> float:
        """Time on the course when everything is over."""
        return 0.0 if self.isReverse else self.presentation.duration / self.scale

    @property
    def endNPT(self) -> float:
        """NPT seconds where everything is over."""
        return 0.0 if self.isReverse else self.presentation.duration

    def at(self, npt: float) -> float:
        """The time on the course of an NPT."""
        return npt / self.scale

    def npt(self, time: float) -> float:
        """The NPT at a time on the course."""
        return time * self.scale

    def shows(self, track: int) -> bool:
        """Whether anything of a track is sent."""
        tracks = self.presentation.tracks
        return self.scale == 1.0 or tracks[track].kind == "video" or not _hasPictures(self.presentation)

    def following(self, number: int) -> int | None:
        """The fragment to play after another one; None if that is the last."""
        step = -1 if self.isReverse else 1
        wanted = self._isWantedAfter(number)
        number += step
        while 0 <= number < len(self.presentation.cuts):
            if wanted(number):
                return number
            number += step
        return None

    def _isWantedAfter(self, number: int) -> Callable[[int], bool]:
        """Whether a fragment has anything to play after another one."""
        if self.scale == 1.0:
            return lambda each: True
        if not _hasPictures(self.presentation):
            return self._hasPiece
        if self.showsAll:
            return lambda each: True
        here = self._slot(self._startOf(number))
        return lambda each: self._slot(self._startOf(each)) != here

    def _startOf(self, number: int) -> float:
        return self.presentation.cuts[number].pts

    def _slot(self, npt: float) -> int:
        """The interval of play-out in which an NPT lies, where one key frame of each is shown."""
        return floor((npt + _ROUNDING) / (_INTERVAL * abs(self.scale)))

    def _hasPiece(self, number: int) -> bool:
        """Whether some piece of sound begins or goes on in a fragment."""
        cuts, step = self.presentation.cuts, _PIECE * abs(self.scale)
        start = cuts[number].pts
        end = cuts[number + 1].pts if number + 1 < len(cuts) else self.presentation.duration
        return start % step < _PIECE or floor(end / step) > floor(start / step)

    def show(self, fragment: PacketFragment, formats: Sequence[PayloadFormat]) -> PacketFragment:
        """
        The view of a fragment.

        @param formats: one for each track.
        """
        if self.scale == 1.0:
            return fragment
        rates = [form.clockRate for form in formats]
        bursts: Iterable[Burst]
        if not _hasPictures(self.presentation):
            bursts = self._pieces(fragment.bursts, rates)
        elif self.showsAll and not self.isReverse:
            bursts = [self._moved(burst, rates) for burst in fragment.bursts if self.shows(burst.track)]
        elif self.showsAll:
            bursts = self._groupsBackwards(fragment, rates)
        else:
            bursts = self._keyFrames(fragment, rates)
        shown = sorted(bursts, key=lambda burst: burst.due)
        end = fragment.number if self.isReverse else fragment.number + 1
        cuts = self.presentation.cuts
        return PacketFragment(
            fragment.number,
            self.at(cuts[end].pts if end < len(cuts) else self.presentation.duration),
            shown,
            self.following(fragment.number) is None or (fragment.last and not self.isReverse),
            sizeOf(shown),
            fragment.reference,
        )

    def _moved(self, burst: Burst, rates: Sequence[int]) -> Burst:
        """At the course's own times."""
        pts = burst.pts / self.scale
        return replace(burst, due=burst.due / self.scale, pts=pts, ticks=round(pts * rates[burst.track]))

    def _groupsBackwards(self, fragment: PacketFragment, rates: Sequence[int]) -> list[Burst]:
        """
        Groups of pictures, the last one first. Each leaves during the time that it will take to be shown, right before
        that: its first picture is shown last. What belongs to a key frame of another fragment is left out.
        """
        shown: list[Burst] = []
        for track in {burst.track for burst in fragment.bursts if self.shows(burst.track)}:
            mine = [burst for burst in fragment.bursts if burst.track == track]
            entries = [index for index, burst in enumerate(mine) if burst.entry]
            for first, last in zip(entries, [*entries[1:], len(mine)], strict=False):
                group = mine[first:last]
                begins = self.at(mine[last].pts if last < len(mine) else fragment.end)
                length = max(0.0, self.at(mine[first].pts) - begins)
                for index, burst in enumerate(group):
                    pts = self.at(burst.pts)
                    shown.append(
                        replace(
                            burst,
                            due=begins - length + length * index / len(group),
                            pts=pts,
                            ticks=round(pts * rates[track]),
                        )
                    )
        return shown

    def _keyFrames(self, fragment: PacketFragment, rates: Sequence[int]) -> list[Burst]:
        """The first key frame of each interval; those of an interval that another fragment begins are left to it."""
        number, cuts = fragment.number, self.presentation.cuts
        slots = (self._slot(cuts[each].pts) for each in range(number + 1, len(cuts)))
        here = self._slot(self._startOf(number))
        others = next((slot for slot in slots if slot > here), None)
        shown: list[Burst] = []
        for track in {burst.track for burst in fragment.bursts if self.shows(burst.track)}:
            mine = (burst for burst in fragment.bursts if burst.track == track)
            seen: set[int] = set()
            for pts, picture in groupby(mine, key=lambda burst: burst.pts):
                first, *rest = picture
                slot = self._slot(pts)
                if not first.entry or slot in seen or (others is not None and slot >= others):
                    continue
                seen.add(slot)
                time = self.at(pts)
                shown += (
                    replace(burst, due=time + burst.due - first.due, pts=time, ticks=round(time * rates[track]))
                    for burst in (first, *rest)
                )
        return shown

    def _pieces(self, bursts: Sequence[Burst], rates: Sequence[int]) -> list[Burst]:
        """Pieces of sound, each at its own pace, and so many times its length apart as Scale says."""
        step, shown = _PIECE * abs(self.scale), []
        for burst in bursts:
            number = floor((burst.pts + _ROUNDING) / step)
            offset = burst.pts - number * step
            if offset >= _PIECE - _ROUNDING:
                continue
            place = -(number + 1) if self.isReverse else number
            time = place * _PIECE + offset
            shown.append(replace(burst, due=time, pts=time, ticks=round(time * rates[burst.track])))
        return shown
