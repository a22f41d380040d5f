"""
Presentations in the API: what a file plays, by which protocol, and where.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.web.server import Request

from mediasrv.locating import below
from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import Presentation
from mediasrv.media.tracks import Track, View
from mediasrv.web.api.answers import allow, encoded, setHeaders
from mediasrv.web.api.library import linked
from mediasrv.web.context import WebContext
from mediasrv.web.oversight import Oversight

#: the meta files that each presentation has
META_FILES = ("m3u", "pls", "asx", "ram", "smil", "xspf", "qtl", "strm", "sdp")


async def answerPresentation(
    context: WebContext, oversight: Oversight, request: Request, segments: tuple[str, ...], top: str
) -> bytes:
    """
    @param segments: of the file.
    @param top: the reference to the top of our resources.
    """
    setHeaders(request, shared=True)
    allow(request)
    streamed = await _opened(context, segments, "rtp")
    shown = await _opened(context, segments, "web")
    either = streamed or shown
    if either is None:
        raise NotMedia("/".join(segments))
    rtsp = oversight.rtspURL(request) if streamed is not None else None
    return encoded(
        {
            "path": "/".join(segments),
            "title": either.title,
            "duration": either.duration,
            "size": either.version.size,
            "modified": either.version.modified / 1e9,
            "rtp": _view(streamed),
            "web": _view(shown),
            "urls": _urls(segments, top, rtsp, shown is not None),
        }
    )


async def _opened(context: WebContext, segments: Sequence[str], view: View) -> Presentation | None:
    try:
        return await context.library.presentation(segments, view)
    except NotMedia:
        return None


def _urls(segments: Sequence[str], top: str, rtsp: str | None, isShown: bool) -> dict[str, object]:
    file = f"{top}{linked(segments)}"
    return {
        "file": file,
        "page": f"{file}/",
        "poster": f"{file}/poster.jpg",
        "rtsp": below(rtsp, segments) if rtsp else None,
        "hls": f"{file}/index.m3u8" if isShown else None,
        "meta": {extension: f"{file}.{extension}" for extension in META_FILES},
    }


def _view(presentation: Presentation | None) -> dict[str, object] | None:
    """The schema C{View} of C{openapi.json}."""
    if presentation is None:
        return None
    return {"tracks": [_track(track) for track in presentation.tracks], "omitted": list(presentation.omitted)}


def _track(track: Track) -> dict[str, object]:
    """The schema C{Track} of C{openapi.json}: zero and empty text stand for what is not known."""
    return {
        "index": track.index,
        "kind": track.kind,
        "codec": track.codec,
        "language": track.language or None,
        "title": track.title or None,
        "bitRate": track.bitRate or None,
        "width": track.width or None,
        "height": track.height or None,
        "frameRate": round(float(track.frameRate), 6) or None,
        "sampleRate": track.sampleRate or None,
        "channels": track.channels or None,
    }
