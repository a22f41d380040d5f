"""The cache: its limit, and that a value is made once however many wait for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, succeed

from mediasrv.media.cache import Cache


@dataclass
class Value:
    size: int
    name: str = ""


class Maker:
    """Makes values when it is told to."""

    def __init__(self) -> None:
        self.made: list[Deferred[Value]] = []

    def __call__(self) -> Deferred[Value]:
        self.made.append(Deferred())
        return self.made[-1]


def results(deferred: Deferred[Value]) -> list[object]:
    """What a Deferred has come to so far; failures are taken out of it."""
    found: list[object] = []
    deferred.addBoth(found.append)
    return found


def test_madeOnce():
    cache: Cache[Value] = Cache(100)
    maker = Maker()
    waiting = [results(cache.get("a", maker)) for _ in range(50)]
    assert len(maker.made) == 1
    assert (cache.hits, cache.misses) == (0, 1)
    value = Value(10)
    maker.made[0].callback(value)
    assert all(found == [value] for found in waiting)
    assert results(cache.get("a", maker)) == [value]
    assert cache.peek("a") is value
    assert len(maker.made) == 1
    assert (cache.hits, cache.misses) == (2, 1)


def test_madeAtOnce():
    cache: Cache[Value] = Cache(100)
    value = Value(10)
    assert results(cache.get("a", lambda: succeed(value))) == [value]
    assert cache.size == 10


def test_cancelled():
    """Who does not wait any more takes nothing from the others."""
    cache: Cache[Value] = Cache(100)
    maker = Maker()
    first, second = cache.get("a", maker), cache.get("a", maker)
    foundFirst, foundSecond = results(first), results(second)
    first.cancel()
    assert foundFirst[0].check(CancelledError)
    assert not foundSecond
    value = Value(1)
    maker.made[0].callback(value)
    assert foundSecond == [value]
    assert len(foundFirst) == 1


def test_allCancelled():
    """What is made anyway is kept: the next one to ask has it."""
    cache: Cache[Value] = Cache(100)
    maker = Maker()
    deferred = cache.get("a", maker)
    found = results(deferred)
    deferred.cancel()
    maker.made[0].callback(Value(1))
    assert len(found) == 1
    assert cache.peek("a") is not None


def test_failureIsNotKept():
    cache: Cache[Value] = Cache(100)
    maker = Maker()
    waiting = [results(cache.get("a", maker)) for _ in range(3)]
    maker.made[0].errback(ValueError("no"))
    assert all(found[0].check(ValueError) for found in waiting)
    again = results(cache.get("a", maker))
    maker.made[1].callback(Value(1, "second"))
    assert again == [Value(1, "second")]


def test_failureAtOnce():
    """A maker that raises fails like one whose Deferred does, and the key can be asked for again."""
    cache: Cache[Value] = Cache(100)

    def broken() -> Deferred[Value]:
        raise OSError("no thread")

    assert results(cache.get("a", broken))[0].check(OSError)
    assert results(cache.get("a", lambda: succeed(Value(1)))) == [Value(1)]


def test_oldestGoesFirst():
    cache: Cache[Value] = Cache(30)
    for name in "abc":
        cache.get(name, lambda: succeed(Value(10)))
    cache.peek("a")
    cache.get("d", lambda: succeed(Value(10)))
    assert [name for name in "abcd" if cache.peek(name)] == ["a", "c", "d"]


def test_tooLarge():
    """Handed out, but nothing else is thrown away for it."""
    cache: Cache[Value] = Cache(30)
    cache.get("a", lambda: succeed(Value(10)))
    assert results(cache.get("b", lambda: succeed(Value(31)))) == [Value(31)]
    assert cache.peek("b") is None
    assert cache.peek("a") == Value(10)


def test_clear():
    cache: Cache[Value] = Cache(30)
    maker = Maker()
    cache.get("a", lambda: succeed(Value(10)))
    waiting = results(cache.get("b", maker))
    cache.clear()
    assert (cache.size, cache.peek("a")) == (0, None)
    maker.made[0].callback(Value(5))
    assert waiting == [Value(5)]
    assert cache.size == 5


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60))))
def test_limit(asked):
    cache: Cache[Value] = Cache(100)
    kept: dict[int, int] = {}
    for key, size in asked:
        [value] = results(cache.get(key, lambda size=size: succeed(Value(size))))
        kept.setdefault(key, value.size)
        kept = {each: cache._values[each].size for each in cache._values}
        assert cache.size == sum(kept.values()) <= 100
        assert value.size > 100 or cache.peek(key) is value


def test_limitOfNothing():
    cache: Cache[Value] = Cache(0)
    assert results(cache.get("a", lambda: succeed(Value(1)))) == [Value(1)]
    assert cache.peek("a") is None


@pytest.mark.parametrize("repeat", [2])
def test_askedAgainFromItsCallback(repeat):
    """Who gets a value may ask for it again at once."""
    cache: Cache[Value] = Cache(100)
    maker = Maker()
    inner: list[list[object]] = []
    deferred = cache.get("a", maker)
    deferred.addCallback(lambda value: [inner.append(results(cache.get("a", maker))) for _ in range(repeat)])
    value = Value(1)
    maker.made[0].callback(value)
    assert inner == [[value]] * repeat
    assert len(maker.made) == 1
