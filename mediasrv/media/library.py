"""
The library: folders mounted under names, and the way from a path to a presentation, with no way out of the folder.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import count
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mediasrv.media.containers import Carries, NotMedia
from mediasrv.media.files import FileVersion
from mediasrv.media.presentation import Presentation
from mediasrv.media.transportstream import TransportStream

#: presentations remembered after their last use: a few kilobytes each
_REMEMBERED = 1000


#: a file, and whether it is meant as a transport stream
_Key = tuple[str, bool]


class NotFound(Exception):
    """Nothing is there that may be seen under this path."""


def resolve(root: str, segments: Sequence[str], hidden: bool = False) -> str:
    """
    The file that path segments name inside a folder (SEC-6).

    Symbolic links are followed as long as they stay inside; names that begin with a dot are seen only if C{hidden}.

    @raise NotFound: for everything that is no regular file in the folder.
    """
    for segment in segments:
        if segment in ("", ".", "..") or "/" in segment or "\0" in segment or (os.sep != "/" and os.sep in segment):
            raise NotFound("/".join(segments))
        if segment.startswith(".") and not hidden:
            raise NotFound("/".join(segments))
    base = os.path.realpath(root)
    try:
        path = os.path.realpath(os.path.join(base, *segments), strict=True)
        inside = os.path.commonpath((base, path)) == base
        # realpath has followed the links, so this looks at the file itself; opening a FIFO would wait for its writer
        isFile = os.path.isfile(path)
    except (OSError, ValueError, UnicodeError):
        raise NotFound("/".join(segments)) from None
    if not inside or not isFile:
        raise NotFound("/".join(segments))
    return path


class Library:
    """
    Folders by name, and the presentations in them.

    @ivar folders: name (the first path segment) to folder.
    """

    _log = Logger()

    def __init__(
        self,
        folders: Mapping[str, str],
        carries: Carries,
        pool: ThreadPool,
        reactor: IReactorFromThreads,
        fragmentDuration: float = 2.0,
        openFiles: int = 64,
        hidden: bool = False,
        openers: ThreadPool | None = None,
    ) -> None:
        """
        @param carries: whether a track can be delivered as it is.
        @param pool: the reader threads.
        @param openers: threads that open files; the reader threads if left out. To open a file without an index is to
            read all of it, for minutes if it is large, and those who play need the reader threads meanwhile.
        @param openFiles: how many files stay open at most; those being opened or read come on top, one for each thread.
        """
        self.folders = dict(folders)
        self._carries = carries
        self._pool = pool
        self._openers = openers or pool
        self._reactor = reactor
        self._fragmentDuration = fragmentDuration
        self._openFiles = openFiles
        self._hidden = hidden
        self._known: OrderedDict[_Key, Presentation] = OrderedDict()
        #: everything that may hold a file, and when it was used last
        self._uses: WeakKeyDictionary[Presentation, int] = WeakKeyDictionary()
        self._now = count()
        self._opening: dict[tuple[_Key, FileVersion], list[Deferred[Presentation]]] = {}

    def presentation(self, segments: Sequence[str]) -> Deferred[Presentation]:
        """
        The presentation that a path names: the mount's name, then the way inside the folder.

        @return: fails with L{NotFound}, L{NotMedia} or L{PermissionError}.
        """
        return self._find(segments, False)

    def transportStream(self, segments: Sequence[str]) -> Deferred[Presentation]:
        """
        The same file as the transport stream that it is.

        @return: as L{presentation}; L{NotMedia} if it is none.
        """
        return self._find(segments, True)

    def _find(self, segments: Sequence[str], raw: bool) -> Deferred[Presentation]:
        located = deferToThreadPool(self._reactor, self._pool, self._locate, tuple(segments))
        return located.addCallback(self._opened, raw)

    def _locate(self, segments: tuple[str, ...]) -> tuple[str, FileVersion]:
        """In a reader thread: a folder may be on a disk that sleeps."""
        if not segments or segments[0] not in self.folders:
            raise NotFound("/".join(segments))
        path = resolve(self.folders[segments[0]], segments[1:], self._hidden)
        if not os.access(path, os.R_OK):
            raise PermissionError(path)
        try:
            return path, FileVersion.of(path)
        except OSError:
            raise NotFound("/".join(segments)) from None

    def _opened(self, located: tuple[str, FileVersion], raw: bool) -> Presentation | Deferred[Presentation]:
        path, version = located
        key = path, raw
        known = self._known.get(key)
        if known is not None and known.version == version:
            self._known.move_to_end(key)
            return known
        deferred: Deferred[Presentation] = Deferred()
        waiting = self._opening.get((key, version))
        if waiting is not None:
            waiting.append(deferred)
            return deferred
        self._opening[key, version] = [deferred]
        opening = deferToThreadPool(self._reactor, self._openers, self._open, path, raw)
        opening.addBoth(self._finished, key, version)
        return deferred

    def _open(self, path: str, raw: bool) -> Presentation:
        """In a thread of the openers."""
        if raw:
            return TransportStream(path, self._fragmentDuration)
        return Presentation(path, self._carries, self._fragmentDuration)

    def _finished(self, result: Presentation | Failure, key: _Key, version: FileVersion) -> None:
        path = key[0]
        if isinstance(result, Failure):
            if result.check(FileNotFoundError, NotADirectoryError):
                result = Failure(NotFound(path))  # removed just now
            elif result.check(NotMedia) and not key[1]:
                self._log.info("{path} is not played: {reason}", path=path, reason=result.getErrorMessage())
        else:
            for sentence in result.omitted:
                self._log.warn("{path}: {sentence}", path=path, sentence=sentence)
            self._remember(result)
        for deferred in self._opening.pop((key, version)):
            if not deferred.called:
                deferred.callback(result)

    def _remember(self, presentation: Presentation) -> None:
        # an older version may still be watched
        key = presentation.path, isinstance(presentation, TransportStream)
        self._known.pop(key, None)
        self._known[key] = presentation
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        self.used(presentation)

    def used(self, presentation: Presentation) -> None:
        """Notes that a presentation is about to be read, so that others give their file back first."""
        key = presentation.path, isinstance(presentation, TransportStream)
        if self._known.get(key) is presentation:
            self._known.move_to_end(key)
        self._uses[presentation] = next(self._now)
        if len(self._uses) <= self._openFiles:
            return
        openOnes = [known for known in self._uses if known.isOpen or known is presentation]
        openOnes.sort(key=self._uses.__getitem__)
        for known in openOnes[: max(0, len(openOnes) - self._openFiles)]:
            self._pool.callInThread(known.close)

    def close(self) -> None:
        """Gives all files back; those that are being read follow when that is done."""
        self._known.clear()
        for presentation in list(self._uses):
            presentation.close()
        self._uses.clear()
