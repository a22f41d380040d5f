"""RTSP in HTTP (requirements TUN-1 to TUN-11, SEC-23)."""

from __future__ import annotations

import base64
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtsprig import UDP, VIDEO, Client, Rig, said
from tunnelrig import Connection, TunnelClient, head

from mediasrv.rtsp.messages import Response


@pytest.mark.requirement("TUN-1", "TUN-10")
def testTheGetIsAnsweredAtOnce(rig: Rig) -> None:
    """Without a length, without chunks, and without the address that GStreamer would send its POST to."""
    get = Connection(rig, head("GET"))
    answer = get.heard().decode()
    lines = answer.removesuffix("\r\n\r\n").split("\r\n")
    assert answer.endswith("\r\n\r\n")
    assert lines[0] == "HTTP/1.0 200 OK"
    assert set(lines[1:]) == {
        "Content-Type: application/x-rtsp-tunnelled",
        "Cache-Control: no-cache",
        "Pragma: no-cache",
        "Connection: close",
        "Server: mediasrv",
    }
    get.transport.lose()


@pytest.mark.requirement("TUN-1", "TUN-2", "TUN-3", "TUN-8")
def testADialogue(rig: Rig) -> None:
    """All that can be said outside of a tunnel can be said inside; the POST is never answered."""
    client = TunnelClient(rig)
    assert client.ask("OPTIONS").code == 200
    assert client.ask("DESCRIBE").code == 200
    client.setUpFilm()
    client.play("npt=0-1")
    rig.wait(1.5)
    assert client.pictures() == list(range(25))
    assert client.packets(2)
    assert client.ask("TEARDOWN").code == 200
    assert said(client.control(1))
    assert client.post.heard() == b""
    client.get.transport.lose()
    assert not client.post.isConnected


@pytest.mark.requirement("TUN-3")
@settings(max_examples=25, deadline=None)
@given(st.data())
def testRequestsAndReportsInAnyPieces(data: st.DataObject) -> None:
    """Each write encoded by itself, cut and broken where it pleases: requests, and RTCP in between."""
    rig = Rig()
    client = TunnelClient(rig)
    said = (
        client.request("OPTIONS") + b"$\x01\x00\x04abcd" + client.request("DESCRIBE") + client.request("OPTIONS", "*")
    )
    edges = [0, *sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8))), len(said)]
    writes = [base64.b64encode(said[start:end]) for start, end in itertools.pairwise(edges)]
    text = data.draw(st.sampled_from([b"", b"\r\n"])).join(writes)
    size = data.draw(st.integers(1, len(text)))
    for start in range(0, len(text), size):
        client.post.write(text[start : start + size])
    assert [answer.code for answer in client.receive()] == [200, 200, 200]
    client.get.transport.lose()
    rig.site.stop()


@pytest.mark.requirement("TUN-4")
def testTheFirstRequestComesWithTheHead(rig: Rig) -> None:
    client = Client(rig, "192.0.2.7", 1)
    get = Connection(rig, head("GET"))
    get.heard()
    Connection(rig, head("POST") + base64.b64encode(client.request("OPTIONS")))
    assert get.heard().startswith(b"RTSP/1.0 200 OK\r\n")
    get.transport.lose()


@pytest.mark.requirement("TUN-5")
def testThePostMayComeFirst(rig: Rig) -> None:
    """It is not read as long as nobody could be answered."""
    client = Client(rig, "192.0.2.7", 1)
    post = Connection(rig, head("POST") + base64.b64encode(client.request("OPTIONS")))
    assert not post.isRead
    get = Connection(rig, head("GET"))
    assert get.heard().partition(b"\r\n\r\n")[2].startswith(b"RTSP/1.0 200 OK\r\n")
    assert post.isRead
    get.transport.lose()


@pytest.mark.requirement("TUN-5", "SEC-23")
@pytest.mark.parametrize("method", ["GET", "POST"])
def testHalvesWaitForAWhile(rig: Rig, method: str) -> None:
    """For less than 30 s. Afterwards the cookie is as good as new."""
    half = Connection(rig, head(method))
    rig.wait(20, step=1.0)
    assert half.isConnected
    rig.wait(9, step=1.0)
    assert not half.isConnected
    client = TunnelClient(rig)
    assert client.ask("OPTIONS").code == 200
    client.get.transport.lose()


@pytest.mark.requirement("TUN-5", "SEC-23")
def testHalvesAreLimited(rig: Rig) -> None:
    """Of one address; it can go on as soon as one of them has gone, and others do not notice."""
    halves = [Connection(rig, head("GET", f"cookie{number}")) for number in range(64)]
    assert {half.code() for half in halves} == {200}
    assert Connection(rig, head("GET", "more")).code() == 503
    assert Connection(rig, head("POST", "more")).code() == 503
    assert Connection(rig, head("GET", "more"), "192.0.2.8").code() == 200
    post = Connection(rig, head("POST", "cookie0"))
    assert post.isConnected
    assert Connection(rig, head("GET", "more")).code() == 200
    rig.wait(30, step=1.0)
    assert not any(half.isConnected for half in halves[1:])
    assert halves[0].isConnected


@pytest.mark.requirement("TUN-5", "SEC-23")
def testASecondGetIsRefused(rig: Rig) -> None:
    """Before and after the tunnel is whole; the first one goes on."""
    first = Connection(rig, head("GET"))
    assert Connection(rig, head("GET")).code() == 409
    first.transport.lose()
    client = TunnelClient(rig)
    second = Connection(rig, head("GET"))
    assert second.code() == 409
    assert not second.isConnected
    assert client.ask("OPTIONS").code == 200
    client.get.transport.lose()


@pytest.mark.requirement("TUN-5", "SEC-23")
def testBothHalvesOnOneConnection(rig: Rig) -> None:
    """What follows a GET is nobody's; what follows a POST is no Base64. live555 crashed here once."""
    one = Connection(rig, head("GET") + head("POST") + base64.b64encode(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"))
    assert one.heard().endswith(b"\r\n\r\n")
    one.write(head("POST"))
    assert one.heard() == b""
    one.transport.lose()
    two = Connection(rig, head("POST") + head("GET"))
    get = Connection(rig, head("GET"))
    assert b"RTSP/1.0 400 Bad Request" in get.heard()
    assert not get.isConnected
    assert not two.isConnected


@pytest.mark.requirement("TUN-6", "SEC-23")
def testACookieOfAnotherAddress(rig: Rig) -> None:
    """It is another cookie."""
    client = TunnelClient(rig, "192.0.2.7")
    thief = Connection(rig, head("POST"), "192.0.2.66")
    thief.write(base64.b64encode(client.request("TEARDOWN")))
    assert not thief.isRead
    assert client.receive() == []
    own = Connection(rig, head("GET"), "192.0.2.66")
    assert b"\r\n\r\nRTSP/1.0 454 Session Not Found" in own.heard()
    assert client.ask("OPTIONS").code == 200
    own.transport.lose()
    client.get.transport.lose()


@pytest.mark.requirement("TUN-7")
def testPostsOneAfterTheOther(rig: Rig) -> None:
    """Between requests, and in the midst of one; what the former left of a group is forgotten with it."""
    client = TunnelClient(rig)
    client.setUpFilm()
    client.play()
    for _ in range(3):
        client.post.write(b"AA")
        client.post.transport.lose()
        rig.wait(1)
        client.post = Connection(rig, head("POST"))
        assert client.ask("GET_PARAMETER").code == 200
    request = client.request("PAUSE")
    client.post.write(base64.b64encode(request[:30]))
    client.post.transport.lose()
    client.post = Connection(rig, head("POST"))
    client.post.write(base64.b64encode(request[30:]))
    assert [each.code for each in client.receive() if isinstance(each, Response)] == [200]
    client.get.transport.lose()
    assert len(rig.registry) == 0


@pytest.mark.requirement("TUN-7")
def testTheNextPostWaitsForTheEndOfTheLast(rig: Rig) -> None:
    """What was sent first is read first. One that does not end gives way after a while."""
    client = TunnelClient(rig)
    request = client.request("OPTIONS")
    last, client.post = client.post, Connection(rig, head("POST"))
    assert not client.post.isRead
    client.post.write(base64.b64encode(request[20:]))
    assert client.receive() == []
    last.write(base64.b64encode(request[:20]))
    last.transport.lose()
    assert [answer.code for answer in client.receive()] == [200]
    assert client.post.isRead
    stuck, client.post = client.post, Connection(rig, head("POST"))
    rig.wait(4, step=1.0)
    assert not stuck.isConnected
    assert client.ask("OPTIONS").code == 200
    client.get.transport.lose()


@pytest.mark.requirement("TUN-7", "SEC-23")
def testPostsWithoutEnd(rig: Rig) -> None:
    """Few wait at a time, with little in their hands."""
    client = TunnelClient(rig)
    waiting = [Connection(rig, head("POST")) for _ in range(3)]
    assert Connection(rig, head("POST")).code() == 503
    for _ in range(10):
        waiting[0].write(b"AAAA" * 16384)
    assert not waiting[0].isConnected
    assert client.ask("OPTIONS").code == 200
    client.get.transport.lose()
    assert not any(post.isConnected for post in waiting)


@pytest.mark.requirement("TUN-7")
def testTheEndOfTheGetIsTheEnd(rig: Rig) -> None:
    client = TunnelClient(rig)
    client.setUpFilm()
    assert len(rig.registry) == 1
    client.get.transport.lose()
    assert len(rig.registry) == 0
    assert not client.post.isConnected


@pytest.mark.requirement("TUN-8")
@pytest.mark.parametrize(
    "transport", [UDP.format(5000, 5001), "RTP/AVP", "RTP/AVP;multicast", "RTP/AVP;unicast;destination=192.0.2.9"]
)
def testMediaStayInTheTunnel(rig: Rig, transport: str) -> None:
    """Whatever is asked for."""
    client = TunnelClient(rig)
    assert (
        client.setUp(VIDEO, transport).headers.get("Transport", "").startswith("RTP/AVP/TCP;unicast;interleaved=0-1;")
    )
    client.play()
    rig.wait(0.2)
    assert client.pictures()
    assert rig.sent == []
    client.get.transport.lose()


@pytest.mark.requirement("SEC-23")
def testNoBase64(rig: Rig) -> None:
    """The client is told inside of the tunnel, which ends."""
    client = TunnelClient(rig)
    client.setUpFilm()
    client.post.write(b"$$$$")
    assert [each.code for each in client.receive() if isinstance(each, Response)] == [400]
    assert not client.get.isConnected
    assert not client.post.isConnected
    assert len(rig.registry) == 0


@pytest.mark.requirement("SEC-23")
@pytest.mark.parametrize(
    ("first", "code"),
    [
        (head("POST", Transfer_Encoding="chunked"), 501),
        (head("GET", ""), 400),
        (head("GET", "x" * 257), 400),
        (head("GET", "a b"), 400),
        (head("GET", x_sessioncookie="another"), 400),
        (head("POST", "\xff"), 400),
        (head("GET", "x" * (1 << 20)), 431),
    ],
)
def testHalvesThatAreRefused(rig: Rig, first: bytes, code: int) -> None:
    connection = Connection(rig, first)
    assert connection.code() == code
    assert not connection.isConnected


@pytest.mark.requirement("TUN-11")
def testWebPages(rig: Rig) -> None:
    """A page of the same host is asked in, and may read; others may not even send."""
    preflight = (
        b"OPTIONS / HTTP/1.1\r\nHost: media.example:8554\r\nOrigin: %s\r\n"
        b"Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: X-SessionCookie\r\n\r\n"
    )
    page = "http://media.example"
    answer = Connection(rig, preflight % page.encode()).heard()
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"\r\nAccess-Control-Allow-Origin: http://media.example\r\n" in answer
    assert b"\r\nAccess-Control-Allow-Methods: GET, POST, OPTIONS\r\n" in answer
    assert b"x-sessioncookie" in answer
    get = Connection(rig, head("GET", Host="media.example", Origin=page))
    assert b"\r\nAccess-Control-Allow-Origin: http://media.example\r\n" in get.heard()
    get.transport.lose()
    stranger = "http://other.example"
    assert Connection(rig, preflight % stranger.encode()).code() == 403
    for method in ("GET", "POST"):
        connection = Connection(rig, head(method, Host="media.example", Origin=stranger))
        assert connection.code() == 403
        assert not connection.isConnected


def testBackPressure(rig: Rig) -> None:
    """Requests that wait stop the POST from being read, a GET that nobody reads stops the player."""
    rig.library.isSlow = True
    client = TunnelClient(rig)
    client.post.write(base64.b64encode(b"".join(client.request("DESCRIBE") for _ in range(100))))
    assert not client.post.isRead
    assert client.get.isRead
    client.post.transport.lose()
    client.post = Connection(rig, head("POST"))
    assert not client.post.isRead
    while rig.library.waiting:
        rig.library.waiting.pop(0).callback(rig.library.film)
        rig.wait(0.01)
    assert len(client.receive()) == 100
    assert client.post.isRead
    rig.library.isSlow = False
    client.setUpFilm()
    client.play()
    rig.wait(1)
    client.get.transport.producer.pauseProducing()
    before = len(client.pictures())
    rig.wait(2)
    assert len(client.pictures()) == before
    client.get.transport.producer.resumeProducing()
    rig.wait(0.2)
    assert len(client.pictures()) > before
    client.get.transport.lose()


def testATunnelCountsAsTwoConnections(rig: Rig) -> None:
    """And leaves nothing behind: neither of its own nor of halves that never met."""
    rig = Rig(connectionsPerPeer=2)
    client = TunnelClient(rig)
    third = Connection(rig)
    assert third.heard().startswith(b"RTSP/1.0 503 ")
    assert not third.isConnected
    assert client.ask("OPTIONS").code == 200
    client.get.transport.lose()
    for method in ("GET", "POST", "GET"):
        half = Connection(rig, head(method))
        assert half.isConnected
        half.transport.lose()
    client = TunnelClient(rig)
    assert client.ask("OPTIONS").code == 200
    client.get.transport.lose()
    assert rig.site._perPeer == {}
    assert rig.site._connections == set()


def testTheServerStops(rig: Rig) -> None:
    """Tunnels and halves end with it."""
    client = TunnelClient(rig)
    halves = [Connection(rig, head("GET", "one")), Connection(rig, head("POST", "two"))]
    rig.site.stop()
    assert not client.get.isConnected
    assert not client.post.isConnected
    assert not any(half.isConnected for half in halves)


def testASilentTunnelIsClosed(rig: Rig) -> None:
    """As any connection without a session is, whatever goes on in its POST."""
    client = TunnelClient(rig)
    for _ in range(62):
        client.post.write(b"\r\n")
        rig.wait(1, step=1.0)
    assert not client.get.isConnected
    assert not client.post.isConnected


def testLastWordsHaveTheirTime(rig: Rig) -> None:
    """Who does not read them is cut off."""
    client = TunnelClient(rig)
    client.get.transport.stuck = True
    client.post.write(b"!")
    assert client.get.isConnected
    rig.wait(7, step=1.0)
    assert client.get.transport.aborted
    refused = Connection(rig)
    refused.transport.stuck = True
    refused.write(head("GET", "a b"))
    rig.wait(7, step=1.0)
    assert refused.transport.aborted


@pytest.mark.requirement("CON-3", "SEC-8")
def testAnotherConnectionDoesNotSteerIt(rig: Rig) -> None:
    client = TunnelClient(rig)
    client.setUpFilm()
    thief = rig.connect()
    assert thief.ask("TEARDOWN", Session=client.session).code == 454
    assert client.ask("TEARDOWN").code == 200
    client.get.transport.lose()
