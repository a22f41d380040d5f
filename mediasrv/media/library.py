"""
The library: folders mounted under names, and the way from a path to a presentation, with no way out of the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mediasrv.media.composing.opening import Compositions
from mediasrv.media.composing.part import Continues, parametersOf
from mediasrv.media.containers import Carries, NotMedia
from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.media.descriptions.reading import isDescription
from mediasrv.media.files import FileVersion
from mediasrv.media.presentation import FilePresentation, Presentation
from mediasrv.media.tracks import Track, View
from mediasrv.media.transportstream import TransportStream

#: presentations remembered after their last use: a few kilobytes each
_REMEMBERED = 1000


#: a file, and for whom it was opened
_Key = tuple[str, View]


class NotFound(Exception):
    """Nothing is there that may be seen under this path."""


@dataclass(frozen=True, slots=True)
class Located:
    """
    What a path names.

    @ivar path: of the file system.
    @ivar version: of a file; None for a folder.
    """

    path: str
    version: FileVersion | None

    @property
    def isFolder(self) -> bool:
        return self.version is None


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What a folder holds.

    @ivar name: the path segment that names it.
    @ivar size: bytes of a file; 0 for a folder.
    @ivar modified: Unix seconds.
    @ivar duration: NPT seconds of a file that was opened for browsers already, and has not changed since.
    """

    name: str
    isFolder: bool
    size: int
    modified: float
    duration: float | None = None


def resolve(root: str, segments: Sequence[str], hidden: bool = False) -> str:
    """
    The file or folder that path segments name inside a folder (SEC-6).

    Symbolic links are followed as long as they stay inside; names that begin with a dot are seen only if C{hidden}.

    @raise NotFound: for everything that is no regular file and no folder in there.
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
        isOrdinary = os.path.isfile(path) or os.path.isdir(path)
    except (OSError, ValueError, UnicodeError):
        raise NotFound("/".join(segments)) from None
    if not inside or not isOrdinary:
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
        webCarries: Carries | None = None,
        continues: Continues | None = None,
    ) -> None:
        """
        @param carries: whether a track can be delivered as it is.
        @param webCarries: whether browsers decode a track; C{carries} if left out.
        @param continues: whether one track may go on as another in a presentation for RTP; if left out, only one with
            the same parameters. For browsers the codec has to be the same.
        @param pool: the reader threads.
        @param openers: threads that open files; the reader threads if left out. To open a file without an index is to
            read all of it, for minutes if it is large, and those who play need the reader threads meanwhile.
        @param openFiles: how many files stay open at most; those being opened or read come on top, one for each thread.
        """
        self.folders = dict(folders)
        self._carries: dict[View, Carries] = {"rtp": carries, "web": webCarries or carries}
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
        self._compositions = Compositions(
            _Files(self), {"rtp": continues or _isSame, "web": _hasSameCodec}, fragmentDuration
        )

    def presentation(
        self, segments: Sequence[str], view: View = "rtp", preferences: Preferences = ANY
    ) -> Deferred[Presentation]:
        """
        The presentation that a path names: the mount's name, then the way inside the folder.

        @param preferences: by which a description that has alternatives chooses.
        @return: fails with L{NotFound}, L{NotMedia} or L{PermissionError}.
        """
        return self.locate(segments).addCallback(self._found, tuple(segments), view, preferences)

    def _found(
        self, located: Located, segments: tuple[str, ...], view: View, preferences: Preferences
    ) -> Presentation | Deferred[Presentation]:
        path, version = located.path, located.version
        if version is None:
            raise NotFound(path)
        if isDescription(path):
            opening = self._compositions.open(segments, path, version, view, preferences)
            return Deferred.fromCoroutine(opening).addErrback(_gone, path)
        return self.opened(path, version, view)

    def transportStream(self, segments: Sequence[str]) -> Deferred[Presentation]:
        """
        The same file as the transport stream that it is.

        @return: as L{presentation}; L{NotMedia} if it is none.
        """
        return self.presentation(segments, "mp2t")

    def locate(self, segments: Sequence[str]) -> Deferred[Located]:
        """
        The file or folder that a path names, whether or not it is media.

        @return: fails with L{NotFound} or L{PermissionError}.
        """
        return deferToThreadPool(self._reactor, self._pool, self._locate, tuple(segments))

    def reach(self, segments: Sequence[str]) -> Deferred[tuple[Located | None, int]]:
        """
        The longest beginning of a path that names something, and of how many segments that is: what is made of a file
        has URLs below it.

        @return: (None, 0) if not even a mount is named; fails with L{PermissionError}.
        """
        return deferToThreadPool(self._reactor, self._pool, self._reach, tuple(segments))

    def listing(self, segments: Sequence[str]) -> Deferred[list[Entry]]:
        """
        What a folder holds and may be seen, media or not: folders first, by name. No segments at all name the top,
        which has the mounts.

        @return: fails with L{NotFound} or L{PermissionError}.
        """
        return deferToThreadPool(self._reactor, self._pool, self._list, tuple(segments))

    def _locate(self, segments: tuple[str, ...]) -> Located:
        """In a reader thread: a folder may be on a disk that sleeps."""
        if not segments or segments[0] not in self.folders:
            raise NotFound("/".join(segments))
        path = resolve(self.folders[segments[0]], segments[1:], self._hidden)
        if not os.access(path, os.R_OK):
            raise PermissionError(path)
        try:
            return Located(path, None if os.path.isdir(path) else FileVersion.of(path))
        except OSError:
            raise NotFound("/".join(segments)) from None

    def _reach(self, segments: tuple[str, ...]) -> tuple[Located | None, int]:
        """In a reader thread. From the left: a long path costs no more than the folders that it goes through."""
        found: tuple[Located | None, int] = None, 0
        for length in range(1, len(segments) + 1):
            try:
                found = self._locate(segments[:length]), length
            except NotFound:
                break
            if found[0] is not None and not found[0].isFolder:
                break
        return found

    def _list(self, segments: tuple[str, ...]) -> list[Entry]:
        """In a reader thread."""
        if not segments:
            return [Entry(name, True, 0, _modified(folder)) for name, folder in sorted(self.folders.items())]
        located = self._locate(segments)
        if not located.isFolder:
            raise NotFound("/".join(segments))
        root = self.folders[segments[0]]
        entries: list[Entry] = []
        for name in os.listdir(located.path):
            with contextlib.suppress(NotFound, OSError):
                # by way of resolve, so that nothing is shown that could not be asked for
                path = resolve(root, (*segments[1:], name), self._hidden)
                status = os.stat(path)
                if stat.S_ISDIR(status.st_mode):
                    entries.append(Entry(name, True, 0, status.st_mtime))
                else:
                    duration = self._knownDuration(path, status)
                    entries.append(Entry(name, False, status.st_size, status.st_mtime, duration))
        entries.sort(key=lambda entry: (not entry.isFolder, _inOrder(entry.name)))
        return entries

    def _knownDuration(self, path: str, status: os.stat_result) -> float | None:
        """In a reader thread."""
        known = self._known.get((path, "web"))
        version = FileVersion(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return known.duration if known is not None and known.version == version else None

    def opened(
        self, path: str, version: FileVersion, view: View, isClip: bool = False
    ) -> Presentation | Deferred[Presentation]:
        """
        The presentation that a file is.

        @param isClip: whether it is opened for a composition, which says itself what becomes of it.
        @return: fails as L{presentation}.
        """
        key = path, view
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
        opening = deferToThreadPool(self._reactor, self._openers, self._open, path, view)
        opening.addBoth(self._finished, key, version, isClip)
        return deferred

    def _open(self, path: str, view: View) -> Presentation:
        """In a thread of the openers."""
        if view == "mp2t":
            return TransportStream(path, self._fragmentDuration)
        return FilePresentation(path, self._carries[view], self._fragmentDuration, view)

    def _finished(self, result: Presentation | Failure, key: _Key, version: FileVersion, isClip: bool) -> None:
        path = key[0]
        if isinstance(result, Failure):
            if result.check(FileNotFoundError, NotADirectoryError):
                result = Failure(NotFound(path))  # removed just now
            elif result.check(NotMedia) and key[1] != "mp2t" and not isClip:
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
        key = presentation.path, presentation.view
        self._known.pop(key, None)
        self._known[key] = presentation
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        self.used(presentation)

    def used(self, presentation: Presentation) -> None:
        """Notes that a presentation is about to be read, so that others give their file back first."""
        key = presentation.path, presentation.view
        if self._known.get(key) is presentation:
            self._known.move_to_end(key)
        files = presentation.files
        for each in (presentation, *reversed(files)):
            self._uses[each] = next(self._now)
        if len(self._uses) <= self._openFiles:
            return
        openOnes = [known for known in self._uses if known.isOpen or (known is presentation and not files)]
        openOnes.sort(key=self._uses.__getitem__)
        for known in openOnes[: max(0, len(openOnes) - self._openFiles)]:
            self._pool.callInThread(known.close)

    def close(self) -> None:
        """Gives all files back; those that are being read follow when that is done."""
        self._known.clear()
        self._compositions.close()
        for presentation in list(self._uses):
            presentation.close()
        self._uses.clear()


class _Files:
    """What compositions get of the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.used = library.used

    def find(self, segments: tuple[str, ...]) -> tuple[str, FileVersion | None]:
        located = self._library._locate(segments)
        return located.path, located.version

    def openClip(self, path: str, version: FileVersion, view: View) -> Deferred[Presentation]:
        return succeed(None).addCallback(lambda _: self._library.opened(path, version, view, isClip=True))

    def inReader(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(self._library._reactor, self._library._pool, function, *arguments)

    def inOpener(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(self._library._reactor, self._library._openers, function, *arguments)


def _isSame(first: Track, other: Track) -> bool:
    """Whether two tracks have the same parameters."""
    return parametersOf(first) == parametersOf(other)


def _hasSameCodec(first: Track, other: Track) -> bool:
    """Whether two tracks have the same codec: browsers are told the parameters of each section."""
    return first.codec == other.codec


def _gone(failure: Failure, path: str) -> Presentation:
    """A description was removed just now."""
    failure.trap(FileNotFoundError, NotADirectoryError)
    raise NotFound(path)


def _modified(folder: str) -> float:
    try:
        return os.stat(folder).st_mtime
    except OSError:
        return 0.0


def _inOrder(name: str) -> list[tuple[int, str]]:
    """A key that sorts names as people do: case does not count, and C{part 2} comes before C{part 10}."""
    return [(int(digits or 0), text.casefold()) for digits, text in re.findall(r"([0-9]*)([^0-9]*)", name)]
