"""
Connections that speak no RTSP, or not yet: they count as connections of their address, have little time, and go.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from mediasrv.rtsp.addresses import hostOf
from mediasrv.rtsp.site import RTSPSite

#: seconds in which a client has to take the last words of a connection that is closed
_LAST_WORDS = 5.0


class Guest(Protocol):
    """
    @ivar peer: the client's address, without port.
    @ivar since: monotonic seconds of its coming.
    @ivar patience: seconds that it has, if the site does not give less.
    """

    transport: Any  # ITCPTransport and IPushProducer
    patience = float("inf")

    def __init__(self, site: RTSPSite) -> None:
        self.site = site
        self.peer = ""
        self.since = site.now()
        self._isCounted = False
        self._closedAt: float | None = None

    def connectionMade(self) -> None:
        self.peer = hostOf(self.transport.getPeer()) or "local"
        self._isCounted = True
        if not self.site.connected(self):
            self.unwelcome()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.leave()

    def leave(self) -> None:
        """It is gone, or something else from now on."""
        if self._isCounted:
            self._isCounted = False
            self.site.disconnected(self)

    def close(self, words: bytes = b"") -> None:
        """Closes the connection as soon as the last words have left."""
        if self._closedAt is None:
            self._closedAt = self.site.now()
            if words:
                self.transport.write(words)
            self.transport.loseConnection()

    @property
    def isClosing(self) -> bool:
        return self._closedAt is not None

    def checkSilence(self, now: float, patience: float) -> None:
        """
        Ends it when its time is over.

        @param now: monotonic seconds.
        @param patience: seconds that the site gives.
        """
        if self._closedAt is not None:
            if now - self._closedAt > _LAST_WORDS:
                self.transport.abortConnection()
        elif now - self.since > min(patience, self.patience):
            self.expired()

    def unwelcome(self) -> None:
        """Its address has too many connections."""
        self.close()

    def expired(self) -> None:
        """Its time is over."""
        self.close()
