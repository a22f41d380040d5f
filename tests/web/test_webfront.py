"""The web port: tunnels, and everything else for the site (requirements TUN-1, TUN-11, TUN-12, SEC-23)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtsprig import Rig
from tunnelrig import Connection, TunnelClient, head
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.web.resource import Resource
from twisted.web.server import Site
from webrig import webFactory

from mediasrv.rtsp.tunnel import Tunnels
from mediasrv.web.front import WebFactory, WebSite


class Echo(Resource):
    """Says what it was told."""

    isLeaf = True

    def render_GET(self, request: object) -> bytes:
        return b"got " + request.uri  # type: ignore[attr-defined]  # twisted.web's request

    def render_POST(self, request: object) -> bytes:
        return b"read " + request.content.read()  # type: ignore[attr-defined]  # twisted.web's request


@pytest.mark.requirement("TUN-1", "TUN-3", "TUN-8")
def testATunnel(rig: Rig) -> None:
    """With whatever path, beside pages."""
    client = TunnelClient(rig, factory=webFactory(rig))
    assert client.answer.startswith(b"HTTP/1.0 200 OK\r\n")
    client.setUpFilm()
    client.play("npt=0-1")
    rig.wait(1.2)
    assert client.pictures() == list(range(25))
    assert client.post.heard() == b""
    client.get.transport.lose()
    assert not client.post.isConnected
    assert rig.site._connections == set()


@pytest.mark.requirement("TUN-12")
@pytest.mark.parametrize(
    ("request_", "start", "end"),
    [
        (b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK", b"got /a?b"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde", b"HTTP/1.1 200 OK", b"read abcde"),
        (b"GET / HTTP/1.0\r\nx-sessioncookie: a\r\n\r\n", b"HTTP/1.0 200 OK", b"got /"),
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400 Bad Request", b""),
    ],
)
def testTheRestIsForTheSite(rig: Rig, request_: bytes, start: bytes, end: bytes) -> None:
    """As if nobody had looked, also for what is no request."""
    factory = WebFactory(Site(Echo(), reactor=rig.clock), rig.site, Tunnels(rig.site))
    connection = Connection(rig, factory=factory)
    for number in range(0, len(request_), 1000):
        connection.write(request_[number : number + 1000])
    answer = connection.heard()
    assert answer.startswith(start)
    assert answer.endswith(end)
    connection.transport.lose()
    assert rig.site._connections == set()
    assert not rig.clock.getDelayedCalls()[1:]


@pytest.mark.requirement("SEC-23")
def testALineWithoutEndIsForTheSite(rig: Rig) -> None:
    """It has more of it than anybody wants, and hangs up."""
    factory = WebFactory(Site(Echo(), reactor=rig.clock), rig.site, Tunnels(rig.site))
    connection = Connection(rig, factory=factory)
    sent = 0
    while connection.isConnected:
        connection.write(b"GET /" + b"x" * 1000)
        sent += 1000
        assert sent < 100_000
    assert rig.site._connections == set()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60))
def testPipelinedRequestsInPieces(size: int) -> None:
    rig = Rig()
    factory = WebFactory(Site(Echo(), reactor=rig.clock), rig.site, Tunnels(rig.site))
    connection = Connection(rig, factory=factory)
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(3))
    for start in range(0, len(requests), size):
        connection.write(requests[start : start + size])
    answer = connection.heard()
    assert [answer.count(b"got /%d" % number) for number in range(3)] == [1, 1, 1]
    connection.transport.lose()
    rig.site.stop()


@pytest.mark.requirement("SEC-23")
@pytest.mark.parametrize(
    ("first", "code"),
    [
        (head("GET", "a b"), 400),
        (head("POST", Transfer_Encoding="chunked"), 501),
        (head("GET", Host="a", Origin="http://b"), 403),
    ],
)
def testHalvesThatAreRefused(rig: Rig, first: bytes, code: int) -> None:
    connection = Connection(rig, first, factory=webFactory(rig))
    assert connection.code() == code
    assert not connection.isConnected


@pytest.mark.requirement("SEC-1", "TMO-6")
@pytest.mark.parametrize(("first", "word"), [(b"", b""), (b"GET / HT", b"HTTP/1.0 408 ")])
def testWhoDoesNotSpeakUp(rig: Rig, first: bytes, word: bytes) -> None:
    connection = Connection(rig, first, factory=webFactory(rig))
    rig.wait(62, step=1.0)
    assert not connection.isConnected
    assert connection.heard().startswith(word)


def testTheSiteStartsAndStops(rig: Rig) -> None:
    """With the port: it has a clock for its log."""
    before = len(rig.clock.getDelayedCalls())
    factory = webFactory(rig)
    factory.doStart()
    assert len(rig.clock.getDelayedCalls()) == before + 1
    factory.doStop()
    assert len(rig.clock.getDelayedCalls()) == before


def testTheLogHasNoObjects(rig: Rig) -> None:
    """Twisted's line about the port says it all; that of a factory would have its address in memory."""
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    factory = WebFactory(WebSite(Resource(), reactor=rig.clock), rig.site, Tunnels(rig.site))
    factory.doStart()
    factory.doStop()
    globalLogPublisher.removeObserver(observe)
    assert [line for line in lines if "object at 0x" in line] == []


def testNothingHere(rig: Rig) -> None:
    connection = Connection(rig, b"GET /a/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", factory=webFactory(rig))
    assert connection.code() == 404
    assert not connection.isConnected
