"""
What the methods of RTSP ask of the connection that a request came on. The methods know this and no connection: that is
what keeps them apart from L{mediasrv.rtsp.server}, which knows all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mediasrv.locating import Location
from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.media.presentation import Presentation
from mediasrv.registry import Registry
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtp.interleaved import Conduit
from mediasrv.rtsp.messages import Request
from mediasrv.rtsp.orders import PlayRules
from mediasrv.rtsp.session import Carrier, RTSPSession
from mediasrv.rtsp.urls import MediaURL
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.ondemand import OnDemand


class Dialogue(Carrier, Protocol):
    """
    One side of a conversation: requests of one client, and what is needed to answer them.
    """

    @property
    def peer(self) -> str:
        """The client's address, without port."""

    @property
    def address(self) -> str:
        """Ours, as the client reached it."""

    @property
    def isTunnelled(self) -> bool:
        """Whether nothing but the connection reaches the client: media are interleaved, whatever it asks for."""

    @property
    def onDemand(self) -> OnDemand:
        """The presentations."""

    @property
    def rules(self) -> PlayRules:
        """What is done about things that the RFCs leave open."""

    @property
    def registry(self) -> Registry:
        """All sessions."""

    @property
    def conduit(self) -> Conduit:
        """Where interleaved data go."""

    async def locate(self, url: MediaURL) -> Location | None:
        """Where the presentation that a URL names is, if that is not here."""

    async def presentation(self, url: MediaURL, preferences: Preferences = ANY) -> Presentation:
        """
        The presentation that a URL names.

        @param preferences: by which one of several alternatives is chosen.

        @raise mediasrv.media.library.NotFound: and what else L{mediasrv.media.library.Library.presentation} fails with.
        """

    async def transportStream(self, url: MediaURL) -> Presentation:
        """
        The same as the transport stream that the file is.

        @raise mediasrv.media.containers.NotMedia: if it is none; see L{presentation} for the rest.
        """

    def sessionOf(self, request: Request) -> RTSPSession:
        """
        The session that a request names (SEC-8: by who may name it).

        @raise mediasrv.rtsp.replies.Refused: 454 if there is none for this client.
        """

    def sessionHeader(self, session: RTSPSession) -> str:
        """The Session header of a reply."""

    def datagrams(self) -> DatagramPair | None:
        """The UDP ports for this client; None if none reach it: it may have no IP address."""

    def broadcasts(self) -> Broadcasts | None:
        """What is sent over multicast; None if nothing is, or nothing reaches this client."""

    def isChannelUsed(self, channel: int) -> bool:
        """Whether a session of this connection has an interleaved channel."""

    def afterReply(self, call: Callable[[], None]) -> None:
        """Wants something done as soon as the reply to the request at hand was sent."""
