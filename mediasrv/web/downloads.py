"""
All that the downloads of a server share: open files, turns, threads, the list of what is being sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Request

from mediasrv.media.cache import Cache
from mediasrv.media.faststart import FastStart, fastStart
from mediasrv.media.library import Located
from mediasrv.media.pieces import Piece
from mediasrv.web.channel import Repetition
from mediasrv.web.openfiles import OpenFile, OpenFiles, openForSending
from mediasrv.web.sending import DirectSending, Sending, WrittenSending
from mediasrv.web.turns import Turns

#: seconds between two looks at what has come to a halt, and at files that nobody reads
_SWEEP = 5.0
#: bytes of memory for the indexes of films that were put in front
_INDEXES = 64 << 20


class Watcher(Protocol):
    """
    Who is told of a download.
    """

    def sent(self, octets: int) -> None:
        """So many bytes more were handed to the connection."""

    def finished(self) -> None:
        """It has ended, in whatever way."""


#: told of each download that begins, with what ends it at once; may give somebody who wants to know more of it, or
#: raise Refusal. The request may be over, and this an answer to another one in the same words.
Started = Callable[[Request, Located, Callable[[], None]], Watcher | None]


@dataclass(slots=True)
class _Entry:
    """
    @ivar moved: seconds of the reactor when the client was last seen to take something.
    """

    file: OpenFile
    watcher: Watcher | None
    moved: float


class Downloads:
    """
    What is being sent, and what that takes.

    @ivar started: called for each answer that has a body, if it is set.
    """

    _log = Logger()

    def __init__(self, reactor: Any, readers: ThreadPool, idleTimeout: float = 60.0) -> None:
        """
        @param readers: threads for what has to wait for a disk.
        @param idleTimeout: seconds after which a client that takes nothing is given up.
        """
        self.reactor = reactor
        self.started: Started | None = None
        self._readers = readers
        self._patience = idleTimeout
        self._turns = Turns(reactor)
        self._files = OpenFiles()
        self._indexes: Cache[FastStart] = Cache(_INDEXES)
        self._active: dict[Sending, _Entry] = {}
        self._sweeping: Any = None
        self._isStopped = False

    def __len__(self) -> int:
        """How many bodies are being sent."""
        return len(self._active)

    def openNow(self, located: Located) -> OpenFile | None:
        """A file that is open already; to be given to L{send} or L{release}."""
        assert located.version is not None
        return self._files.take(located.path, located.version)

    async def open(self, located: Located) -> OpenFile:
        """
        Opens a file; to be given to L{send} or L{release}.

        @raise OSError: if it cannot be opened, or is not there any more.
        """
        file = self.openNow(located)
        if file is not None:
            return file
        # a thread that opens cannot be stopped: what nobody waits for any more has to be closed again
        waiting: Deferred[OpenFile] = Deferred()
        self._inThread(openForSending, located.path).addBoth(self._opened, waiting)
        return await waiting

    def _opened(self, result: OpenFile | Failure, waiting: Deferred[OpenFile]) -> None:
        if isinstance(result, Failure):
            if not waiting.called:
                waiting.errback(result)
            return
        file = self._files.add(result)
        if waiting.called:
            self.release(file)
        else:
            waiting.callback(file)

    async def fastStart(self, file: OpenFile) -> FastStart:
        """
        How a film is sent with its index in front.

        @raise OSError: if it cannot be read.
        """

        def make() -> Deferred[FastStart]:
            # for as long as the thread reads, whoever still waits
            file.users += 1
            making: Deferred[FastStart] = self._inThread(fastStart, file.descriptor, file.version.size)
            return making.addBoth(self._passOn, file)

        return await self._indexes.get(file.key, make)

    def _passOn(self, result: Any, file: OpenFile) -> Any:
        self.release(file)
        return result

    def _inThread(self, call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(self.reactor, self._readers, call, *arguments)

    def release(self, file: OpenFile) -> None:
        """A file that was opened is not needed any more."""
        now = self.reactor.seconds()
        self._files.release(file, now)
        if self._isStopped:
            self._files.closeIdle(now)
        else:
            self._watch()

    def send(
        self,
        request: Request | Repetition,
        located: Located,
        file: OpenFile,
        pieces: Iterable[Piece],
        like: Request | None = None,
    ) -> None:
        """
        Sends the headers and then a body, finishes the request and releases the file.

        @param like: the request that is repeated, if it is.
        @raise Refusal: of C{started}; then nothing has been sent, and the file is not released.
        """
        kind = DirectSending if DirectSending.suits(request) else WrittenSending
        sending = kind(request, file, pieces, self._turns, self._readers, self.reactor, self._ended)
        watcher = None if self.started is None else self.started(like or cast(Request, request), located, sending.abort)
        if watcher is not None:
            sending.onSent = watcher.sent
        self._active[sending] = _Entry(file, watcher, self.reactor.seconds())
        self._watch()
        sending.start()

    def _ended(self, sending: Sending) -> None:
        entry = self._active.pop(sending)
        self.release(entry.file)
        if entry.watcher is not None:
            entry.watcher.finished()

    def _watch(self) -> None:
        """Looks again soon, as long as there is anything to look at."""
        if self._sweeping is None and not self._isStopped and (self._active or not self._files.isEmpty):
            self._sweeping = self.reactor.callLater(_SWEEP, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        now = self.reactor.seconds()
        self._files.closeIdle(now - _SWEEP)
        for sending, entry in list(self._active.items()):
            if sending.isGone():
                sending.stopProducing()
            elif not sending.isStalled():
                entry.moved = now
            elif now - entry.moved >= self._patience:
                self._log.info("{path!r}: the client takes nothing any more", path=entry.file.path)
                sending.abort()
        self._watch()

    def start(self) -> None:
        """May be used again after it was stopped."""
        self._isStopped = False

    def stop(self) -> None:
        """Ends all downloads at once, and closes the files."""
        self._isStopped = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for sending in list(self._active):
            sending.abort()
        self._turns.stop()
        self._files.closeIdle(self.reactor.seconds())
