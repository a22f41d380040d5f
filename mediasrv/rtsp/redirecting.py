"""
Presentations that are elsewhere: the answers of class 3xx (RFC 2326 section 11.2), and what a server that is being
emptied says.

Who asks for a description, or begins a session, is sent away; who has a session is not: another track of it is still to
be had here. ffmpeg and GStreamer follow when DESCRIBE says so, from SETUP they do not. OPTIONS is always answered as
usual: ffmpeg would follow that too, but VLC takes every error but 401 and 404 for a reason to try RTSP in HTTP (RED-1).
"""

from __future__ import annotations

from urllib.parse import quote

from mediasrv.interfaces import Elsewhere, Gone
from mediasrv.locating import below
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.replies import RETRY_AFTER, Refused
from mediasrv.rtsp.urls import MediaURL

#: what a query has as it is (RFC 3986 section 3.4); a percent sign stays, as the client wrote it
_QUERY = "!$&'()*+,;=:@/?%"


async def checkIsHere(dialogue: Dialogue, url: MediaURL, track: int | None) -> None:
    """
    Says whether this server is to serve a presentation, whether it has it or not.

    @param url: of the presentation.
    @param track: which one of it is asked for, None for all: where the presentation is, its tracks are as well.
    @raise Refused: 301 or 302 with a Location, 410, or 503 if nobody new is let in.
    """
    if url.escapes:
        return  # it names nothing
    found = await dialogue.locate(url)
    if isinstance(found, Gone):
        raise Refused(410)
    if found is not None:
        raise _sentTo(found, url, track)
    if dialogue.registry.isDraining:
        location = dialogue.registry.drainLocation
        if location is None:
            raise Refused(503, ("Retry-After", RETRY_AFTER))
        raise _sentTo(Elsewhere(below(location, url.segments)), url, track)


def _sentTo(elsewhere: Elsewhere, url: MediaURL, track: int | None) -> Refused:
    """The refusal that names another URL. The client's query goes with it, unless that URL has one of its own."""
    location = below(elsewhere.url, [] if track is None else [f"trackID={track}"])
    if url.query and "?" not in location:
        location += "?" + quote(url.query, safe=_QUERY)
    if elsewhere.permanent:
        return Refused(301, ("Location", location))
    return Refused(302, ("Location", location))
