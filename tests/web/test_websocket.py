"""RTSP over WebSocket (requirements WS-1, SEC-24)."""

from __future__ import annotations

import re

import pytest
from rtsprig import UDP, VIDEO, Rig, Wire
from tunnelrig import Connection
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.web import pages
from twisted.web.resource import Resource
from twisted.web.server import Site
from webrig import ACCEPT, WebSocketClient, rootOf, upgrade, webFactory
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from mediasrv.rtsp.messages import Response

pytestmark = pytest.mark.requirement("WS-1")


def closeCode(client: WebSocketClient) -> int:
    """With which code the server closed."""
    client.receive()
    (event,) = (event for event in client.events if isinstance(event, CloseConnection))
    return int(event.code)


def testTheHandshake(rig: Rig) -> None:
    """To the letter of RFC 6455 section 1.3, with the subprotocol of ONVIF."""
    connection = Connection(rig, upgrade("/webSocketServer"), factory=webFactory(rig))
    lines = connection.heard().decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 101 Switching Protocols"
    assert set(lines[1:-2]) == {
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {ACCEPT}",
        "Sec-WebSocket-Protocol: rtsp.onvif.org",
    }
    assert lines[-2:] == ["", ""]
    connection.transport.lose()


def testADialogue(rig: Rig) -> None:
    """All that can be said in RTSP; media come interleaved, as one message for each tick that has some."""
    client = WebSocketClient(rig)
    assert client.ask("OPTIONS").code == 200
    client.setUpFilm()
    client.play("npt=0-1")
    client.receive()
    client.count = 0
    rig.wait(1.5)
    assert client.pictures() == list(range(25))
    packets = len(client.packets(0)) + len(client.packets(2))
    assert packets >= 25 + 50
    assert client.count < packets * 0.8
    assert client.ask("TEARDOWN").code == 200
    client.transport.lose()
    assert len(rig.registry) == 0


@pytest.mark.requirement("TUN-8")
def testNoUDP(rig: Rig) -> None:
    client = WebSocketClient(rig)
    assert "RTP/AVP/TCP;" in client.setUp(VIDEO, UDP.format(5000, 5001)).headers.get("Transport", "")
    client.transport.lose()


def testPartsOfRequests(rig: Rig) -> None:
    """Messages and requests begin and end where they like; each byte may be a frame."""
    client = WebSocketClient(rig)
    said = client.request("OPTIONS") + b"$\x07\x00\x02ab" + client.request("DESCRIBE")
    for number in range(len(said)):
        client.write(said[number : number + 1])
    client.write(client.request("OPTIONS") + client.request("OPTIONS"))
    assert [answer.code for answer in client.receive()] == [200] * 4
    client.transport.lose()


def testPing(rig: Rig) -> None:
    client = WebSocketClient(rig)
    client.connection.write(client.ws.send(Ping(payload=b"are you there")))
    client.receive()
    assert client.events == [Pong(payload=b"are you there")]
    client.transport.lose()


@pytest.mark.requirement("SEC-24")
def testPongsForNobody(rig: Rig) -> None:
    """Who does not read gets none: they would pile up."""
    client = WebSocketClient(rig)
    client.transport.producer.pauseProducing()
    for _ in range(100):
        client.connection.write(client.ws.send(Ping(payload=b"x" * 125)))
    assert client.connection.heard() == b""
    client.transport.lose()


@pytest.mark.requirement("SEC-24")
def testPingsKeepNothingAlive(rig: Rig) -> None:
    """A connection is idle as long as nobody asks for anything in RTSP."""
    client = WebSocketClient(rig)
    for _ in range(62):
        if client.isConnected:
            client.connection.write(client.ws.send(Ping()))
        rig.wait(1, step=1.0)
    assert not client.isConnected
    assert closeCode(client) == 1001


def testTheClientCloses(rig: Rig) -> None:
    client = WebSocketClient(rig)
    client.setUpFilm()
    client.connection.write(client.ws.send(CloseConnection(code=1000)))
    assert closeCode(client) == 1000
    assert not client.isConnected
    assert len(rig.registry) == 0


@pytest.mark.requirement("CON-8")
@pytest.mark.parametrize("isOurs", [True, False], ids=["web port", "site"])
def testTheConnectionIsLost(rig: Rig, isOurs: bool) -> None:
    """Without a word: the session ends with it, whoever the connection was told to before."""
    site = Site(rootOf(rig), reactor=rig.clock)
    client = WebSocketClient(rig, factory=webFactory(rig) if isOurs else site)
    client.setUpFilm()
    client.transport.lose()
    assert len(rig.registry) == 0
    assert rig.site._connections == set()


def testTheServerCloses(rig: Rig) -> None:
    """When it was asked to, with the answer in front, and when it stops."""
    client = WebSocketClient(rig)
    client.write(client.request("OPTIONS", Connection="close"))
    assert [answer.code for answer in client.receive()] == [200]
    assert closeCode(client) == 1001
    other = WebSocketClient(rig)
    rig.site.stop()
    assert closeCode(other) == 1001


@pytest.mark.requirement("SEC-24")
def testText(rig: Rig) -> None:
    client = WebSocketClient(rig)
    client.connection.write(client.ws.send(TextMessage(data="OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")))
    assert closeCode(client) == 1003
    assert not client.isConnected


@pytest.mark.requirement("SEC-24")
def testNoRTSPInside(rig: Rig) -> None:
    """The client is told in RTSP, and the connection ends."""
    client = WebSocketClient(rig)
    client.write(b"\0nonsense")
    assert [each.code for each in client.receive() if isinstance(each, Response)] == [400]
    assert not client.isConnected


def testBackPressure(rig: Rig) -> None:
    """The transport below stops the player, and requests that wait stop the transport below."""
    client = WebSocketClient(rig)
    client.setUpFilm()
    client.play()
    rig.wait(1)
    client.transport.producer.pauseProducing()
    before = len(client.pictures())
    rig.wait(2)
    assert len(client.pictures()) == before
    client.transport.producer.resumeProducing()
    rig.wait(0.2)
    assert len(client.pictures()) > before
    rig.library.isSlow = True
    client.write(b"".join(client.request("DESCRIBE") for _ in range(100)))
    assert client.transport.producerState == "paused"
    client.transport.lose()


@pytest.mark.requirement("SEC-24")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (upgrade(Sec_WebSocket_Protocol="chat"), 400),
        (upgrade(without="Sec-WebSocket-Protocol"), 400),
        (upgrade(Sec_WebSocket_Version="8"), 426),
        (upgrade(without="Sec-WebSocket-Version"), 426),
        (upgrade(Sec_WebSocket_Key="short"), 400),
        (upgrade(Sec_WebSocket_Key="\xe4" * 24), 400),
        (upgrade(without="Sec-WebSocket-Key"), 400),
        (upgrade(Connection="keep-alive"), 400),
        (upgrade(Origin="http://other.example"), 403),
        (upgrade(Origin="null"), 403),
        (upgrade().replace(b"GET ", b"POST "), 405),
        (upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (upgrade(Upgrade="h2c"), 200),
    ],
)
def testRefused(rig: Rig, request_: bytes, code: int) -> None:
    connection = Connection(rig, request_, factory=webFactory(rig))
    answer = connection.heard()
    assert re.match(rb"HTTP/1\.[01] %d [A-Z]" % code, answer)
    assert (b"\r\nsec-websocket-version: 13\r\n" in answer.lower()) == (code == 426)
    connection.transport.lose()
    assert len(rig.site._connections) == 0


def testTheLogNamesWhoWasRefused(rig: Rig) -> None:
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    connection = Connection(rig, upgrade(Sec_WebSocket_Protocol="chat"), factory=webFactory(rig))
    globalLogPublisher.removeObserver(observe)
    connection.transport.lose()
    assert [line for line in lines if "refused" in line] == ["refused a WebSocket of 192.0.2.7: 400"]


@pytest.mark.parametrize("origin", [None, "http://friend.example", "https://media.example"])
def testAllowedOrigins(rig: Rig, origin: str | None) -> None:
    request = upgrade(without="Origin") if origin is None else upgrade(Origin=origin)
    connection = Connection(rig, request, factory=webFactory(rig, ["http://friend.example"]))
    assert connection.code() == 101
    connection.transport.lose()


def testInSomebodyElsesSite(rig: Rig) -> None:
    """Below a path of it, with Twisted's own factory."""
    root = Resource()
    root.putChild(b"media", rootOf(rig))
    root.putChild(b"other", pages.notFound())
    site = Site(root, reactor=rig.clock)
    for path in ("/media", "/media/", "/media/some/where"):
        client = WebSocketClient(rig, path, site)
        assert client.ask("OPTIONS").code == 200
        client.transport.lose()
    connection = Connection(rig, upgrade("/other"), factory=site)
    assert connection.code() == 404
    connection.transport.lose()


@pytest.mark.requirement("CON-8")
def testTooManyConnections() -> None:
    """It is told inside, as anywhere."""
    rig = Rig(connectionsPerPeer=1)
    factory = webFactory(rig)
    first = WebSocketClient(rig, factory=factory)
    other = rig.connect("192.0.2.8")
    assert other.ask("OPTIONS").code == 200
    second = Connection(rig, factory=factory)
    assert second.code() == 503
    assert isinstance(second.transport, Wire)
    assert not second.isConnected
    assert first.ask("OPTIONS").code == 200
    first.transport.lose()
