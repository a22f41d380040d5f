"""
The library: the way from a path to a presentation, each opened once for all who want it, and not too many files open.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import count
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from mediasrv.media.composing.opening import Compositions
from mediasrv.media.composing.part import Continues, parametersOf
from mediasrv.media.containers import Carries, NotMedia
from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.media.descriptions.reading import isDescription
from mediasrv.media.files import FileVersion
from mediasrv.media.folders import Entry, Folders, Located, NotFound, resolve
from mediasrv.media.presentation import FilePresentation, Presentation
from mediasrv.media.remarks import Remarks
from mediasrv.media.tracks import Track, View
from mediasrv.media.transportstream import TransportStream

__all__ = ["Entry", "Library", "Located", "NotFound", "resolve"]

#: presentations remembered after their last use: a few kilobytes each
_REMEMBERED = 1000


#: a file, and for whom it was opened
_Key = tuple[str, View]


class Library:
    """
    Folders by name, and the presentations in them.

    @ivar folders: name (the first path segment) to folder.
    """

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
        self._folders = Folders(self.folders, hidden, self._knownDuration)
        self._known: OrderedDict[_Key, Presentation] = OrderedDict()
        #: everything that may hold a file, and when it was used last
        self._uses: WeakKeyDictionary[Presentation, int] = WeakKeyDictionary()
        self._now = count()
        self._opening: dict[tuple[_Key, FileVersion], list[Deferred[Presentation]]] = {}
        self._remarks = Remarks()
        self._compositions = Compositions(
            self._folders,
            self._openedClip,
            self.used,
            reactor,
            pool,
            self._openers,
            {"rtp": continues or _isSame, "web": _hasSameCodec},
            fragmentDuration,
            self._remarks,
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
        return self._opened(path, version, view)

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
        return deferToThreadPool(self._reactor, self._pool, self._folders.locate, tuple(segments))

    def reach(self, segments: Sequence[str]) -> Deferred[tuple[Located | None, int]]:
        """
        The longest beginning of a path that names something, and of how many segments that is: what is made of a file
        has URLs below it.

        @return: (None, 0) if not even a mount is named; fails with L{PermissionError}.
        """
        return deferToThreadPool(self._reactor, self._pool, self._folders.reach, tuple(segments))

    def listing(self, segments: Sequence[str]) -> Deferred[list[Entry]]:
        """
        What a folder holds and may be seen, media or not: folders first, by name. No segments at all name the top,
        which has the mounts.

        @return: fails with L{NotFound} or L{PermissionError}.
        """
        return deferToThreadPool(self._reactor, self._pool, self._folders.listing, tuple(segments))

    def _knownDuration(self, path: str, version: FileVersion) -> float | None:
        """In a reader thread."""
        known = self._known.get((path, "web"))
        return known.duration if known is not None and known.version == version else None

    def _openedClip(self, path: str, version: FileVersion, view: View) -> Deferred[Presentation]:
        return succeed(None).addCallback(lambda _: self._opened(path, version, view, isClip=True))

    def _opened(
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
                self._remarks.notPlayed(path, version, result.getErrorMessage())
        else:
            for sentence in result.omitted:
                self._remarks.omitted(path, version, sentence)
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
