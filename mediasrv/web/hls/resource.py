"""
The URLs of HLS below a file's: C{index.m3u8}, which is always there, and C{hls/VERSION/…}, which it names.

The version says of which content of the file, cut in which way, a URL is. So what is under it never changes, and a
browser or a cache in between may keep it for ever.
"""

from __future__ import annotations

import re
from zlib import crc32

from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.media.library import NotFound
from mediasrv.web.answering import answerLater
from mediasrv.web.context import WebContext
from mediasrv.web.hls.naming import FOLDER, Label, Name, parseName
from mediasrv.web.hls.package import Made, Package
from mediasrv.web.hls.playlists import MIME_TYPE
from mediasrv.web.hls.sending import IMMUTABLE, sendBytes
from mediasrv.web.hls.service import HLSService, Text
from mediasrv.web.preferring import preferencesOf
from mediasrv.web.refusals import Refusal

#: what a presentation is played from
INDEX = "index.m3u8"

_AUDIO = re.compile(rb"[0-9]{1,4}")

#: such as C{gzip, deflate, br;q=1.0}; C{q=0} forbids
_GZIP = re.compile(
    rb"(?:^|,)\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?=,|$)", re.IGNORECASE
)


class HLSResource(Resource):
    """
    One URL.
    """

    isLeaf = True

    def __init__(self, context: WebContext, segments: tuple[str, ...], rest: tuple[str, ...], hls: HLSService) -> None:
        """
        @param segments: the path of the presentation.
        @param rest: what follows it.
        """
        super().__init__()
        self._context = context
        self._segments = segments
        self._rest = rest
        self._hls = hls

    def render_GET(self, request: Request) -> int:
        """A segment that is in memory is answered at once."""
        if self._hls.check is not None:
            self._hls.check(request, self._segments)
        rest = self._rest
        if len(rest) == 3 and rest[0] == FOLDER:
            name = parseName(rest[2])
            if name is not None and name.kind == "segment":
                package = self._hls.recall(self._segments, Label.parse(rest[1]))
                made = None if package is None else self._hls.peek(package, name)
                if package is not None and made is not None and name.track < len(made.data):
                    return self._sendSegment(request, package, name, made)
            return answerLater(request, self._answer(request, Label.parse(rest[1]), name))
        return answerLater(request, self._index(request))

    render_HEAD = render_GET

    async def _index(self, request: Request) -> None:
        if self._rest != (INDEX,):
            raise NotFound("/".join(self._rest))
        preferences = preferencesOf(request)
        package = await self._hls.package(self._segments, preferences)
        source = self._hls.subtitles
        subtitles = await source.tracks(self._segments, package.presentation) if source is not None else ()
        asked = (request.args or {}).get(b"audio", [b""])[0]
        audio = int(asked) if _AUDIO.fullmatch(asked) else None
        text = await self._hls.index(package, subtitles, audio, preferences)
        if package.presentation.isChosen:
            request.responseHeaders.addRawHeader("Vary", "Accept-Language")
        # subtitles in files of their own come and go while the version stays
        kind = f"index-{crc32(text.plain):x}"
        _sendText(request, package, text, kind)

    async def _answer(self, request: Request, label: Label, name: Name | None) -> None:
        """Everything below C{hls/}."""
        if name is None:
            raise NotFound("/".join(self._rest))
        hls = self._hls
        package = hls.recall(self._segments, label) or await hls.package(self._segments, label.preferences)
        if package.version != label.version:
            raise Refusal(404, "This is of another version of the file. Load index.m3u8 again.")
        try:
            if name.kind in ("playlist", "keyFrames", "captions"):
                _sendText(request, package, await hls.playlist(package, name), str(name))
            elif name.kind == "init":
                data = await hls.init(package, name)
                sendBytes(request, data, self._typeOf(package, name), _tagOf(package, name))
            elif name.kind == "caption":
                await self._caption(request, package, name)
            else:
                await self._segment(request, package, name)
        except (KeyError, IndexError):
            raise NotFound(str(name)) from None

    async def _segment(self, request: Request, package: Package, name: Name) -> None:
        known = {track.index for track in package.tracks}
        video = package.video
        isThere = (
            name.number in package.keyFrames and video is not None and name.track == video.index
            if name.kind == "keyFrame"
            else name.number < len(package.segments) and name.track in known
        )
        if not isThere:
            raise NotFound(str(name))
        self._sendSegment(request, package, name, await self._hls.get(package, name))

    def _sendSegment(self, request: Request, package: Package, name: Name, made: Made) -> int:
        data = made.data[0 if name.kind == "keyFrame" else name.track]
        served, sent = self._hls.served, None
        if served is not None:
            isSegment, number = name.kind == "segment", name.number
            seconds = package.segments[number].start if isSegment else package.presentation.cuts[number].pts

            def sent(octets: int) -> None:
                served(request, self._segments, package.presentation, seconds, octets)

        return sendBytes(request, data, self._typeOf(package, name), _tagOf(package, name), IMMUTABLE, sent)

    async def _caption(self, request: Request, package: Package, name: Name) -> None:
        source = self._hls.subtitles
        if source is None:
            raise NotFound(str(name))
        segment = package.segments[name.number]
        data = await source.webVTT(self._segments, package.presentation, name.track, segment.start, segment.end)
        # a file of subtitles changes without the version
        tag = f"{_tagOf(package, name)}-{crc32(data):08x}"
        sendBytes(request, data, b"text/vtt; charset=utf-8", tag, b"no-cache")

    @staticmethod
    def _typeOf(package: Package, name: Name) -> bytes:
        video = package.video
        return b"video/mp4" if video is not None and video.index == name.track else b"audio/mp4"


def _tagOf(package: Package, name: Name) -> str:
    return f"{package.version}-{name}"


def _sendText(request: Request, package: Package, text: Text, kind: str) -> None:
    """A playlist, in gzip for who takes it."""
    request.responseHeaders.addRawHeader("Vary", "Accept-Encoding")
    data, tag = text.plain, f"{package.version}-{kind}"
    if _GZIP.search(request.getHeader(b"accept-encoding") or b""):
        request.setHeader("Content-Encoding", "gzip")
        data, tag = text.packed, f"{tag}-gzip"
    sendBytes(request, data, MIME_TYPE.encode(), tag, b"no-cache")
