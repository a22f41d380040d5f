"""
In front of C{twisted.web} on a web port: the halves of HTTP tunnels go their own way, all else is for the site.

A tunnel cannot be a resource. C{twisted.web} collects the body of a request before it asks a resource, and that of a
POST of a tunnel never ends; and a GET of HTTP/1.1 would be answered in chunks. So the first head of each connection is
read here, as on the RTSP port. If it is no tunnel the site gets every byte of it, as if nobody had looked.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IAddress, IProtocol
from twisted.web.server import Site

from mediasrv.rtsp.front import Front, FrontFactory
from mediasrv.rtsp.httphead import HeadError, HTTPHead
from mediasrv.rtsp.site import RTSPSite
from mediasrv.rtsp.tunnel import Tunnels
from mediasrv.web.bodies import BoundedRequest
from mediasrv.web.channel import MediaChannel


class WebFront(Front):
    """
    One connection to a web port.
    """

    def __init__(self, site: RTSPSite, tunnels: Tunnels, channel: Callable[[], IProtocol]) -> None:
        """
        @param channel: makes what speaks HTTP.
        """
        super().__init__(site, tunnels)
        self._channel = channel
        self._isPassed = False

    def dataReceived(self, data: bytes) -> None:
        self._isShakingHands = False
        self.readHead(data)

    def headReceived(self, head: HTTPHead) -> None:
        self._pass()

    def malformed(self, error: HeadError) -> None:
        """The site has its own way to say so."""
        self._pass()

    def _pass(self) -> None:
        self._isPassed = True
        channel = self._channel()
        self.becomes(channel, bytes(self.reader.received), stays=True)

        def heard(data: bytes) -> None:
            channel.dataReceived(data)

        # a WebSocket takes the channel over by replacing this method of it, now or later
        self.dataReceived = heard  # type: ignore[method-assign]  # see above

    def checkSilence(self, now: float, patience: float) -> None:
        """What speaks HTTP looks for silence itself: it knows whether a request is being answered."""
        if not self._isPassed:
            super().checkSilence(now, patience)

    def close(self, words: bytes = b"") -> None:
        """Once HTTP is spoken there is nothing to say, and nobody who would wait for the end of an answer."""
        if self._isPassed:
            self.transport.abortConnection()
        else:
            super().close(words)


class WebSite(Site):
    """
    A site without an access log: who watches what is in the log of sessions, and a player asks every few seconds.
    Requests bring small bodies only.
    """

    noisy = False  # the line about the port is enough
    requestFactory = BoundedRequest
    # which need not choose between versions of HTTP
    protocol = MediaChannel  # type: ignore[assignment]  # see above

    def log(self, request: object) -> None:
        """Keeps it to itself."""


class WebFactory(FrontFactory):
    """
    Makes the connections of one endpoint for HTTP.
    """

    def __init__(self, pages: Site, site: RTSPSite, tunnels: Tunnels) -> None:
        """
        @param pages: what answers all that is no tunnel.
        """
        self._pages = pages
        self._site = site
        self._tunnels = tunnels

    def doStart(self) -> None:
        self._pages.doStart()
        super().doStart()

    def doStop(self) -> None:
        self._pages.doStop()
        super().doStop()

    def buildProtocol(self, addr: IAddress | None) -> WebFront:
        front = WebFront(self._site, self._tunnels, lambda: self._pages.buildProtocol(addr))
        front.factory = self
        return front

    def logPrefix(self) -> str:
        """What Twisted calls it in its line about the port."""
        return "web"
