"""Requests from the server to its client: numbers of their own, answers of every kind, and none at all (CON-6)."""

from __future__ import annotations

from typing import Any

import pytest
from rtsprig import FILM, SOUND, TCP, UDP, VIDEO, Client, Rig
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mediasrv.rtsp.asking import NotAnswered, Questions, redirection
from mediasrv.rtsp.messages import Headers, InterleavedFrame, Request, Response
from mediasrv.rtsp.parser import MessageParser

pytestmark = pytest.mark.requirement("CON-6")

OTHER = "rtsp://other.example:8554"


class Asker:
    """
    @ivar sent: what was asked.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.sent: list[Any] = []
        self._parser = MessageParser()
        self.questions = Questions(lambda data: self.sent.extend(self._parser.feed(data)), self.clock.callLater)

    def ask(self) -> list[Any]:
        """Asks; the list gets the answer."""
        results: list[Any] = []
        self.questions.ask(Request("GET_PARAMETER", "*", Headers([("Session", "abc")]))).addBoth(results.append)
        return results


def answer(code: int, cseq: str | None) -> Response:
    return Response(code, Headers([] if cseq is None else [("CSeq", cseq)]))


def reason(results: list[Any]) -> str:
    (failure,) = results
    assert isinstance(failure, Failure)
    failure.trap(NotAnswered)
    return failure.getErrorMessage()


def testNumbersOfItsOwn() -> None:
    asker = Asker()
    asker.ask()
    asker.ask()
    assert [request.headers.get("CSeq") for request in asker.sent] == ["1", "2"]
    assert asker.sent[0] == Request("GET_PARAMETER", "*", Headers([("CSeq", "1"), ("Session", "abc")]))


@pytest.mark.parametrize("code", [200, 404, 405, 501, 551])
def testAnyAnswerIsOne(code: int) -> None:
    asker = Asker()
    first, second = asker.ask(), asker.ask()
    asker.questions.answered(answer(code, "2"))
    assert ([each.code for each in second], first) == ([code], [])
    asker.questions.answered(answer(code, "001"))
    assert [each.code for each in first] == [code]
    assert asker.clock.getDelayedCalls() == []


def testAnswersWithoutANumber() -> None:
    """ffmpeg 5 leaves the CSeq out: what was asked first is answered first."""
    asker = Asker()
    first, second = asker.ask(), asker.ask()
    asker.questions.answered(answer(501, None))
    assert ([each.code for each in first], second) == ([501], [])


@pytest.mark.parametrize("cseq", ["0", "2", "-1", "x", "", "1 2", "9" * 1000, "１", None])
def testAnswersToNothing(cseq: str | None) -> None:
    asker = Asker()
    if cseq is not None:
        results = asker.ask()
        asker.questions.answered(answer(200, cseq))
        assert results == []
        asker.questions.close()
    asker.questions.answered(answer(200, cseq))


def testNoAnswer() -> None:
    """It is waited for ten seconds; what comes later is one to nothing."""
    asker = Asker()
    results = asker.ask()
    asker.clock.advance(9.9)
    assert results == []
    asker.clock.advance(0.2)
    assert reason(results) == "no answer in 10 seconds"
    asker.questions.answered(answer(200, "1"))
    assert len(results) == 1


def testTheEndOfTheConnection() -> None:
    asker = Asker()
    results = [asker.ask(), asker.ask()]
    asker.questions.close()
    assert [reason(each) for each in results] == ["the connection is gone"] * 2
    assert asker.clock.getDelayedCalls() == []


def testABoundedNumber() -> None:
    asker = Asker()
    for _ in range(100):
        assert asker.ask() == []
    assert reason(asker.ask()) == "too much is unanswered already"
    assert len(asker.sent) == 100
    asker.questions.answered(answer(200, "7"))
    assert asker.ask() == []
    assert asker.sent[-1].headers.get("CSeq") == "101"


def testWhoNoLongerWaits() -> None:
    asker = Asker()
    deferred: Deferred[Response] = asker.questions.ask(Request("OPTIONS", "*"))
    deferred.addErrback(lambda failure: None)
    deferred.cancel()
    assert asker.clock.getDelayedCalls() == []
    asker.questions.answered(answer(200, "1"))


def testRedirections() -> None:
    """RFC 2326 section 10.10."""
    assert redirection(FILM, "abc", OTHER + "/x").toBytes() == (
        f"REDIRECT {FILM} RTSP/1.0\r\nSession: abc\r\nLocation: {OTHER}/x\r\n\r\n".encode()
    )
    later = redirection(FILM, "abc", OTHER, at=824221925.25)
    assert later.headers.get("Range") == "clock=19960213T143205.25Z-"


# Over a connection


def requests(client: Client) -> list[Request]:
    """What the server has asked."""
    client.receive()
    return [message for message in client.messages if isinstance(message, Request)]


@pytest.mark.requirement("RED-1")
@pytest.mark.parametrize("udp", [None, 5000])
def testClientsAreRedirected(client: Client, rig: Rig, udp: int | None) -> None:
    """With the presentation's URL as the client wrote it, the session, and where to go."""
    client.setUpFilm(udp)
    client.play()
    rig.registry.drain(OTHER)
    (request,) = requests(client)
    assert (request.method, request.uri) == ("REDIRECT", FILM)
    assert list(request.headers.items()) == [
        ("CSeq", "1"),
        ("Session", client.session),
        ("Location", OTHER + "/movies/film.mkv"),
    ]
    assert client.ask("PLAY", Range="npt=5-").code == 200  # numbers of the two directions do not meet
    assert client.ask("TEARDOWN").code == 200
    assert len(rig.registry) == 0


def testRequestsSplitNoFrames(client: Client, rig: Rig) -> None:
    """INT-1: the whole stream parses, though players send while they are asked."""
    client.setUpFilm()
    client.play()
    session: Any = next(iter(rig.registry))
    for _ in range(20):
        rig.wait(0.05)
        session.redirect(OTHER)
    assert len(requests(client)) == 20
    assert len(client.pictures()) >= 25
    assert {type(message) for message in client.messages} == {Request, Response, InterleavedFrame}


ANSWERS = [
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",  # GStreamer says so and stays
    "RTSP/1.0 405 Method Not Allowed\r\nCSeq: 1\r\nAllow: OPTIONS\r\n\r\n",  # live555, ExoPlayer
    "RTSP/1.0 501 Not Implemented\r\n\r\n",  # ffmpeg
]


@pytest.mark.requirement("TMO-3")
@pytest.mark.parametrize("text", ANSWERS)
def testAnswersAreSignsOfLife(client: Client, rig: Rig, text: str) -> None:
    """Of the session that was asked about, though another is known here, the answer names none, and refuses."""
    client.setUp(SOUND, UDP.format(5000, 5001))
    client.session = ""
    client.setUp(VIDEO, TCP.format(0, 1))
    session: Any = rig.registry.get(client.session)
    rig.wait(50, step=1)
    session.redirect(OTHER)
    rig.wait(5, step=1)
    client.write(text.encode())
    rig.wait(50, step=1)
    assert list(rig.registry) == [session]


def testAnswersThatDoNotComeAreNoError(client: Client, rig: Rig) -> None:
    """Nor is a connection that goes meanwhile; neither leaves a timer behind."""
    client.setUpFilm()
    session: Any = next(iter(rig.registry))
    session.redirect(OTHER)
    rig.wait(20, step=1)
    assert rig.registry.get(client.session) is session
    session.redirect(OTHER)
    client.transport.lose()
    assert len(rig.clock.getDelayedCalls()) == 1
    session.redirect(OTHER)


def testWhoHasNoConnectionIsNotAsked(rig: Rig) -> None:
    """A session over UDP whose connection is gone goes on; it is asked on the one that its client comes back with."""
    client = rig.connect(port=1)
    client.setUpFilm(udp=5000)
    client.play()
    client.transport.lose()
    session: Any = next(iter(rig.registry))
    session.redirect(OTHER)
    later, stranger = rig.connect(port=2), rig.connect(port=3)
    later.session = client.session
    assert later.ask("OPTIONS").code == 200
    session.redirect(OTHER)
    assert [request.method for request in requests(later)] == ["REDIRECT"]
    assert requests(stranger) == []
    later.transport.lose()
    session.redirect(OTHER)
    assert len(rig.registry) == 1


def testAskedWhereTheClientLastSpoke(rig: Rig) -> None:
    """Of two connections of one client; and still there when the other one goes."""
    first, second = rig.connect(port=1), rig.connect(port=2)
    first.setUpFilm(udp=5000)
    second.session = first.session
    second.ask("OPTIONS")
    session: Any = next(iter(rig.registry))
    session.redirect(OTHER)
    first.transport.lose()
    session.redirect(OTHER)
    assert (len(requests(first)), len(requests(second))) == (0, 2)
    second.transport.lose()
    before = len(rig.clock.getDelayedCalls())
    session.redirect(OTHER)
    assert len(rig.clock.getDelayedCalls()) == before  # there is nobody whose answer could be waited for


def testAtATime(client: Client, rig: Rig) -> None:
    """The Range of a REDIRECT says when."""
    client.setUpFilm()
    session: Any = next(iter(rig.registry))
    session.redirect(OTHER, at=824221925)
    assert requests(client)[0].headers.get("Range") == "clock=19960213T143205Z-"
