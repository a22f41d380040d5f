"""Errands: few at a time, each once, none for nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from mediasrv.media.errands import Errands, TooBusy


class Reactor:
    """Calls from threads come at once."""

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        function(*args)


class Pool:
    """Threads that work when they are told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def callInThreadWithCallback(self, onResult: Callable[[bool, Any], None], function: Any, *args: Any) -> None:
        def job() -> None:
            try:
                result = function(*args)
            except Exception:
                onResult(False, Failure())
            else:
                onResult(True, result)

        self.jobs.append(job)

    def work(self) -> None:
        self.jobs.pop(0)()


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def errands(pool: Pool) -> Errands:
    return Errands(pool, Reactor(), 2, 3)


def ask(errands: Errands, key: str, done: list[str]) -> Deferred[Any]:
    def work() -> str:
        done.append(key)
        return key.upper()

    return errands.do(key, work)


def outcome(deferred: Deferred[Any]) -> Any:
    """What it came to; None if it has not."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    return found[0] if found else None


def test_order(errands: Errands, pool: Pool) -> None:
    done: list[str] = []
    asked = [ask(errands, key, done) for key in "abcd"]
    assert len(pool.jobs) == 2
    while pool.jobs:
        pool.work()
    assert done == ["a", "b", "c", "d"]
    assert [outcome(each) for each in asked] == ["A", "B", "C", "D"]


def test_once(errands: Errands, pool: Pool) -> None:
    """While it waits and while it is done others join; afterwards it is done anew."""
    done: list[str] = []
    asked = [ask(errands, key, done) for key in "abccab"]
    while pool.jobs:
        pool.work()
    assert done == ["a", "b", "c"]
    assert [outcome(each) for each in asked] == ["A", "B", "C", "C", "A", "B"]
    ask(errands, "a", done)
    pool.work()
    assert done == ["a", "b", "c", "a"]


def test_failure(errands: Errands, pool: Pool) -> None:
    def work() -> None:
        raise KeyError("lost")

    first, second = errands.do("a", work), errands.do("a", work)
    pool.work()
    for each in (first, second):
        assert outcome(each).check(KeyError)


def test_gone(errands: Errands, pool: Pool) -> None:
    """What nobody waits for is not begun; those who stay get theirs."""
    done: list[str] = []
    asked = {key: ask(errands, key, done) for key in "abcd"}
    staying = ask(errands, "d", done)
    for key in "acd":
        asked[key].cancel()
        assert outcome(asked[key]).check(CancelledError)
    while pool.jobs:
        pool.work()
    assert done == ["a", "b", "d"]
    assert (outcome(asked["b"]), outcome(staying)) == ("B", "D")


def test_comesBack(errands: Errands, pool: Pool) -> None:
    """Who asks again after leaving is served, with what is under way."""
    done: list[str] = []
    ask(errands, "a", done).addErrback(lambda failure: failure.trap(CancelledError)).cancel()
    again = ask(errands, "a", done)
    pool.work()
    assert (outcome(again), done, pool.jobs) == ("A", ["a"], [])


def test_tooBusy(errands: Errands, pool: Pool) -> None:
    done: list[str] = []
    asked = [ask(errands, key, done) for key in "abcde"]
    assert outcome(ask(errands, "f", done)).check(TooBusy)
    assert outcome(ask(errands, "e", done)) is None  # that is waiting already
    asked[3].cancel()
    assert outcome(asked[3]).check(CancelledError)
    assert outcome(ask(errands, "f", done)) is None


def test_nextAfterTheAnswer(errands: Errands, pool: Pool) -> None:
    """One who asks for the next thing at once comes behind those who wait."""
    done: list[str] = []
    asked = [ask(errands, key, done) for key in "abc"]
    asked[0].addCallback(lambda _: ask(errands, "z", done) and None)
    while pool.jobs:
        pool.work()
    assert done == ["a", "b", "c", "z"]
