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
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorSocket
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.packets import PacketError, isRTCP
from mediasrv.rtp.rtcp import ReceiverReport, SenderReport, parseCompound
from mediasrv.rtp.sender import TrackSender

#: the kernel's names for larger buffers than an unprivileged process may ask for
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33

#: bytes that the socket takes before it says that it is full
_BUFFER = 8 << 20

#: what the kernel answers when it, or the interface, does no segmentation offload
_NO_OFFLOAD = {errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE}

#: what it answers when the packet has to wait
_LATER = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}

#: bytes of what is received; all that is expected is RTCP
LARGEST_DATAGRAM = 8192

_PORTS_TRIED = 50

#: IP_PKTINFO of linux/in.h, which the socket module does not name everywhere
_IP_PKTINFO = 8

Address = tuple[str, int]


class PortsTaken(OSError):
    """No pair of an even and the next odd UDP port is to be had."""


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
        pair.add(self)

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
        self._pair.remove(self)


class _MediaPort(DatagramProtocol):
    """The even port. Clients send here what opens a way through their NAT, and RTCP if they have one port for both."""

    noisy = False  # Twisted's line about the port is enough, it need not be told of this object as well

    def __init__(self, pair: DatagramPair) -> None:
        self._pair = pair

    def datagramReceived(self, data: bytes, address: Address) -> None:
        self._pair.mediaReceived(data, address)

    def logPrefix(self) -> str:
        return "RTP"


class _ControlPort(DatagramProtocol):
    """The odd port, for RTCP."""

    noisy = False

    def __init__(self, pair: DatagramPair) -> None:
        self._pair = pair

    def datagramReceived(self, data: bytes, address: Address) -> None:
        self._pair.controlReceived(data, address)

    def logPrefix(self) -> str:
        return "RTCP"


class DatagramPair:
    """
    The pair of UDP ports that all sessions of one address family share.

    @ivar port: the even one, for RTP; RTCP has the next.
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
        self._byMedia: dict[Address, DatagramTransport] = {}
        self._byControl: dict[Address, DatagramTransport] = {}
        self._bySSRC: dict[int, DatagramTransport] = {}
        self._unconfirmed: dict[str, deque[DatagramTransport]] = {}
        media, control = _bindPair(family, port)
        self.port: int = media.getsockname()[1]
        self._ports: list[IListeningPort] = []
        for bound, protocol in ((media, _MediaPort(self)), (control, _ControlPort(self))):
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

    # Who is where

    def add(self, transport: DatagramTransport) -> None:
        """From now on what comes from a transport's addresses is for it."""
        self._byMedia[transport.media] = transport
        if not transport.muxed:
            self._byControl[transport.control] = transport
        self._bySSRC[transport.ssrc] = transport
        self._unconfirmed.setdefault(transport.host, deque()).append(transport)

    def remove(self, transport: DatagramTransport) -> None:
        """Undoes L{add}."""
        for known, address in ((self._byMedia, transport.media), (self._byControl, transport.control)):
            if known.get(address) is transport:
                del known[address]
        if self._bySSRC.get(transport.ssrc) is transport:
            del self._bySSRC[transport.ssrc]
        self._confirm(transport)

    def _confirm(self, transport: DatagramTransport) -> None:
        transport.confirmed = True
        waiting = self._unconfirmed.get(transport.host)
        if waiting is not None and transport in waiting:
            waiting.remove(transport)
            if not waiting:
                del self._unconfirmed[transport.host]

    def mediaReceived(self, data: bytes, address: Address) -> None:
        """
        Something came to the RTP port, where RTCP is told from all else by its packet type (RFC 5761 section 4). What
        it says of an SSRC is a better clue to whose NAT it came through than the order in which things come.
        """
        if isRTCP(data):
            known = self._about(data, address[0])
            if known is not None and known.muxed and not known.confirmed:
                self._moveMedia(known, address)
        self.punched(address)
        known = self._byMedia.get(address)
        if known is not None and known.muxed and isRTCP(data):
            known.controlReceived(data)

    def _moveMedia(self, known: DatagramTransport, address: Address) -> None:
        """From now on media go to another port of the same host."""
        if self._byMedia.get(known.media) is known:  # another session may have claimed that address
            del self._byMedia[known.media]
        known.media = address
        self._byMedia[address] = known

    def punched(self, address: Address) -> None:
        """
        Something came to the RTP port: a client opens a way through its NAT (SET-18). From the port that it asked for,
        all is well; from another port of the same host, that is what its NAT made of the first of its tracks from which
        nothing was heard yet: clients send these packets in the order of their SETUPs.
        """
        known = self._byMedia.get(address)
        if known is None:
            waiting = self._unconfirmed.get(address[0])
            if not waiting:
                return
            known = waiting[0]
            self._moveMedia(known, address)
        if not known.confirmed:
            self._confirm(known)

    def controlReceived(self, data: bytes, address: Address) -> None:
        """RTCP: from the address that the client named, or about one of our SSRCs from the same host (RTCP-6)."""
        known = self._byControl.get(address)
        if known is None:
            known = self._about(data, address[0])
            if known is None:
                return
            if not known.muxed:
                self._moveControl(known, address)
        known.controlReceived(data)

    def _moveControl(self, known: DatagramTransport, address: Address) -> None:
        """From now on RTCP goes to another port of the same host."""
        if self._byControl.get(known.control) is known:
            del self._byControl[known.control]
        known.control = address
        self._byControl[address] = known

    def _about(self, data: bytes, host: str) -> DatagramTransport | None:
        try:
            packets = parseCompound(data)
        except PacketError:
            return None
        for packet in packets:
            if isinstance(packet, ReceiverReport | SenderReport):
                for block in packet.reports:
                    known = self._bySSRC.get(block.ssrc)
                    if known is not None and known.host == host:
                        return known
        return None

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


def _bindPair(family: int, port: int) -> tuple[socket.socket, socket.socket]:
    """An even port and the next one (RFC 3550 section 11)."""
    for _ in range(_PORTS_TRIED):
        media = _bind(family, port)
        if media is not None:
            number = media.getsockname()[1]
            control = _bind(family, number + 1) if number % 2 == 0 and number < 65535 else None
            if control is not None:
                return media, control
            media.close()
        if port:
            break
    raise PortsTaken(f"UDP ports {port} and {port + 1} are not both free" if port else "no two UDP ports are free")


def _bind(family: int, port: int) -> socket.socket | None:
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.setblocking(False)
    for forced, polite in ((_SO_SNDBUFFORCE, socket.SO_SNDBUF), (_SO_RCVBUFFORCE, socket.SO_RCVBUF)):
        try:
            bound.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
        except OSError:
            bound.setsockopt(socket.SOL_SOCKET, polite, _BUFFER)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    except OSError:
        bound.close()
        return None
    return bound
