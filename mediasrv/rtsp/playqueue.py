"""
PLAYs that wait for their turn (RFC 2326 section 10.5): each begins where the one before it ends, to the tick.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from mediasrv.streaming.courses import Course
from mediasrv.streaming.cues import Cue, SeekStyle
from mediasrv.streaming.player import Player


@dataclass(slots=True)
class QueuedPlay:
    """
    A PLAY that waits.

    @ivar position: NPT seconds where it begins, as the client was told.
    @ivar end: NPT seconds where it ends.
    @ivar stop: the same, or None where that is the end of the presentation.
    @ivar closed: whether the client said where it ends.
    @ivar course: how it is played.
    """

    position: float
    end: float
    stop: float | None
    closed: bool
    course: Course
    speed: float = 1.0
    style: SeekStyle = "RAP"

    @property
    def length(self) -> float:
        """Seconds of play-out."""
        return (self.end - self.position) / self.course.scale

    def holds(self, npt: float) -> bool:
        """Whether an NPT lies in it."""
        return min(self.position, self.end) <= npt <= max(self.position, self.end)


class Dropped(Exception):
    """A PLAY whose turn has come waits no more: a PAUSE took it away while its file was read."""


class PlayQueue:
    """
    The PLAYs that wait in one session. Of all but the next one only the positions are kept: fragments are large.

    @ivar closed: whether what is being played now ends where the client said.
    @ivar emptied: how often all that waited was dropped.
    """

    def __init__(self, player: Player) -> None:
        self.closed = False
        self.emptied = 0
        self._player = player
        self._waiting: deque[QueuedPlay] = deque()
        self._head: Deferred[Cue] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[QueuedPlay]:
        return iter(self._waiting)

    @property
    def begins(self) -> float:
        """Monotonic seconds when one more would begin to be presented."""
        return self._player.presentedAt(self._player.span[1]) + sum(each.length for each in self._waiting)

    def append(self, play: QueuedPlay) -> None:
        """Lets one more wait."""
        self._waiting.append(play)
        self._prepare()

    def clear(self) -> None:
        """Nobody waits any more."""
        self.emptied += 1
        self._waiting.clear()
        self._forget()

    def cut(self, number: int, end: float) -> None:
        """Ends one that waits at another NPT, and drops all after it."""
        play = self._waiting[number]
        play.end, play.stop, play.closed = end, end, True
        self.keep(number + 1)

    def keep(self, count: int) -> None:
        """Drops all but the first ones."""
        while len(self._waiting) > count:
            self._waiting.pop()
        if not self._waiting:
            self._forget()

    async def next(self) -> tuple[QueuedPlay, Cue]:
        """
        Takes the one whose turn it is, with the place where it starts.

        @raise Dropped: if it was, while its file was read.
        @raise NothingToPlay: and what else L{Player.cue} fails with.
        """
        play = self._waiting[0]
        head, self._head = self._head, None
        cue = await (head if head is not None else self._find(play))
        if not self._waiting or self._waiting[0] is not play:
            raise Dropped
        self._waiting.popleft()
        self._prepare()
        return play, cue

    def _prepare(self) -> None:
        """Has the fragment of the next one read before its turn comes."""
        if self._waiting and self._head is None:
            self._head = self._find(self._waiting[0])

    def _find(self, play: QueuedPlay) -> Deferred[Cue]:
        return Deferred.fromCoroutine(self._player.cue(play.position, play.course, play.style))

    def _forget(self) -> None:
        head, self._head = self._head, None
        if head is not None:
            head.addErrback(lambda failure: None)  # nobody wants to know
            head.cancel()
