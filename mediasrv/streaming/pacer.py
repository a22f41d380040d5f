"""
The pacer: one tick for all players.

A wheel of slots, one per tick: whoever is due next at some instant stands in the slot of the tick after it. That costs
a list entry per player and tick at which it has something to send, and nothing for those who have not. While nobody
plays there is no tick.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger


class Paced(Protocol):
    """
    What the pacer drives.

    @ivar slot: where it stands in the wheel; the pacer's own. -1: nowhere.
    """

    slot: int

    def advance(self, now: float) -> float | None:
        """
        Sends what is due at C{now} (monotonic seconds).

        @return: when there will be more to do, or None if it will say so itself.
        """

    def failed(self) -> None:
        """L{advance} raised; the log has the failure. Nothing more will be asked of it."""


class Pacer:
    """
    @ivar tick: seconds between two looks at the wheel.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, tick: float = 0.010, seconds: Callable[[], float] | None = None) -> None:
        """
        @param seconds: a monotonic clock; the reactor's own follows the time of day, which people set.
        """
        self._reactor = reactor
        self._seconds = seconds or reactor.seconds
        self.tick = tick
        self._wheel: defaultdict[int, list[Paced]] = defaultdict(list)
        self._passed = 0  # the last slot that was looked at
        self._waiting = 0
        self._call: IDelayedCall | None = None

    def now(self) -> float:
        """Monotonic seconds, the clock of everything that is paced."""
        return self._seconds()

    def schedule(self, paced: Paced, when: float) -> None:
        """Wants L{Paced.advance} called at the first tick at or after C{when}, and at no other time."""
        self.cancel(paced)
        if self._call is None:
            self._passed = int(self.now() / self.tick)
            self._call = self._reactor.callLater(self.tick, self._turn)
        self._place(paced, when)

    def _place(self, paced: Paced, when: float) -> None:
        slot = max(int(when / self.tick) + 1, self._passed + 1)
        paced.slot = slot
        self._wheel[slot].append(paced)
        self._waiting += 1

    def cancel(self, paced: Paced) -> None:
        """Calls it no more."""
        if paced.slot >= 0:
            standing = self._wheel.get(paced.slot)
            if standing is not None and paced in standing:
                standing.remove(paced)
                self._waiting -= 1
            paced.slot = -1

    def _turn(self) -> None:
        now = self.now()
        current = int(now / self.tick)
        wheel = self._wheel
        for slot in range(self._passed + 1, current + 1):
            self._passed = slot
            standing = wheel.pop(slot, None)
            if standing is not None:
                self._serve(standing, slot, now)
        if self._waiting:
            delay = (self._passed + 1) * self.tick - self.now()
            self._call = self._reactor.callLater(max(0.0, delay), self._turn)
        else:
            self._call = None

    def _serve(self, standing: list[Paced], slot: int, now: float) -> None:
        self._waiting -= len(standing)
        for paced in standing:
            if paced.slot != slot:
                continue  # another one's turn took it out
            paced.slot = -1
            try:
                when = paced.advance(now)
            except Exception:
                self._log.failure("a player failed")
                paced.failed()
                continue
            if when is not None:
                self._place(paced, when)

    def stop(self) -> None:
        """No more ticks."""
        self._wheel.clear()
        self._waiting = 0
        if self._call is not None:
            self._call.cancel()
            self._call = None
