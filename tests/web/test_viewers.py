"""Who gets media over HTTP is a session like any other: counted, shown, ended."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from rtsprig import FakePresentation
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.test.requesthelper import DummyRequest

from mediasrv.media.files import FileVersion
from mediasrv.media.library import Located
from mediasrv.registry import Registry
from mediasrv.sessions import Session
from mediasrv.web.refusals import Refusal
from mediasrv.web.viewers import BAN, PATIENCE, Transfer, Viewers

FILM = ("movies", "film.mkv")


class Rig:
    """
    @ivar ended: why sessions ended.
    """

    def __init__(self, limit: int = 0, limitPerPeer: int = 0) -> None:
        self.clock = Clock()
        self.registry = Registry(limit, limitPerPeer, self.clock)
        self.viewers = Viewers(self.registry, self.clock, unixSeconds=lambda: 1e9 + self.clock.seconds())
        self.presentation: Any = FakePresentation("film", 60.0)
        self.ended: list[str] = []
        self.registry.subscribe(
            lambda event: self.ended.append(event.session.endReason) if event.kind == "removed" else None
        )

    def segment(
        self, request: Any = None, seconds: float = 0.0, octets: int = 1000, path: tuple[str, ...] = FILM
    ) -> None:
        """One of HLS is asked for, and sent."""
        request = request or requestOf()
        self.viewers.check(request, path)
        self.viewers.served(request, path, self.presentation, seconds, octets)

    def download(
        self, request: Any = None, abort: Callable[[], None] = lambda: None, size: int = 5000
    ) -> Transfer | None:
        request = request or requestOf()
        located = Located(f"/srv/{request.postpath[-1].decode()}", FileVersion(1, 1, size, 0))
        return self.viewers.started(request, located, abort)

    @property
    def sessions(self) -> list[Session]:
        return list(self.registry)

    @property
    def session(self) -> Session:
        (session,) = self.registry
        return session


def requestOf(
    path: str = "movies/film.mkv", peer: str | None = "192.0.2.1", agent: str = "x", method: str = "GET"
) -> Any:
    request = DummyRequest([each.encode() for each in path.split("/")])
    request.method = method.encode()
    request.clientproto = b"HTTP/1.1"
    request.client = UNIXAddress("") if peer is None else IPv4Address("TCP", peer, 40000)
    if agent:
        request.requestHeaders.setRawHeaders("User-Agent", [agent])
    return request


@pytest.fixture
def rig() -> Rig:
    return Rig()


def codeOf(call: Callable[[], object]) -> int:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.code != 503 or "Retry-After" in caught.value.headers
    return caught.value.code


# HLS


def test_hls(rig: Rig) -> None:
    rig.clock.advance(5.0)
    rig.segment(octets=1000)
    session = rig.session
    assert (session.door, session.peer, session.path, session.title) == ("hls", "192.0.2.1", "movies/film.mkv", "film")
    assert (session.tracks, session.transport) == (["video h264", "audio pcm_mulaw"], "HLS")
    assert (session.state, session.startedAt, session.duration) == ("playing", 1e9 + 5.0, 60.0)
    rig.segment(seconds=4.0, octets=500)
    assert rig.session is session
    assert (session.position(), session.packetsSent, session.octetsSent) == (4.0, 2, 1500)
    assert (session.fractionLost, session.packetsLost, session.jitter) == (0.0, 0, 0.0)


@pytest.mark.parametrize(
    "other",
    [requestOf(peer="192.0.2.2"), requestOf(agent="y"), requestOf(agent=""), requestOf(peer=None)],
)
def test_viewersAreToldApart(rig: Rig, other: Any) -> None:
    rig.segment()
    rig.segment(other)
    rig.segment(other)
    assert [session.packetsSent for session in rig.sessions] == [1, 2]


def test_presentationsAreToldApart(rig: Rig) -> None:
    rig.segment()
    rig.segment(path=("movies", "other.mkv"))
    assert [session.path for session in rig.sessions] == ["movies/film.mkv", "movies/other.mkv"]


def test_whoAsksNoMoreIsGone(rig: Rig) -> None:
    rig.segment()
    for number in range(1, 10):
        rig.clock.pump([5.0] * 5)
        rig.segment(seconds=number * 2.0)
    assert rig.ended == []
    rig.clock.pump([1.0] * int(PATIENCE))
    assert rig.ended == []
    rig.clock.pump([1.0] * 6)
    assert rig.ended == ["nothing more was asked for"]
    assert rig.clock.getDelayedCalls() == []
    rig.segment()
    assert rig.session.packetsSent == 1


def test_longSegments(rig: Rig) -> None:
    """Three of them, if that is longer; a seek is no segment."""
    rig.segment()
    rig.segment(seconds=20.0)
    rig.clock.pump([1.0] * 59)
    assert rig.ended == []
    rig.segment(seconds=2000.0)
    rig.clock.pump([1.0] * 66)
    assert len(rig.ended) == 1


def test_oneTimerForAll(rig: Rig) -> None:
    for number in range(100):
        rig.segment(requestOf(peer=f"192.0.2.{number}"))
    assert len(rig.clock.getDelayedCalls()) == 1


def test_endedViewersStayAway(rig: Rig) -> None:
    rig.segment()
    assert rig.registry.end(rig.session.id, "ended by an administrator")
    assert (rig.sessions, rig.ended) == ([], ["ended by an administrator"])
    assert codeOf(rig.segment) == 403
    assert codeOf(rig.download) == 403
    rig.viewers.served(requestOf(), FILM, rig.presentation, 0.0, 1)  # one that was on its way
    assert rig.sessions == []
    rig.segment(path=("movies", "other.mkv"))
    rig.segment(requestOf(peer="192.0.2.2"))
    rig.clock.pump([10.0] * int(BAN / 10 - 1))
    assert codeOf(rig.segment) == 403
    rig.clock.advance(10.0)
    rig.segment()
    assert rig.session.state == "playing"


def test_whyIsSaid(rig: Rig) -> None:
    rig.segment()
    rig.session.end("ended by an administrator")
    with pytest.raises(Refusal, match=r"stopped: ended by an administrator\. Try again in some minutes\.$"):
        rig.viewers.check(requestOf(), FILM)


def test_endedTwice(rig: Rig) -> None:
    rig.segment()
    session = rig.session
    session.end("a")
    session.end("b")
    assert (session.state, session.endReason, rig.ended) == ("gone", "a", ["a"])


def test_bansAreForgotten(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """In time, and the oldest when there are too many."""
    monkeypatch.setattr("mediasrv.web.viewers._MOST_BANS", 3)
    for number in range(5):
        rig.segment(requestOf(peer=f"192.0.2.{number}"))
        rig.session.end("x")
    codes = []
    for number in range(5):
        try:
            rig.viewers.check(requestOf(peer=f"192.0.2.{number}"), FILM)
        except Refusal as refusal:
            codes.append((number, refusal.code))
    assert codes == [(2, 403), (3, 403), (4, 403)]
    rig.clock.pump([5.0] * int(BAN / 5 + 1))
    assert rig.viewers._bans == {}
    assert rig.clock.getDelayedCalls() == []


def test_anObserverThatWantsNobody(rig: Rig) -> None:
    rig.registry.subscribe(lambda event: event.session.end("not you") if event.kind == "added" else None)
    assert codeOf(rig.download) == 403
    rig.segment(path=("movies", "other.mkv"))
    assert rig.sessions == []
    assert rig.viewers._all() == []


@pytest.mark.parametrize(
    ("limits", "others"), [((2, 0), ("192.0.2.2", "192.0.2.3")), ((0, 2), ("192.0.2.1", "192.0.2.1"))]
)
def test_limits(limits: tuple[int, int], others: tuple[str, str]) -> None:
    """They are those of all sessions; who is here stays."""
    rig = Rig(*limits)
    for number, peer in enumerate(others):
        rig.segment(requestOf(peer=peer, agent=str(number)))
    assert codeOf(rig.segment) == 503
    assert codeOf(rig.download) == 503
    rig.viewers.served(requestOf(), FILM, rig.presentation, 0.0, 1)
    assert len(rig.sessions) == 2
    rig.segment(requestOf(peer=others[0], agent="0"))
    rig.sessions[0].end("x")
    rig.segment()


# Files


def test_download(rig: Rig) -> None:
    transfer = rig.download()
    assert transfer is not None
    session = rig.session
    assert (session.door, session.path, session.title) == ("http", "movies/film.mkv", "film")
    assert (session.tracks, session.transport, session.duration) == ((), "HTTP/1.1", None)
    transfer.sent(100)
    transfer.sent(50)
    assert (session.octetsSent, session.packetsSent, session.position()) == (150, 1, 0.0)
    rig.clock.pump([5.0] * 100)  # it may take hours
    assert rig.session is session
    transfer.finished()
    transfer.finished()
    rig.clock.pump([5.0] * 6)
    assert rig.session is session
    rig.clock.advance(5.0)
    assert rig.ended == ["nothing more was asked for"]


def test_rangesAreOneViewer(rig: Rig) -> None:
    first, second = rig.download(), rig.download()
    assert first is not None
    assert second is not None
    session = rig.session
    assert session.packetsSent == 2
    first.finished()
    rig.clock.pump([5.0] * 10)
    second.finished()
    rig.clock.advance(20.0)
    third = rig.download()
    assert third is not None
    assert rig.session is session
    third.sent(7)
    assert session.octetsSent == 7


def test_requestsThatAreOver(rig: Rig) -> None:
    """Whoever sends may forget to say so."""
    requests = [requestOf(), requestOf()]
    for request in requests:
        rig.download(request)
    requests[0].finish()
    requests[1].processingFailed(Failure(ConnectionError()))
    rig.clock.pump([5.0] * 7)
    assert len(rig.ended) == 1


def test_endedDownloads(rig: Rig) -> None:
    aborted: list[str] = []
    transfers = [rig.download(abort=lambda name=name: aborted.append(name)) for name in "ab"]  # type: ignore[misc]
    session = rig.session
    rig.registry.end(session.id, "x")
    assert (sorted(aborted), rig.sessions) == (["a", "b"], [])
    for transfer in transfers:
        assert transfer is not None
        transfer.sent(1)
        transfer.finished()
    assert codeOf(rig.download) == 403
    assert codeOf(rig.segment) == 403


def test_endedByBothDoors(rig: Rig) -> None:
    """A player that gets no HLS any more would fetch the bytes."""
    rig.download()
    rig.segment()
    rig.segment(requestOf(peer="192.0.2.2"))
    rig.sessions[1].end("x")
    assert rig.session.peer == "192.0.2.2"
    assert rig.ended == ["x", "x"]


@pytest.mark.parametrize(
    ("path", "size", "method", "isCounted"),
    [
        ("movies/film.mkv", 10, "GET", True),
        ("movies/sound.mp3", 10, "GET", True),
        ("movies/cover.jpg", 10, "GET", False),
        ("movies/film.srt", 10, "GET", False),
        ("movies/disc.iso", 1 << 20, "GET", True),
        ("movies/film.mkv", 10, "HEAD", False),
    ],
)
def test_whatIsCounted(rig: Rig, path: str, size: int, method: str, isCounted: bool) -> None:
    """Not a page full of pictures."""
    assert (rig.download(requestOf(path, method=method), size=size) is not None) == isCounted
    assert len(rig.sessions) == isCounted


# The server's end


def test_draining(rig: Rig) -> None:
    """Nobody new; who has what it wanted is not waited for; who watches is, until the time is over."""
    transfer = rig.download()
    assert transfer is not None
    rig.segment()
    over = rig.registry.drain(grace=60.0)
    assert codeOf(lambda: rig.segment(requestOf(agent="y"))) == 503
    rig.segment(seconds=4.0)
    rig.sessions[0].redirect("rtsp://other.example")
    transfer.finished()
    rig.clock.advance(5.0)
    assert [session.door for session in rig.sessions] == ["hls"]
    for _ in range(11):
        rig.clock.advance(5.0)
        if rig.sessions:
            rig.segment()
    assert over.called
    assert codeOf(rig.segment) == 503


def test_stopped(rig: Rig) -> None:
    """Nothing is left, and nobody is refused when it goes on."""
    aborted: list[bool] = []
    rig.download(abort=lambda: aborted.append(True))
    rig.segment()
    rig.segment(path=("movies", "other.mkv"))
    rig.sessions[-1].end("x")
    rig.viewers.stop()
    assert (aborted, rig.sessions, rig.clock.getDelayedCalls()) == ([True], [], [])
    assert rig.ended == ["x", "the server stops", "the server stops"]
    rig.viewers.stop()
    rig.segment(path=("movies", "other.mkv"))
    assert len(rig.sessions) == 1


def test_requestsAreNotKept(rig: Rig) -> None:
    """A viewer outlives them."""
    request = requestOf()
    rig.segment(request)
    rig.download(request)
    request.finish()
    gone = weakref.ref(request)
    del request
    gc.collect()
    assert gone() is None
