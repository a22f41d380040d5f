"""
Who may send how much before the reactor has to look at its timers again: RTP must leave in time however many download.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

#: seconds of work for downloads in one turn of the reactor
_TURN = 0.002


class Turns:
    """
    Hands out the time of a turn. Who comes when it is used up waits in line for the next one.
    """

    def __init__(self, reactor: Any, clock: Callable[[], float] = time.perf_counter) -> None:
        """
        @param clock: seconds.
        """
        self._reactor = reactor
        self._clock = clock
        self._left = _TURN
        self._until = 0.0
        self._waiting: deque[Callable[[], None]] = deque()
        self._next: Any = None

    def work(self, step: Callable[[], None]) -> None:
        """
        Does a piece of work, now or in one of the next turns.

        @param step: takes well below a millisecond.
        """
        now = self._clock()
        if now >= self._until:
            # The reactor does not say when a turn of its own begins. Without this line one who sends all by itself
            # would have to ask for a timer each time.
            self._until = now + 2 * _TURN
            self._left = _TURN
        if self._left > 0 and not self._waiting:
            step()
            self._left -= self._clock() - now
        else:
            self._waiting.append(step)
            if self._next is None:
                self._next = self._reactor.callLater(0, self._nextTurn)

    def _nextTurn(self) -> None:
        self._next = None
        begin = self._clock()
        end = begin + _TURN
        now = begin
        while self._waiting and now < end:
            self._waiting.popleft()()
            now = self._clock()
        self._left = end - now
        self._until = begin + 2 * _TURN
        if self._waiting and self._next is None:
            self._next = self._reactor.callLater(0, self._nextTurn)

    def stop(self) -> None:
        """Forgets who waits."""
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None
