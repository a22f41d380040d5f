"""
The pacer: one tick for all players.

A wheel of slots, one per tick: whoever is due next at some instant stands in the slot of the tick after it. That costs
a list entry per player and tick at which it has something to send, and nothing for those who have not. While nobody
plays there is no tick.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

#: ticks after which a turn is so late that it no longer looks at every slot that has passed
_LATE = 1000

#: seconds by which a turn may come late before players no longer make up for it
_STALLED = 0.5

#: players that are served between two flushes
_TOGETHER = 64


class Flushed(Protocol):
    """
    What players send through, and collects it.

    @ivar blocked: whether the network does not take all of it now.
    """

    blocked: bool

    def flush(self) -> None:
        """Really sends."""


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

    def delayed(self, seconds: float) -> None:
        """The process stood still: L{advance}, which is called next, was asked for so many seconds ago."""

    def failed(self) -> None:
        """L{advance} raised; the log has the failure. Nothing more will be asked of it."""


class Pacer:
    """
    @ivar tick: seconds between two looks at the wheel.
    @ivar outlets: those through which something was sent that is still to be flushed. One flush for many players is
        one for all who share an outlet, and keeps sending apart from preparing, which is good for both.
    @ivar shared: outlets that are always flushed.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, tick: float = 0.010, seconds: Callable[[], float] | None = None) -> None:
        """
        @param seconds: a monotonic clock; the reactor's own follows the time of day, which people set.
        """
        self._reactor = reactor
        self._seconds = seconds or reactor.seconds
        self.tick = tick
        self.outlets: set[Flushed] = set()
        self.shared: list[Flushed] = []
        self._wheel: defaultdict[int, list[Paced]] = defaultdict(list)
        self._passed = 0  # the last slot that was looked at
        self._waiting = 0
        self._call: IDelayedCall | None = None

    def now(self) -> float:
        """Monotonic seconds, the clock of everything that is paced."""
        return self._seconds()

    def schedule(self, paced: Paced, when: float) -> None:
        """Wants L{Paced.advance} called at the first tick after C{when}, and at no other time."""
        self.cancel(paced)
        self._wake()
        self._place(paced, when)

    def begin(self, paced: Paced) -> None:
        """Calls L{Paced.advance} at once, and then when it says."""
        self.cancel(paced)
        self._wake()
        paced.slot = self._passed
        self._waiting += 1
        self._serve([paced], self._passed, self.now(), 0.0)

    def _wake(self) -> None:
        if self._call is None:
            self._passed = self._slotAt(self.now())
            self._call = self._reactor.callLater(self.tick, self._turn)

    def _slotAt(self, now: float) -> int:
        """The last slot whose time has come. Dividing may lose the last bit, and must not lose a tick by it."""
        return int(now / self.tick + 1e-6)

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
                if not standing:
                    # nobody may look at that slot any more: where nobody waits, no turns come
                    del self._wheel[paced.slot]
            paced.slot = -1

    def _turn(self) -> None:
        call, wheel = self._call, self._wheel
        now = self.now()
        current = max(self._slotAt(now), self._passed)
        slots: Sequence[int] = range(self._passed + 1, current + 1)
        if len(slots) > _LATE:
            # the process stood still, for a day if somebody closed a laptop: only the slots with somebody in them
            slots = sorted(slot for slot in wheel if slot <= current)
        still = now - (self._passed + 1) * self.tick
        if still > _STALLED:
            self._log.warn("nothing was sent for {still:.1f} s: the process stood still", still=still)
        self._passed = current
        for slot in slots:
            standing = wheel.pop(slot, None)
            if standing is not None:
                self._serve(standing, slot, now, now - slot * self.tick)
        if self._call is not call:
            return  # stopped meanwhile
        if self._behind:
            self.deliver()
        if self._waiting or self._behind:
            delay = (self._passed + 1) * self.tick - self.now()
            self._call = self._reactor.callLater(max(0.0, delay), self._turn)
        else:
            self._call = None

    @property
    def _behind(self) -> bool:
        """Whether something is still to be sent of what players of before, who may have gone, have left."""
        return any(outlet.blocked for outlet in self.shared)

    def _serve(self, standing: list[Paced], slot: int, now: float, late: float) -> None:
        self._waiting -= len(standing)
        served = 0
        for paced in standing:
            if paced.slot != slot:
                continue  # another one's turn took it out
            paced.slot = -1
            if self._call is None:
                continue  # another one's turn stopped everything
            try:
                if late > _STALLED:
                    paced.delayed(late)
                when = paced.advance(now)
                if when is not None and self._call is not None:
                    self._place(paced, when)
            except Exception:
                self._log.failure("a player failed")
                self._giveUp(paced)
            served += 1
            if served % _TOGETHER == 0:
                self.deliver()
        self.deliver()

    def deliver(self, outlet: Flushed | None = None) -> None:
        """Flushes what players have sent; this outlet too, if given."""
        outlets, self.outlets = self.outlets, set()
        if outlet is not None:
            outlets.add(outlet)
        for each in (*outlets, *self.shared):
            try:
                each.flush()
            except Exception:
                self._log.failure("what players sent could not be flushed")

    def _giveUp(self, paced: Paced) -> None:
        """One that fails even at failing takes nobody with it."""
        try:
            paced.failed()
        except Exception:
            self._log.failure("a player could not be ended")

    def stop(self) -> None:
        """No more ticks."""
        for standing in self._wheel.values():
            for paced in standing:
                paced.slot = -1
        self._wheel.clear()
        self._waiting = 0
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()
