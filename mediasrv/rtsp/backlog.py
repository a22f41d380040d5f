"""
The requests of one connection that wait for their turn: served one after the other, a few in each turn of the reactor,
and no more of them read than can be answered soon (SEC-16).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from mediasrv.rtsp.messages import MessageError, Request

#: requests that wait for their turn before no more are read, and when reading goes on
_FULL, _LOW = 64, 16

#: requests answered in one turn of the reactor: others have packets that are due
_TURN = 32


class Reading(Protocol):
    """The reading side of a connection."""

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


class Backlog:
    """
    A queue that serves itself, as long as it may.
    """

    def __init__(
        self,
        serve: Callable[[Request | MessageError], None],
        mayServe: Callable[[], bool],
        soon: Callable[[Callable[[], None]], IDelayedCall],
        reading: Reading,
    ) -> None:
        """
        @param serve: takes the next one.
        @param mayServe: whether it can be answered now. Who says no calls L{serve} when that has changed.
        @param soon: calls in the next turn of the reactor.
        @param reading: is paused while too many wait.
        """
        self._serveOne = serve
        self._mayServe = mayServe
        self._soon = soon
        self._reading = reading
        self._waiting: deque[Request | MessageError] = deque()
        self._isServing = False
        self._resting: IDelayedCall | None = None
        self._isPaused = False
        self._isOver = False

    def add(self, message: Request | MessageError) -> None:
        """One more came."""
        self._waiting.append(message)

    def serve(self) -> None:
        """Serves what has come, until something has to be waited for."""
        if self._isServing or self._resting is not None:
            return
        self._isServing = True
        try:
            for _ in range(_TURN):
                if not self._isNext():
                    break
                self._serveOne(self._waiting.popleft())
        finally:
            self._isServing = False
        if self._isNext():
            self._resting = self._soon(self._rested)
        self._pauseReading()

    def _isNext(self) -> bool:
        return bool(self._waiting) and self._mayServe()

    def _rested(self) -> None:
        self._resting = None
        self.serve()

    def _pauseReading(self) -> None:
        if self._isOver:
            return
        if len(self._waiting) > _FULL and not self._isPaused:
            self._isPaused = True
            self._reading.pauseProducing()
        elif len(self._waiting) <= _LOW and self._isPaused:
            self._isPaused = False
            self._reading.resumeProducing()

    def close(self) -> None:
        """The connection is gone: nothing is answered any more."""
        self._isOver = True
        self._waiting.clear()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
