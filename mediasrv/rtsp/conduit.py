"""
The writing side of an RTSP connection: replies, and the interleaved data of its sessions with their back-pressure.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Protocol, cast

from twisted.internet import tcp
from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

from mediasrv.rtsp.duplex import Duplex

#: bytes that the kernel keeps unsent before it takes no more: a client that seeks does not first read old seconds
_UNSENT = 256 << 10

#: bytes of replies that are still written when the client has stopped reading
_REPLIES_BEHIND = 64 << 10


class Waiting(Protocol):
    """Who is told when a blocked conduit takes data again."""

    def unblocked(self) -> None: ...


def writeNow(transport: Any, data: bytes) -> None:
    """
    Writes to a transport, at once where nothing is waiting in front.

    Twisted's own C{write} only fills a buffer, which the next turn of the reactor sends: a turn later, and for half of
    the time that a connection costs. So if that buffer, which is two private attributes, is empty, the socket is tried
    first. What it does not take goes the ordinary way, and so does everything that is not plain TCP.
    """
    plain = isinstance(transport, tcp.Connection) and not transport.TLS
    if plain and transport.connected and not (transport.dataBuffer or transport._tempDataBuffer):
        with suppress(OSError):  # full, or gone: the reactor finds out which
            data = data[transport.socket.send(data) :]
        if not data:
            return
    transport.write(data)


def _connectionBeneath(transport: Any) -> tcp.Connection | None:
    """The TCP connection that TLS or WebSocket runs in, or which this is; None if there is none, but a UNIX socket."""
    while transport is not None and not isinstance(transport, tcp.Connection):
        transport = getattr(transport, "transport", None)
    return None if transport is None or transport.socket.family == socket.AF_UNIX else transport


@implementer(IPushProducer)
class Conduit:
    """
    @ivar pieces: interleaved data that the next flush sends.
    @ivar blocked: whether the client reads more slowly than we send: players wait.
    """

    def __init__(self, transport: ITransport | Duplex) -> None:
        self._transport = transport.outward if isinstance(transport, Duplex) else transport
        self._waiting: set[Waiting] = set()
        self._behind = 0
        self._open = True
        self.pieces: list[bytes] = []
        self.blocked = False
        beneath = _connectionBeneath(self._transport)
        if beneath is not None:
            # Small packets must not wait for the acknowledgement of others.
            beneath.setTcpNoDelay(True)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                beneath.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        cast(Any, self._transport).registerProducer(self, True)

    @property
    def isFull(self) -> bool:
        """
        Whether the client leaves unread so much that nothing more can be said to it. Replies go out for a while after
        the data have stopped (INT-5): a client that does not read may still want to pause or to leave.
        """
        return self.blocked and self._behind > _REPLIES_BEHIND

    def join(self, waiting: Waiting) -> None:
        """Somebody sends through here: it is told when it may go on."""
        self._waiting.add(waiting)

    def leave(self, waiting: Waiting) -> None:
        """Undoes L{join}."""
        self._waiting.discard(waiting)

    def write(self, data: bytes) -> None:
        """Sends a message, in front of nothing that was sent before."""
        self.flush()
        if self._open:
            if self.blocked:
                self._behind += len(data)
            writeNow(self._transport, data)

    def flush(self) -> None:
        if self.pieces:
            data = b"".join(self.pieces)
            self.pieces.clear()
            if self._open:
                writeNow(self._transport, data)

    def pauseProducing(self) -> None:
        self.blocked = True

    def resumeProducing(self) -> None:
        self.blocked = False
        self._behind = 0
        for waiting in list(self._waiting):
            waiting.unblocked()

    def stopProducing(self) -> None:
        self.close()

    def close(self) -> None:
        """The connection is gone, or about to go: nothing more is written."""
        if self._open:
            self._open = False
            cast(Any, self._transport).unregisterProducer()
        self._waiting.clear()
        self.pieces.clear()
