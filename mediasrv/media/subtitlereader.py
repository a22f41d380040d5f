"""
The subtitles of what a path of the library names: which there are, and their cues, remembered within bounds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from mediasrv.media.cache import Cache
from mediasrv.media.cues import SILENCE, CueTrack
from mediasrv.media.errands import Errands
from mediasrv.media.library import Library, NotFound
from mediasrv.media.presentation import Presentation
from mediasrv.media.subtitles import (
    MOST_TRACKS,
    Embedded,
    SideCar,
    Subtitle,
    TextStreams,
    describeSideCar,
    findEmbedded,
    readEmbedded,
    readSideCar,
    sideCarNames,
)

#: bytes of what films have of text, and of cues
_STREAMS, _CUES = 4 << 20, 32 << 20

#: seconds for which a list is believed, and how many are: a player asks for many parts of a track in a row
_BELIEVED = 2.0
_REMEMBERED = 1000

#: tracks that may wait to be read
_LONGEST = 200

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of one file: its tracks by stream; a file of text has stream 0."""

    tracks: dict[int, CueTrack]
    size: int

    @classmethod
    def of(cls, tracks: dict[int, CueTrack]) -> _Read:
        return cls(tracks, 200 + sum(track.size for track in tracks.values()))


class SubtitleReader:
    """
    Gives the subtitles of films.
    """

    _log = Logger()

    def __init__(self, library: Library, readers: ThreadPool, slow: ThreadPool, reactor: Any) -> None:
        """
        @param readers: threads that look what there is.
        @param slow: threads that read tracks, one at a time: all of a large film may have to be read.
        """
        self._library = library
        self._readers = readers
        self._reactor = reactor
        self._errands = Errands(slow, reactor, 1, _LONGEST)
        self._lists: OrderedDict[tuple[str, ...], tuple[float, list[Subtitle]]] = OrderedDict()
        self._streams: Cache[TextStreams] = Cache(_STREAMS)
        self._cues: Cache[_Read] = Cache(_CUES)

    async def subtitles(self, segments: tuple[str, ...], presentation: Presentation | None = None) -> list[Subtitle]:
        """
        The tracks that there are now for what a path names: those in the film, then those beside it, by name.

        @param presentation: what the path names, if it has been opened: then nobody has to open the film once more.
        @raise NotFound: and what else L{Library.locate} fails with.
        """
        known = self._lists.pop(segments, None)
        if known is None or not 0 <= self._reactor.seconds() - known[0] < _BELIEVED:
            found = await self._find(segments, presentation)
            known = self._reactor.seconds(), found
        self._lists[segments] = known
        if len(self._lists) > _REMEMBERED:
            self._lists.popitem(last=False)
        return known[1]

    async def _find(self, segments: tuple[str, ...], presentation: Presentation | None) -> list[Subtitle]:
        film = await self._library.locate(segments)
        version = film.version
        if version is None:
            raise NotFound("/".join(segments))

        def look() -> Deferred[TextStreams]:
            if presentation is not None and presentation.texts is not None and presentation.version == version:
                seen = succeed(presentation.texts)
            else:
                seen = self._inThread(findEmbedded, film.path)
            return seen.addCallback(self._tell, film.path)

        streams = await self._streams.get((film.path, version), look)
        return [*streams.subtitles, *await self._beside(segments, len(streams.subtitles))]

    def _tell(self, streams: TextStreams, path: str) -> TextStreams:
        for sentence in streams.omitted:
            self._log.info("{path!r}: {sentence}", path=path, sentence=sentence)
        return streams

    async def _beside(self, segments: tuple[str, ...], first: int) -> list[Subtitle]:
        """Only what the library shows: each name goes the way of one that was asked for (SEC-6)."""
        *folder, film = segments
        found: list[Subtitle] = []
        try:
            located = await self._library.locate(folder)
            names: Sequence[str] = await self._inThread(sideCarNames, located.path, film)
        except (NotFound, OSError):
            return found
        for name in names:
            try:
                file = await self._library.locate((*folder, name))
            except (NotFound, OSError):
                continue
            if file.version is not None and first + len(found) < MOST_TRACKS:
                source = SideCar(file.path, file.version)
                found.append(describeSideCar(first + len(found), name, film, source))
        return found

    async def cues(self, subtitle: Subtitle) -> CueTrack:
        """
        The cues of a track.

        @raise Exception: as L{readEmbedded} and L{readSideCar}; L{mediasrv.media.errands.TooBusy}.
        """
        source = subtitle.source
        key = source.path, source.version

        def read() -> Deferred[_Read]:
            return self._errands.do(key, lambda: _read(source))

        found = await self._cues.get(key, read)
        return found.tracks.get(source.stream if isinstance(source, Embedded) else 0, SILENCE)

    def _inThread(self, function: Callable[..., _Result], *arguments: Any) -> Deferred[_Result]:
        return deferToThreadPool(self._reactor, self._readers, function, *arguments)

    def close(self) -> None:
        """Forgets everything."""
        self._lists.clear()
        self._streams.clear()
        self._cues.clear()


def _read(source: Embedded | SideCar) -> _Read:
    """In a thread."""
    if isinstance(source, Embedded):
        return _Read.of(readEmbedded(source.path, source.version))
    return _Read.of({0: readSideCar(source.path)})
