"""
Errands: work for threads that would hold up others if all of it were done as it comes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool


class TooBusy(Exception):
    """So much is waiting already that nothing more is taken."""


@dataclass(slots=True, eq=False)
class _Errand:
    work: Callable[[], Any]
    waiting: list[Deferred[Any]] = field(default_factory=list)


class Errands:
    """
    A few at a time, in the order in which they came, each once however many wait for it. What nobody waits for any more
    is not begun.
    """

    def __init__(self, pool: ThreadPool, reactor: IReactorFromThreads, atOnce: int, longest: int) -> None:
        """
        @param atOnce: how many threads they take at most.
        @param longest: how many may wait.
        """
        self._pool = pool
        self._reactor = reactor
        self._atOnce = atOnce
        self._longest = longest
        self._queue: OrderedDict[Hashable, _Errand] = OrderedDict()
        self._underWay: dict[Hashable, _Errand] = {}

    def do(self, key: Hashable, work: Callable[[], Any]) -> Deferred[Any]:
        """
        Has something done in a thread.

        @param key: what tells it from other work.
        @return: comes to what C{work} returns or raises; fails with L{TooBusy}. To cancel it is to go away.
        """
        errand = self._underWay.get(key) or self._queue.get(key)
        if errand is None:
            if len(self._queue) >= self._longest:
                return fail(TooBusy())
            errand = self._queue[key] = _Errand(work)
        found = errand

        def leave(deferred: Deferred[Any]) -> None:
            found.waiting.remove(deferred)
            if not found.waiting and self._queue.get(key) is found:
                del self._queue[key]

        deferred: Deferred[Any] = Deferred(leave)
        found.waiting.append(deferred)
        self._begin()
        return deferred

    def _begin(self) -> None:
        while self._queue and len(self._underWay) < self._atOnce:
            key, errand = self._queue.popitem(last=False)
            self._underWay[key] = errand
            deferToThreadPool(self._reactor, self._pool, errand.work).addBoth(self._done, key)

    def _done(self, result: Any, key: Hashable) -> None:
        errand = self._underWay.pop(key)
        # first, so that one who asks for the next thing at once comes behind those who wait already
        self._begin()
        while errand.waiting:
            # a Failure goes to the errbacks
            errand.waiting.pop(0).callback(result)
