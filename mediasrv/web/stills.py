"""
Stills over HTTP: C{poster.jpg} of a file, and C{still/<seconds>.jpg} of each place in it.

What names several files has the pictures of these: the poster of the one that is on after a third of the time.

Any file has them that FFmpeg can decode, whether or not a browser plays it. C{?w=} says how wide a picture has to be;
it comes in the next larger of a few widths. With C{?v=} and the version of the file the answer holds for ever.
"""

from __future__ import annotations

import re
from contextlib import suppress

from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.media.containers import NotMedia
from mediasrv.media.descriptions.choosing import Preferences
from mediasrv.media.descriptions.reading import isDescription
from mediasrv.media.errands import TooBusy
from mediasrv.media.files import FileVersion
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import Presentation
from mediasrv.media.stillmaker import File, nameOf
from mediasrv.media.stills import NoPicture, widthFor
from mediasrv.web.answering import answerLater
from mediasrv.web.conditions import answeredByTag
from mediasrv.web.context import WebContext
from mediasrv.web.preferring import preferencesOf
from mediasrv.web.refusals import Refusal

_STILL = re.compile(r"([0-9]{1,7})(?:\.[0-9]{1,9})?\.jpg", re.ASCII)

#: pixels across, if nothing else is asked for
_POSTER_WIDTH, _STILL_WIDTH = 640, 240

#: seconds for which a picture is taken for that of the file that is there now
_FRESH = 3600

#: a year, which stands for ever (RFC 9111 section 5.2.2.1, RFC 8246)
_FOR_EVER = "public, max-age=31536000, immutable"


class StillResource(Resource):
    """
    One picture of one file.
    """

    isLeaf = True

    def __init__(self, context: WebContext, segments: tuple[str, ...], rest: tuple[str, ...]) -> None:
        """
        @param segments: of the file, in the library.
        @param rest: what follows the file in the path: C{("poster.jpg",)} or C{("still", "12.jpg")}.
        """
        super().__init__()
        self._context = context
        self._segments = segments
        self._rest = rest

    def render_GET(self, request: Request) -> int:
        """Answers HEAD as well."""
        request.setHeader("Access-Control-Allow-Origin", "*")
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes | None:
        stills = self._context.stills
        seconds = self._seconds()
        width = _widthOf(request, _POSTER_WIDTH if seconds is None else _STILL_WIDTH)
        located = await self._context.library.locate(self._segments)
        if stills is None or located.version is None:
            raise NotFound("/".join(self._segments))
        file, version = (located.path, located.version), located.version.etag
        if isDescription(located.path):
            file, seconds, version = await self._fileShown(request, seconds)
        request.setHeader("Content-Type", "image/jpeg")
        wanted = [value.decode("ascii", "replace") for value in request.args.get(b"v", ())]
        lasting = version in wanted
        request.setHeader("Cache-Control", _FOR_EVER if lasting else f"public, max-age={_FRESH}")
        # who has it under this name got it from here: it need not be made once more to say so
        if answeredByTag(request, nameOf(file, "poster" if seconds is None else str(seconds), width)):
            return None
        try:
            return await (stills.poster(file, width) if seconds is None else stills.still(file, seconds, width))
        except NoPicture:
            raise Refusal(404, "There is no picture of this.") from None
        except TooBusy:
            raise Refusal(
                503, "Too many pictures are being made. Try again in a moment.", {"Retry-After": "5"}
            ) from None

    async def _fileShown(self, request: Request, seconds: int | None) -> tuple[File, int | None, str]:
        """
        What of a description is pictured.

        @return: the file that has it, the place in there, and the version of the description.
        """
        presentation = await self._description(preferencesOf(request))
        if presentation.isChosen:
            request.responseHeaders.addRawHeader("Vary", "Accept-Language")
        clip, place = presentation.shownAt(presentation.duration / 3 if seconds is None else seconds)
        if not isinstance(clip.version, FileVersion):
            raise NotFound(clip.path)
        return (clip.path, clip.version), None if seconds is None else int(place), presentation.version.etag

    async def _description(self, preferences: Preferences) -> Presentation:
        library = self._context.library
        with suppress(NotMedia):
            return await library.presentation(self._segments, "web", preferences)
        try:
            return await library.presentation(self._segments, "rtp", preferences)
        except NotMedia:
            raise Refusal(404, "There is no picture of this.") from None

    def _seconds(self) -> int | None:
        """The place of the still; None for the poster."""
        if self._rest == ("poster.jpg",):
            return None
        match = _STILL.fullmatch(self._rest[1]) if len(self._rest) == 2 and self._rest[0] == "still" else None
        if match is None:
            raise NotFound("/".join(self._rest))
        return int(match[1])


def _widthOf(request: Request, default: int) -> int:
    values = request.args.get(b"w", ())
    if not values:
        return default
    if not re.fullmatch(rb"[0-9]{1,5}", values[0]):
        raise Refusal(400, "The width of a picture is a number of pixels.")
    return widthFor(int(values[0]))
