"""
What makes HLS and remembers it: one for the whole server, however many watch.

Three caches, each bounded by bytes: segments, which are what takes memory; packages, which say how a presentation is
cut and how its tracks begin; and playlists. Whatever is in them is made once, however many ask for it at the same time.
"""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from twisted.web.server import Request

from mediasrv.media.cache import Cache
from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation
from mediasrv.web.hls.naming import FOLDER, Label, Name
from mediasrv.web.hls.package import Made, Package
from mediasrv.web.hls.playlists import Subtitle
from mediasrv.web.hls.texts import indexOf, playlistOf

#: bytes of packages, and of playlists
_PACKAGES, _TEXTS = 16 << 20, 16 << 20

#: seconds for which it is believed that a URL names what it named: for so long may a file that was removed be served
_BELIEVED = 1.0
#: URLs remembered
_REMEMBERED = 4096

#: Told of each segment that was served: the request, the path's segments, the presentation, at how many seconds of it
#: the segment begins, and how many octets of it were written.
Served = Callable[[Request, tuple[str, ...], Presentation, float, int], None]

#: Asked for each request, with the path's segments, whether it may be answered; raises Refusal if not.
Check = Callable[[Request, tuple[str, ...]], None]


class SubtitleSource(Protocol):
    """
    What gives a presentation its subtitles.
    """

    async def tracks(self, segments: tuple[str, ...], presentation: Presentation) -> Sequence[Subtitle]:
        """The tracks that there are for what a path names."""

    async def webVTT(
        self, segments: tuple[str, ...], presentation: Presentation, number: int, start: float, end: float
    ) -> bytes:
        """
        A track from one NPT to another (seconds), as a file of WebVTT that counts from NPT 0; what lasts longer is in
        it whole (RFC 8216 section 3.5).

        @raise mediasrv.web.refusals.Refusal: if there is no such track.
        """


@dataclass(frozen=True, slots=True)
class Text:
    """
    A playlist.

    @ivar plain: UTF-8.
    @ivar packed: the same in gzip.
    @ivar size: bytes of both.
    """

    plain: bytes
    packed: bytes
    size: int

    @classmethod
    def of(cls, text: str) -> Text:
        plain = text.encode()
        packed = gzip.compress(plain, 6, mtime=0)
        return cls(plain, packed, len(plain) + len(packed))


class HLSService:
    """
    @ivar cache: the segments.
    @ivar subtitles: where subtitles come from, if anywhere.
    @ivar served: told of each segment, if anybody.
    @ivar check: asked for each request, if anybody.
    """

    _log = Logger()

    def __init__(
        self,
        library: Library,
        pool: ThreadPool,
        reactor: Any,
        segmentDuration: float = 4.0,
        cacheSize: int = 128 << 20,
        subtitles: SubtitleSource | None = None,
        served: Served | None = None,
        check: Check | None = None,
    ) -> None:
        """
        @param pool: threads that read files.
        @param segmentDuration: seconds that a segment has at least.
        @param cacheSize: bytes of segments that are kept.
        """
        self._library = library
        self._pool = pool
        self._reactor = reactor
        self._segmentDuration = segmentDuration
        self.cache: Cache[Made] = Cache(cacheSize)
        self._packages: Cache[Package] = Cache(_PACKAGES)
        self._texts: Cache[Text] = Cache(_TEXTS)
        #: by the path's segments and the token of the preferences, where these matter
        self._recent: OrderedDict[tuple[tuple[str, ...], str], tuple[float, Package]] = OrderedDict()
        self.subtitles = subtitles
        self.served = served
        self.check = check

    def recall(self, segments: tuple[str, ...], label: Label) -> Package | None:
        """What a path named a moment ago, if it had the version of this label."""
        known = self._recent.get((segments, label.token))
        if known is None or known[1].version != label.version or self._reactor.seconds() - known[0] > _BELIEVED:
            return None
        return known[1]

    def early(self, path: tuple[str, ...]) -> int:
        """
        Of how many segments the name of the presentation is, in the path of a URL below it that can be answered without
        looking into the library; 0 if that has to be done.
        """
        if len(path) < 4 or path[-3] != FOLDER:
            return 0
        return len(path) - 3 if self.recall(path[:-3], Label.parse(path[-2])) is not None else 0

    async def package(self, segments: tuple[str, ...], preferences: Preferences = ANY) -> Package:
        """
        The package of the presentation that a path names now.

        @param preferences: by which a description that has alternatives chooses.
        @raise Exception: as L{Library.presentation} and L{Package}.
        """
        presentation = await self._library.presentation(segments, "web", preferences)

        def make() -> Deferred[Package]:
            self._library.used(presentation)
            return self._inThread(Package, presentation, self._segmentDuration).addCallback(self._made)

        package = await self._packages.get(presentation, make)
        recent = segments, labelOf(package, preferences).token
        self._recent.pop(recent, None)
        self._recent[recent] = self._reactor.seconds(), package
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return package

    def _made(self, package: Package) -> Package:
        for sentence in package.refused:
            self._log.warn("{path!r}: {sentence}", path=package.presentation.path, sentence=sentence)
        return package

    def _inThread(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._pool, function, *arguments)

    def peek(self, package: Package, name: Name) -> Made | None:
        """The segments of this name's number, or the key frame, if they are in memory."""
        return self.cache.peek(_keyOf(package, name))

    def get(self, package: Package, name: Name) -> Deferred[Made]:
        """
        The same, made if they are not there.

        @return: fails as L{Package.make}.
        """
        make = package.makeKeyFrame if name.kind == "keyFrame" else package.make

        def read() -> Deferred[Made]:
            self._library.used(package.presentation)
            return self._inThread(make, name.number)

        return self.cache.get(_keyOf(package, name), read)

    async def init(self, package: Package, name: Name) -> bytes:
        """
        An init segment.

        @raise KeyError: if it is not there.
        """
        data: bytes = await self._inThread(package.init, name.track, name.number)
        return data

    def index(
        self, package: Package, subtitles: Sequence[Subtitle], audio: int | None, preferences: Preferences = ANY
    ) -> Deferred[Text]:
        """The multivariant playlist; see L{indexOf}."""
        audio = audio if audio in {track.index for track in package.sounds} else None
        base = f"{FOLDER}/{labelOf(package, preferences)}"
        key = package.presentation.path, base, tuple(subtitles), audio
        return self._texts.get(key, lambda: self._inThread(lambda: Text.of(indexOf(package, subtitles, audio, base))))

    def playlist(self, package: Package, name: Name) -> Deferred[Text]:
        """
        A media playlist.

        @return: fails with KeyError if there is no such track.
        """
        key = package.presentation.path, package.version, name
        return self._texts.get(key, lambda: self._inThread(lambda: Text.of(playlistOf(package, name))))

    def close(self) -> None:
        """Forgets everything."""
        self._recent.clear()
        for cache in (self.cache, self._packages, self._texts):
            cache.clear()


def labelOf(package: Package, preferences: Preferences) -> Label:
    """What stands for a package in URLs, for who has these preferences."""
    return Label(package.version, preferences.token if package.presentation.isChosen else "")


def _keyOf(package: Package, name: Name) -> tuple[object, ...]:
    return package.presentation.path, package.version, name.kind == "keyFrame", name.number
