"""Emptying a server: nobody new, those that are there are told, and in the end nobody is there."""

from __future__ import annotations

import pytest
from sessiondouble import FakeSession
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mediasrv.registry import Event, Registry, TooManySessions

OTHER = "rtsp://other.example:8554"


class Rude(FakeSession):
    def redirect(self, location: str) -> None:
        raise RuntimeError("I will not")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Registry:
    return Registry(reactor=clock)


def told(deferred: Deferred[bool]) -> list[object]:
    results: list[object] = []
    deferred.addBoth(results.append)
    return results


def test_nobodyNewIsLetIn(registry: Registry) -> None:
    registry.add(FakeSession(registry, "a"))
    assert not registry.isDraining
    registry.drain()
    assert registry.isDraining
    for attempt in (lambda: registry.checkRoom("::1"), lambda: registry.add(FakeSession(registry, "b"))):
        with pytest.raises(TooManySessions, match="emptied"):
            attempt()
    assert len(registry) == 1


def test_sessionsMayEndByThemselves(registry: Registry, clock: Clock) -> None:
    sessions = [FakeSession(registry, name) for name in "ab"]
    for session in sessions:
        registry.add(session)
    events: list[Event] = []
    registry.subscribe(events.append)
    over = told(registry.drain())
    clock.advance(1e6)
    assert sessions[0].reasons == []
    registry.remove(sessions[0])
    assert over == []
    over.append(len(events))
    registry.remove(sessions[1])
    assert over == [1, True]
    assert len(events) == 2
    assert registry.isDraining  # and stays empty
    with pytest.raises(TooManySessions):
        registry.checkRoom("::1")


def test_theRestIsEndedAfterAWhile(registry: Registry, clock: Clock) -> None:
    session = FakeSession(registry, "a")
    registry.add(session)
    over = told(registry.drain(grace=30))
    clock.advance(29.9)
    assert over == []
    clock.advance(0.2)
    assert session.reasons == ["the server is being emptied"]
    assert over == [True]


def test_noTimeIsKeptWhenItIsOver(registry: Registry, clock: Clock) -> None:
    session = FakeSession(registry, "a")
    registry.add(session)
    registry.drain(grace=30)
    registry.remove(session)
    assert clock.getDelayedCalls() == []


def test_anEmptyServerIsEmptyAtOnce(registry: Registry, clock: Clock) -> None:
    assert told(registry.drain(OTHER, grace=30)) == [True]
    assert registry.isDraining
    assert clock.getDelayedCalls() == []


def test_clientsAreToldWhereToGo(registry: Registry, loggedFailures: list[Failure]) -> None:
    """Each to its own presentation; who cannot be told keeps nobody else from it."""
    sessions = [Rude(registry, "a"), FakeSession(registry, "b", path="movies/a b.mp4")]
    for session in sessions:
        registry.add(session)
    assert registry.drainLocation is None
    registry.drain(OTHER + "/")
    assert registry.drainLocation == OTHER + "/"
    assert sessions[1].locations == [OTHER + "/movies/a%20b.mp4"]
    assert len(registry) == 2
    assert [failure.type for failure in loggedFailures] == [RuntimeError]
    loggedFailures.clear()


def test_nobodyIsToldWhereThereIsNoPlace(registry: Registry) -> None:
    session = FakeSession(registry, "a")
    registry.add(session)
    registry.drain()
    assert session.locations == []


def test_undoing(registry: Registry, clock: Clock) -> None:
    session = FakeSession(registry, "a")
    registry.add(session)
    over = told(registry.drain(OTHER, grace=30))
    registry.resume()
    assert over == [False]
    assert (registry.isDraining, registry.drainLocation) == (False, None)
    clock.advance(60)
    assert session.reasons == []
    registry.add(FakeSession(registry, "b"))
    registry.remove(session)
    registry.resume()
    assert told(registry.drain()) == []


def test_changingOnesMind(registry: Registry, clock: Clock) -> None:
    """The last call decides; who waited before waits on."""
    session = FakeSession(registry, "a")
    registry.add(session)
    first = told(registry.drain(grace=10))
    second = told(registry.drain(OTHER, grace=20))
    assert session.locations == [OTHER + "/movies/a.mp4"]
    clock.advance(15)
    assert first == second == []
    clock.advance(6)
    assert first == second == [True]


def test_whoNoLongerWaits(registry: Registry) -> None:
    """Cancelling is for one; also in the moment in which the other is told."""
    session = FakeSession(registry, "a")
    registry.add(session)
    waiting = [registry.drain() for _ in range(3)]
    results = [told(each) for each in waiting]
    waiting[0].cancel()
    assert isinstance(results[0][0], Failure)
    assert results[0][0].check(CancelledError)
    waiting[2].addCallback(lambda _: waiting[1].cancel())
    registry.remove(session)
    assert results[2][0] is True
    assert len(results[1]) == 1


@pytest.mark.parametrize(
    ("location", "grace"),
    [("http://a", None), ("a\r\nb", 1.0), (None, -1.0), (None, float("nan")), (None, float("inf"))],
)
def test_whatCannotBe(registry: Registry, location: str | None, grace: float | None) -> None:
    with pytest.raises(ValueError, match=r"URL|grace"):
        registry.drain(location, grace)
    assert not registry.isDraining
