"""
One RTSP connection: requests in, replies out in the same order, interleaved data in between.

The parser does no I/O and the methods know no socket; this shell puts them together. Requests are served one after the
other, because the answers have to be in order and a pipelined PLAY means the session of the SETUP in front of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mediasrv.media.containers import NotMedia
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import Presentation, PresentationChanged
from mediasrv.registry import Registry
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtsp import describing, listening, parameters, playing, setup
from mediasrv.rtsp.conduit import Conduit
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import formatSession, parseSession, requiredFeatures
from mediasrv.rtsp.messages import HeaderError, Headers, InterleavedFrame, MessageError, Request, Response
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.replies import PUBLIC, Refused
from mediasrv.rtsp.session import RTSPSession
from mediasrv.rtsp.site import RTSPSite
from mediasrv.rtsp.urls import MediaURL
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.ondemand import OnDemand

#: requests that wait for their turn before no more are read, and when reading goes on
_QUEUE_FULL, _QUEUE_LOW = 64, 16

#: requests answered in one turn of the reactor: others have packets that are due (SEC-16)
_TURN = 32

#: seconds in which a client has to take the last words of a connection that is closed
_LAST_WORDS = 5.0

#: methods of the RFC that are not for what this server has
_NOT_ALLOWED = frozenset({"ANNOUNCE", "RECORD", "REDIRECT"})

Method = Callable[[Dialogue, Request], Awaitable[Response]]


class RTSPServer(Protocol):
    """
    @ivar site: what all connections share.
    @ivar peer: the client's address, without port.
    @ivar address: ours, as the client reached it.
    @ivar lastSeen: monotonic seconds when the last whole request or response came, or was answered.
    """

    _log = Logger()
    transport: Any  # ITCPTransport and IPushProducer

    method_OPTIONS: Method = staticmethod(describing.options)
    method_DESCRIBE: Method = staticmethod(describing.describe)
    method_SETUP: Method = staticmethod(setup.setUp)
    method_PLAY: Method = staticmethod(listening.play)
    method_PAUSE: Method = staticmethod(listening.pause)
    method_TEARDOWN: Method = staticmethod(playing.tearDown)
    method_GET_PARAMETER: Method = staticmethod(parameters.getParameter)
    method_SET_PARAMETER: Method = staticmethod(parameters.setParameter)

    def __init__(self, site: RTSPSite) -> None:
        self.site = site
        self.peer = ""
        self.address = ""
        self.lastSeen = site.now()
        self._parser = MessageParser(site.limits)
        self._queue: deque[Request | MessageError] = deque()
        self._serving: Deferred[None] | None = None
        self._inLoop = False
        self._resting: IDelayedCall | None = None
        self._readingPaused = False
        self._isOpen = False
        self._closedAt: float | None = None
        self._afterReply: Callable[[], None] | None = None
        self._carried: set[RTSPSession] = set()
        self._used: dict[str, RTSPSession] = {}

    # The connection

    def connectionMade(self) -> None:
        self.peer = _hostOf(self.transport.getPeer()) or "local"
        self.address = _hostOf(self.transport.getHost())
        self._isOpen = True
        self._conduit = Conduit(self.transport)
        self._conduit.join(self)
        if not self.site.connected(self):
            self._say(Response(503, Headers([("Retry-After", "30")])))
            self.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._isOpen = False
        self._conduit.close()
        self.site.disconnected(self)
        self._forget("connection lost")

    def close(self) -> None:
        """
        Ends the sessions whose data this connection carries, and closes it as soon as what was written has left. No
        request is answered any more.
        """
        if not self._isOpen:
            return
        self._isOpen = False
        self._closedAt = self.site.now()
        self._forget("connection closed")
        self._conduit.close()
        self.transport.loseConnection()

    def _forget(self, reason: str) -> None:
        self._queue.clear()
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.cancel()
        for session in list(self._carried):
            session.end(reason)
        self._used.clear()

    def checkSilence(self, now: float, patience: float) -> None:
        """
        Closes a connection that nobody needs, with a word if a request has only half arrived (408, TMO-6, SEC-1).

        @param now: monotonic seconds.
        @param patience: seconds that it may be silent.
        """
        if self._closedAt is not None:
            if now - self._closedAt > _LAST_WORDS:
                self.transport.abortConnection()
        elif now - self.lastSeen > patience and self._isIdle():
            if self._parser.isAmidMessage:
                self._say(Response(408))
            self.close()

    def _isIdle(self) -> bool:
        """Whether nobody would miss it: no session is known here and no request is being answered."""
        return self._serving is None and not any(session.state != "gone" for session in self._used.values())

    # Messages

    def dataReceived(self, data: bytes) -> None:
        if not self._isOpen:
            return
        for message in self._parser.feed(data):
            if isinstance(message, InterleavedFrame):
                self._frameReceived(message)
                continue
            self.lastSeen = self.site.now()
            if isinstance(message, Response):
                # to nothing that we asked; but who answers lives (CON-6)
                self._alive(message.headers)
            else:
                self._queue.append(message)
        self._serveQueue()

    def _frameReceived(self, frame: InterleavedFrame) -> None:
        """From the client comes RTCP; on other channels nothing that we know (INT-3)."""
        for session in self._carried:
            track = session.trackOn(frame.channel)
            if track is not None:
                session.controlFrom(track, frame.payload)
                return

    def unblocked(self) -> None:
        """The client has read what it was told."""
        self._serveQueue()

    def _serveQueue(self) -> None:
        """Serves what has come, until something has to be waited for."""
        if self._inLoop or self._resting is not None:
            return
        self._inLoop = True
        try:
            for _ in range(_TURN):
                if not self._canServe():
                    break
                message = self._queue.popleft()
                self.lastSeen = self.site.now()  # it may have waited for long, and not for the client
                if isinstance(message, MessageError):
                    self._refuse(message)
                else:
                    self._serve(message)
        finally:
            self._inLoop = False
        if self._canServe():
            self._resting = self.site.soon(self._rested)
        self._pauseReading()

    def _canServe(self) -> bool:
        return self._isOpen and bool(self._queue) and self._serving is None and not self._conduit.isFull

    def _rested(self) -> None:
        self._resting = None
        self._serveQueue()

    def _pauseReading(self) -> None:
        """Reads no more requests than can be answered soon."""
        if not self._isOpen:
            return
        if len(self._queue) > _QUEUE_FULL and not self._readingPaused:
            self._readingPaused = True
            self.transport.pauseProducing()
        elif len(self._queue) <= _QUEUE_LOW and self._readingPaused:
            self._readingPaused = False
            self.transport.resumeProducing()

    def _refuse(self, error: MessageError) -> None:
        response = Response(error.code)
        if error.cseq is not None:
            response.headers.set("CSeq", error.cseq)
        self._say(response)
        if error.fatal:
            self.close()

    def _say(self, response: Response) -> None:
        """Sends an answer to what was no request that could be served."""
        response.headers.set("Server", self.site.serverName)
        self._conduit.write(response.toBytes())

    def _serve(self, request: Request) -> None:
        serving = Deferred.fromCoroutine(self._answer(request))
        if not serving.called:
            self._serving = serving
            serving.addCallback(self._served)
        serving.addErrback(self._failed)

    def _served(self, _: None) -> None:
        self._serving = None
        self.lastSeen = self.site.now()
        self._serveQueue()

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return  # the connection is gone, nobody waits for the answer
        self._log.failure("a request could not be answered", failure)
        self._serving = None
        self.close()

    async def _answer(self, request: Request) -> None:
        """Answers one request, whatever happens."""
        self._afterReply = None
        response = await self._response(request)
        headers = response.headers
        reply = Headers([("CSeq", request.headers.get("CSeq", "0")), ("Server", self.site.serverName)])
        for name, value in headers.items():
            reply.set(name, value)
        timestamp = request.headers.get("Timestamp")
        if timestamp is not None:
            reply.set("Timestamp", timestamp)
        closing = "close" in (word.strip() for word in request.headers.get("Connection", "").lower().split(","))
        if closing:
            reply.set("Connection", "close")
        response.headers = reply
        self._conduit.write(response.toBytes())
        afterReply, self._afterReply = self._afterReply, None
        if afterReply is not None:
            afterReply()
        if closing:
            self._serving = None  # this very answer, which is not to be cancelled
            self.close()

    async def _response(self, request: Request) -> Response:
        try:
            self._alive(request.headers)
            return await self._dispatch(request)
        except CancelledError:
            raise
        except Refused as refused:
            response = refused.response
        except HeaderError as error:
            response = Response(error.code)
        except (NotFound, PresentationChanged):
            response = Response(404)
        except NotMedia:
            response = Response(415)
        except PermissionError:
            response = Response(403)
        except Exception:
            self._log.failure("{method} {uri} failed", method=request.method, uri=request.uri[:500])
            response = Response(500)
        self._nameSession(request, response)
        return response

    def _nameSession(self, request: Request, response: Response) -> None:
        """An error names the session as well, if that lives (section 1.11 of the requirements)."""
        try:
            session = self.sessionOf(request)
        except (Refused, HeaderError):
            return
        response.headers.set("Session", self.sessionHeader(session))

    async def _dispatch(self, request: Request) -> Response:
        method: Method | None = getattr(self, f"method_{request.method}", None)
        if method is None:
            if request.method in _NOT_ALLOWED:
                raise Refused(405, ("Allow", PUBLIC))
            raise Refused(501, ("Public", PUBLIC))
        unsupported = requiredFeatures(request.headers)
        if unsupported:
            raise Refused(551, ("Unsupported", ", ".join(unsupported)))
        return await method(self, request)

    # What the methods ask for

    def afterReply(self, call: Callable[[], None]) -> None:
        """Wants something done as soon as the reply to the request at hand was sent."""
        self._afterReply = call

    async def presentation(self, url: MediaURL) -> Presentation:
        """
        The presentation that a URL names.

        @raise NotFound: and what else L{mediasrv.media.library.Library.presentation} fails with.
        """
        if url.escapes:
            raise NotFound(url.literal)
        return await self.site.onDemand.presentation(url.segments)

    async def transportStream(self, url: MediaURL) -> Presentation:
        """
        The same as the transport stream that the file is.

        @raise NotMedia: if it is none; see L{presentation} for the rest.
        """
        if url.escapes:
            raise NotFound(url.literal)
        return await self.site.onDemand.transportStream(url.segments)

    def sessionOf(self, request: Request) -> RTSPSession:
        """
        The session that a request names (SEC-8: by who may name it).

        @raise Refused: 454 if there is none for this client.
        """
        value = request.headers.get("Session")
        if value is None:
            raise Refused(454)
        session = self.site.registry.get(parseSession(value)[0])
        if not isinstance(session, RTSPSession) or session.peer != self.peer:
            raise Refused(454)
        if session.carrier is not None and session.carrier is not self:
            # its data flow over another connection, so does its control (CON-3)
            raise Refused(454)
        self._used[session.id] = session
        return session

    def sessionHeader(self, session: RTSPSession) -> str:
        """The Session header of a reply."""
        self._used[session.id] = session
        return formatSession(session.id, self.site.sessionTimeout)

    def _alive(self, headers: Headers) -> None:
        """
        A message keeps its session alive; one that names none the session of this connection, if there is just one
        (TMO-4).
        """
        value = headers.get("Session")
        for id in [known for known, session in self._used.items() if session.state == "gone"]:
            del self._used[id]
        if value is None:
            if len(self._used) == 1:
                next(iter(self._used.values())).alive()
            return
        try:
            session = self.site.registry.get(parseSession(value)[0])
        except HeaderError:
            return
        if isinstance(session, RTSPSession) and session.peer == self.peer and session.carrier in (None, self):
            session.alive()

    @property
    def onDemand(self) -> OnDemand:
        return self.site.onDemand

    @property
    def registry(self) -> Registry:
        return self.site.registry

    def datagrams(self) -> DatagramPair | None:
        """The UDP ports for this client; None if none reach it: it may have no IP address."""
        return self.site.pairFor(self.peer)

    def broadcasts(self) -> Broadcasts | None:
        """What is sent over multicast; None if nothing is, or nothing reaches this client."""
        return self.site.broadcastsFor(self.peer)

    # Sessions with interleaved data

    @property
    def conduit(self) -> Conduit:
        """The writing side."""
        return self._conduit

    @property
    def outlet(self) -> Conduit:
        return self._conduit

    def adopt(self, session: RTSPSession) -> None:
        self._carried.add(session)
        self._conduit.join(session.player)

    def release(self, session: RTSPSession) -> None:
        self._carried.discard(session)
        self._conduit.leave(session.player)

    def isChannelUsed(self, channel: int) -> bool:
        """Whether a session of this connection has an interleaved channel."""
        return any(session.isChannelUsed(channel) for session in self._carried)


def _hostOf(address: IAddress) -> str:
    """The IP address, without port; C{""} for what has none. One of IPv4 that came in over IPv6 is one of IPv4."""
    host: str = getattr(address, "host", "")
    if host.startswith("::ffff:"):
        mapped = IPv6Address(host.partition("%")[0]).ipv4_mapped
        return str(mapped) if mapped is not None else host
    return host


class RTSPFactory(Factory):
    """Makes the connections of one endpoint."""

    noisy = False

    def __init__(self, site: RTSPSite) -> None:
        self._site = site

    def buildProtocol(self, addr: IAddress | None) -> RTSPServer:
        connection = RTSPServer(self._site)
        connection.factory = self
        return connection

    def logPrefix(self) -> str:
        """What Twisted calls it in its line about the port."""
        return "RTSP"
