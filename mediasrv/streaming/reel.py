"""
The reel of a player: the bursts of one fragment after the other, and how far they have been sent.
"""

from __future__ import annotations

from math import inf

from mediasrv.rtp.bursts import Burst, PacketFragment
from mediasrv.rtp.sender import TrackSender
from mediasrv.streaming.cues import Cue
from mediasrv.streaming.feed import Feed

#: bursts among which the rest of a picture is looked for
_NEAR = 100

#: seconds by which sums of durations miss a time that somebody writes down: 3.6799999999999997 is 3.68 (PLY-6)
_ROUNDING = 1e-6

#: bursts at the end of a fragment among which the one is that is presented last
_LAST = 50


class Reel:
    """
    All times are of the course.

    @ivar feed: where the fragments come from.
    @ivar senders: for each track its sender, or None where nothing of it is sent.
    @ivar fragment: that is being sent; None where nothing is held.
    @ivar stop: what is presented then or later is not sent.
    @ivar skip: what is presented before is not sent.
    """

    __slots__ = ("_bursts", "_index", "_startIndex", "feed", "fragment", "senders", "skip", "stop")

    def __init__(self, feed: Feed, tracks: int) -> None:
        self.feed = feed
        self.senders: list[TrackSender | None] = [None] * tracks
        self.fragment: PacketFragment | None = None
        self.stop = inf
        self.skip = -inf
        self._bursts: list[Burst] = []  # of the fragment
        self._index = 0
        self._startIndex = 0

    def begin(self, cue: Cue, stop: float, skip: float) -> None:
        """Goes to where a PLAY begins."""
        self.stop = stop
        self.skip = skip
        self.feed.course = cue.course
        self._enter(cue.fragment, cue.index)

    def _enter(self, fragment: PacketFragment, index: int) -> None:
        self.fragment = fragment
        self._bursts = fragment.bursts
        self._index = self._startIndex = index

    def release(self) -> None:
        """Holds no media any more."""
        self.fragment = None
        self._bursts = []
        self._index = self._startIndex = 0

    # Where

    @property
    def isLast(self) -> bool:
        """Whether there is nothing after this fragment."""
        return self.fragment is None or self.fragment.last or self.feed.hasEnded

    @property
    def index(self) -> int:
        """Of the burst that comes next."""
        return self._index

    @property
    def next(self) -> float | None:
        """When the next burst of the fragment is due."""
        return self._bursts[self._index].due if self._index < len(self._bursts) else None

    @property
    def lastDue(self) -> float:
        """When the last burst of the fragment is due; -infinity if it has none."""
        return self._bursts[-1].due if self._bursts else -inf

    @property
    def lastPresented(self) -> float:
        """The time of what is presented last of the fragment; -infinity if it has nothing."""
        return max((burst.pts for burst in self._bursts[-_LAST:]), default=-inf)

    @property
    def latestSent(self) -> float:
        """The latest time of what was sent of the fragment; -infinity if nothing was."""
        sent = self._bursts[max(self._startIndex, self._index - 4 * _NEAR) : self._index]
        return max((burst.pts for burst in sent if self.senders[burst.track] is not None), default=-inf)

    # Sending

    def send(self, position: float) -> float | None:
        """
        Sends what is due of the fragment.

        This runs a hundred times a second for every viewer: hence the locals and the plain loop.

        @return: when the next burst is due; infinite if there is none; None if the network takes no more now.
        """
        bursts, index, due = self._bursts, self._index, inf
        senders, skip, stop, count = self.senders, self.skip, self.stop - _ROUNDING, len(self._bursts)
        while index < count:
            burst = bursts[index]
            if burst.due > position:
                due = burst.due
                break
            sender = senders[burst.track]
            if sender is not None and skip <= burst.pts < stop and not sender.transport.send(sender, burst):
                self._index = index
                return None
            index += 1
        self._index = index
        return due

    def proceed(self) -> float | None:
        """
        Goes into the next fragment.

        @return: the latest time of what was sent of this one; None if the next one is not there.
        """
        fragment = self.fragment
        upcoming = None if fragment is None or self.isLast else self.feed.take()
        if fragment is None or upcoming is None:
            return None
        self._enter(upcoming, 0)
        self.skip = -inf
        return max((time for track, time in fragment.latest.items() if self.senders[track] is not None), default=-inf)

    def completePictures(self) -> None:
        """
        Sends the rest of pictures of which some bursts have left. The packets of a picture share one timestamp; what
        was sent after another PLAY would have another.
        """
        bursts, index = self._bursts, self._index
        begun = {burst.track: burst.ticks for burst in bursts[max(self._startIndex, index - _NEAR) : index]}
        end = index
        for ahead, burst in enumerate(bursts[index : index + _NEAR], index):
            if begun.get(burst.track) == burst.ticks:
                end = ahead + 1
        for burst in bursts[index:end]:
            if not self._sent(burst):
                break
            self._index += 1

    def complete(self) -> None:
        """
        Sends all that is presented before the stop, due or not; what the network does not take is lost. What comes next
        is then behind what was sent last: what lies further back in the fragment was not presented.
        """
        for place, burst in enumerate(self._bursts[self._index :], self._index + 1):
            if self.senders[burst.track] is not None and self._isWanted(burst):
                self._sent(burst)
                self._index = place

    def _sent(self, burst: Burst) -> bool:
        """Sends a burst, if it is to be sent; False if it should have been, and was not."""
        sender = self.senders[burst.track]
        return sender is None or not self._isWanted(burst) or sender.transport.send(sender, burst)

    def _isWanted(self, burst: Burst) -> bool:
        """Whether a burst lies in the range."""
        return self.skip <= burst.pts < self.stop - _ROUNDING

    def rewindToStop(self) -> None:
        """
        Makes what was left out at the stop what comes next, and not again what was sent in between (PLY-10).
        """
        stop, places = self.stop - _ROUNDING, range(self._startIndex, len(self._bursts))
        self._index = next((place for place in places if self._bursts[place].pts >= stop), len(self._bursts))
        self.skip, self.stop = stop, inf
