"""The registry: who is there, who is told, who may not come in any more (SET-1, SET-17, SEC-18)."""

from __future__ import annotations

import pytest
from sessiondouble import FakeSession
from twisted.python.failure import Failure

from mediasrv.registry import Event, Registry, Session, TooManySessions


class StubbornSession(FakeSession):
    def end(self, reason: str) -> None:
        raise RuntimeError("I will not")


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_sessionsAreListedInOrder(registry: Registry) -> None:
    sessions = [FakeSession(registry, name) for name in ("b", "a", "c")]
    for session in sessions:
        registry.add(session)
    assert list(registry) == sessions
    assert len(registry) == 3
    assert registry.get("a") is sessions[1]
    registry.remove(sessions[0])
    assert list(registry) == sessions[1:]
    assert registry.get("b") is None


def test_noTwoOfOneIdentifier(registry: Registry) -> None:
    first = FakeSession(registry, "a")
    registry.add(first)
    with pytest.raises(ValueError, match="'a'"):
        registry.add(FakeSession(registry, "a"))
    assert registry.get("a") is first


def test_removingAStrangerIsNoError(registry: Registry) -> None:
    first = FakeSession(registry, "a")
    registry.add(first)
    registry.remove(FakeSession(registry, "a"))
    assert registry.get("a") is first
    registry.remove(first)
    registry.remove(first)
    assert len(registry) == 0


@pytest.mark.requirement("SET-1")
def test_identifiers(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {registry.newId() for _ in range(500)}
    assert len(names) == 500
    assert all(len(name) >= 16 and name.isascii() and name.isalnum() for name in names)
    assert len(set("".join(names))) == 62

    letters = iter("a" * 16 + "b" * 16)
    monkeypatch.setattr("mediasrv.registry.choice", lambda alphabet: next(letters))
    registry.add(FakeSession(registry, "a" * 16))
    assert registry.newId() == "b" * 16


@pytest.mark.requirement("SET-17", "SEC-18")
def test_theLimit() -> None:
    registry = Registry(limit=2)
    first = FakeSession(registry, "a", peer="::1")
    registry.add(first)
    registry.add(FakeSession(registry, "b", peer="::2"))
    events: list[Event] = []
    registry.subscribe(events.append)
    with pytest.raises(TooManySessions):
        registry.add(FakeSession(registry, "c", peer="::3"))
    with pytest.raises(TooManySessions):
        registry.checkRoom("::3")
    assert len(registry) == 2
    assert events == []
    registry.remove(first)
    registry.add(FakeSession(registry, "c", peer="::3"))


@pytest.mark.requirement("SET-17", "SEC-18")
def test_theLimitPerPeer() -> None:
    registry = Registry(limitPerPeer=1)
    first = FakeSession(registry, "a", peer="::1")
    registry.add(first)
    with pytest.raises(TooManySessions):
        registry.add(FakeSession(registry, "b", peer="::1"))
    registry.add(FakeSession(registry, "b", peer="::2"))
    registry.remove(first)
    registry.remove(first)
    registry.add(FakeSession(registry, "c", peer="::1"))
    with pytest.raises(TooManySessions):
        registry.checkRoom("::1")


def test_endingOne(registry: Registry) -> None:
    session = FakeSession(registry, "a")
    registry.add(session)
    assert registry.end("a", "because") is True
    assert session.reasons == ["because"]
    assert registry.end("a", "because") is False


def test_endingAll(registry: Registry, loggedFailures: list[Failure]) -> None:
    sessions: list[FakeSession] = [
        FakeSession(registry, "a"),
        StubbornSession(registry, "b"),
        FakeSession(registry, "c"),
    ]
    for session in sessions:
        registry.add(session)
    registry.endAll("shutdown")
    assert len(registry) == 0
    assert sessions[0].reasons == sessions[2].reasons == ["shutdown"]
    assert [failure.type for failure in loggedFailures] == [RuntimeError]
    loggedFailures.clear()


def test_observers(registry: Registry) -> None:
    events: list[Event] = []
    unsubscribe = registry.subscribe(events.append)
    session = FakeSession(registry, "a")
    registry.changed(session)
    registry.add(session)
    registry.changed(session)
    registry.remove(session)
    registry.changed(session)
    assert events == [Event("added", session), Event("changed", session), Event("removed", session)]
    unsubscribe()
    unsubscribe()
    registry.add(session)
    assert len(events) == 3


def test_anObserverThatRaises(registry: Registry, loggedFailures: list[Failure]) -> None:
    calls: list[str] = []

    def fail(event: Event) -> None:
        calls.append(event.kind)
        raise RuntimeError("broken")

    events: list[Event] = []
    registry.subscribe(fail)
    registry.subscribe(events.append)
    session = FakeSession(registry, "a")
    registry.add(session)
    registry.remove(session)
    assert [event.kind for event in events] == calls == ["added", "removed"]
    assert len(loggedFailures) == 1
    loggedFailures.clear()


def test_whoUnsubscribesMeanwhileHearsNoMore(registry: Registry) -> None:
    events: list[Event] = []
    registry.subscribe(lambda event: unsubscribe())
    unsubscribe = registry.subscribe(events.append)
    registry.add(FakeSession(registry, "a"))
    assert events == []


def test_anObserverMayEndSessions(registry: Registry) -> None:
    """Everybody hears of the coming before the going."""
    kinds: list[str] = []

    def refuse(event: Event) -> None:
        if event.kind == "added":
            registry.end(event.session.id, "not you")

    registry.subscribe(refuse)
    registry.subscribe(lambda event: kinds.append(event.kind))
    registry.add(FakeSession(registry, "a"))
    assert kinds == ["added", "removed"]
    assert len(registry) == 0


def test_theFakeIsASession(registry: Registry) -> None:
    """For mypy as well: plain attributes satisfy the protocol."""
    session: Session = FakeSession(registry, "a")
    names = [name for name in vars(Session) if not name.startswith("_")]
    assert "octetsSent" in names
    assert all(hasattr(session, name) for name in names)
