"""The log of sessions: one line when a session begins to play, one when it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sessiondouble import FakeSession
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher

from mediasrv.registry import Registry
from mediasrv.sessionlog import SessionLog

UDP = "RTP/AVP;unicast;client_port=5000-5001;server_port=8000-8001"
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def film(registry: Registry, id: str, **changes: Any) -> FakeSession:
    """A session that sends a film over UDP, and began a minute ago."""
    changes = {"path": "movies/a film.mp4", "transport": f"{UDP}, {UDP}", "startedAt": 1000.0, "at": 12.34, **changes}
    return FakeSession(registry, id, tracks=("video h264", "audio aac"), **changes)


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    SessionLog(registry, lambda: 1061.5)
    return registry


@pytest.fixture
def lines() -> Iterator[list[str]]:
    found: list[str] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.info:
            found.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


def enter(registry: Registry, session: FakeSession) -> None:
    registry.add(session)
    registry.changed(session)  # a track was set up


def change(registry: Registry, session: FakeSession, state: str) -> None:
    session.state = state
    registry.changed(session)


def test_oneLineAtEachEnd(registry: Registry, lines: list[str]) -> None:
    session = film(registry, "secret")
    enter(registry, session)
    assert lines == []
    for state in ("playing", "playing", "paused", "playing"):
        change(registry, session, state)
    assert lines == ["session 1: 192.0.2.1 plays 'movies/a film.mp4' (video h264, audio aac) over RTP/AVP"]
    del lines[:]
    session.state, session.endReason = "gone", "TEARDOWN"
    session.packetsSent, session.octetsSent, session.packetsLost = 42, 31_337, 3
    registry.remove(session)
    assert len(lines) == 1
    assert lines[0] == (
        "session 1: 192.0.2.1 left 'movies/a film.mp4' at 12.3 s after 61.5 s, 42 packets, 31337 bytes, 3 lost "
        "(TEARDOWN)"
    )


def test_moreThanWasSentIsNoLoss(registry: Registry, lines: list[str]) -> None:
    session = film(registry, "a", packetsLost=-2)
    enter(registry, session)
    change(registry, session, "playing")
    registry.remove(session)
    assert ", 0 lost (" in lines[1]


def test_whoNeverPlayedIsNoNews(registry: Registry, lines: list[str]) -> None:
    session = film(registry, "a")
    enter(registry, session)
    session.state = "gone"
    registry.changed(session)
    registry.remove(session)
    assert lines == []


def test_theTransportsOfASession(registry: Registry, lines: list[str]) -> None:
    session = film(registry, "a", transport=f"{TCP}, {UDP}, {TCP}")
    enter(registry, session)
    change(registry, session, "playing")
    assert lines[0].endswith("over RTP/AVP/TCP, RTP/AVP")


def test_downloadsHaveNoTracks(registry: Registry, lines: list[str]) -> None:
    session = FakeSession(registry, "a", tracks=(), transport="HTTP/1.1")
    enter(registry, session)
    change(registry, session, "playing")
    assert lines == ["session 1: 192.0.2.1 plays 'movies/a.mp4' over HTTP/1.1"]


def test_multicastIsSaid(registry: Registry, lines: list[str]) -> None:
    multicast = "RTP/AVP;multicast;destination=239.255.42.0;port=5004-5005;ttl=1"
    session = film(registry, "a", transport=f"{multicast}, {multicast}")
    enter(registry, session)
    change(registry, session, "playing")
    assert lines[0].endswith("over RTP/AVP;multicast")


def test_sessionsAreToldApartWithoutTheirIdentifiers(registry: Registry, lines: list[str]) -> None:
    sessions = [film(registry, id) for id in ("secretA", "secretB")]
    for session in sessions:
        enter(registry, session)
        change(registry, session, "playing")
    for session in reversed(sessions):
        registry.remove(session)
    assert [line.partition(":")[0] for line in lines] == ["session 1", "session 2", "session 2", "session 1"]
    assert "secret" not in "".join(lines)


def test_aNameCannotMakeLines(registry: Registry, lines: list[str]) -> None:
    session = film(registry, "a", path="movies/x\u2028\x1b[2J\nsession 9: forged.mp4")
    enter(registry, session)
    change(registry, session, "playing")
    assert lines[0].isprintable()
