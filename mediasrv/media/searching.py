"""
Looking for names in folders, however many there are: bounded in time and in what is found, and given up when nobody
waits for it any more.
"""

from __future__ import annotations

import os
import stat
import time
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mediasrv.media.folders import Entry, NotFound, canBeNamed, inOrder, resolve

#: seconds that one search may take
_SECONDS = 5.0

#: searches that wait for the one under way
_MOST_WAITING = 16


class TooManySearches(Exception):
    """So many wait already that one more would wait too long."""


@dataclass(frozen=True, slots=True)
class Found:
    """
    @ivar folder: the segments of the folder that it is in; none for a mount.
    """

    folder: tuple[str, ...]
    entry: Entry


@dataclass(slots=True)
class Finding:
    """
    @ivar found: those near the top first, those of one folder by name as L{inOrder} has it.
    @ivar isComplete: whether all was looked at.
    """

    found: list[Found] = field(default_factory=list)
    isComplete: bool = False


class Search:
    """
    What looks. One search at a time: however many there are, those who play keep threads and disks.
    """

    def __init__(
        self, folders: Mapping[str, str], hidden: bool, reactor: IReactorFromThreads, pool: ThreadPool
    ) -> None:
        """
        @param folders: by name, as the library has them.
        @param hidden: whether names that begin with a dot are found.
        @param pool: threads; rather those that open files than those that read them.
        """
        self._folders = dict(folders)
        self._hidden = hidden
        self._reactor = reactor
        self._pool = pool
        self._lock = DeferredLock()

    async def find(self, folder: tuple[str, ...], text: str, limit: int, seconds: float = _SECONDS) -> Finding:
        """
        Everything below a folder whose name has at least one of the words, and whose path from there has all. Upper and
        lower case and accents do not count.

        @param folder: its segments; none for the whole library.
        @param limit: how many are found at most.
        @param seconds: after which it gives back what it has.
        @raise NotFound: if there is no such folder.
        @raise TooManySearches: if it would have to wait too long for others.
        """
        if len(self._lock.waiting) >= _MOST_WAITING or self._pool.joined:
            raise TooManySearches
        await self._lock.acquire()
        isUnwanted = Event()
        found: Deferred[Finding] = Deferred(lambda cancelled: isUnwanted.set())
        looking = _Looking(self._folders, self._hidden, folded(text).split(), limit, seconds, isUnwanted)

        def looked(result: Finding | Failure) -> None:
            # the thread may come to its end long after nobody waits for it any more
            self._lock.release()
            if not found.called:
                found.callback(result)  # a Failure goes to the errbacks

        deferToThreadPool(self._reactor, self._pool, looking.look, folder).addBoth(looked)
        return await found


def folded(text: str) -> str:
    """Text in which upper and lower case, accents, and ways of writing the same character do not differ."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


@dataclass(slots=True)
class _Looking:
    """One search, in a thread."""

    folders: Mapping[str, str]
    hidden: bool
    words: Sequence[str]
    limit: int
    seconds: float
    isUnwanted: Event
    _until: float = 0.0
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def look(self, folder: tuple[str, ...]) -> Finding:
        """Breadth first."""
        self._until = time.monotonic() + self.seconds
        finding = Finding()
        if folder:
            self._resolved(folder)  # there has to be one
        waiting = deque([folder])
        while waiting:
            segments = waiting.popleft()
            folders: list[tuple[str, ...]] = []
            matches: list[Found] = []
            for name, status in self._entries(segments):
                if self._isOver:
                    return finding
                isFolder = stat.S_ISDIR(status.st_mode)
                if isFolder:
                    folders.append((*segments, name))
                if self._matches((*segments, name)[len(folder) :]):
                    size = 0 if isFolder else status.st_size
                    matches.append(Found(segments, Entry(name, isFolder, size, status.st_mtime)))
            waiting.extend(sorted(folders, key=lambda segments: inOrder(folded(segments[-1]))))
            finding.found += sorted(matches, key=lambda found: inOrder(folded(found.entry.name)))
            if len(finding.found) > self.limit:
                del finding.found[self.limit :]
                return finding
        finding.isComplete = True
        return finding

    @property
    def _isOver(self) -> bool:
        return self.isUnwanted.is_set() or time.monotonic() > self._until

    def _matches(self, path: tuple[str, ...]) -> bool:
        name = folded(path[-1])
        if not any(word in name for word in self.words):
            return False
        whole = folded("/".join(path))
        return all(word in whole for word in self.words)

    def _resolved(self, segments: tuple[str, ...]) -> str:
        if segments[0] not in self.folders:
            raise NotFound("/".join(segments))
        path = resolve(self.folders[segments[0]], segments[1:], self.hidden)
        if not os.path.isdir(path):
            raise NotFound("/".join(segments))
        return path

    def _entries(self, segments: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
        """What is in a folder, each with its status. Nothing if that was looked through already, by another way."""
        if not segments:
            for name, folder in sorted(self.folders.items()):
                with suppress(OSError):
                    yield name, os.stat(folder)
            return
        try:
            path = self._resolved(segments)
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in self._seen:
                return
            self._seen.add((status.st_dev, status.st_ino))
            scanned = os.scandir(path)
        except (NotFound, OSError):
            return  # it may not be read, or has gone
        with scanned:
            for entry in scanned:
                with suppress(NotFound, OSError):
                    found = self._status(segments, entry)
                    if found is not None:
                        yield entry.name, found

    def _status(self, segments: tuple[str, ...], entry: os.DirEntry[str]) -> os.stat_result | None:
        """None for what cannot be asked for. A link goes by way of resolve: it may lead out of the folder."""
        name = entry.name
        if (name.startswith(".") and not self.hidden) or not canBeNamed(name):
            return None
        if entry.is_symlink():
            return os.stat(resolve(self.folders[segments[0]], (*segments[1:], name), self.hidden))
        if entry.is_dir() or entry.is_file():
            return entry.stat()
        return None
