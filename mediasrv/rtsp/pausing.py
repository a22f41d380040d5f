"""
PAUSE and TEARDOWN (RFC 2326 sections 10.6 and 10.7): of a whole session, or of one of its tracks.
"""

from __future__ import annotations

from automat import NoTransition

from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.orders import readRange
from mediasrv.rtsp.playing import points, rangeOf
from mediasrv.rtsp.ranges import RangeSpec
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import RTSPSession
from mediasrv.rtsp.targets import controlled

_ALLOWED = "SETUP, PLAY, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER"


async def pause(dialogue: Dialogue, request: Request) -> Response:
    """
    Pauses now, or when a pause point is reached (PAU-2). Whatever waits for its turn behind that is forgotten (PAU-3).
    """
    session, track = controlled(dialogue, request)
    wanted = readRange(request)
    if track is not None and not session.isOnly(track):
        return _mute(dialogue, session, track, wanted)
    point = points(session, wanted)[0]
    if session.state == "playing" and point is not None and _pauseAt(session, point):
        return _reply(dialogue, session, wanted, point)
    playing = session.state == "playing"
    try:
        session.states.pause()
    except NoTransition:
        raise Refused(455, ("Allow", _ALLOWED)) from None
    session.queue.clear()
    # who pauses already stays where it is, whatever the point: nothing is pending that could reach it
    position = session.player.pause(point) if playing else session.position()
    session.changed()
    return _reply(dialogue, session, wanted, position)


def _pauseAt(session: RTSPSession, point: float) -> bool:
    """
    Pauses at a point that is still to come.

    @return: False if it has passed: then it is paused now, and goes on from there.
    @raise Refused: 457 for one that lies outside of everything that was to be played.
    """
    player, queue = session.player, session.queue
    began, ends = player.span
    forwards = not player.course.isReverse
    if min(began, ends) <= point <= max(began, ends):
        here = session.position()
        if (point <= here) if forwards else (point >= here):
            return False
        queue.clear()
        return player.stopAt(point)
    for number, waiting in enumerate(queue):
        if waiting.holds(point):
            queue.cut(number, point)
            return True
    # between two ranges: pauses after the first (section 10.6)
    for number, waiting in enumerate(queue):
        if min(ends, waiting.position) < point < max(ends, waiting.position):
            queue.keep(number)
            return True
        ends = waiting.end
    raise Refused(457)


def _mute(dialogue: Dialogue, session: RTSPSession, track: int, wanted: RangeSpec | None) -> Response:
    """Pauses one track while others play (PAU-8): now, for pause points are the session's."""
    if track not in session.setUpTracks or session.state == "ready":
        raise Refused(455, ("Allow", _ALLOWED))
    if wanted is not None:
        raise Refused(460)
    if session.state == "playing":
        session.mute(track)
    return _reply(dialogue, session, wanted, session.position())


def _reply(dialogue: Dialogue, session: RTSPSession, wanted: RangeSpec | None, position: float) -> Response:
    unit = "npt" if wanted is None else wanted.unit
    headers = Headers([("Session", dialogue.sessionHeader(session))])
    headers.set("Range", rangeOf(session, unit, position, None))
    return Response(200, headers)


async def tearDown(dialogue: Dialogue, request: Request) -> Response:
    """
    Ends a session, or takes one track out of it (TDN-1). The id of a session that has ended is not in the answer: there
    is no such session any more.
    """
    session, track = controlled(dialogue, request)
    if track is None:
        session.end("TEARDOWN")
        return Response(200)
    if track not in session.setUpTracks:
        raise Refused(455, ("Allow", "SETUP, OPTIONS, GET_PARAMETER, SET_PARAMETER"))
    session.dropTrack(track)
    return Response(200, Headers([("Session", dialogue.sessionHeader(session))]))
