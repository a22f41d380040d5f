"""
A clip through a WebSocket, over real sockets: wsproto's client, and inside of it the RTSP client of these tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import essence
import pytest
import pytest_twisted
from certificatemaker import Trusting, makeCertificate
from rtspclient import RTSPClient
from serving import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Pong, Request

from mediasrv.certificates import serverEndpoint

pytestmark = pytest.mark.requirement("WS-1")


class Wire(Protocol):
    """
    A WebSocket that carries an RTSP client.

    @ivar inside: the RTSP client.
    @ivar sizes: of the messages that came.
    @ivar pongs: what came in them.
    @ivar size: bytes of the fragments that requests are sent in.
    """

    def __init__(self, size: int) -> None:
        self.inside = RTSPClient()
        self.size = size
        self.sizes: list[int] = [0]
        self.pongs: list[bytes] = []
        self.accepted: Deferred[AcceptConnection] = Deferred()
        self.closed: Deferred[int] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._ws = WSConnection(ConnectionType.CLIENT)

    def connectionMade(self) -> None:
        request = Request(host="127.0.0.1", target="/rtsp-over-websocket", subprotocols=["rtsp.onvif.org"])
        self.transport.write(self._ws.send(request))

    def dataReceived(self, data: bytes) -> None:
        self._ws.receive_data(data)
        for event in self._ws.events():
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, AcceptConnection):
            self.inside.makeConnection(self)  # type: ignore[arg-type]  # as much of a transport as it needs
            self.accepted.callback(event)
        elif isinstance(event, BytesMessage):
            self.sizes[-1] += len(event.data)
            if event.message_finished:
                self.sizes.append(0)
            self.inside.dataReceived(bytes(event.data))
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        else:
            assert isinstance(event, CloseConnection)
            self.closed.callback(event.code)
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.inside.connectionLost(reason)
        self.gone.callback(None)

    # the transport of the client inside

    def write(self, data: bytes) -> None:
        """Sends in fragments, with a ping between any two."""
        for start in range(0, len(data), self.size):
            isLast = start + self.size >= len(data)
            self.send(BytesMessage(data=data[start : start + self.size], message_finished=isLast))
            self.send(Ping(payload=b"%d" % start))

    def send(self, event: Event) -> None:
        self.transport.write(self._ws.send(event))

    def loseConnection(self) -> None:
        self.send(CloseConnection(code=1000))


@pytest_twisted.async_yield_fixture
async def connect(server: Server, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Gives WebSockets to the server of these tests, whose requests come in fragments of so many bytes."""
    makeCertificate(tmp_path / "server.pem", 1)
    ports: list[Any] = [
        await serverEndpoint(reactor, f"{kind}port=0:interface=127.0.0.1").listen(server.service.webFactory())
        for kind in ("tcp:", f"tls:{tmp_path}:")
    ]
    wires: list[Wire] = []

    async def connect(size: int, isSecure: bool = False) -> Wire:
        wire = Wire(size)
        wires.append(wire)
        endpoint: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", ports[isSecure].getHost().port)
        await connectProtocol(wrapClientTLS(Trusting(), endpoint) if isSecure else endpoint, wire)
        assert (await wire.accepted).subprotocol == "rtsp.onvif.org"
        return wire

    yield connect
    for wire in wires:
        await wire.inside.close()
        assert await wire.closed == 1000  # the answer to ours
        await wire.gone
    for port in ports:
        await port.stopListening()


@pytest.mark.deadline(40)
@pytest.mark.parametrize(("size", "isSecure"), [(10_000, False), (7, False), (10_000, True)])
async def test_streamIsTheFile(
    server: Server, clip: Callable[[str], Path], connect: Callable[..., Any], size: int, isSecure: bool
) -> None:
    """Every unit of both tracks, in order, up to BYE; requests in whole messages and in shreds."""
    path = clip("h264.mp4")
    wire: Wire = await connect(size, isSecure)
    client = wire.inside
    await client.setUp(server.url("h264.mp4"), "tcp")
    await client.play("npt=0-")
    await client.end()
    for track, stream in zip(client.tracks, essence.readFile(path), strict=True):
        got = essence.essenceOf(stream.codec, (unit.data for unit in track.units()))
        assert not essence.difference(got, stream.essence())
        assert track.left == len(track.packets)
    packets = sum(len(track.packets) for track in client.tracks)
    # a message for what a tick sends, not one for each packet
    assert len(wire.sizes) < packets * 0.8
    assert max(wire.sizes) > 3000
    assert wire.pongs
    await client.tearDown()


async def test_udpIsNotToBeHad(server: Server, clip: Callable[[str], Path], connect: Callable[..., Any]) -> None:
    """What a client asks for in vain it gets as interleaved data."""
    clip("h264.mp4")
    wire: Wire = await connect(10_000)
    response = await wire.inside.request(
        "SETUP", server.url("h264.mp4") + "/trackID=0", Transport="RTP/AVP;unicast;client_port=5000-5001"
    )
    assert "RTP/AVP/TCP;unicast;interleaved=0-1" in response.headers.get("Transport", "")
