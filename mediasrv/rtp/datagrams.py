"""
RTP over UDP: one pair of ports for all sessions, and bursts by segmentation offload.

A burst leaves with one C{sendmsg}; the kernel, or the network card, cuts it into datagrams (UDP_SEGMENT, Linux 4.18).
That costs a third of a system call per packet. Where it is refused the packets leave one by one. Twisted's own
C{Port.write} is not used for sending: it takes one datagram at a time and raises when the socket's buffer is full.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorSocket
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from mediasrv.rtp.addressbook import Address, AddressBook
from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.portpairs import bindPair
from mediasrv.rtp.sender import TrackSender

#: what the kernel answers when it, or the interface, does no segmentation offload
_NO_OFFLOAD = {errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE}

#: what it answers when the packet has to wait
_LATER = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}

#: bytes of what is received; all that is expected is RTCP
LARGEST_DATAGRAM = 8192

#: IP_PKTINFO of linux/in.h, which the socket module does not name everywhere
_IP_PKTINFO = 8

#: a control message: level, type, data
Control = tuple[int, int, bytes]

#: what C{sendmsg} is called with: buffers, control messages, flags, address
Message = tuple[Sequence[bytes], Sequence[Control], int, Address]


def _singly(message: Message, origin: list[Control]) -> Iterator[Message]:
    """The datagrams of a burst, each as a message of its own."""
    buffers, _, flags, address = message
    for index in range(0, len(buffers), 2):
        yield buffers[index : index + 2], origin, flags, address


def originFor(host: str, local: str) -> list[Control]:
    """
    What has datagrams to a host leave from one of our addresses. Machines have several, those of IPv6 as a rule: media
    have to come from the one that the client asked, for its NAT and its firewall know no other (SET-6).

    @param local: our address; C{""} if there is none to prefer.
    @return: nothing where the system chooses that address by itself, which costs less.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        address = socket.inet_pton(family, local.partition("%")[0])
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))  # sends nothing; any port will do
            chosen = socket.inet_pton(family, probe.getsockname()[0].partition("%")[0])
    except OSError:
        return []
    if chosen == address or not sys.platform.startswith("linux"):
        return []
    if family == socket.AF_INET6:
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("16sI", address, 0))]
    return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("I4s4s", 0, address, bytes(4)))]


class DatagramTransport:
    """
    One track on its way to one UDP client.

    @ivar host: the client's address; nothing is ever sent to another (SET-12).
    @ivar media: where it wants RTP. Changed by what comes from the same host (SET-18), as C{control} is.
    @ivar control: where it wants RTCP. With C{muxed} that is of no account: it goes where RTP goes.
    @ivar muxed: whether the client has one port for both, and sends its RTCP to our RTP port (RFC 5761).
    @ivar offload: whether bursts leave with one system call. That depends on the way to the client too: what is too
        large for a tunnel can be cut into fragments, but not by segmentation offload.
    @ivar origin: control messages that say from which of our addresses.
    """

    __slots__ = ("_heard", "_pair", "confirmed", "control", "host", "media", "muxed", "offload", "origin", "ssrc")

    def __init__(self, pair: DatagramPair, host: str, ports: tuple[int, int], ssrc: int, local: str = "") -> None:
        """
        @param ports: for RTP and RTCP; twice the same for both on one.
        @param local: our address that the client knows; C{""} leaves it to the system.
        """
        self._pair = pair
        self._heard: Callable[[bytes], None] | None = None
        self.host = host
        self.media: Address = (host, ports[0])
        self.control: Address = (host, ports[1])
        self.muxed = ports[0] == ports[1]
        self.ssrc = ssrc
        self.confirmed = False
        self.offload = pair.offload
        self.origin = originFor(host, local)
        pair.addresses.add(self)

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        pair = self._pair
        if pair.blocked:
            return False
        count = burst.count
        if count == 1:
            pair.queue.append((((sender.header(burst), burst.buffers[1]), self.origin, 0, self.media), self))
        elif self.offload:
            buffers = burst.buffers.copy()
            buffers[::2] = sender.headers(burst)
            origin, media, runs = self.origin, self.media, burst.runs
            if len(runs) == 1:
                pair.queue.append(((buffers, runs[0][2] + origin if origin else runs[0][2], 0, media), self))
            else:
                for start, end, segments in runs:
                    pair.queue.append(((buffers[start:end], segments + origin, 0, media), self))
        else:
            for packet in zip(sender.headers(burst), burst.payloads, strict=True):
                pair.queue.append(((packet, self.origin, 0, self.media), self))
        sender.count(count, burst.octets)
        return True

    def sendControl(self, data: bytes) -> None:
        if self.muxed:
            self._pair.sendMuxed(data, self.media, self.origin)
        else:
            self._pair.sendControl(data, self.control, self.origin)

    def listen(self, heard: Callable[[bytes], None]) -> None:
        """Wants to be told what RTCP the client sends."""
        self._heard = heard

    def controlReceived(self, data: bytes) -> None:
        """RTCP came from the client."""
        if self._heard is not None:
            self._heard(data)

    def close(self) -> None:
        """Forgets the client's addresses."""
        self._pair.addresses.remove(self)


class _MediaPort(DatagramProtocol):
    """The even port. Clients send here what opens a way through their NAT, and RTCP if they have one port for both."""

    noisy = False  # Twisted's line about the port is enough, it need not be told of this object as well

    def __init__(self, addresses: AddressBook) -> None:
        self._addresses = addresses

    def datagramReceived(self, data: bytes, address: Address) -> None:
        self._addresses.mediaReceived(data, address)

    def logPrefix(self) -> str:
        return "RTP"


class _ControlPort(DatagramProtocol):
    """The odd port, for RTCP."""

    noisy = False

    def __init__(self, addresses: AddressBook) -> None:
        self._addresses = addresses

    def datagramReceived(self, data: bytes, address: Address) -> None:
        self._addresses.controlReceived(data, address)

    def logPrefix(self) -> str:
        return "RTCP"


class DatagramPair:
    """
    The pair of UDP ports that all sessions of one address family share.

    @ivar port: the even one, for RTP; RTCP has the next.
    @ivar addresses: for whom is what comes.
    @ivar offload: whether to try to have bursts leave with one system call.
    @ivar queue: what the next flush sends, and over which transport.
    @ivar blocked: whether the socket has not taken all of it; until it has, nothing more is queued.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorSocket, family: socket.AddressFamily = socket.AF_INET, port: int = 0) -> None:
        """
        @param port: the even one; 0 lets the system choose.
        @raise PortsTaken: if they are not free.
        """
        self.offload = hasattr(socket.socket, "sendmsg")
        self._warned = False
        self.queue: list[tuple[Message, DatagramTransport]] = []
        self.blocked = False
        self.addresses = AddressBook()
        media, control = bindPair(family, port)
        self.port: int = media.getsockname()[1]
        self._ports: list[IListeningPort] = []
        for bound, protocol in ((media, _MediaPort(self.addresses)), (control, _ControlPort(self.addresses))):
            self._ports.append(reactor.adoptDatagramPort(bound.fileno(), family, protocol, LARGEST_DATAGRAM))
            bound.close()  # the reactor has a duplicate
        opened: Any = self._ports
        self._sockets = [port.socket for port in opened]
        self._sendmsg = self._sockets[0].sendmsg
        self._sendControl = self._sockets[1].sendmsg

    def prepareMulticast(self, ttl: int, interface: str) -> None:
        """
        Says how packets to groups leave; those to clients are not affected.

        @param ttl: how many routers they pass, and one more.
        @param interface: an address of the one that they leave through; C{""} leaves it to the routing table.
        @raise OSError: if no interface has that address.
        """
        for each in self._sockets:
            each.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            if interface:
                each.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))

    # Sending

    def flush(self) -> None:
        """
        Sends what the transports left in the queue, all at once: the kernel's way of sending and Python's way of
        preparing it keep each other out of the processor's caches. What the socket does not take stays in the queue.
        """
        self.blocked = False
        while self.queue and not self.blocked:
            self._sendQueue()

    def _sendQueue(self) -> None:
        """Sends from the queue until it is empty, the socket full, or segmentation offload refused."""
        queue, sendmsg = self.queue, self._sendmsg
        for position, (message, transport) in enumerate(queue):
            try:
                sendmsg(*message)
            except OSError as error:
                if error.errno in _LATER:
                    self.blocked = True
                    del queue[:position]
                    return
                if error.errno in _NO_OFFLOAD and len(message[0]) > 2:
                    self._refused(transport, error)
                    queue[: position + 1] = [(single, transport) for single in _singly(message, transport.origin)]
                    return
                # unreachable: to the session that is a loss like any other
        queue.clear()

    def _refused(self, transport: DatagramTransport, reason: OSError) -> None:
        """There is no segmentation offload on the way to a client, or none at all."""
        transport.offload = False
        if not self._warned:
            self._warned = True
            self._log.warn(
                "no UDP segmentation offload to {host} ({reason}): packets leave one by one",
                host=transport.host,
                reason=reason,
            )

    def sendControl(self, data: bytes, address: Address, origin: Sequence[Control] = ()) -> None:
        """Sends RTCP; where the network refuses, the next report will do."""
        try:
            self._sendControl((data,), origin, 0, address)
        except OSError:
            return

    def sendMuxed(self, data: bytes, address: Address, origin: Sequence[Control] = ()) -> None:
        """Sends RTCP from the RTP port, likewise."""
        try:
            self._sendmsg((data,), origin, 0, address)
        except OSError:
            return

    def close(self) -> Deferred[Any]:
        """
        Gives the ports back.

        @return: fires when they are free.
        """
        return gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
