"""
What all RTSP connections share, and the look-out for clients that have fallen silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mediasrv.registry import Registry
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtsp.orders import PlayRules
from mediasrv.rtsp.parser import Limits
from mediasrv.rtsp.session import RTSPSession
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.ondemand import OnDemand

#: seconds between two looks for who has been silent for too long
_SWEEP = 1.0

#: a session whose client does not read has this many timeouts: its own requests may wait behind what it does not read
_PATIENCE = 10


class Connection(Protocol):
    """
    What the site knows of a connection.
    """

    @property
    def peer(self) -> str:
        """The client's address, without port."""

    def checkSilence(self, now: float, patience: float) -> None:
        """Closes it if nobody needs it and nothing was heard for C{patience} seconds."""

    def close(self) -> None:
        """Closes it as soon as what was written has left."""


class RTSPSite:
    """
    @ivar onDemand: the presentations.
    @ivar registry: the sessions of all doors.
    @ivar limits: of what a client may send.
    @ivar rules: what is done about things that the RFCs leave open.
    @ivar sessionTimeout: seconds.
    @ivar handshakeTimeout: seconds that a client has to agree upon TLS.
    @ivar locators: L{mediasrv.interfaces.IMediaLocator} providers, asked in their order where a presentation is.
    @ivar broadcasts: what is sent over multicast; None if nothing is.
    """

    def __init__(
        self,
        onDemand: OnDemand,
        registry: Registry,
        pairFor: Callable[[bool], DatagramPair | None],
        reactor: IReactorTime,
        serverName: str = "mediasrv",
        sessionTimeout: int = 60,
        idleTimeout: float = 60.0,
        connectionsPerPeer: int = 0,
        limits: Limits | None = None,
        rules: PlayRules | None = None,
        handshakeTimeout: float = 10.0,
        locators: Sequence[object] = (),
    ) -> None:
        """
        @param pairFor: the UDP ports for IPv6 (True) or IPv4; None if there are none.
        @param connectionsPerPeer: of one address; 0 is no limit.
        """
        self.onDemand = onDemand
        self.registry = registry
        self.serverName = serverName
        self.sessionTimeout = sessionTimeout
        self.limits = limits or Limits()
        self.rules = rules or PlayRules()
        self.handshakeTimeout = handshakeTimeout
        self.locators = locators
        self.broadcasts: Broadcasts | None = None
        self._pairFor = pairFor
        self._reactor = reactor
        self._idleTimeout = idleTimeout
        self._connectionsPerPeer = connectionsPerPeer
        self._connections: set[Connection] = set()
        self._perPeer: Counter[str] = Counter()
        self._sweeping: IDelayedCall | None = None

    def now(self) -> float:
        """Monotonic seconds."""
        return self.onDemand.pacer.now()

    def soon(self, call: Callable[[], None]) -> IDelayedCall:
        """Calls in the next turn of the reactor."""
        return self._reactor.callLater(0, call)

    def later(self, seconds: float, call: Callable[[], None]) -> IDelayedCall:
        """Calls after so many seconds."""
        return self._reactor.callLater(seconds, call)

    def pairFor(self, peer: str) -> DatagramPair | None:
        """The UDP ports from which an address is reached."""
        version = _versionOf(peer)
        return None if version is None else self._pairFor(version == 6)

    def broadcastsFor(self, peer: str) -> Broadcasts | None:
        """What reaches an address over multicast, which is all of IPv4."""
        return self.broadcasts if _versionOf(peer) == 4 else None

    def connected(self, connection: Connection) -> bool:
        """
        A connection came.

        @return: whether there is room for it.
        """
        self._connections.add(connection)
        self._perPeer[connection.peer] += 1
        return not self._connectionsPerPeer or self._perPeer[connection.peer] <= self._connectionsPerPeer

    def disconnected(self, connection: Connection) -> None:
        """A connection went; one that is not known is no error."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._perPeer[connection.peer] -= 1
        if not self._perPeer[connection.peer]:
            del self._perPeer[connection.peer]

    def taken(self, transport: object) -> None:
        """Something else takes a connection over, and has a place here of its own."""
        for connection in self._connections:
            if getattr(connection, "transport", None) is transport:
                self.disconnected(connection)
                return

    def start(self) -> None:
        """Begins to look for silent clients."""
        self._sweeping = self._reactor.callLater(_SWEEP, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = self._reactor.callLater(_SWEEP, self._sweep)
        now = self.now()
        for session in self.registry:
            if isinstance(session, RTSPSession):
                timeout = self.sessionTimeout * (_PATIENCE if session.player.outlet.blocked else 1)
                if now - session.lastSeen > timeout:
                    self.registry.end(session.id, "timeout")
        for connection in list(self._connections):
            connection.checkSilence(now, self._idleTimeout)

    def stop(self) -> None:
        """Ends all sessions and connections."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for session in self.registry:
            if isinstance(session, RTSPSession):
                self.registry.end(session.id, "the server stops")
        for connection in list(self._connections):
            connection.close()


def _versionOf(peer: str) -> int | None:
    """4 or 6 for an IP address, None for anything else."""
    try:
        return ip_address(peer.partition("%")[0]).version
    except ValueError:
        return None
