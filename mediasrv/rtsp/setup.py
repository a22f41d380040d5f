"""
SETUP: choosing a transport (RFC 2326 sections 10.4 and 12.39).
"""

from __future__ import annotations

from dataclasses import replace
from secrets import randbelow
from typing import TYPE_CHECKING

from automat import NoTransition

from mediasrv.media.presentation import Presentation
from mediasrv.registry import TooManySessions
from mediasrv.rtp.datagrams import DatagramTransport
from mediasrv.rtp.interleaved import InterleavedTransport
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import randomNumber
from mediasrv.rtsp.headers import parseBlocksize
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.replies import PUBLIC, Refused
from mediasrv.rtsp.session import RTSPSession, SessionTrack
from mediasrv.rtsp.transport import Pair, TransportSpec, parseTransports
from mediasrv.rtsp.urls import MediaURL, parseURI, splitTrack

if TYPE_CHECKING:
    from mediasrv.rtsp.server import RTSPServer

#: profiles that are served: feedback (AVPF) may be sent to us and is not acted on
_PROFILES = ("AVP", "AVPF")

#: seconds after which a client that found no room may try again
_RETRY_AFTER = "30"


async def setUp(server: RTSPServer, request: Request) -> Response:
    """
    Adds a track to a session, or begins a session with it.

    @raise Refused: with what the RFC wants.
    """
    url, number = splitTrack(parseURI(request.uri))
    session = server.sessionOf(request) if "Session" in request.headers else None
    if session is None:
        presentation = await server.presentation(url)
    else:
        if session.segments != url.segments:
            raise Refused(459)
        presentation = session.presentation
    index = _trackIndex(presentation, number)
    _checkMatch(request, presentation)
    spec = _choose(server, request)
    if session is not None and session.state == "playing":
        raise Refused(455, ("Allow", "PLAY, PAUSE, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER"))
    began = session is None
    if session is None:
        session = _begin(server, request, url, presentation)
    try:
        chosen = _attach(server, session, index, request.uri, spec)
    except BaseException:
        if began:
            session.end("no transport")
        raise
    headers = Headers([("Transport", chosen.format()), ("Session", server.sessionHeader(session))])
    return Response(200, headers)


def _trackIndex(presentation: Presentation, number: int | None) -> int:
    """Which track a SETUP means (SET-9)."""
    if number is None:
        if len(presentation.tracks) > 1:
            raise Refused(459)
        return 0
    if number >= len(presentation.tracks):
        raise Refused(404)
    return number


def _checkMatch(request: Request, presentation: Presentation) -> None:
    """If-Match: the client wants what it has a description of, or nothing (SET-13)."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    if presentation.version.etag not in (tag.strip().strip('"') for tag in wanted.split(",")):
        raise Refused(412)


def _choose(server: RTSPServer, request: Request) -> TransportSpec:
    """The first alternative that can be had (SET-3)."""
    offered = request.headers.get("Transport")
    if offered is None:
        raise Refused(461)
    specs = parseTransports(offered)
    if specs and all(spec.mode == "RECORD" for spec in specs):
        raise Refused(405, ("Allow", PUBLIC))
    for spec in specs:
        if spec.protocol != "RTP" or spec.profile not in _PROFILES or spec.unicast is False or spec.mode == "RECORD":
            continue
        if spec.lower == "TCP" or (spec.lower == "UDP" and spec.clientPort is not None and server.hasDatagrams()):
            return spec
    raise Refused(461)


def _begin(server: RTSPServer, request: Request, url: MediaURL, presentation: Presentation) -> RTSPSession:
    blocksize = request.headers.get("Blocksize")
    site = server.site
    plan = site.onDemand.planFor(None if blocksize is None else parseBlocksize(blocksize))
    session = RTSPSession(
        site.registry.newId(), server.peer, url.segments, presentation, plan, site.onDemand, site.registry
    )
    try:
        site.registry.add(session)
    except TooManySessions:
        raise Refused(503, ("Retry-After", _RETRY_AFTER)) from None
    return session


def _attach(server: RTSPServer, session: RTSPSession, index: int, url: str, spec: TransportSpec) -> TransportSpec:
    """
    Makes the sender and its transport.

    @return: what the reply says of it.
    """
    former = session.setUpTracks.get(index)
    ssrc = former.sender.ssrc if former is not None else randomNumber()
    transport: InterleavedTransport | DatagramTransport
    if spec.lower == "TCP":
        channels = _channels(server, session, index, spec.interleaved)
        transport = InterleavedTransport(server.conduit, channels)
        chosen = TransportSpec(profile=spec.profile, lower="TCP", unicast=True, interleaved=channels, ssrc=ssrc)
    else:
        assert spec.clientPort is not None
        pair = server.datagrams()
        if former is not None:
            former.close()  # its addresses may be the new one's
        transport = DatagramTransport(pair, server.peer, spec.clientPort, ssrc)
        chosen = TransportSpec(
            profile=spec.profile,
            unicast=True,
            # media go to nobody but who asks (SET-12); who asked for another address is told
            destination=server.peer if spec.destination is not None else None,
            clientPort=spec.clientPort,
            serverPort=(pair.port, pair.port + 1),
            ssrc=ssrc,
        )
    site = server.site
    if former is not None:
        # the stream goes on where it was (RTP-4, RTP-8)
        sender = former.sender
        sender.transport = transport
    else:
        timeline = session.clock.timeline(site.onDemand.formatsOf(session.presentation)[index].clockRate)
        payloadType = site.onDemand.payloadType(session.presentation, index)
        sender = TrackSender(payloadType, ssrc, randbelow(1 << 16), timeline, transport)
    track = SessionTrack(url, sender, transport, replace(chosen, ssrc=None).format())
    if isinstance(transport, DatagramTransport):
        transport.listen(lambda data: session.controlFrom(track, data))
    try:
        session.addTrack(index, track, server if spec.lower == "TCP" else None)
    except NoTransition:
        track.close()
        raise Refused(455) from None
    return chosen


def _channels(server: RTSPServer, session: RTSPSession, index: int, wanted: Pair | None) -> Pair:
    """The channels that the client wants if they are free, else others (SET-7)."""
    former = session.setUpTracks.get(index)
    own = former.transport.channels if former is not None and isinstance(former.transport, InterleavedTransport) else ()
    if wanted is not None and not any(server.isChannelUsed(each) and each not in own for each in wanted):
        return wanted
    for first in range(0, 256, 2):
        if not server.isChannelUsed(first) and not server.isChannelUsed(first + 1):
            return first, first + 1
    raise Refused(461)
