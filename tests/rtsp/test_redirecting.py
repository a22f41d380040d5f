"""Presentations that are elsewhere, and a server that lets nobody in (RFC 2326 section 11.2)."""

from __future__ import annotations

from typing import Any

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mediasrv.interfaces import Elsewhere, Gone, IMediaLocator
from mediasrv.locating import RedirectTable
from mediasrv.rtsp.messages import Response
from mediasrv.rtsp.urls import parseURI, splitTrack

pytestmark = pytest.mark.requirement("DES-1", "RED-1")

OTHER = "rtsp://other.example:8554"


@implementer(IMediaLocator)
class Cluster:
    """Knows of what an application would look up."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.asked: list[tuple[str, str]] = []

    def locate(self, path: str, peer: str) -> Any:
        self.asked.append((path, peer))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def rig(cluster: Cluster) -> Rig:
    table = RedirectTable({"old": Elsewhere(OTHER + "/new", permanent=True), "away": OTHER, "lost": Gone()})
    return Rig(locators=[cluster, table])


def begin(client: Client, method: str, path: str) -> Response:
    """DESCRIBE, or a SETUP that would begin a session."""
    track = "/trackID=0" if method == "SETUP" else ""
    return client.ask(method, f"rtsp://server/{path}{track}", Transport=TCP.format(0, 1))


def asked(method: str, location: str | None) -> str | None:
    """Where what was asked for is, if the presentation is at this URL: its first track is asked for by SETUP."""
    if location is None or method == "DESCRIBE":
        return location
    base, mark, query = location.partition("?")
    return f"{base}/trackID=0{mark}{query}"


METHODS = pytest.mark.parametrize("method", ["DESCRIBE", "SETUP"])


@METHODS
@pytest.mark.parametrize(
    ("path", "code", "location"),
    [
        ("old/a%20b.mkv", 301, OTHER + "/new/a%20b.mkv"),
        ("old/a.mkv?token=1%2F", 301, OTHER + "/new/a.mkv?token=1%2F"),
        ("old", 301, OTHER + "/new"),
        ("away/a/b.mkv", 302, OTHER + "/a/b.mkv"),
        ("lost/a.mkv", 410, None),
        ("older", 404, None),
        ("old/../lost", 404, None),
        ("away%2Fa", 404, None),
    ],
)
def testByTheTable(client: Client, rig: Rig, method: str, path: str, code: int, location: str | None) -> None:
    """With Location, without a session, and the connection goes on."""
    answer = begin(client, method, path)
    assert answer.code == code
    assert answer.headers.get("Location") == asked(method, location)
    assert "Session" not in answer.headers
    assert len(rig.registry) == 0
    assert client.setUp(VIDEO, TCP.format(0, 1)).code == 200


@METHODS
@pytest.mark.parametrize(
    ("found", "code", "location"),
    [
        ("rtsp://x.example/y", 302, "rtsp://x.example/y?q=é"),
        (Elsewhere("rtsps://x.example/y?mine"), 302, "rtsps://x.example/y?mine"),
        (Elsewhere("rtsp://x.example/y", permanent=True), 301, "rtsp://x.example/y?q=é"),
        (Gone(), 410, None),
        (None, 404, None),
    ],
)
def testByTheApplication(
    client: Client, cluster: Cluster, method: str, found: object, code: int, location: str | None
) -> None:
    """Asked with the decoded path and the client's address; the client's query goes along."""
    cluster.answer = found
    answer = begin(client, method, "far/a%20b.mkv?q=é")
    assert answer.code == code
    assert answer.headers.get("Location") == asked(method, location and location.replace("é", "%C3%A9"))
    assert cluster.asked == [("far/a b.mkv", "192.0.2.7")]


@METHODS
def testAnApplicationThatTakesItsTime(client: Client, cluster: Cluster, method: str) -> None:
    """Answers stay in order."""
    cluster.answer = Deferred()
    transport = TCP.format(0, 1)
    client.write(client.request(method, VIDEO, Transport=transport) + client.request("OPTIONS"))
    assert client.receive() == []
    cluster.answer.callback(OTHER)
    assert [message.code for message in client.receive()] == [302, 200]


def testAClientThatDoesNotWait(client: Client, rig: Rig, cluster: Cluster) -> None:
    """The application hears that nobody wants to know any more."""
    cancelled: list[object] = []
    cluster.answer = Deferred(cancelled.append)
    client.write(client.request("DESCRIBE"))
    client.transport.lose()
    assert cancelled == [cluster.answer]


@METHODS
@pytest.mark.parametrize("answer", [RuntimeError("broken"), "rtsp://x/\r\nSession: y", 7])
def testAnApplicationThatFails(
    client: Client, cluster: Cluster, method: str, answer: object, loggedFailures: list[Failure]
) -> None:
    """500 and a line in the log; nothing of it reaches the client, least of all lines of its own making (SEC-26)."""
    cluster.answer = answer
    refused = begin(client, method, "movies/film.mkv")
    assert (refused.code, list(refused.headers.items())[2:], refused.body) == (500, [], b"")
    assert len(loggedFailures) == 1
    loggedFailures.clear()
    cluster.answer = None
    assert client.ask("DESCRIBE").code == 200


def testWhoHasASessionStays(client: Client, cluster: Cluster) -> None:
    """Another track of it is set up here, and it plays, though others are sent away by now; OPTIONS never redirects."""
    client.setUp(VIDEO, TCP.format(0, 1))
    cluster.answer = OTHER
    assert client.setUp(AUDIO, TCP.format(2, 3)).code == 200
    client.play()
    assert client.ask("OPTIONS").code == client.ask("OPTIONS", Session=None).code == 200
    assert client.ask("DESCRIBE", Session=None).code == 302


@pytest.mark.parametrize("url", ["away/a.mkv/trackID=1?x", "away/a.mkv?x/trackID=1"])
def testATrackIsWhereItsPresentationIs(client: Client, url: str) -> None:
    """However its URL was put together; and it can be asked for there."""
    answer = client.ask("SETUP", f"rtsp://server/{url}", Transport=TCP.format(0, 1))
    location = answer.headers.get("Location", "")
    assert location == OTHER + "/a.mkv/trackID=1?x"
    assert splitTrack(parseURI(location))[1] == 1


# A server that is being emptied


@METHODS
@pytest.mark.requirement("SET-17")
def testNobodyNew(client: Client, rig: Rig, method: str) -> None:
    """503 with Retry-After; until it is undone."""
    rig.registry.drain()
    answer = begin(client, method, "movies/film.mkv")
    assert (answer.code, answer.headers.get("Retry-After")) == (503, "30")
    assert "Session" not in answer.headers
    assert client.ask("OPTIONS").code == 200
    rig.registry.resume()
    assert begin(client, method, "movies/film.mkv").code == 200


@METHODS
def testNewOnesAreSentAway(client: Client, rig: Rig, method: str) -> None:
    """302, to the same path on the other server; what has moved for good is still there, and what is gone is gone."""
    rig.registry.drain(OTHER)
    answer = begin(client, method, "movies/a%20b.mkv?x=1")
    assert (answer.code, answer.headers.get("Location")) == (302, asked(method, OTHER + "/movies/a%20b.mkv?x=1"))
    assert begin(client, method, "old/a.mkv").code == 301
    assert begin(client, method, "lost/a.mkv").code == 410


@pytest.mark.parametrize("udp", [None, 5000])
def testWhoPlaysMayStay(client: Client, rig: Rig, udp: int | None) -> None:
    """Everything works as before, for as long as there is time; then comes BYE, and 454."""
    client.setUp(VIDEO, TCP.format(0, 1) if udp is None else UDP.format(udp, udp + 1))
    rig.registry.drain(grace=30)
    audio = TCP.format(2, 3) if udp is None else UDP.format(udp + 2, udp + 3)
    assert client.setUp(AUDIO, audio).code == 200
    client.play()
    rig.wait(5)
    assert client.ask("PAUSE").code == 200
    client.play("npt=2-")
    rig.wait(24.9, step=0.1)
    assert len(rig.registry) == 1
    rig.wait(0.2, step=0.1)
    assert client.ask("PLAY").code == 454


def testASessionThatWasAboutToBegin(client: Client, rig: Rig) -> None:
    """A SETUP whose file is still being opened is one too many when the emptying begins."""
    rig.library.isSlow = True
    client.write(client.request("SETUP", SOUND, Transport=TCP.format(0, 1)))
    rig.registry.drain()
    rig.library.waiting.pop().callback(rig.library.sound)
    assert [message.code for message in client.receive()] == [503]
    assert len(rig.registry) == 0


def testTheLastOneIsNoticed(client: Client, rig: Rig) -> None:
    """Whether it leaves by TEARDOWN, by closing, or by silence."""
    clients = [client, rig.connect(), rig.connect()]
    for number, each in enumerate(clients):
        each.setUp(SOUND, TCP.format(0, 1) if number < 2 else UDP.format(5000, 5001))
    over: list[bool] = []
    rig.registry.drain().addCallback(over.append)
    clients[0].ask("TEARDOWN", SOUND)
    clients[1].transport.lose()
    assert over == []
    rig.wait(62, step=1)
    assert over == [True]


def testFilmsThatAreElsewhereAreNotLookedFor(client: Client, rig: Rig, cluster: Cluster) -> None:
    """Who is sent away costs no file: a slow disk is not asked."""
    rig.library.isSlow = True
    cluster.answer = OTHER
    assert client.ask("DESCRIBE", FILM).code == 302
    assert rig.library.waiting == []
