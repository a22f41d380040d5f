"""
SETUP, PLAY and PAUSE of sessions over multicast (RFC 2326 section 12.39 and appendix C.1.7).

What is heard by one listener only is played as everything else is, by L{mediasrv.rtsp.playing}; what differs is here:
who comes to what others hear joins it where it is, and who pauses while others listen merely leaves.
"""

from __future__ import annotations

from dataclasses import replace

from automat import NoTransition

from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtsp import pausing, playing
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import formatRTPInfo, parseScale, parseSpeed
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.ranges import RangeSpec, formatRange, parseRange
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import RTSPSession, SessionTrack
from mediasrv.rtsp.transport import TransportSpec
from mediasrv.rtsp.urls import parseURI, splitTrack
from mediasrv.streaming.broadcast import Broadcast, Seat

#: seconds past the end that a PLAY may ask for, as L{mediasrv.rtsp.playing} has it
_GRACE = 1.0


def isMeant(spec: TransportSpec) -> bool:
    """
    Whether an alternative is one of multicast. That is also the default of RFC 2326; but who names a port of his own
    and forgets to say C{unicast} does not mean it.
    """
    return spec.lower == "UDP" and (spec.unicast is False or (spec.unicast is None and spec.clientPort is None))


def canListen(dialogue: Dialogue, session: RTSPSession | None, presentation: Presentation, plan: BurstPlan) -> bool:
    """
    Whether a track can be had over multicast. A session has all of its tracks this way or none: the player is either
    its own or everybody's.
    """
    if session is not None:
        return session.broadcast is not None
    broadcasts = dialogue.broadcasts()
    return broadcasts is not None and broadcasts.hasRoomFor(presentation, plan)


def attach(
    dialogue: Dialogue, session: RTSPSession, index: int, url: str, spec: TransportSpec, plan: BurstPlan
) -> TransportSpec:
    """
    Has a session listen to a track; see L{canListen}.

    @return: what the reply says of it: address, ports and time to live are the server's choice, whatever was asked.
    """
    if session.broadcast is None:
        broadcasts = dialogue.broadcasts()
        assert broadcasts is not None
        session.listenTo(broadcasts.broadcast(session.presentation, plan))
    assert session.broadcast is not None
    former = session.setUpTracks.get(index)
    seat = former.transport if former is not None else session.broadcast.takeSeat(session, index)
    assert isinstance(seat, Seat)
    group = seat.group
    chosen = TransportSpec(
        profile=spec.profile,
        unicast=False,
        destination=group.address,
        port=(group.port, group.port + 1),
        ttl=group.ttl,
        ssrc=seat.sender.ssrc,
    )
    session.addTrack(index, SessionTrack(url, seat.sender, seat, replace(chosen, ssrc=None).format()), None)
    return chosen


async def play(dialogue: Dialogue, request: Request) -> Response:
    """
    PLAY of any session.

    @raise Refused: with what the RFC wants.
    """
    session = dialogue.sessionOf(request)
    broadcast = session.broadcast
    if broadcast is None:
        return await playing.play(dialogue, request)
    _keepPace(request)
    _checkURL(session, request)
    await broadcast.turn.acquire()
    try:
        if session.state == "gone":
            raise Refused(454)  # it ended while it waited for its turn
        if broadcast.isHeardByOthers(session):
            return _join(dialogue, session, broadcast, request)
        broadcast.prepareFor(session)
        return await playing.play(dialogue, request)
    finally:
        broadcast.turn.release()


async def pause(dialogue: Dialogue, request: Request) -> Response:
    """
    PAUSE of any session.

    @raise Refused: with what the RFC wants.
    """
    session = dialogue.sessionOf(request)
    broadcast = session.broadcast
    if broadcast is None:
        return await pausing.pause(dialogue, request)
    _checkURL(session, request)
    wasPlaying = session.state == "playing"
    if broadcast.isHeardByOthers(session):
        return _leave(dialogue, session, broadcast, request)
    response = await pausing.pause(dialogue, request)
    if wasPlaying and session.state == "paused":
        broadcast.remember(session)
    return response


def _keepPace(request: Request) -> None:
    """What is for many has one pace: the answer says C{1.0} whatever was asked, as long as it makes sense."""
    for name, parse in (("Scale", parseScale), ("Speed", parseSpeed)):
        value = request.headers.get(name)
        if value is not None:
            parse(value)
            request.headers.set(name, "1.0")


def _join(dialogue: Dialogue, session: RTSPSession, broadcast: Broadcast, request: Request) -> Response:
    """Comes to what others hear; the answer says where that is, whatever C{Range} says."""
    wanted = _range(request)
    _checkSense(session, wanted)
    try:
        session.states.play()
    except NoTransition:
        raise Refused(454) from None
    position, infos = broadcast.join(session)
    headers = _headers(dialogue, session, wanted, position, broadcast.player.span[1])
    for name in ("Scale", "Speed"):
        if name in request.headers:
            headers.set(name, "1.0")
    headers.set("RTP-Info", formatRTPInfo(session.rtpInfo(infos)))
    dialogue.afterReply(session.changed)
    return Response(200, headers)


def _leave(dialogue: Dialogue, session: RTSPSession, broadcast: Broadcast, request: Request) -> Response:
    """
    Pauses while others go on, which needs no more than to remember where. That is done at once, also where C{Range} has
    a pause point: the packets reach the client's network for as long as somebody listens.
    """
    wanted = _range(request)
    wasPlaying = session.state == "playing"
    try:
        session.states.pause()
    except NoTransition:
        raise Refused(455, ("Allow", "SETUP, PLAY, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER")) from None
    if wasPlaying:
        broadcast.remember(session)
        session.changed()
    return Response(200, _headers(dialogue, session, wanted, session.position(), None))


def _checkURL(session: RTSPSession, request: Request) -> None:
    """All listeners hear the same: single tracks are not controlled."""
    url, number = splitTrack(parseURI(request.uri))
    if url.segments != session.segments or (number or 0) >= len(session.presentation.tracks):
        raise Refused(404)
    if number is not None and list(session.setUpTracks) != [number]:
        raise Refused(460)


def _range(request: Request) -> RangeSpec | None:
    values = request.headers.getAll("Range")
    if len(values) > 1:
        raise Refused(400)
    return parseRange(values[0]) if values else None


def _checkSense(session: RTSPSession, wanted: RangeSpec | None) -> None:
    """
    @raise Refused: 457 for a C{Range} that no presentation of this length has, or that ends before it starts.
    """
    if wanted is None or wanted.start is None or wanted.startsNow:
        return
    start = wanted.start - _origin(session, wanted)
    if not 0 <= start <= session.presentation.duration + _GRACE:
        raise Refused(457)
    if wanted.end is not None and wanted.end <= wanted.start:
        raise Refused(457)


def _origin(session: RTSPSession, wanted: RangeSpec | None) -> float:
    """What is added to NPT seconds in the unit of a C{Range}."""
    return session.presentation.created if wanted is not None and wanted.unit == "clock" else 0.0


def _headers(
    dialogue: Dialogue, session: RTSPSession, wanted: RangeSpec | None, start: float, end: float | None
) -> Headers:
    origin = _origin(session, wanted)
    headers = Headers([("Session", dialogue.sessionHeader(session))])
    unit = "npt" if wanted is None else wanted.unit
    headers.set("Range", formatRange(unit, start + origin, None if end is None else end + origin))
    return headers
