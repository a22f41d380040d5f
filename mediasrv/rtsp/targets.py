"""
What PLAY, PAUSE and TEARDOWN are about: a whole session, or one of its tracks (RFC 2326 sections 9.2 and 11.3.11).
"""

from __future__ import annotations

from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.messages import Request
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import RTSPSession
from mediasrv.rtsp.urls import parseURI, splitTrack


def controlled(dialogue: Dialogue, request: Request) -> tuple[RTSPSession, int | None]:
    """
    The session of a request, and the index of the track if it is about that alone. The URL of the only track that is
    set up means the whole session, for the presentation's own would do the same.

    @raise Refused: 454 without a session, 404 for a URL that is not its presentation's.
    """
    session = dialogue.sessionOf(request)
    url, number = splitTrack(parseURI(request.uri))
    if url.segments != session.segments:
        raise Refused(404)
    if number is not None and number >= len(session.presentation.tracks):
        raise Refused(404)
    if number is not None and list(session.setUpTracks) == [number]:
        return session, None
    return session, number
