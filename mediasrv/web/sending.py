"""
The bodies of downloads: pieces of files and of memory, sent at the pace of the client.

On a plain TCP connection the kernel takes the bytes from the file by itself (C{sendfile}). For that the transport is
borrowed from C{twisted.web} until the body has left: it is a consumer of a pull producer, which it asks for more when
its own buffer is empty and the socket takes more. Everything else, TLS above all, gets the bytes by C{write}.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.internet.tcp import Connection
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.http import HTTPChannel, Request
from zope.interface import implementer

from mediasrv.media.pieces import Extent, Piece, lengthOf
from mediasrv.web.channel import Repetition
from mediasrv.web.coldfiles import AHEAD, isInMemory, read, readNow, warm
from mediasrv.web.openfiles import OpenFile
from mediasrv.web.turns import Turns

#: bytes handed over in one step: what takes the kernel a fraction of a millisecond
_STEP = 1 << 20
#: the same where they are copied, and maybe encrypted
_WRITTEN = 128 << 10


class Sending(ABC):
    """
    One body on its way. Subclasses know how to hand bytes over.

    @ivar sent: bytes handed over.
    @ivar onSent: is told how many more these are, each time.
    """

    _log = Logger()

    def __init__(
        self,
        request: Request | Repetition,
        file: OpenFile,
        pieces: Iterable[Piece],
        turns: Turns,
        readers: ThreadPool,
        reactor: Any,
        ended: Callable[[Sending], None],
    ) -> None:
        """
        @param request: its headers are set and have not been sent. Content-Length is what the pieces have.
        @param ended: called once, when nothing of the file is needed any more; in whatever way it ended.
        """
        self.sent = 0
        self.onSent: Callable[[int], None] | None = None
        self._request: Any = request
        self._file = file
        self._pieces = deque(pieces)
        self._left = lengthOf(self._pieces)
        self._turns = turns
        self._readers = readers
        self._reactor = reactor
        self._ended = ended
        self._isOver = False
        self._isReading = False
        self._transport: Any = request.channel.transport
        self._seen: tuple[int, int] | None = None

    @abstractmethod
    def start(self) -> None:
        """Sends the headers, and begins."""

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._over()

    def abort(self) -> None:
        """Ends it at once; the client sees that something is missing."""
        if not self._isOver:
            self._transport.abortConnection()

    def isGone(self) -> bool:
        """Whether somebody else closed the connection, and the transport did not know that this should be told."""
        return not self._transport.connected

    def isStalled(self) -> bool:
        """Whether the client has taken nothing since this was asked last."""
        seen = self.sent, _unacknowledged(self._transport)
        isStalled = seen == self._seen and not self._isReading  # our disk may be slow too
        self._seen = seen
        return isStalled

    def _hand(self, count: int) -> None:
        """Notes that bytes were handed over."""
        self.sent += count
        self._left -= count
        if self.onSent is not None:
            self.onSent(count)

    def _advance(self, extent: Extent, count: int) -> None:
        if count == extent.length:
            self._pieces.popleft()
        else:
            self._pieces[0] = Extent(extent.start + count, extent.length - count)

    def _inThread(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Has a thread do what may have to wait for the disk; L{_came} gets what comes of it."""
        self._isReading = True
        reading = deferToThreadPool(self._reactor, self._readers, call, self._file.descriptor, *arguments)
        reading.addBoth(self._read).addErrback(self._failed)

    def _read(self, result: Any) -> None:
        self._isReading = False
        if self._isOver:
            self._letGo()
        elif not isinstance(result, Failure):
            self._came(result)
        elif result.check(OSError):
            self._log.warn("{path!r}: {reason}", path=self._file.path, reason=result.value)
            self._cutShort()
        else:
            self._failed(result)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("a download failed", failure)
        self.abort()

    def _turn(self) -> None:
        """In a turn of ours."""
        if self._isOver:
            return
        try:
            self._step()
        except Exception:
            self._failed(Failure())

    @abstractmethod
    def _step(self) -> None:
        """Hands over as much as may be in one turn."""

    @abstractmethod
    def _came(self, result: Any) -> None:
        """Goes on after a thread has done its part."""

    def _cutShort(self) -> None:
        """The file has not what was promised any more: closes, so that the client sees it (RFC 9112 section 8)."""
        self._log.info("{path!r} changed while it was sent", path=self._file.path)
        self._handBack()
        self._over()
        self._request.loseConnection()

    def _finish(self) -> None:
        self._handBack()
        self._over()
        self._request.finish()

    @abstractmethod
    def _handBack(self) -> None:
        """Nothing more is sent."""

    def _gone(self, _: object) -> None:
        self._over()

    def _over(self) -> None:
        if not self._isOver:
            self._isOver = True
            if not self._isReading:
                self._letGo()

    def _letGo(self) -> None:
        """The file is not needed any more: not before a thread has read what it was told to."""
        self._ended(self)


@implementer(IPullProducer)
class DirectSending(Sending):
    """
    From the file to the socket, without a look at the bytes.
    """

    _isBorrowed = False
    #: what a thread has just read
    _warm = range(0)

    @staticmethod
    def suits(request: Request | Repetition) -> bool:
        """Whether a request came over a plain connection, and C{twisted.web} has it as it always does."""
        channel = request.channel
        transport = getattr(channel, "transport", None)
        return (
            hasattr(os, "sendfile")
            and hasattr(os, "RWF_NOWAIT")  # Linux, whose sendfile this is
            and isinstance(channel, HTTPChannel)
            and isinstance(transport, Connection)
            and not getattr(transport, "TLS", False)
            and transport.producer is channel
        )

    def start(self) -> None:
        transport = self._transport
        self._request.write(b"")
        transport.unregisterProducer()
        transport.registerProducer(self, False)
        self._isBorrowed = True

    def resumeProducing(self) -> None:
        """The transport has nothing left to send."""
        # A transport asks once when a producer comes, which is too early: it has the headers still to send.
        if self._isBorrowed and not self._isReading:
            self._turns.work(self._turn)

    def _came(self, isThere: bool) -> None:
        if isThere:
            self._turns.work(self._turn)
        else:
            self._cutShort()

    def _step(self) -> None:
        if not self._left:
            self._finish()
            return
        piece = self._pieces[0]
        if isinstance(piece, bytes):
            self._pieces.popleft()
            self._hand(len(piece))
            self._transport.write(piece)
        else:
            self._copy(piece)

    def _copy(self, extent: Extent) -> None:
        descriptor = self._file.descriptor
        length = min(extent.length, _STEP)
        if extent.start in self._warm:
            length = min(length, self._warm.stop - extent.start)
        elif not isInMemory(descriptor, extent.start, length):
            length = min(extent.length, AHEAD)
            self._warm = range(extent.start, extent.start + length)
            self._inThread(warm, extent.start, length)
            return
        try:
            count = os.sendfile(self._transport.fileno(), descriptor, extent.start, length)
        except BlockingIOError:
            self._transport.startWriting()
            return
        except OSError as error:
            if not isinstance(error, ConnectionError):
                self._log.warn("{path!r}: {reason}", path=self._file.path, reason=error)
            self.abort()
            return
        if not count or self._file.hasChanged():
            self._cutShort()
            return
        self._advance(extent, count)
        self._hand(count)
        if self._left:
            self._transport.startWriting()
        else:
            self._finish()

    def _handBack(self) -> None:
        transport, channel = self._transport, self._request.channel
        transport.unregisterProducer()
        transport.registerProducer(channel, True)
        # it may have been told to pause by what was sent before, and have missed that this is over
        channel.resumeProducing()


@implementer(IPushProducer)
class WrittenSending(Sending):
    """
    Through whatever the connection is made of.
    """

    _isPaused = False
    _isWaiting = False

    def start(self) -> None:
        self._request.notifyFinish().addBoth(self._gone)
        self._request.registerProducer(self, True)
        self._request.write(b"")
        self._go()

    def pauseProducing(self) -> None:
        """Enough for now."""
        self._isPaused = True

    def resumeProducing(self) -> None:
        """More."""
        self._isPaused = False
        self._go()

    def _go(self) -> None:
        if not (self._isWaiting or self._isReading or self._isPaused or self._isOver):
            self._isWaiting = True
            self._turns.work(self._turn)

    def _step(self) -> None:
        self._isWaiting = False
        if self._isPaused or self._isReading:
            return
        piece = self._pieces[0]
        if isinstance(piece, bytes):
            self._pieces.popleft()
            self._write(piece)
            return
        length = min(piece.length, _WRITTEN)
        data = readNow(self._file.descriptor, piece.start, length)
        if data is None:
            self._inThread(read, piece.start, length)
        else:
            self._came(data)

    def _came(self, data: bytes) -> None:
        if not data or self._file.hasChanged():
            self._cutShort()
            return
        piece = self._pieces[0]
        assert isinstance(piece, Extent)
        self._advance(piece, len(data))
        self._write(data)

    def _write(self, data: bytes) -> None:
        self._hand(len(data))
        self._request.write(data)
        if not self._left:
            self._finish()
        elif not self._isPaused:
            # a transport that takes all it gets: others have their turns meanwhile
            self._reactor.callLater(0, self._go)

    def _handBack(self) -> None:
        self._request.unregisterProducer()


def _unacknowledged(transport: Any) -> int:
    """Bytes that the kernel has from us and the client has not; 0 where that cannot be known."""
    while transport is not None:
        if (fileno := getattr(transport, "fileno", None)) is not None:
            try:
                return int(struct.unpack("i", fcntl.ioctl(fileno(), termios.TIOCOUTQ, bytes(4)))[0])
            except (OSError, ValueError):
                return 0
        transport = getattr(transport, "transport", None)
    return 0
