"""The writing side of a connection (requirements INT-1, INT-5)."""

from __future__ import annotations

import pytest
from twisted.internet import reactor, tcp
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport

from mediasrv.rtsp.conduit import Conduit, writeNow
from mediasrv.rtsp.duplex import Duplex


class Waits:
    def __init__(self) -> None:
        self.calls = 0

    def unblocked(self) -> None:
        self.calls += 1


@pytest.fixture
def transport() -> StringTransport:
    return StringTransport()


def testMessagesDoNotOvertakeData(transport: StringTransport) -> None:
    """What was collected for the next flush leaves in front of a message."""
    conduit = Conduit(transport)
    conduit.pieces += [b"a", b"b"]
    conduit.write(b"c")
    conduit.pieces.append(b"d")
    conduit.flush()
    conduit.flush()
    assert transport.value() == b"abcd"


def testBackPressure(transport: StringTransport) -> None:
    """Whoever joined is told, until it leaves; what may be said meanwhile has a bound."""
    conduit = Conduit(transport)
    stays, goes = Waits(), Waits()
    conduit.join(stays)
    conduit.join(goes)
    transport.producer.pauseProducing()
    assert conduit.blocked
    assert not conduit.isFull
    while not conduit.isFull:
        conduit.write(b"x" * 10_000)
    assert 60_000 < len(transport.value()) < 90_000
    conduit.leave(goes)
    transport.producer.resumeProducing()
    assert not conduit.blocked
    assert not conduit.isFull
    assert (stays.calls, goes.calls) == (1, 0)
    transport.producer.pauseProducing()
    assert not conduit.isFull


def testClose(transport: StringTransport) -> None:
    """After it nothing is written and nobody is called; twice is no error; the transport may close."""
    conduit = Conduit(transport)
    waits = Waits()
    conduit.join(waits)
    producer = transport.producer
    conduit.pieces.append(b"a")
    conduit.close()
    conduit.close()
    conduit.pieces.append(b"b")
    conduit.flush()
    conduit.write(b"c")
    assert transport.value() == b""
    assert transport.producer is None
    producer.resumeProducing()
    producer.stopProducing()
    assert waits.calls == 0


class Pipe(Protocol):
    def __init__(self, made: Deferred[Pipe]) -> None:
        self._made = made
        self.received = bytearray()
        self.lost: Deferred[None] = Deferred()
        self.expected = 0

    def connectionMade(self) -> None:
        self._made.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: object = None) -> None:
        self.lost.callback(None)


async def testWriteNowKeepsTheOrder() -> None:
    """Over a real socket that is sometimes full: every byte, once, in order; TCP_NODELAY is set."""
    made: Deferred[Pipe] = Deferred()
    serverSide = Factory.forProtocol(lambda: Pipe(made))
    port = reactor.listenTCP(0, serverSide, interface="127.0.0.1")
    clientMade: Deferred[Pipe] = Deferred()
    reader = Pipe(clientMade)
    connector = reactor.connectTCP("127.0.0.1", port.getHost().port, _Only(reader))
    writer = await made
    await clientMade
    assert isinstance(writer.transport, tcp.Connection)
    conduit = Conduit(writer.transport)
    assert writer.transport.getTcpNoDelay()
    reader.transport.pauseProducing()  # type: ignore[attr-defined]  # TCP transports are producers
    expected = bytearray()
    for number in range(3000):
        data = number.to_bytes(4, "big") * (number % 977)
        expected += data
        writeNow(writer.transport, data)
    assert conduit.blocked
    reader.transport.resumeProducing()  # type: ignore[attr-defined]  # TCP transports are producers
    conduit.close()
    writer.transport.loseConnection()
    await reader.lost
    assert reader.received == expected
    connector.disconnect()
    await writer.lost
    await port.stopListening()


async def testTheConnectionBelowIsTuned() -> None:
    """Also that below TLS or WebSocket: small messages do not wait for others."""
    made: Deferred[Pipe] = Deferred()
    port = reactor.listenTCP(0, Factory.forProtocol(lambda: Pipe(made)), interface="127.0.0.1")
    clientMade: Deferred[Pipe] = Deferred()
    connector = reactor.connectTCP("127.0.0.1", port.getHost().port, _Only(Pipe(clientMade)))
    writer, client = await made, await clientMade
    assert isinstance(writer.transport, tcp.Connection)
    assert not writer.transport.getTcpNoDelay()
    below = StringTransport()
    below.transport = StringTransport()  # type: ignore[attr-defined]  # as those of TLS have
    below.transport.transport = writer.transport
    Conduit(below).close()
    assert writer.transport.getTcpNoDelay()
    connector.disconnect()
    await client.lost
    await writer.lost
    await port.stopListening()


def testADuplexTransport() -> None:
    """Goes out on one of its two connections, which has the back-pressure."""
    outward = StringTransport()
    conduit = Conduit(Duplex(outward, StringTransport()))  # type: ignore[arg-type]  # nothing is read
    outward.producer.pauseProducing()
    assert conduit.blocked
    conduit.write(b"a")
    assert outward.value() == b"a"


class _Only(Factory):
    """Connects one protocol."""

    noisy = False

    def __init__(self, protocol: Pipe) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: object) -> Pipe:
        return self._protocol

    def startedConnecting(self, connector: object) -> None: ...

    def clientConnectionLost(self, connector: object, reason: object) -> None: ...
