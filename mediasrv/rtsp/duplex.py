"""
A transport made of two connections: one that is written to, one that is read from.
"""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.interfaces import IAddress


class Inward(Protocol):
    """Where a duplex transport reads."""

    def pauseReading(self) -> None:
        """Stops."""

    def resumeReading(self) -> None:
        """Goes on."""


class Duplex:
    """
    What L{mediasrv.rtsp.server.RTSPServer} needs of a transport. Its end is that of the outward connection.

    @ivar outward: the transport that is written to; also for what wants to write past this one.
    """

    def __init__(self, outward: Any, inward: Inward) -> None:
        self.outward = outward
        self._inward = inward

    def write(self, data: bytes) -> None:
        """Sends."""
        self.outward.write(data)

    def loseConnection(self) -> None:
        """Closes when what was written has left."""
        self.outward.loseConnection()

    def abortConnection(self) -> None:
        """Closes."""
        self.outward.abortConnection()

    def getPeer(self) -> IAddress:
        """The client's address."""
        peer: IAddress = self.outward.getPeer()
        return peer

    def getHost(self) -> IAddress:
        """Our address."""
        host: IAddress = self.outward.getHost()
        return host

    def pauseProducing(self) -> None:
        """Reads nothing for a while."""
        self._inward.pauseReading()

    def resumeProducing(self) -> None:
        """Reads on."""
        self._inward.resumeReading()
