"""
SETUP: choosing a transport (RFC 2326 sections 10.4 and 12.39).
"""

from __future__ import annotations

from dataclasses import replace
from secrets import randbelow

from mediasrv.media.presentation import Presentation
from mediasrv.registry import TooManySessions
from mediasrv.rtp.datagrams import DatagramPair, DatagramTransport
from mediasrv.rtp.interleaved import InterleavedTransport
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import randomNumber
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import parseBlocksize
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.replies import PUBLIC, Refused
from mediasrv.rtsp.session import RTSPSession, SessionTrack
from mediasrv.rtsp.transport import Pair, TransportSpec, parseTransports
from mediasrv.rtsp.urls import MediaURL, parseURI, splitTrack

#: profiles that are served: feedback (AVPF) may be sent to us and is not acted on
_PROFILES = ("AVP", "AVPF")

#: seconds after which a client that found no room may try again
_RETRY_AFTER = "30"


async def setUp(dialogue: Dialogue, request: Request) -> Response:
    """
    Adds a track to a session, or begins a session with it.

    @raise Refused: with what the RFC wants; a session that there was is what it was.
    """
    url, number = splitTrack(parseURI(request.uri))
    session = dialogue.sessionOf(request) if "Session" in request.headers else None
    if session is None:
        presentation = await dialogue.presentation(url)
    else:
        if session.segments != url.segments:
            raise Refused(459)
        presentation = session.presentation
    index = _trackIndex(presentation, number)
    _checkMatch(request, presentation)
    blocksize = _blocksize(request)
    spec, pair = _choose(dialogue, request)
    if session is not None and session.state == "playing":
        raise Refused(455, ("Allow", "PLAY, PAUSE, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER"))
    began = session is None
    if session is None:
        session = _begin(dialogue, url, presentation, blocksize)
    try:
        chosen = _attach(dialogue, session, index, request.uri, spec, pair)
    except BaseException:
        if began:
            session.end("no transport")
        raise
    return Response(200, Headers([("Transport", chosen.format()), ("Session", dialogue.sessionHeader(session))]))


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


def _blocksize(request: Request) -> int | None:
    """The largest payload that the client wants, bytes (SET-14). The SETUP that begins a session decides for it."""
    value = request.headers.get("Blocksize")
    return None if value is None else parseBlocksize(value)


def _choose(dialogue: Dialogue, request: Request) -> tuple[TransportSpec, DatagramPair | None]:
    """
    The first alternative that can be had (SET-3), with the UDP ports if it needs them. IPTV boxes list transports first
    that few servers have (Q-12); GStreamer offers one at a time (Q-8); ffmpeg takes no other than it asked for (Q-1).
    """
    offered = request.headers.get("Transport")
    if offered is None:
        raise Refused(461)
    specs = parseTransports(offered)
    if specs and all(spec.mode == "RECORD" for spec in specs):
        raise Refused(405, ("Allow", PUBLIC))
    for spec in specs:
        if spec.protocol != "RTP" or spec.profile not in _PROFILES or spec.unicast is False or spec.mode == "RECORD":
            continue
        if spec.lower == "TCP":
            return spec, None
        if spec.clientPort is not None and (pair := dialogue.datagrams()) is not None:
            return spec, pair
    raise Refused(461)


def _begin(dialogue: Dialogue, url: MediaURL, presentation: Presentation, blocksize: int | None) -> RTSPSession:
    onDemand, registry = dialogue.onDemand, dialogue.registry
    plan = onDemand.planFor(blocksize)
    session = RTSPSession(registry.newId(), dialogue.peer, url.segments, presentation, plan, onDemand, registry)
    try:
        registry.add(session)
    except TooManySessions:
        raise Refused(503, ("Retry-After", _RETRY_AFTER)) from None
    return session


def _attach(
    dialogue: Dialogue, session: RTSPSession, index: int, url: str, spec: TransportSpec, pair: DatagramPair | None
) -> TransportSpec:
    """
    Makes the sender and its transport.

    @return: what the reply says of it.
    """
    former = session.setUpTracks.get(index)
    ssrc = former.sender.ssrc if former is not None else randomNumber()
    transport: InterleavedTransport | DatagramTransport
    if pair is None:
        channels = _channels(dialogue, former, spec.interleaved)
        transport = InterleavedTransport(dialogue.conduit, channels)
        chosen = TransportSpec(profile=spec.profile, lower="TCP", unicast=True, interleaved=channels, ssrc=ssrc)
    else:
        assert spec.clientPort is not None
        if former is not None:
            former.close()  # its addresses may be the new one's
        transport = DatagramTransport(pair, dialogue.peer, spec.clientPort, ssrc, dialogue.address)
        chosen = TransportSpec(
            profile=spec.profile,
            unicast=True,
            # media go to nobody but who asks (SET-12); who asked for another address is told
            destination=dialogue.peer if spec.destination is not None else None,
            clientPort=spec.clientPort,
            serverPort=(pair.port, pair.port + 1),
            ssrc=ssrc,
        )
    if former is not None:
        # the stream goes on where it was (RTP-4, RTP-8)
        sender = former.sender
        sender.transport = transport
    else:
        onDemand = dialogue.onDemand
        timeline = session.clock.timeline(onDemand.formatsOf(session.presentation)[index].clockRate)
        payloadType = onDemand.payloadType(session.presentation, index)
        sender = TrackSender(payloadType, ssrc, randbelow(1 << 16), timeline, transport)
    track = SessionTrack(url, sender, transport, replace(chosen, ssrc=None).format())
    if isinstance(transport, DatagramTransport):
        transport.listen(lambda data: session.controlFrom(track, data))
    session.addTrack(index, track, dialogue if pair is None else None)
    return chosen


def _channels(dialogue: Dialogue, former: SessionTrack | None, wanted: Pair | None) -> Pair:
    """
    The channels that the client wants if they are free, else those that its track has already, else others (SET-7).
    Larix wants 2 and 3 for its only track (Q-11), QuickTime does not say (Q-10).
    """
    own: tuple[int, ...] = ()
    if former is not None and isinstance(former.transport, InterleavedTransport):
        own = former.transport.channels
        wanted = wanted or former.transport.channels
    if wanted is not None and not any(dialogue.isChannelUsed(each) and each not in own for each in wanted):
        return wanted
    for first in range(0, 256, 2):
        if not dialogue.isChannelUsed(first) and not dialogue.isChannelUsed(first + 1):
            return first, first + 1
    raise Refused(461)
