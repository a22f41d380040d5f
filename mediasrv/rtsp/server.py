"""
One RTSP connection: requests in, replies out in the same order, interleaved data in between.

The parser does no I/O and the methods know no socket; this shell puts them together. Requests are served one after the
other, because the answers have to be in order and a pipelined PLAY means the session of the SETUP in front of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mediasrv.locating import Location, locate
from mediasrv.media.containers import NotMedia
from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import Presentation, PresentationChanged
from mediasrv.registry import Registry
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtsp import describing, listening, parameters, pausing, setup
from mediasrv.rtsp.addresses import hostOf
from mediasrv.rtsp.asking import Questions
from mediasrv.rtsp.backlog import Backlog
from mediasrv.rtsp.conduit import Conduit
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.features import unsupported
from mediasrv.rtsp.headers import formatSession
from mediasrv.rtsp.known import KnownSessions
from mediasrv.rtsp.messages import HeaderError, Headers, InterleavedFrame, MessageError, Request, Response
from mediasrv.rtsp.orders import PlayRules
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.replies import PUBLIC, RETRY_AFTER, Refused
from mediasrv.rtsp.session import RTSPSession
from mediasrv.rtsp.site import RTSPSite
from mediasrv.rtsp.urls import MediaURL
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.ondemand import OnDemand

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
    @ivar isTunnelled: whether it runs inside of HTTP or WebSocket, where nothing but the connection reaches the client.
    @ivar lastSeen: monotonic seconds when the last whole request or response came, or was answered.
    """

    _log = Logger()
    transport: Any  # ITCPTransport and IPushProducer

    method_OPTIONS: Method = staticmethod(describing.options)
    method_DESCRIBE: Method = staticmethod(describing.describe)
    method_SETUP: Method = staticmethod(setup.setUp)
    method_PLAY: Method = staticmethod(listening.play)
    method_PAUSE: Method = staticmethod(listening.pause)
    method_TEARDOWN: Method = staticmethod(pausing.tearDown)
    method_GET_PARAMETER: Method = staticmethod(parameters.getParameter)
    method_SET_PARAMETER: Method = staticmethod(parameters.setParameter)

    def __init__(self, site: RTSPSite, isTunnelled: bool = False) -> None:
        self.site = site
        self.isTunnelled = isTunnelled
        self.peer = ""
        self.address = ""
        self.lastSeen = site.now()
        self._parser = MessageParser(site.limits)
        self._serving: Deferred[None] | None = None
        self._isOpen = False
        self._closedAt: float | None = None
        self._afterReply: Callable[[], None] | None = None

    # The connection

    def connectionMade(self) -> None:
        self.peer = hostOf(self.transport.getPeer()) or "local"
        self.address = hostOf(self.transport.getHost())
        self._isOpen = True
        self._conduit = Conduit(self.transport)
        self._conduit.join(self)
        self._known = KnownSessions(self.site.registry, self, self.peer)
        self._backlog = Backlog(self._serveNext, self._mayServe, self.site.soon, self.transport)
        self._questions = Questions(self._conduit.write, self.site.later)
        if not self.site.connected(self):
            self._say(Response(503, Headers([("Retry-After", RETRY_AFTER)])))
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
        self._backlog.close()
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.cancel()
        self._known.forget(reason)
        self._questions.close()

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
        return self._serving is None and self._known.isEmpty

    # Messages

    def dataReceived(self, data: bytes) -> None:
        if not self._isOpen:
            return
        for message in self._parser.feed(data):
            if isinstance(message, InterleavedFrame):
                self._known.frameReceived(message)
                continue
            self.lastSeen = self.site.now()
            if isinstance(message, Response):
                # who answers lives, even if nobody asked, and whatever the answer is (CON-6)
                self._known.alive(message.headers)
                self._questions.answered(message)
            else:
                self._backlog.add(message)
        self._backlog.serve()

    def unblocked(self) -> None:
        """The client has read what it was told."""
        self._backlog.serve()

    def _mayServe(self) -> bool:
        """One request after the other, and none whose answer would not be read."""
        return self._isOpen and self._serving is None and not self._conduit.isFull

    def _serveNext(self, message: Request | MessageError) -> None:
        self.lastSeen = self.site.now()  # it may have waited for long, and not for the client
        if isinstance(message, MessageError):
            self.refuse(message)
        else:
            self._serve(message)

    def refuse(self, error: MessageError) -> None:
        """Answers what was no request that could be served, and closes if nobody knows what comes next."""
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
        self._backlog.serve()

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
            self._known.unfold(request)
            self._known.alive(request.headers)
            response = await self._dispatch(request)
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
        """Every answer names the session that its request names, if that lives: errors as well (HDR-7)."""
        if "Session" in request.headers and "Session" not in response.headers:
            with suppress(Refused, HeaderError):
                response.headers.set("Session", self.sessionHeader(self.sessionOf(request)))

    async def _dispatch(self, request: Request) -> Response:
        missing = unsupported(request.headers)
        if missing:  # before anything happens, and whatever the method (HDR-1)
            raise Refused(551, ("Unsupported", ", ".join(missing)))
        method: Method | None = getattr(self, f"method_{request.method}", None)
        if method is None:
            if request.method in _NOT_ALLOWED:
                raise Refused(405, ("Allow", PUBLIC))
            raise Refused(501, ("Public", PUBLIC))
        response = await method(self, request)
        if request.method == "SETUP":
            self._known.began(request, response)
        return response

    # What the methods ask for

    def afterReply(self, call: Callable[[], None]) -> None:
        """Wants something done as soon as the reply to the request at hand was sent."""
        self._afterReply = call

    async def locate(self, url: MediaURL) -> Location | None:
        """Where the presentation that a URL names is, if that is not here."""
        return await locate(self.site.locators, "/".join(url.segments), self.peer)

    async def presentation(self, url: MediaURL, preferences: Preferences = ANY) -> Presentation:
        """
        The presentation that a URL names.

        @raise NotFound: and what else L{mediasrv.media.library.Library.presentation} fails with.
        """
        if url.escapes:
            raise NotFound(url.literal)
        return await self.site.onDemand.presentation(url.segments, preferences)

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
        return self._known.named(request)

    def sessionHeader(self, session: RTSPSession) -> str:
        """The Session header of a reply."""
        self._known.use(session)
        return formatSession(session.id, self.site.sessionTimeout)

    @property
    def onDemand(self) -> OnDemand:
        return self.site.onDemand

    @property
    def rules(self) -> PlayRules:
        return self.site.rules

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
        self._known.carried.add(session)
        self._conduit.join(session.player)

    def release(self, session: RTSPSession) -> None:
        self._known.carried.discard(session)
        self._conduit.leave(session.player)

    def isChannelUsed(self, channel: int) -> bool:
        """Whether a session of this connection has an interleaved channel."""
        return self._known.isChannelUsed(channel)

    # Requests to the client

    def ask(self, request: Request) -> Deferred[Response]:
        """
        Sends a request to the client.

        @return: see L{Questions.ask}.
        """
        return self._questions.ask(request)
