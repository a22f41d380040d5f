"""The reactor's clock in a process of our own: a step of the time of day delays nothing (SEC-29)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mediasrv.steadytime import keepSteady


class TimeOfDay:
    """What people set."""

    def __init__(self) -> None:
        self.offset = 0.0

    def seconds(self) -> float:
        return time.time() + self.offset


@pytest.fixture
def day() -> TimeOfDay:
    return TimeOfDay()


@pytest.fixture
def reactor(day: TimeOfDay) -> Iterator[SelectReactor]:
    """One that keeps its delayed calls by the time of day, as all of Twisted's do; it never runs by itself."""
    reactor = SelectReactor()
    reactor.seconds = day.seconds
    yield reactor
    reactor.waker.connectionLost(Failure(Exception("the test is over")))


@pytest.mark.requirement("SEC-29")
@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def testAStepOfTheTimeOfDay(reactor: SelectReactor, day: TimeOfDay, step: float) -> None:
    """SEC-29: what is asked for after a step, and what waited when it came, is called neither late nor early."""
    keepSteady(reactor)
    called: list[str] = []
    reactor.callLater(0, called.append, "waited")
    reactor.callLater(100, called.append, "is not due")
    day.offset = step
    reactor.callLater(0, called.append, "came later")
    reactor.runUntilCurrent()
    assert called == ["waited", "came later"]
    assert 90 < reactor.timeout() <= 100


def testWhatWaitsAlready(reactor: SelectReactor, day: TimeOfDay) -> None:
    """Calls from before keep their order and their time, and can be put off."""
    called: list[int] = []
    calls = {delay: reactor.callLater(delay, called.append, delay) for delay in (300, 0, 200, 100)}
    reactor.timeout()  # half of them are in the reactor's heap, half are new to it
    calls[50] = reactor.callLater(50, called.append, 50)
    keepSteady(reactor)
    day.offset = -3600.0
    reactor.runUntilCurrent()
    assert called == [0]
    assert 40 < reactor.timeout() <= 50
    calls[50].reset(150)
    calls[200].cancel()
    assert 90 < calls[100].getTime() - time.monotonic() <= 100
    assert 140 < calls[50].getTime() - time.monotonic() <= 150
    for call in (calls[50], calls[100], calls[300]):
        call.reset(0)
    reactor.runUntilCurrent()
    assert sorted(called) == [0, 50, 100, 300]


def testAskedForTwice(reactor: SelectReactor) -> None:
    """It does no harm to be asked again."""
    call = reactor.callLater(10, lambda: None)
    keepSteady(reactor)
    due = call.getTime()
    keepSteady(reactor)
    assert call.getTime() == due


def testOthersReactors() -> None:
    """One that a test, or somebody else, has made keeps its own time."""
    clock = Clock()
    keepSteady(clock)
    clock.advance(5)
    assert clock.seconds() == 5
