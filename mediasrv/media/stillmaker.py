"""
From a file to its stills: from the cache, or made in a thread that reads nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mediasrv.media.errands import Errands
from mediasrv.media.files import FileVersion
from mediasrv.media.presentation import PresentationChanged
from mediasrv.media.stillcache import StillCache
from mediasrv.media.stills import NoPicture, StillSource, TookTooLong, stillStep

#: changes when the same file would give other pictures
_MANNER = "1"

#: stills that may wait to be made: a page asks for a few at a time, so that many viewers are behind these
_LONGEST = 1000

#: files of which it is remembered how long they are, or why they have no picture
_REMEMBERED = 4096

#: path and version
File = tuple[str, FileVersion]

_Result = TypeVar("_Result")


class StillMaker:
    """
    Gives the pictures of files.
    """

    def __init__(
        self, cache: StillCache, makers: ThreadPool, readers: ThreadPool, reactor: IReactorFromThreads, atOnce: int = 2
    ) -> None:
        """
        @param makers: threads of its own, C{atOnce} of them: those who play need the readers meanwhile.
        @param readers: threads that read what is cached.
        """
        self._cache = cache
        self._readers = readers
        self._reactor = reactor
        self._errands = Errands(makers, reactor, atOnce, _LONGEST)
        self._durations: OrderedDict[File, float] = OrderedDict()
        self._reasons: OrderedDict[str, str] = OrderedDict()

    def poster(self, file: File, width: int) -> Deferred[bytes]:
        """
        The poster of a file.

        @param width: one of L{mediasrv.media.stills.WIDTHS}.
        @return: comes to a JPEG file; fails with L{NoPicture}, L{PresentationChanged}, L{OSError} or
            L{mediasrv.media.errands.TooBusy}.
        """
        name = nameOf(file, "poster", width)
        return Deferred.fromCoroutine(self._picture(file, name, lambda source: source.poster(width)))

    def still(self, file: File, seconds: int, width: int) -> Deferred[bytes]:
        """
        What is to be seen at NPT C{seconds}, or somewhat before: a file has a limited number of stills.

        @return: as L{poster}.
        """
        return Deferred.fromCoroutine(self._still(file, seconds, width))

    async def _still(self, file: File, seconds: int, width: int) -> bytes:
        duration = self._durations.get(file)
        if duration is None:
            duration = await self._errands.do(
                ("duration", file), lambda: _inSource(file, lambda source: source.duration)
            )
            self._durations[file] = duration
            if len(self._durations) > _REMEMBERED:
                self._durations.popitem(last=False)
        step = stillStep(duration)
        place = min(seconds, int(duration)) // step * step
        name = nameOf(file, f"still {place}", width)
        return await self._picture(file, name, lambda source: source.still(place, width))

    async def _picture(self, file: File, name: str, make: Callable[[StillSource], bytes]) -> bytes:
        if name in self._reasons:
            raise NoPicture(self._reasons[name])
        data = await deferToThreadPool(self._reactor, self._readers, self._cache.get, name)
        if data is not None:
            return data

        def work() -> bytes:
            # somebody else's may have been finished since
            made = self._cache.get(name)
            if made is not None:
                return made
            made = _inSource(file, make)
            self._cache.put(name, made)
            return made

        try:
            picture: bytes = await self._errands.do(name, work)
        except TookTooLong:
            raise
        except NoPicture as error:
            self._reasons[name] = str(error)
            if len(self._reasons) > _REMEMBERED:
                self._reasons.popitem(last=False)
            raise
        return picture


def nameOf(file: File, what: str, width: int) -> str:
    """What a still is called, another name for each version of a file: 40 hexadecimal digits."""
    path, version = file
    # a path may hold any bytes
    words = [_MANNER, path.encode("utf-8", "surrogateescape").hex(), version.etag, what, str(width)]
    return sha256("\0".join(words).encode()).hexdigest()[:40]


def _inSource(file: File, use: Callable[[StillSource], _Result]) -> _Result:
    """In a thread."""
    path, version = file
    with StillSource(path) as source:
        if not source.version.isSameFile(version):
            raise PresentationChanged(f"{path} was replaced")
        return use(source)
