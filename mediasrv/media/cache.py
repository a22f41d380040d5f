"""
The cache of fragments: bounded in bytes, shared by all sessions, each entry made once however many ask for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure


class Sized(Protocol):
    """
    What can be kept.

    @ivar size: bytes of memory that it takes.
    """

    @property
    def size(self) -> int: ...


Value = TypeVar("Value", bound=Sized)


class Cache(Generic[Value]):
    """
    Values by key, the least recently used forgotten first.

    @ivar limit: bytes that the values may take together. One value larger than that is handed out but not kept.
    @ivar size: bytes that they take now.
    @ivar hits: how often a value was there.
    @ivar misses: how often it had to be made.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.hits = 0
        self.misses = 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._waiting: dict[Hashable, list[Deferred[Value]]] = {}

    def peek(self, key: Hashable) -> Value | None:
        """The value if it is there, counted as used."""
        value = self._values.get(key)
        if value is not None:
            self.hits += 1
            self._values.move_to_end(key)
        return value

    def get(self, key: Hashable, make: Callable[[], Deferred[Value]]) -> Deferred[Value]:
        """
        The value of a key, made by C{make} if it is not there and not being made already.

        A Deferred that is cancelled only stops waiting; others may still want the value.
        """
        deferred: Deferred[Value] = Deferred()
        value = self.peek(key)
        if value is not None:
            deferred.callback(value)
            return deferred
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append(deferred)
            return deferred
        self.misses += 1
        self._waiting[key] = [deferred]
        maybeDeferred(make).addBoth(self._made, key)
        return deferred

    def _made(self, result: Value | Failure, key: Hashable) -> None:
        waiting = self._waiting.pop(key)
        if not isinstance(result, Failure):
            self._keep(key, result)
        for deferred in waiting:
            if not deferred.called:
                # a cancelled one has been called; a Failure goes to the errbacks
                deferred.callback(result)

    def _keep(self, key: Hashable, value: Value) -> None:
        if value.size > self.limit:
            return
        self._values[key] = value
        self.size += value.size
        while self.size > self.limit:
            _, oldest = self._values.popitem(last=False)
            self.size -= oldest.size

    def clear(self) -> None:
        """Forgets everything that is kept."""
        self._values.clear()
        self.size = 0
