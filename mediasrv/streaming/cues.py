"""
Cues: where a presentation can be played from.

Decoders can start at random access points alone, and so does what is asked for by its time, unless a client says
otherwise (RFC 7826 section 18.47): forwards at the key frame at or before that time, backwards at the end of the group
of pictures that has it. The client is told where that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mediasrv.rtp.bursts import Burst, PacketFragment
from mediasrv.streaming.courses import Course
from mediasrv.streaming.feed import Feed

#: how to choose where to start, by RFC 7826's names
SeekStyle = Literal["RAP", "CoRAP", "First-Prior", "Next"]

#: seconds to look back for a key frame
_LOOK_BACK = 60.0

#: seconds after the first key frame that still mean the beginning
_HARDLY = 0.04

#: seconds before zero of what only primes a decoder, at most; that is little, and leaves at once
_PRIMING = 0.2

_ROUNDING = 1e-6


class NothingToPlay(Exception):
    """The file has nothing at the place that was asked for, or near it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """
    Where to play from.

    @ivar position: NPT seconds, on a random access point unless C{resumed} or C{style} says otherwise.
    @ivar course: how it is played.
    @ivar fragment: the view that has it.
    @ivar index: of the first burst to send.
    @ivar resumed: whether it goes on exactly where it was paused.
    @ivar style: how it was found.
    """

    position: float
    course: Course
    fragment: PacketFragment
    index: int
    resumed: bool = False
    style: SeekStyle = "RAP"

    @property
    def time(self) -> float:
        """The position as time on the course."""
        return self.course.at(self.position)

    @property
    def isTop(self) -> bool:
        """Whether it is the very beginning of the presentation, played forwards."""
        return self.index == 0 and self.fragment.number == 0 and not self.resumed and not self.course.isReverse

    @property
    def startsEarly(self) -> float:
        """Seconds that the timestamps at the top begin before the position: what primes a decoder lies below zero."""
        if not self.isTop:
            return 0.0
        return max(0.0, self.time - min((burst.pts for burst in self.fragment.bursts[:50]), default=self.time))

    @property
    def lead(self) -> float:
        """
        Seconds by which the first burst leaves before the time of the cue, where a group of pictures is played
        backwards, or one that begins before zero.
        """
        return max(0.0, self.time - self.firstDue)

    @property
    def firstDue(self) -> float:
        """Time on the course at which what is at the cue is due."""
        bursts = self.fragment.bursts
        if self.resumed or self.index >= len(bursts):
            return self.time
        due = bursts[self.index].due
        if self.startsEarly > _PRIMING:
            return due  # seconds of it would overrun the path if they left at once
        # where pictures are reordered, or not all is sent, the first one is not due just then
        return due if self.course.isReverse or abs(due - self.time) < _ROUNDING else self.time


async def findCue(feed: Feed, course: Course, npt: float, style: SeekStyle = "RAP") -> Cue:
    """
    Finds where to start in order to play from an NPT.

    @param style: C{"RAP"}, or where every picture is played forwards C{"First-Prior"} or C{"Next"}.
    @raise NothingToPlay: if the file has nothing there.
    """
    if course.isReverse:
        return await _cueBackwards(feed, course, npt)
    if style in ("First-Prior", "Next") and course.showsAll:
        return await _cueBetween(feed, course, npt, style)
    return await _cueAtKey(feed, course, npt)


async def _cueAtKey(feed: Feed, course: Course, npt: float) -> Cue:
    presentation, time = course.presentation, course.at(npt)
    number = first = presentation.fragmentAt(npt)
    while True:
        fragment = await feed.fetch(number, course)
        index = fragment.entryAt(time)
        if number == 0 and fragment.bursts and _isTop(fragment, index, time):
            return Cue(0.0, course, fragment, 0)
        if index is not None:
            return Cue(course.npt(fragment.bursts[index].pts), course, fragment, index)
        number -= 1
        if number < 0 or presentation.cuts[number].pts < npt - _LOOK_BACK * max(1.0, course.scale):
            return await _cueWithoutKey(feed, course, first)


def _isTop(fragment: PacketFragment, index: int | None, time: float) -> bool:
    """
    Whether a time is before, or hardly after, the first key frame: then all that is there is played, and what primes a
    decoder before zero as well, even if there is more of it than one packet. Where a film was cut without coding it
    anew, an edit list has it begin in the middle of a group of pictures, which then begins before zero.
    """
    if index is None or time <= 0 or fragment.bursts[index].pts < 0:
        return True
    return index == fragment.firstEntry() and time < fragment.bursts[index].pts + _HARDLY


async def _cueWithoutKey(feed: Feed, course: Course, number: int) -> Cue:
    """Where key frames are too rare to go back to, decoders have to find their way from between."""
    fragment = await feed.fetch(number, course)
    if not fragment.bursts:
        raise NothingToPlay("nothing is there in the file")
    return Cue(max(0.0, course.npt(fragment.bursts[0].pts)), course, fragment, 0)


async def _cueBetween(feed: Feed, course: Course, npt: float, style: SeekStyle) -> Cue:
    """
    The picture that is shown at an NPT, or the next one, whether decoders can start there or not: who asks for it says
    that they have what came before.
    """
    number: int | None = course.presentation.fragmentAt(npt)
    time = course.at(npt)
    while number is not None:
        fragment = await feed.fetch(number, course)
        shown = [burst for burst in fragment.bursts if burst.track == fragment.reference]
        if style == "First-Prior":
            chosen = max((burst for burst in shown if burst.pts <= time + _ROUNDING), key=_presented, default=None)
        else:
            chosen = min((burst for burst in shown if burst.pts >= time - _ROUNDING), key=_presented, default=None)
        if chosen is not None:
            index = next(index for index, burst in enumerate(fragment.bursts) if burst is chosen)
            return Cue(max(0.0, course.npt(chosen.pts)), course, fragment, index, style=style)
        number = number - 1 if style == "First-Prior" and number else course.following(number)
    raise NothingToPlay("nothing is there in the file")


def _presented(burst: Burst) -> float:
    return burst.pts


async def _cueBackwards(feed: Feed, course: Course, npt: float) -> Cue:
    """
    The first group of pictures, in the order in which they come, that begins at or before an NPT. Its end is where
    playing starts, for without its last pictures those before them may not be decoded.
    """
    number: int | None = course.presentation.fragmentAt(npt)
    time = course.at(npt)
    while number is not None:
        fragment = await feed.fetch(number, course)
        for index, burst in enumerate(fragment.bursts):
            if burst.entry and burst.track == fragment.reference and burst.pts >= time - _ROUNDING:
                return Cue(_endOfGroup(course, fragment, index), course, fragment, index)
        number = course.following(number)
    raise NothingToPlay("no picture that could be decoded is there in the file")


def _endOfGroup(course: Course, fragment: PacketFragment, index: int) -> float:
    """
    The NPT at which a group of pictures ends, given its first burst: this leaves as long before that as it is to be
    shown after it.
    """
    first = fragment.bursts[index]
    return max(0.0, course.npt((first.due + first.pts) / 2))
