"""
The web door: what all its requests share, made once, and the resource for each request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from twisted.python.threadpool import ThreadPool
from twisted.web.resource import IResource

from mediasrv.media.library import NotFound
from mediasrv.media.searching import Search
from mediasrv.web.api.resource import APIResource
from mediasrv.web.context import WebContext
from mediasrv.web.downloads import Downloads
from mediasrv.web.figures import CacheFigures
from mediasrv.web.files import FileResource
from mediasrv.web.health import HealthResource
from mediasrv.web.hls.resource import HLSResource
from mediasrv.web.hls.service import HLSService
from mediasrv.web.metafiles.resource import MetaFileResource
from mediasrv.web.metrics import MetricsResource
from mediasrv.web.oversight import Oversight
from mediasrv.web.pages.browse import BrowsePage
from mediasrv.web.pages.play import PlayPage
from mediasrv.web.pages.search import SearchPage
from mediasrv.web.pages.sessions import SessionsPage
from mediasrv.web.places import Place
from mediasrv.web.recentfiles import RecentFiles
from mediasrv.web.staticfiles import StaticResource
from mediasrv.web.stills import StillResource
from mediasrv.web.subtitles import FOLDER as SUBTITLES
from mediasrv.web.subtitles import HLSSubtitles, SubtitlesResource


class WebDoor:
    """
    @ivar downloads: files that are being sent.
    @ivar hls: makes playlists and segments.
    @ivar oversight: who watches, and what is told of it.
    @ivar recent: where paths led a moment ago.
    """

    def __init__(self, context: WebContext, caches: Mapping[str, CacheFigures], openers: ThreadPool) -> None:
        """
        @param caches: for the metrics, by name; HLS adds its own.
        @param openers: threads for what takes long.
        """
        settings, reactor, addresses = context.settings, context.reactor, context.addresses
        self.context = context
        self.recent = RecentFiles(reactor.seconds)
        self.downloads = Downloads(reactor, context.readers, settings.idleTimeout)
        subtitles = HLSSubtitles(context.subtitles) if context.subtitles is not None else None
        self.hls = HLSService(
            context.library, context.readers, reactor, settings.segmentDuration, settings.segmentCache, subtitles
        )
        self.oversight = Oversight(
            context.registry,
            reactor,
            settings.administrators,
            {**caches, "hls": self.hls.cache},
            Search(context.library.folders, settings.hiddenFiles, reactor, openers),
            addresses.clientAddress,
            [urlsplit(settings.publicURL).hostname or ""] if settings.publicURL else (),
            addresses.rtsp,
        )
        self.downloads.started = self.oversight.viewers.started
        self.hls.served = self.oversight.viewers.served
        self.hls.check = self.oversight.viewers.check

    def start(self) -> None:
        """May be used again after it was stopped."""
        self.downloads.start()

    def stop(self) -> None:
        """Ends what is being sent, and all who watch over HTTP."""
        self.oversight.stop()
        self.downloads.stop()
        self.hls.close()
        if self.context.subtitles is not None:
            self.context.subtitles.close()

    def early(self, path: tuple[str, ...]) -> IResource | None:
        """What answers for a path, if that can be told without looking into the library."""
        located = self.recent.find(path)
        if located is not None:
            return FileResource(self.downloads, located, partial(self.recent.find, path))
        length = self.hls.early(path)
        return HLSResource(self.context, path[:length], path[length:], self.hls) if length else None

    def resource(self, place: Place) -> IResource:
        """
        What answers for a place.

        @raise NotFound: if nothing does.
        """
        make = _MAKERS.get(place.kind)
        if make is None:
            raise NotFound("/".join(place.segments))
        return make(self, place)

    def _file(self, place: Place) -> IResource:
        assert place.located is not None
        self.recent.remember(place.segments, place.located)
        return FileResource(self.downloads, place.located, partial(self.recent.find, place.segments))

    def _part(self, place: Place) -> IResource:
        """What is made of a file."""
        segments, rest = place.segments, place.rest
        if rest[0] in ("poster.jpg", "still"):
            return StillResource(self.context, segments, rest)
        if rest[0] == SUBTITLES:
            return SubtitlesResource(self.context, segments, rest)
        return HLSResource(self.context, segments, rest, self.hls)

    def _internal(self, place: Place) -> IResource:
        """What is no media."""
        name, *rest = place.rest or ("",)
        if name == "api":
            return APIResource(self.context, tuple(rest), self.oversight)
        if name == "static":
            return StaticResource(rest)
        make = _INTERNAL.get(name)
        if make is None or rest:
            raise NotFound(name)
        return make(self)


#: by the kind of a place
_MAKERS: dict[str, Callable[[WebDoor, Place], IResource]] = {
    "internal": WebDoor._internal,
    "top": lambda door, place: BrowsePage(door.context, ()),
    "folder": lambda door, place: BrowsePage(door.context, place.segments),
    "file": WebDoor._file,
    "page": lambda door, place: PlayPage(door.context, place.segments),
    "part": WebDoor._part,
    "meta": lambda door, place: MetaFileResource(door.context, place.segments, place.rest[0]),
}

#: by the segment behind C{-}
_INTERNAL: dict[str, Callable[[WebDoor], IResource]] = {
    "health": lambda door: HealthResource(door.oversight),
    "metrics": lambda door: MetricsResource(door.oversight),
    "search": lambda door: SearchPage(door.context, door.oversight.search),
    "sessions": lambda door: SessionsPage(door.context, door.oversight.access),
}
