"""
The first words on a connection: RTSP, or HTTP with a tunnel in it, or neither.

All that comes until it is known goes on to whom it is for, and from then on the front is no longer in the way.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Literal

from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IProtocol,
    IProtocolNegotiationFactory,
    ISSLTransport,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mediasrv.rtsp.guest import Guest
from mediasrv.rtsp.httphead import HeadError, HeadReader, HTTPHead
from mediasrv.rtsp.httpreplies import mayAsk, refusal
from mediasrv.rtsp.messages import Headers, Response
from mediasrv.rtsp.server import RTSPServer
from mediasrv.rtsp.site import RTSPSite
from mediasrv.rtsp.tunnel import TunnelRefused, Tunnels, isTunnel

_LINE_END = re.compile(rb"[\r\n]")
_ENDS_IN_HTTP = re.compile(rb"[ \t]HTTP/[0-9]\.[0-9][ \t]*\Z")

#: the first byte of a TLS record that begins a handshake (RFC 8446 section 5.1)
_HANDSHAKE = b"\x16"

Language = Literal["RTSP", "HTTP", "TLS"]


def languageOf(start: bytes, longest: int) -> Language | None:
    """
    What a client speaks, None if that cannot be told yet. Both languages have GET and OPTIONS, so that it is the end of
    the first line that tells. Everything strange is for the RTSP parser to judge.

    @param start: the first bytes of a connection.
    @param longest: bytes of the first line after which nobody waits for its end.
    """
    if start[:1] == _HANDSHAKE:
        return "TLS"
    if start and not start[:1].isalpha():
        return "RTSP"
    end = _LINE_END.search(start)
    if end is None:
        return None if len(start) <= longest else "RTSP"
    return "HTTP" if _ENDS_IN_HTTP.search(start[: end.start()]) else "RTSP"


@implementer(IHandshakeListener)
class Front(Guest, ABC):
    """
    A connection of which nothing is known yet. Subclasses say what is spoken besides tunnels.
    """

    _log = Logger()

    def __init__(self, site: RTSPSite, tunnels: Tunnels) -> None:
        super().__init__(site)
        self._tunnels = tunnels
        self._isShakingHands = False
        self.reader = HeadReader()

    def connectionMade(self) -> None:
        self._isShakingHands = ISSLTransport.providedBy(self.transport)
        super().connectionMade()

    def handshakeCompleted(self) -> None:
        """TLS is agreed upon."""
        self._isShakingHands = False
        self.since = self.site.now()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._isShakingHands:
            self._log.info("{peer} speaks no TLS on a port for it, or left", peer=self.peer)
        super().connectionLost(reason)

    def checkSilence(self, now: float, patience: float) -> None:
        if self._isShakingHands and not self.isClosing and now - self.since > self.site.handshakeTimeout:
            self.transport.abortConnection()
        else:
            super().checkSilence(now, patience)

    def becomes(self, protocol: IProtocol, data: bytes, stays: bool = False) -> None:
        """
        Leaves the connection to somebody else.

        @param data: what has come for it.
        @param stays: whether the site goes on to know it as this one, for the other has no place in the site.
        """
        if not stays:
            self.leave()
        del self.reader  # and what came

        def lost(reason: Failure = connectionDone) -> None:
            self.leave()
            protocol.connectionLost(reason)

        # Whatever the transport is (TCP, TLS, PROXY), it finds these two in our place, as twisted.web does it for its
        # own upgrades; which may replace the second one later, so that it is looked up when it is needed.
        self.dataReceived = protocol.dataReceived  # type: ignore[method-assign]  # see above
        self.connectionLost = lost  # type: ignore[method-assign]  # see above
        protocol.makeConnection(self.transport)
        if data:
            protocol.dataReceived(data)

    def readHead(self, data: bytes) -> None:
        """HTTP came."""
        if self.isClosing:
            return
        try:
            head = self.reader.feed(data)
        except HeadError as error:
            self.malformed(error)
            return
        if head is None:
            return
        if isTunnel(head):
            self._tunnel(head)
        elif head.method == "OPTIONS" and "x-sessioncookie" in self._asked(head):
            self._mayAsk(head)
        else:
            self.headReceived(head)

    @staticmethod
    def _asked(head: HTTPHead) -> str:
        return head.headers.get("Access-Control-Request-Headers", "").lower()

    def _isAllowed(self, head: HTTPHead) -> bool:
        return self._tunnels.origins.allows(head.headers.get("Origin"), head.headers.get("Host"))

    def _mayAsk(self, head: HTTPHead) -> None:
        if self._isAllowed(head):
            self.close(mayAsk(self.site.serverName, self._tunnels.corsFields(head)))
        else:
            self.refuse(403)

    def _tunnel(self, head: HTTPHead) -> None:
        if not self._isAllowed(head):
            self.refuse(403)
            return
        try:
            half = self._tunnels.half(head, self.peer)
        except TunnelRefused as refused:
            self.refuse(refused.code)
        else:
            self.becomes(half, self.reader.rest)

    def refuse(self, code: int, isHead: bool = False, **fields: str) -> None:
        """
        Says no in HTTP, and closes.

        @param isHead: whether the request was HEAD.
        @param fields: headers, with underscores for hyphens.
        """
        self._log.info("refused an HTTP request of {peer}: {code}", peer=self.peer, code=code)
        named = [(name.replace("_", "-"), value) for name, value in fields.items()]
        if code == 503:
            named.append(("Retry-After", "30"))
        self.close(refusal(code, self.site.serverName, named, isHead))

    def malformed(self, error: HeadError) -> None:
        """What came is no head of an HTTP request."""
        self.refuse(error.code)

    @abstractmethod
    def headReceived(self, head: HTTPHead) -> None:
        """An HTTP request came that is no tunnel."""

    def unwelcome(self) -> None:
        self.refuse(503)

    def expired(self) -> None:
        """With a word if a request has only half arrived (408, TMO-6, SEC-1)."""
        if self.reader.received:
            self.refuse(408)
        else:
            self.close()


class RTSPFront(Front):
    """
    In front of a port for RTSP.
    """

    def __init__(self, site: RTSPSite, tunnels: Tunnels) -> None:
        super().__init__(site, tunnels)
        self._start = b""
        self._isHTTP = False

    def dataReceived(self, data: bytes) -> None:
        self._isShakingHands = False
        if self.isClosing:
            return
        if self._isHTTP:
            self.readHead(data)
            return
        self._start += data
        language = languageOf(self._start, self.site.limits.requestLine)
        if language is None:
            return
        start, self._start = self._start, b""
        if language == "RTSP":
            self.becomes(RTSPServer(self.site), start)
        elif language == "HTTP":
            self._isHTTP = True
            self.readHead(start)
        else:
            # who speaks TLS would understand no answer (TLS-1)
            self._log.info("{peer} speaks TLS on a port without it", peer=self.peer)
            self.close()

    def headReceived(self, head: HTTPHead) -> None:
        """There is nothing else here in HTTP (TUN-12)."""
        if head.method in ("GET", "HEAD"):
            self.refuse(404, isHead=head.method == "HEAD")
        elif head.method == "OPTIONS":
            self.close(refusal(200, self.site.serverName, [("Allow", "GET, POST, OPTIONS")]))
        else:
            self.refuse(405, Allow="GET, POST, OPTIONS")

    def unwelcome(self) -> None:
        self._say(Response(503, Headers([("Retry-After", "30")])))

    def expired(self) -> None:
        if self._start:
            self._say(Response(408))
        else:
            super().expired()

    def _say(self, response: Response) -> None:
        response.headers.set("Server", self.site.serverName)
        self.close(response.toBytes())


@implementer(IProtocolNegotiationFactory)
class FrontFactory(Factory):
    """
    Makes the connections of one endpoint.
    """

    noisy = False

    def acceptableProtocols(self) -> list[bytes]:
        """
        What a client of TLS may choose from, if it asks (ALPN, RFC 7301). Browsers and curl do; without an answer
        Twisted lets the handshake fail. In HTTP/2 there are no connections that tunnels and WebSocket could take over.
        """
        return [b"http/1.1"]


class RTSPFactory(FrontFactory):
    """
    Makes the connections of one endpoint for RTSP.
    """

    def __init__(self, site: RTSPSite, tunnels: Tunnels | None = None) -> None:
        """
        @param tunnels: where halves are matched, which may come through other endpoints.
        """
        self._site = site
        self._tunnels = Tunnels(site) if tunnels is None else tunnels

    def buildProtocol(self, addr: IAddress | None) -> RTSPFront:
        front = RTSPFront(self._site, self._tunnels)
        front.factory = self
        return front

    def logPrefix(self) -> str:
        """What Twisted calls it in its line about the port."""
        return "RTSP"
