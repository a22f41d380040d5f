"""
OPTIONS and DESCRIBE (RFC 2326 sections 10.1 and 10.2).
"""

from __future__ import annotations

from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import acceptsSDP, formatDate, notModified
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.preferring import preferencesOf
from mediasrv.rtsp.redirecting import checkIsHere
from mediasrv.rtsp.replies import PUBLIC, Refused
from mediasrv.rtsp.urls import contentBase, parseURI, splitTrack


async def options(dialogue: Dialogue, request: Request) -> Response:
    """What this server does; with a Session it keeps that alive (OPT-2)."""
    headers = Headers([("Public", PUBLIC)])
    if "Session" in request.headers:
        headers.set("Session", dialogue.sessionHeader(dialogue.sessionOf(request)))
    return Response(200, headers)


async def describe(dialogue: Dialogue, request: Request) -> Response:
    """
    The session description of a presentation.

    @raise Refused: 406 for a client that takes no SDP; and what L{checkIsHere} does.
    """
    if not acceptsSDP(request.headers.get("Accept")):
        raise Refused(406)
    url, track = splitTrack(parseURI(request.uri))
    await checkIsHere(dialogue, url, track)
    preferences = preferencesOf(url, request.headers)
    presentation = await dialogue.presentation(url, preferences)
    modified = presentation.version.modified / 1e9
    headers = Headers([("Last-Modified", formatDate(modified))])
    if notModified(request.headers.get("If-Modified-Since"), modified):
        return Response(304, headers)
    headers.set("Content-Base", contentBase(url.literal, preferences.token if presentation.isChosen else None))
    headers.set("Content-Type", "application/sdp")
    headers.set("Cache-Control", "must-revalidate")
    # live555, and VLC with it, takes that offer for multicast as well, and would hear no RTCP then
    rtcpMux = dialogue.broadcasts() is None
    body = dialogue.onDemand.describe(presentation, dialogue.address, rtcpMux)
    return Response(200, headers, body.encode("utf-8", "replace"))
