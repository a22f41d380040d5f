"""
Subtitles over HTTP: C{subtitles/<n>.vtt} of a film, for a C{track} of a page, and what HLS has of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.media.cues import CueTrack
from mediasrv.media.errands import TooBusy
from mediasrv.media.languages import languageName
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import Presentation
from mediasrv.media.subtitlereader import SubtitleReader
from mediasrv.media.subtitles import Embedded, Subtitle
from mediasrv.media.webvtt import MIME_TYPE, formatCues
from mediasrv.web.answering import answerLater
from mediasrv.web.conditions import answeredByTag
from mediasrv.web.context import WebContext
from mediasrv.web.hls import playlists
from mediasrv.web.refusals import Refusal

#: below a film
FOLDER = "subtitles"

_NAME = re.compile(r"(0|[1-9][0-9]{0,2})\.vtt", re.ASCII)


class SubtitlesResource(Resource):
    """
    One whole track of one film.
    """

    isLeaf = True

    def __init__(self, context: WebContext, segments: tuple[str, ...], rest: tuple[str, ...]) -> None:
        """
        @param segments: of the film, in the library.
        @param rest: what follows it in the path: C{("subtitles", "0.vtt")}.
        """
        super().__init__()
        self._reader = context.subtitles
        self._segments = segments
        self._rest = rest

    def render_GET(self, request: Request) -> int:
        """Answers HEAD as well."""
        request.setHeader("Access-Control-Allow-Origin", "*")
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes | None:
        match = _NAME.fullmatch(self._rest[1]) if len(self._rest) == 2 and self._rest[0] == FOLDER else None
        if match is None or self._reader is None:
            raise NotFound("/".join(self._rest))
        subtitle = await _pick(self._reader, self._segments, int(match[1]))
        request.setHeader("Content-Type", MIME_TYPE)
        # which track has a number may change with what lies beside the film
        request.setHeader("Cache-Control", "no-cache")
        if answeredByTag(request, _tagOf(subtitle)):
            return None
        track = await _cuesOf(self._reader, subtitle)
        return formatCues(track.cues)


class HLSSubtitles:
    """
    What L{mediasrv.web.hls.service.HLSService} asks for subtitles.
    """

    def __init__(self, reader: SubtitleReader) -> None:
        self._reader = reader

    async def tracks(self, segments: tuple[str, ...], presentation: Presentation) -> Sequence[playlists.Subtitle]:
        """As L{mediasrv.web.hls.service.SubtitleSource}."""
        return [
            playlists.Subtitle(each.number, each.language, each.title, each.isForced)
            for each in await self._reader.subtitles(segments, presentation)
        ]

    async def webVTT(
        self, segments: tuple[str, ...], presentation: Presentation, number: int, start: float, end: float
    ) -> bytes:
        """As L{mediasrv.web.hls.service.SubtitleSource}. What lasts over a boundary is in both parts."""
        track = await _cuesOf(self._reader, await _pick(self._reader, segments, number))
        return formatCues(track.between(start, end), timestampMap=0)


def forPage(subtitles: Sequence[Subtitle]) -> list[dict[str, str]]:
    """What the script of the play page has to know of them; references are relative to the page."""
    names: dict[str, int] = {}
    found = []
    for each in subtitles:
        label = each.title or languageName(each.language) or f"Subtitles {each.number + 1}"
        label += " (forced)" if each.isForced else ""
        names[label] = names.get(label, 0) + 1
        if names[label] > 1:
            label += f" ({names[label]})"
        found.append({"src": f"{FOLDER}/{each.number}.vtt", "label": label, "language": each.language})
    return found


async def _pick(reader: SubtitleReader, segments: tuple[str, ...], number: int) -> Subtitle:
    found = await reader.subtitles(segments)
    if number >= len(found):
        raise NotFound("/".join(segments))
    return found[number]


async def _cuesOf(reader: SubtitleReader, subtitle: Subtitle) -> CueTrack:
    try:
        return await reader.cues(subtitle)
    except TooBusy:
        raise Refusal(503, "Too many films are being read. Try again in a moment.", {"Retry-After": "5"}) from None


def _tagOf(subtitle: Subtitle) -> str:
    source = subtitle.source
    return f"{source.version.etag}-{source.stream if isinstance(source, Embedded) else 'file'}"
