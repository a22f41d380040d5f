"""
RTSP inside of HTTP, as QuickTime invented it: one connection, a GET, whose answer never ends, carries what we send; the
body of another, a POST, carries what the client sends, in Base64. A cookie says which belong together.

Proxies may close a POST and let the client open another one (TUN-7); the tunnel lives as long as its GET. A POST is
never answered (TUN-2), and the length that it announces means nothing.
"""

from __future__ import annotations

import re
from collections import Counter, deque

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from mediasrv.rtsp.base64stream import Base64Decoder, Base64Error
from mediasrv.rtsp.duplex import Duplex
from mediasrv.rtsp.guest import Guest
from mediasrv.rtsp.httphead import HTTPHead
from mediasrv.rtsp.httpreplies import TUNNEL_TYPE, Fields, tunnelOpened
from mediasrv.rtsp.messages import MessageError
from mediasrv.rtsp.origins import Origins
from mediasrv.rtsp.server import RTSPServer
from mediasrv.rtsp.site import RTSPSite

#: seconds that half of a tunnel waits for the other (TUN-5)
_EXPIRY = 25.0

#: seconds after which a POST takes the place of one that does not end
_TAKEOVER = 2.0

#: unmatched halves, of one address and in all
_MOST_OF_PEER, _MOST = 64, 1024

#: POSTs of one tunnel: the one that is read, and those that wait for its end
_MOST_POSTS = 4

#: bytes that a POST may bring before it is read; reading stops at once, but what was under way still comes
_MOST_EARLY = 256 << 10

_COOKIE = re.compile("[!-~]{1,256}")


class TunnelRefused(Exception):
    """
    A half that has no place.

    @ivar code: the HTTP status to answer with.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def isTunnel(head: HTTPHead) -> bool:
    """Whether a request is half of a tunnel (TUN-1, TUN-2, TUN-12)."""
    about = {"GET": "Accept", "POST": "Content-Type"}.get(head.method)
    if about is None or "x-sessioncookie" not in head.headers:
        return False
    return TUNNEL_TYPE in head.headers.get(about, "").lower()


class Tunnels:
    """
    All tunnels of a server.

    @ivar origins: the web pages that may open one.
    """

    def __init__(self, site: RTSPSite, origins: Origins | None = None) -> None:
        self.site = site
        self.origins = origins or Origins()
        self._tunnels: dict[tuple[str, str], _Tunnel] = {}
        self._unmatched: Counter[str] = Counter()

    def half(self, head: HTTPHead, peer: str) -> Guest:
        """
        What a connection becomes that began with half of a tunnel. Halves of different addresses do not match (TUN-6).

        @raise TunnelRefused: 400 for a cookie that is none, 409 for a second GET, 501 for a body in chunks, which would
            be decoded twice, 503 where there are too many.
        """
        cookie = head.headers.get("x-sessioncookie", "")
        if not _COOKIE.fullmatch(cookie):
            raise TunnelRefused(400)
        isPost = head.method == "POST"
        if isPost and "Transfer-Encoding" in head.headers:
            raise TunnelRefused(501)
        tunnel = self._tunnels.get((peer, cookie)) or self._new(peer, cookie)
        if isPost:
            if len(tunnel.posts) >= _MOST_POSTS:
                raise TunnelRefused(503)
            return _Post(self.site, tunnel)
        if tunnel.get is not None:
            raise TunnelRefused(409)
        return _Get(self.site, tunnel, self.corsFields(head))

    def corsFields(self, head: HTTPHead) -> Fields:
        """What tells a browser that its page may read the answer."""
        origin = head.headers.get("Origin")
        return [] if origin is None else [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]

    def _new(self, peer: str, cookie: str) -> _Tunnel:
        if self._unmatched[peer] >= _MOST_OF_PEER or self._unmatched.total() >= _MOST:
            raise TunnelRefused(503)
        self._unmatched[peer] += 1
        tunnel = self._tunnels[peer, cookie] = _Tunnel(self, peer, cookie)
        return tunnel

    def matched(self, tunnel: _Tunnel) -> None:
        """Both halves are there, or none will be."""
        self._unmatched[tunnel.peer] -= 1
        if not self._unmatched[tunnel.peer]:
            del self._unmatched[tunnel.peer]

    def ended(self, tunnel: _Tunnel) -> None:
        """It is gone."""
        del self._tunnels[tunnel.peer, tunnel.cookie]


class _Tunnel:
    """
    One tunnel, or as much of it as has come.

    @ivar posts: the one that is read first.
    @ivar server: the RTSP connection inside, as soon as both halves are there.
    """

    _log = Logger()

    def __init__(self, tunnels: Tunnels, peer: str, cookie: str) -> None:
        self.peer = peer
        self.cookie = cookie
        self.get: _Get | None = None
        self.posts: deque[_Post] = deque()
        self.server: RTSPServer | None = None
        self._tunnels = tunnels
        self._isPaused = False
        self._isOver = False

    def opened(self, get: _Get) -> None:
        """The GET came."""
        self.get = get
        self._match()

    def posted(self, post: _Post) -> None:
        """A POST came. It is not read yet."""
        self.posts.append(post)
        if self.server is None:
            self._match()
        elif self.posts[0] is post:
            self._read()

    def _match(self) -> None:
        if self.get is None or not self.posts:
            return
        self._tunnels.matched(self)
        self.get.leave()  # the connection inside counts in its place
        self.server = RTSPServer(self._tunnels.site, isTunnelled=True)
        self.server.makeConnection(Duplex(self.get.transport, self))
        self._read()

    def _read(self) -> None:
        if self.posts and not self._isOver:
            self.posts[0].begin(self._isPaused)

    def received(self, data: bytes) -> None:
        """The client says something."""
        if self.server is not None and not self._isOver:
            self.server.dataReceived(data)

    def broken(self, reason: Base64Error) -> None:
        """What the client says cannot be understood from here on."""
        self._log.info("the HTTP tunnel of {peer} ends: {reason}", peer=self.peer, reason=reason)
        if self.server is not None:
            self.server.refuse(MessageError(400, "not Base64", fatal=True))

    def postLost(self, post: _Post) -> None:
        """A POST ended; the next one is read."""
        if post in self.posts:
            wasRead = self.posts[0] is post
            self.posts.remove(post)
            if self.server is None:
                self._forgetIfEmpty()
            elif wasRead:
                self._read()

    def getLost(self, reason: Failure) -> None:
        """The GET ended, and everything with it."""
        self.get = None
        if self.server is None:
            self._forgetIfEmpty()
            return
        self._isOver = True
        self._tunnels.ended(self)
        self.server.connectionLost(reason)
        for post in list(self.posts):
            post.close()

    def _forgetIfEmpty(self) -> None:
        """Nothing is left that could match."""
        if self.get is None and not self.posts:
            self._isOver = True
            self._tunnels.matched(self)
            self._tunnels.ended(self)

    # Inward of the duplex transport

    def pauseReading(self) -> None:
        self._isPaused = True
        if self.posts:
            self.posts[0].transport.pauseProducing()

    def resumeReading(self) -> None:
        self._isPaused = False
        if self.posts and not self._isOver and not self.posts[0].isClosing:
            self.posts[0].transport.resumeProducing()


class _Get(Guest):
    """The half that is written to. It counts as a connection of its own until the other half is there."""

    patience = _EXPIRY

    def __init__(self, site: RTSPSite, tunnel: _Tunnel, fields: Fields) -> None:
        super().__init__(site)
        self._tunnel = tunnel
        self._fields = fields
        tunnel.get = self  # a second one is refused from now on

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.write(tunnelOpened(self.site.serverName, self._fields))
        self._tunnel.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """A GET has no body: what comes is for nobody."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._tunnel.getLost(reason)


class _Post(Guest):
    """A half that is read from, when it is its turn."""

    patience = _EXPIRY

    def __init__(self, site: RTSPSite, tunnel: _Tunnel) -> None:
        super().__init__(site)
        self._tunnel = tunnel
        self._decoder = Base64Decoder()
        self._early = bytearray()
        self._isRead = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.pauseProducing()
        self._tunnel.posted(self)

    def begin(self, isPaused: bool) -> None:
        """
        It is its turn.

        @param isPaused: whether nothing more is to be read for now.
        """
        self._isRead = True
        early = bytes(self._early)
        self._early.clear()
        if early:
            self.dataReceived(early)
        if not isPaused and not self.isClosing:
            self.transport.resumeProducing()

    def dataReceived(self, data: bytes) -> None:
        if self.isClosing:
            return
        if not self._isRead:
            self._early += data
            if len(self._early) > _MOST_EARLY:
                self.close()
            return
        try:
            decoded = self._decoder.feed(data)
        except Base64Error as error:
            self.close()
            self._tunnel.broken(error)
        else:
            self._tunnel.received(decoded)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._tunnel.postLost(self)

    def checkSilence(self, now: float, patience: float) -> None:
        """
        The one that is read may be silent: what is inside has its own patience. One that waits for its end goes on in
        its place after a while, for a connection that was lost on the way may not be known to be.
        """
        if self.isClosing or self._tunnel.server is None:
            super().checkSilence(now, patience)
        elif not self._isRead and now - self.since > _TAKEOVER:
            self._tunnel.posts[0].close()
