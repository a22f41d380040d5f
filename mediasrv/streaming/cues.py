"""
Cues: where in its fragments a presentation can be played from.
"""

from __future__ import annotations

from dataclasses import dataclass

from mediasrv.rtp.bursts import PacketFragment
from mediasrv.streaming.feed import Feed

#: seconds to look back for a key frame
_LOOK_BACK = 60.0

#: seconds after the first key frame that still mean the beginning
_HARDLY = 0.04


class NothingToPlay(Exception):
    """The file has nothing at the place that was asked for, or near it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """
    Where to play from.

    @ivar position: NPT seconds, on a key frame unless C{resumed}.
    @ivar fragment: which has it.
    @ivar index: of the first burst to send.
    @ivar resumed: whether it goes on exactly where it was paused.
    """

    position: float
    fragment: PacketFragment
    index: int
    resumed: bool = False

    @property
    def isTop(self) -> bool:
        """Whether it is the very beginning of the presentation."""
        return self.index == 0 and self.fragment.number == 0 and not self.resumed

    @property
    def startsEarly(self) -> float:
        """Seconds that the timestamps at the top begin before the position: what primes a decoder lies below zero."""
        if not self.isTop:
            return 0.0
        return max(0.0, self.position - min((burst.pts for burst in self.fragment.bursts[:50]), default=self.position))


async def findCue(feed: Feed, time: float) -> Cue:
    """
    Finds the key frame at or before an NPT.

    @raise NothingToPlay: if the file has none there.
    """
    presentation = feed.presentation
    number = first = presentation.fragmentAt(time)
    while True:
        fragment = await feed.fetch(number)
        index = fragment.entryAt(time)
        if number == 0 and fragment.bursts and _isTop(fragment, index, time):
            return Cue(0.0, fragment, 0)
        if index is not None:
            return Cue(fragment.bursts[index].pts, fragment, index)
        number -= 1
        if number < 0 or presentation.cuts[number].pts < time - _LOOK_BACK:
            return await _cueWithoutKey(feed, first)


def _isTop(fragment: PacketFragment, index: int | None, time: float) -> bool:
    """
    Whether an NPT is before, or hardly after, the first key frame: then all that is there is played, and what primes a
    decoder before zero as well, even if there is more of it than one packet.
    """
    if index is None or time <= 0:
        return True
    return index == fragment.firstEntry() and time < fragment.bursts[index].pts + _HARDLY


async def _cueWithoutKey(feed: Feed, number: int) -> Cue:
    """Where key frames are too rare to go back to, decoders have to find their way from between."""
    fragment = await feed.fetch(number)
    if not fragment.bursts:
        raise NothingToPlay("nothing is there in the file")
    return Cue(max(0.0, fragment.bursts[0].pts), fragment, 0)
