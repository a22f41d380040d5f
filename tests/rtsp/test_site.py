"""Connections that nobody needs, limits, and the end of the service (requirements TMO-6, CON-8, SEC-1)."""

from __future__ import annotations

import pytest
from rtsprig import SOUND, TCP, UDP, Client, Rig, said
from twisted.internet.address import UNIXAddress

from mediasrv.rtsp.messages import InterleavedFrame


@pytest.mark.requirement("TMO-6", "CON-8")
def testIdleConnections(rig: Rig) -> None:
    """TMO-6: closed without a word when nothing has come; one with a session stays as long as that."""
    idle, busy, used = rig.connect(), rig.connect(), rig.connect()
    used.setUp(SOUND, TCP.format(0, 1))
    for _ in range(3):
        rig.wait(30, step=1)
        busy.ask("OPTIONS")
        used.ask("OPTIONS")
    assert not idle.isConnected
    assert idle.receive() == []
    assert busy.isConnected
    used.ask("TEARDOWN", SOUND)
    rig.wait(70, step=1)
    assert not used.isConnected
    assert not busy.isConnected


HALVES = [
    b"O",
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX-a: b\r\n",
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 500\r\n\r\nabc",
    b"$\x00\xff\xff",
]


@pytest.mark.requirement("SEC-1", "COD-408")
@pytest.mark.parametrize("data", HALVES)
def testSlowRequests(rig: Rig, data: bytes) -> None:
    """SEC-1: one byte now and then is not a message: 408 and closed in time."""
    client = rig.connect()
    client.write(data)
    for _ in range(12):
        rig.wait(6, step=1)
        if client.isConnected:
            client.write(b"x")
    assert not client.isConnected
    assert [message.code for message in client.receive()] == [408]


@pytest.mark.requirement("SEC-15")
def testFramesAloneAreNoUse(rig: Rig) -> None:
    """SEC-15: data for no session keep no connection open."""
    client = rig.connect()
    for _ in range(8):
        rig.wait(10, step=1)
        if client.isConnected:
            client.write(InterleavedFrame(0, b"x" * 1000).toBytes() * 100)
    assert not client.isConnected


@pytest.mark.requirement("SEC-1", "SEC-17", "CON-8")
def testAnIdleClientThatDoesNotReadIsCutOff(rig: Rig) -> None:
    """SEC-1, SEC-17: the last words are said once; who does not take them is cut off."""
    client = rig.connect()
    client.transport.stuck = True
    client.write(b"OPT")
    rig.wait(63, step=1)
    assert client.transport.disconnecting
    rig.wait(10, step=1)
    assert client.transport.aborted
    assert len(client.receive()) == 1


@pytest.mark.requirement("SEC-1", "COD-503")
def testConnectionsPerPeer() -> None:
    """SEC-1: one too many is told so and closed, and answered nothing; others are not concerned; it recovers."""
    rig = Rig(connectionsPerPeer=2)
    first, second, third = (rig.connect() for _ in range(3))
    answers = third.receive()
    assert [message.code for message in answers] == [503]
    assert answers[0].headers.get("Retry-After") == "30"
    assert not third.isConnected
    third.server.dataReceived(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert third.receive() == []
    assert rig.connect("192.0.2.99").ask("OPTIONS").code == 200
    second.transport.lose()
    assert rig.connect().ask("OPTIONS").code == 200
    assert first.ask("OPTIONS").code == 200


def testWithoutIPAddress(rig: Rig) -> None:
    """A client on a UNIX socket has TCP, and no UDP."""
    client: Client = rig.connect()
    other = rig.factory.buildProtocol(None)
    client.transport.peerAddr = client.transport.hostAddr = UNIXAddress("/run/socket")
    client.server = other
    client.transport.producer = None
    client.transport.protocol = other
    other.makeConnection(client.transport)
    assert client.setUp(SOUND, UDP.format(5000, 5001)).code == 461
    assert client.setUp(SOUND, TCP.format(0, 1)).code == 200
    assert client.ask("DESCRIBE", SOUND).code == 200


@pytest.mark.requirement("RTCP-7")
def testStop(rig: Rig) -> None:
    """RTCP-7: everybody is told; nothing is left running, whatever state it was in."""
    clients = [rig.connect(f"192.0.2.{number}") for number in range(5)]
    for number, client in enumerate(clients[1:]):
        client.setUpFilm(udp=None if number % 2 else 5000 + 10 * number)
        if number:
            client.play()
    rig.wait(0.3)
    rig.site.stop()
    rig.pacer.stop()
    for client in clients:
        assert not client.isConnected
    for client in clients[2::2]:
        assert said(client.control(1))
        assert said(client.control(3))
    assert len(rig.registry) == 0
    assert rig.clock.getDelayedCalls() == []
    rig.site.stop()


def testSweepGoesOnAfterAFailure(rig: Rig, loggedFailures: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that cannot end properly keeps no other from ending."""
    first, second = rig.connect(), rig.connect("192.0.2.8")
    for client in (first, second):
        client.setUp(SOUND, TCP.format(0, 1))
    session = rig.registry.get(first.session)

    def fails(reason: str) -> None:
        raise RuntimeError(reason)

    monkeypatch.setattr(session, "end", fails)
    rig.wait(65, step=1)
    assert len(rig.registry) == 0
    assert len(loggedFailures) == 1
    loggedFailures.clear()
    assert said(second.control(1))
