"""
A meta file as an answer: C{film.mp4.m3u}, C{films.xspf?via=http}.

It is made anew for each request, because its URLs depend on how the client reaches us. C{?via=} chooses what the URLs
lead to: C{rtsp} to the stream, C{http} to the file itself, C{hls} to HLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from twisted.internet.threads import deferToThreadPool
from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.locating import below
from mediasrv.media.presentation import Presentation, titleOf
from mediasrv.media.tracks import View
from mediasrv.web.answering import answerLater
from mediasrv.web.conditions import answeredByTag
from mediasrv.web.context import WebContext
from mediasrv.web.disposition import disposition
from mediasrv.web.metafiles.descriptions import absolute
from mediasrv.web.metafiles.entries import Entry, Kind, oneLine
from mediasrv.web.metafiles.folders import mediaOf, playedKind
from mediasrv.web.metafiles.formats import FORMATS, Format, Via
from mediasrv.web.refusals import Refusal

_VIAS: Mapping[bytes, Via] = {b"rtsp": "rtsp", b"http": "http", b"hls": "hls"}


class MetaFileResource(Resource):
    """
    The meta file of a file or of a folder.
    """

    isLeaf = True

    def __init__(self, context: WebContext, segments: tuple[str, ...], extension: str) -> None:
        """
        @param segments: of the library: what it points to.
        @param extension: one of L{FORMATS}.
        """
        super().__init__()
        self._context = context
        self._segments = segments
        self._extension = extension
        self._format: Format = FORMATS[extension]

    def render_GET(self, request: Request) -> int:
        request.setHeader("Access-Control-Allow-Origin", "*")
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes | None:
        via = self._via(request)
        base = self._base(request, via)
        located = await self._context.library.locate(self._segments)
        if self._format.write is None:
            body = await self._description(base, located.isFolder)
        elif located.isFolder:
            body = await self._ofFolder(base, via)
        else:
            body = await self._ofFile(base, via)
        # proxies on the way may change what it says
        request.setHeader("Cache-Control", "no-cache")
        if answeredByTag(request, sha256(body).hexdigest()[:32]):
            return None
        request.setHeader("Content-Type", self._format.type)
        request.setHeader("Content-Disposition", disposition(f"{self._segments[-1]}.{self._extension}"))
        return body

    def _via(self, request: Request) -> Via:
        """
        @raise Refusal: for something else than the three, or not for this format.
        """
        asked = set((request.args or {}).get(b"via", ()))
        if not asked:
            hasRTSP = self._format.write is None or self._context.addresses.rtsp(request) is not None
            return self._format.via if hasRTSP else "http"
        via = _VIAS.get(asked.pop())
        if via is None or asked:
            raise Refusal(400, "After via= comes rtsp, http or hls.")
        if via != "rtsp" and self._format.write is None:
            raise Refusal(400, "Session descriptions are of RTSP: leave via out.")
        return via

    def _base(self, request: Request, via: Via) -> str:
        """The beginning of the URLs."""
        if via != "rtsp":
            return self._context.addresses.web(request)
        base = self._context.addresses.rtsp(request)
        if base is None:
            raise Refusal(404, "There is no address for RTSP here: ask with ?via=http.")
        return base

    async def _description(self, base: str, isFolder: bool) -> bytes:
        describe = self._context.describe
        if describe is None:
            raise Refusal(404, "There is nothing over RTSP here.")
        if isFolder:
            raise Refusal(404, "A session description is of one file, not of a folder.")
        presentation = await self._context.library.presentation(self._segments)
        text = describe(presentation, urlsplit(base).hostname or "localhost")
        return absolute(text, below(base, self._segments))

    async def _ofFile(self, base: str, via: Via) -> bytes:
        presentation = await self._context.library.presentation(self._segments, _viewFor(via))
        return self._written({self._segments[-1]: presentation}, self._segments[:-1], base, via)

    async def _ofFolder(self, base: str, via: Via) -> bytes:
        context = self._context
        view = _viewFor(via) if self._format.isTimed else None
        found = await mediaOf(context.library, self._segments, view, context.reactor, context.readers)
        if not found:
            raise Refusal(404, "There is nothing in this folder that can be played.")
        # ten thousand entries take a while
        return await deferToThreadPool(
            context.reactor, context.readers, self._written, found, self._segments, base, via
        )

    def _written(self, found: Mapping[str, Presentation | None], folder: tuple[str, ...], base: str, via: Via) -> bytes:
        entries = [_entry(_url(base, (*folder, name), via), name, found[name]) for name in found]
        assert self._format.write is not None
        return self._format.write(oneLine(self._segments[-1]), entries)


def _viewFor(via: Via) -> View:
    return "web" if via == "hls" else "rtp"


def _url(base: str, segments: tuple[str, ...], via: Via) -> str:
    return below(base, (*segments, "index.m3u8") if via == "hls" else segments)


def _entry(url: str, name: str, presentation: Presentation | None) -> Entry:
    if presentation is None:
        return Entry(url, oneLine(titleOf(name)), None, playedKind(name))
    kind: Kind = "video" if any(track.kind == "video" for track in presentation.tracks) else "audio"
    return Entry(url, oneLine(presentation.title), presentation.duration or None, kind)
