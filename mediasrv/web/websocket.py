"""
RTSP over WebSocket (ONVIF Streaming Specification, "WebSocket transport for RTP/RTSP/TCP"; RFC 6455).

The binary messages of both directions, one after the other, are the stream of bytes of an RTSP connection. Where they
begin and end means nothing; we send one for each tick that has something to send.

C{twisted.web.websocket} would collect a message without end, answer no subprotocol and raise what a client does wrong
into the log. So the frames are wsproto's, on which it is built, and the resource is ours.
"""

from __future__ import annotations

import binascii
from typing import Any

from twisted.internet.interfaces import IAddress, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from wsproto.utilities import generate_accept_token

from mediasrv.rtsp.addresses import hostOf
from mediasrv.rtsp.conduit import writeNow
from mediasrv.rtsp.httpreplies import reason
from mediasrv.rtsp.origins import Origins
from mediasrv.rtsp.server import RTSPServer
from mediasrv.rtsp.site import RTSPSite
from mediasrv.web.frames import Frames

#: what ONVIF calls it
SUBPROTOCOL = "rtsp.onvif.org"

_VERSION = "13"


class WebSocketConnection(Protocol):
    """
    Below it is the connection, inside of it RTSP, whose transport it is.
    """

    transport: Any  # ITCPTransport and IPushProducer

    def __init__(self, server: RTSPServer) -> None:
        self._server = server
        self._frames = Frames()

    # The protocol

    def connectionMade(self) -> None:
        self._server.makeConnection(self)

    def dataReceived(self, data: bytes) -> None:
        heard = self._frames.receive(data)
        if heard.pong and not self._server.conduit.blocked:  # nobody collects pongs for a client that does not read
            writeNow(self.transport, heard.pong)
        if heard.data:
            self._server.dataReceived(heard.data)
        if heard.isOver:
            writeNow(self.transport, heard.close)
            self._server.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._server.connectionLost(reason)

    # The transport

    def write(self, data: bytes) -> None:
        """Sends, as one message."""
        writeNow(self.transport, self._frames.message(data))

    def loseConnection(self) -> None:
        """Closes when what was written has left."""
        writeNow(self.transport, self._frames.close())
        self.transport.loseConnection()

    def abortConnection(self) -> None:
        """Closes."""
        self.transport.abortConnection()

    def getPeer(self) -> IAddress:
        """The client's address."""
        peer: IAddress = self.transport.getPeer()
        return peer

    def getHost(self) -> IAddress:
        """Our address."""
        host: IAddress = self.transport.getHost()
        return host

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Who is told when the client reads too slowly."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Undoes L{registerProducer}."""
        self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Reads nothing for a while."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Reads on."""
        self.transport.resumeProducing()


def isWebSocket(request: Request) -> bool:
    """Whether a request wants to become a WebSocket."""
    return request.method == b"GET" and "websocket" in _tokens(request, "Upgrade")


def _tokens(request: Request, name: str) -> list[str]:
    """What a header lists, over all its lines, in lower case."""
    lines = request.requestHeaders.getRawHeaders(name, [])
    return [token.strip().lower() for line in lines for token in line.split(",")]


def _only(request: Request, name: str) -> str | None:
    """A header that may be there once; what is there twice is nothing sound, and nothing of it is taken."""
    lines = request.requestHeaders.getRawHeaders(name, [])
    return None if not lines else ", ".join(lines)


class WebSocketResource(Resource):
    """
    Where RTSP over WebSocket begins. It works in any site of C{twisted.web} that speaks HTTP/1.1.
    """

    isLeaf = True
    _log = Logger()

    def __init__(self, site: RTSPSite, origins: Origins) -> None:
        super().__init__()
        self._site = site
        self._origins = origins

    def render_GET(self, request: Request) -> bytes | int:
        """Agrees, or says what is wrong (RFC 6455 section 4.2)."""
        code = self._judge(request)
        if code != 101:
            return self._refuse(request, code)
        key = (_only(request, "Sec-WebSocket-Key") or "").encode()
        answer = [
            b"HTTP/1.1 101 Switching Protocols",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Accept: " + generate_accept_token(key),
            b"Sec-WebSocket-Protocol: " + SUBPROTOCOL.encode(),
        ]
        connection = WebSocketConnection(RTSPServer(self._site, isTunnelled=True))
        self._site.taken(request.channel.transport)
        _takeOver(request.channel, b"\r\n".join([*answer, b"", b""]), connection)
        return NOT_DONE_YET

    def _judge(self, request: Request) -> int:
        """The status that a request for a WebSocket deserves."""
        version = _only(request, "Sec-WebSocket-Version")
        if not isinstance(request.channel, HTTPChannel) or request.clientproto != b"HTTP/1.1":
            return 400
        if "upgrade" not in _tokens(request, "Connection") or not _isKey(_only(request, "Sec-WebSocket-Key")):
            return 400
        if version != _VERSION:
            return 426
        if not self._origins.allows(_only(request, "Origin"), _only(request, "Host")):
            return 403
        # a client that gets none of the subprotocols that it asks for has to hang up (section 4.1)
        return 101 if SUBPROTOCOL in _tokens(request, "Sec-WebSocket-Protocol") else 400

    def _refuse(self, request: Request, code: int) -> bytes:
        self._log.info("refused a WebSocket of {peer}: {code}", peer=hostOf(request.getClientAddress()), code=code)
        text = reason(code)
        request.setResponseCode(code, text.strip().partition(b" ")[2])
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        if code == 426:
            request.setHeader("Sec-WebSocket-Version", _VERSION)
            request.setHeader("Upgrade", "websocket")
        return text


def _isKey(value: str | None) -> bool:
    """Whether this is the Base64 of 16 bytes."""
    try:
        return len(binascii.a2b_base64((value or "").encode("ascii"), strict_mode=True)) == 16
    except (ValueError, binascii.Error):
        return False


def _takeOver(channel: HTTPChannel, lastWords: bytes, protocol: Protocol) -> None:
    """
    Gives a connection of C{twisted.web} to another protocol. It is the way of Twisted's own WebSocket, which has no
    public name yet. The channel produces no answers any more; who writes now has back-pressure of its own.
    """
    transport: Any = channel.transport
    transport.unregisterProducer()
    transport.write(lastWords)
    channel._protocolUpgradeForWebsockets(protocol)
