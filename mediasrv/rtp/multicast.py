"""
RTP over UDP multicast: the groups that there are, and the way of one track to all who listen to one of them.

RFC 2326 section 12.39 has the server choose address, ports and time to live. A group here is one address with one pair
of ports: a receiver gets nothing of the tracks that it did not set up, and one whose socket is bound to no address
hears nothing of its neighbours' groups, which have other ports. Media leave through the pair of ports that unicast
sessions use as well, with the same segmentation offload. What listeners report they say to their group, which is
joined for that purpose.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorSocket
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from mediasrv.rtp.addressbook import Address
from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.datagrams import LARGEST_DATAGRAM, DatagramPair, DatagramTransport
from mediasrv.rtp.sender import TrackSender

#: who is told what listeners say: the data, and the address of the host that it came from, without port
Heard = Callable[[bytes, str], None]


class NoGroupFree(Exception):
    """All groups are taken."""


@dataclass(frozen=True, slots=True)
class Group:
    """
    Where one track can be listened to.

    @ivar address: of multicast, IPv4.
    @ivar port: for RTP, even; RTCP has the next.
    @ivar ttl: how many routers its packets pass, and one more.
    """

    address: str
    port: int
    ttl: int


class GroupPool:
    """
    The groups of a range of addresses. One that was given back is the last to be taken again: what still listens to its
    old media gets no new ones for as long as possible.

    @ivar ttl: of all of them.
    """

    def __init__(self, network: IPv4Network, port: int, ttl: int) -> None:
        """
        @param network: the addresses.
        @param port: of the first group, even; each of the others has the next pair, and begins anew at the end.
        """
        self._network = network
        self._port = port
        self._pairs = (65536 - port) // 2
        self.ttl = ttl
        self._unused = 0  # the first address that was never taken
        self._returned: deque[Group] = deque()

    @property
    def free(self) -> int:
        """How many groups can be taken."""
        return self._network.num_addresses - self._unused + len(self._returned)

    def take(self) -> Group:
        """
        @raise NoGroupFree: if there is none.
        """
        if self._unused < self._network.num_addresses:
            number = self._unused
            self._unused += 1
            return Group(str(self._network[number]), self._port + 2 * (number % self._pairs), self.ttl)
        if not self._returned:
            raise NoGroupFree(f"all {self._network.num_addresses} multicast groups are in use")
        return self._returned.popleft()

    def giveBack(self, group: Group) -> None:
        """Nobody sends to a group any more."""
        self._returned.append(group)


class MulticastTransport(DatagramTransport):
    """
    One track on its way to a group.

    @ivar group: where it goes.
    @ivar wanted: whether somebody has set the track up; what nobody wants does not leave, and takes no sequence number.
    """

    __slots__ = ("_closed", "group", "wanted")

    def __init__(self, pair: DatagramPair, group: Group, ssrc: int, closed: Callable[[], None]) -> None:
        super().__init__(pair, group.address, (group.port, group.port + 1), ssrc)
        self.group = group
        self.wanted = False
        self._closed = closed

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        return super().send(sender, burst) if self.wanted else True

    def sendControl(self, data: bytes) -> None:
        if self.wanted:
            super().sendControl(data)

    def close(self) -> None:
        """Gives the group back. Once only."""
        super().close()
        self._closed()


class _Ear(DatagramProtocol):
    """Hears what is said to the RTCP port of a group; also what we say ourselves, if we are a listener's host."""

    noisy = False

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def datagramReceived(self, data: bytes, address: Address) -> None:
        self._heard(data, address[0])

    def logPrefix(self) -> str:
        return "RTCP of a multicast group"


class Multicast:
    """
    Sends to groups through a pair of ports.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorSocket, pair: DatagramPair, pool: GroupPool, interface: str = "") -> None:
        """
        @param interface: an address of the one that packets leave through; C{""} leaves it to the routing table.
        @raise OSError: if no interface has that address.
        """
        pair.prepareMulticast(pool.ttl, interface)
        self._reactor = reactor
        self._pair = pair
        self._pool = pool
        self._interface = interface or "0.0.0.0"
        self._leaving: set[Deferred[Any]] = set()
        self._warned = False

    @property
    def free(self) -> int:
        """How many more transports there can be."""
        return self._pool.free

    def transport(self, ssrc: int, heard: Heard) -> MulticastTransport:
        """
        A way to a group that nobody uses.

        @param heard: is told what comes to the group's RTCP port.
        @raise NoGroupFree: if there is none.
        """
        group = self._pool.take()
        ear = self._ear(group, heard)
        return MulticastTransport(self._pair, group, ssrc, lambda: self._leave(group, ear))

    def _ear(self, group: Group, heard: Heard) -> IListeningPort | None:
        """Where the RTCP of a group comes in; None if it cannot be joined."""
        try:
            return self._listen(group, heard)
        except OSError as error:
            # whoever listens shows that he lives over RTSP as well
            if not self._warned:
                self._warned = True
                self._log.warn("no reports from multicast listeners: {reason}", reason=error)
        return None

    def _listen(self, group: Group, heard: Heard) -> IListeningPort:
        """
        Joins a group at its RTCP port. A socket for each: the system limits what one may join, and receivers on this
        machine need to bind the same address, which takes C{SO_REUSEADDR} on both sides.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.setblocking(False)
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ear.bind((group.address, group.port + 1))
            membership = socket.inet_aton(group.address) + socket.inet_aton(self._interface)
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            adopted: IListeningPort = self._reactor.adoptDatagramPort(
                ear.fileno(), socket.AF_INET, _Ear(heard), LARGEST_DATAGRAM
            )
        return adopted

    def _leave(self, group: Group, ear: IListeningPort | None) -> None:
        self._pool.giveBack(group)
        if ear is not None:
            leaving = maybeDeferred(ear.stopListening)
            self._leaving.add(leaving)
            leaving.addBoth(lambda _: self._leaving.discard(leaving))

    def close(self) -> Deferred[Any]:
        """
        Waits until the groups that were given back have been left.

        @return: fires then.
        """
        return gatherResults(list(self._leaving))
