"""
PLAY, PAUSE and TEARDOWN (RFC 2326 sections 10.5 to 10.7).
"""

from __future__ import annotations

from datetime import UTC, datetime

from automat import NoTransition

from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import formatRTPInfo, formatScale, parseScale, parseSpeed
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.ranges import RangeSpec, formatRange, parseRange
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import RTSPSession
from mediasrv.rtsp.urls import parseURI, splitTrack
from mediasrv.streaming.cues import Cue, NothingToPlay

#: seconds past the end that a PLAY may ask for: VLC has paused already when it seeks, and hangs on an error (PLY-4)
_GRACE = 1.0

#: seconds before the end at which such a PLAY begins, if there is no key frame further back
_LAST_MOMENT = 0.001


async def play(dialogue: Dialogue, request: Request) -> Response:
    """
    Plays from where it was asked, or goes on.

    @raise Refused: with what the RFC wants; what was playing then plays on.
    """
    session = _aggregate(dialogue, request)
    wanted = _range(request)
    _checkRates(request)
    if wanted is None and session.state == "playing":
        # a sign of life (PLY-1)
        return Response(200, _headers(dialogue, session, request, "npt", session.position(), session.player.span[1]))
    unit = wanted.unit if wanted is not None else "npt"
    try:
        cue, stop = await _cue(session, wanted)
    except NothingToPlay:
        raise Refused(457) from None
    headers = _headers(dialogue, session, request, unit, cue.position, stop)
    try:
        session.states.play()
    except NoTransition:
        raise Refused(454) from None  # it ended while the file was read
    infos = session.player.start(cue, stop, _delay(wanted))
    if entries := session.rtpInfo(infos):
        headers.set("RTP-Info", formatRTPInfo(entries))
    # nothing of the new range before the reply, and the first packet right after it (RTP-12)
    dialogue.afterReply(lambda: _run(session))
    return Response(200, headers)


def _run(session: RTSPSession) -> None:
    if session.state == "playing":
        session.player.run()
        session.changed()


async def _cue(session: RTSPSession, wanted: RangeSpec | None) -> tuple[Cue, float | None]:
    """Where to start, and where to stop; None for the end of the presentation."""
    player, duration = session.player, session.presentation.duration
    start, end = _points(session, wanted)
    stop = None if end is None or end >= duration else end
    if start is None:
        here = session.position()
        if end is not None and end <= here:
            raise Refused(457)
        if player.isPlaying:
            player.pause()  # in order to go on at once, without a gap
        cue = player.cueHere()
        if cue is not None:
            return cue, stop
        # at the very end there is nothing to go on with: from the start
        start = here if here < duration - _LAST_MOMENT else 0.0
    if start > duration + _GRACE or (end is not None and end <= start):
        raise Refused(457)
    return await player.cue(min(start, max(0.0, duration - _LAST_MOMENT))), stop


def _points(session: RTSPSession, wanted: RangeSpec | None) -> tuple[float | None, float | None]:
    """A Range as NPT seconds; None for "from here" and "to the end"."""
    if wanted is None:
        return None, None
    origin = session.presentation.created if wanted.unit == "clock" else 0.0
    start = None if wanted.start is None or wanted.startsNow else wanted.start - origin
    end = None if wanted.end is None else wanted.end - origin
    if start is not None and start < 0:
        raise Refused(457)
    return start, end


def _delay(wanted: RangeSpec | None) -> float:
    """Seconds until C{;time=} (PLY-8); 0.0 for a time that has passed."""
    if wanted is None or wanted.time is None:
        return 0.0
    return max(0.0, (wanted.time - datetime.now(UTC)).total_seconds())


def _range(request: Request) -> RangeSpec | None:
    values = request.headers.getAll("Range")
    if len(values) > 1:
        raise Refused(400)
    return parseRange(values[0]) if values else None


def _checkRates(request: Request) -> None:
    """Scale and Speed have to make sense even where there is only one of each."""
    scale, speed = request.headers.get("Scale"), request.headers.get("Speed")
    if scale is not None:
        parseScale(scale)
    if speed is not None:
        parseSpeed(speed)


def _headers(
    dialogue: Dialogue, session: RTSPSession, request: Request, unit: str, start: float, stop: float | None
) -> Headers:
    end = stop if stop is not None else session.presentation.duration
    origin = session.presentation.created if unit == "clock" else 0.0
    headers = Headers([("Session", dialogue.sessionHeader(session))])
    headers.set("Range", formatRange(unit, start + origin, end + origin))
    for name in ("Scale", "Speed"):
        if name in request.headers:
            headers.set(name, formatScale(1.0))  # the only one that there is
    return headers


async def pause(dialogue: Dialogue, request: Request) -> Response:
    """
    Pauses now, or when a pause point is reached (PAU-2).
    """
    session = _aggregate(dialogue, request)
    wanted = _range(request)
    point = None if wanted is None else _points(session, wanted)[0]
    playing = session.state == "playing"
    if playing and point is not None:
        began, ends = session.player.span
        if not began <= point <= ends:
            raise Refused(457)
    if not playing or point is None or point <= session.position() or not session.player.stopAt(point):
        try:
            session.states.pause()
        except NoTransition:
            raise Refused(455, ("Allow", "SETUP, PLAY, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER")) from None
        if playing:
            point = session.player.pause(point)
        session.changed()
    position = session.position() if point is None else point
    unit = "npt" if wanted is None else wanted.unit
    origin = session.presentation.created if unit == "clock" else 0.0
    headers = Headers([("Session", dialogue.sessionHeader(session))])
    headers.set("Range", formatRange(unit, position + origin, None))
    return Response(200, headers)


async def tearDown(dialogue: Dialogue, request: Request) -> Response:
    """Ends a session. Its id is not in the answer: there is no such session any more (TDN-1)."""
    session = _aggregate(dialogue, request)
    session.end("TEARDOWN")
    return Response(200)


def _aggregate(dialogue: Dialogue, request: Request) -> RTSPSession:
    """The session of a request that means all of it: single tracks are not controlled (PLY-12)."""
    session = dialogue.sessionOf(request)
    url, number = splitTrack(parseURI(request.uri))
    if url.segments != session.segments:
        raise Refused(404)
    if number is not None and number >= len(session.presentation.tracks):
        raise Refused(404)
    if number is not None and len(session.presentation.tracks) > 1:
        raise Refused(460)
    return session
