"""
What the web door keeps to see who watches what: made once for a service, for all of its resources.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from twisted.web.server import Request

from mediasrv.media.searching import Search
from mediasrv.registry import Registry
from mediasrv.web.access import Access, ClientAddress, peerOf
from mediasrv.web.api.feed import SessionFeed
from mediasrv.web.figures import CacheFigures, Figures
from mediasrv.web.viewers import Viewers


class Oversight:
    """
    Needs no start, and nothing of it goes on while nobody is there.

    @ivar access: who may look, and end sessions.
    @ivar viewers: those who get media over HTTP.
    @ivar feed: what the API tells of sessions.
    @ivar figures: what Prometheus is told.
    @ivar search: looks for names in the library.
    @ivar rtspURL: where RTSP is, for who sent a request; None if there is none.
    """

    def __init__(
        self,
        registry: Registry,
        reactor: Any,
        administrators: Collection[str],
        caches: Mapping[str, CacheFigures],
        search: Search,
        clientAddress: ClientAddress = peerOf,
        names: Collection[str] = (),
        rtspURL: Callable[[Request], str | None] = lambda request: None,
    ) -> None:
        """
        @param administrators: networks, such as C{127.0.0.0/8}.
        @param caches: by the names that the metrics give them.
        @param search: as C{search}.
        @param clientAddress: whom a request is from.
        @param names: of this server, in URLs.
        @param rtspURL: as C{rtspURL}.
        """
        self.registry = registry
        self.reactor = reactor
        self.search = search
        self.rtspURL = rtspURL
        self.access = Access(administrators, clientAddress, names)
        self.viewers = Viewers(registry, reactor, clientAddress)
        self.feed = SessionFeed(registry, reactor)
        self.figures = Figures(registry, reactor, caches, self.feed)

    def stop(self) -> None:
        """Ends all viewers and all who listen. It may go on afterwards."""
        self.viewers.stop()
        self.feed.stop()
