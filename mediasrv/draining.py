"""
Emptying a server: nobody new is let in, and who is there may stay for a while.

The L{registry<mediasrv.registry.Registry>} has at most one of these. It keeps the time, and tells who waits for the
end.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Draining:
    """
    @ivar location: URL of another server that has the same presentations at the same paths; None if there is none.
    """

    def __init__(self) -> None:
        self.location: str | None = None
        self._ending: IDelayedCall | None = None
        self._waiting: dict[Deferred[bool], None] = {}

    def limit(self, grace: float | None, end: Callable[[], None], reactor: IReactorTime) -> None:
        """
        Sets the time at which the last sessions are ended, in place of another one.

        @param grace: seconds from now; None for never.
        """
        self._forgetTime()
        if grace is not None:
            self._ending = reactor.callLater(grace, self._timeIsOver, end)

    def _timeIsOver(self, end: Callable[[], None]) -> None:
        self._ending = None
        end()

    def _forgetTime(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def whenOver(self) -> Deferred[bool]:
        """Fires with True when the last session has gone, with False if new ones are let in again before that."""
        deferred: Deferred[bool] = Deferred(lambda cancelled: self._waiting.pop(cancelled, None))
        self._waiting[deferred] = None
        return deferred

    def over(self, isEmpty: bool) -> None:
        """There is no session any more, or new ones are let in again."""
        self._forgetTime()
        while self._waiting:
            self._waiting.popitem()[0].callback(isEmpty)
