"""
SETUP: choosing a transport (RFC 2326 sections 10.4 and 12.39).
"""

from __future__ import annotations

from dataclasses import replace
from secrets import randbelow

from mediasrv.media.presentation import Presentation
from mediasrv.registry import TooManySessions
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.datagrams import DatagramTransport
from mediasrv.rtp.interleaved import InterleavedTransport
from mediasrv.rtp.rawstream import RawTransport
from mediasrv.rtp.sender import TrackSender, moveTo
from mediasrv.rtp.timeline import randomNumber
from mediasrv.rtsp import listening, rawstreams
from mediasrv.rtsp.demands import checkDemands
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import parseBlocksize
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.preferring import preferencesOf
from mediasrv.rtsp.properties import addProperties
from mediasrv.rtsp.redirecting import checkIsHere
from mediasrv.rtsp.replies import PUBLIC, RETRY_AFTER, Refused
from mediasrv.rtsp.session import RTSPSession, SessionTrack
from mediasrv.rtsp.transport import Pair, TransportSpec, parseTransports
from mediasrv.rtsp.urls import MediaURL, parseURI, splitTrack

#: profiles that are served: feedback (AVPF) may be sent to us and is not acted on
_PROFILES = ("AVP", "AVPF")


async def setUp(dialogue: Dialogue, request: Request) -> Response:
    """
    Adds a track to a session, or begins a session with it.

    @raise Refused: with what the RFC wants; a session that there was is what it was.
    """
    url, number = splitTrack(parseURI(request.uri))
    session = dialogue.sessionOf(request) if "Session" in request.headers else None
    specs = _offered(dialogue, request)
    if session is None:
        await checkIsHere(dialogue, url, number)
        presentation = await dialogue.presentation(url, preferencesOf(url, request.headers))
        if number is None:
            usable = [spec for spec in specs if not rawstreams.isMeant(spec) or _canCarry(dialogue, session, spec)]
            if len(usable) < len(specs) and len(presentation.tracks) > 1:
                raise Refused(461)  # nothing else can be meant by the URL of several tracks
            presentation = await rawstreams.choose(dialogue, url, presentation, usable)
    else:
        if session.segments != url.segments:
            raise Refused(459)
        presentation = session.presentation
    index = _trackIndex(presentation, number)
    _checkMatch(request, presentation)
    checkDemands(request.headers, presentation, [index, *(session.setUpTracks if session is not None else ())])
    plan = dialogue.onDemand.planFor(_blocksize(request))
    spec = _choose(dialogue, specs, session, presentation, plan)
    if session is not None and session.state == "playing" and _isBusy(session, index):
        raise Refused(455, ("Allow", "PLAY, PAUSE, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER"))
    began = session is None
    if session is None:
        session = _begin(dialogue, url, presentation, plan)
    try:
        if listening.isMeant(spec):
            chosen = listening.attach(dialogue, session, index, request.uri, spec, plan)
        else:
            chosen = _attach(dialogue, session, index, request.uri, spec)
    except BaseException:
        if began:
            session.end("no transport")
        raise
    headers = Headers([("Transport", chosen.format()), ("Session", dialogue.sessionHeader(session))])
    addProperties(headers, presentation, dialogue.rules)
    return Response(200, headers)


def _isBusy(session: RTSPSession, index: int) -> bool:
    """Whether the track of a playing session cannot be set up: it is heard, or many listen to what it would join."""
    return index in session.setUpTracks or session.broadcast is not None


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


def _offered(dialogue: Dialogue, request: Request) -> list[TransportSpec]:
    """The alternatives of the client, in its order of preference; in a tunnel all of them are interleaved (TUN-8)."""
    offered = request.headers.get("Transport")
    specs = [] if offered is None else parseTransports(offered)
    return [replace(spec, lower="TCP", unicast=True) for spec in specs] if dialogue.isTunnelled else specs


def _choose(
    dialogue: Dialogue,
    specs: list[TransportSpec],
    session: RTSPSession | None,
    presentation: Presentation,
    plan: BurstPlan,
) -> TransportSpec:
    """
    The first alternative that can be had (SET-3). IPTV boxes list transports first that few servers have (Q-12);
    GStreamer offers one at a time (Q-8); ffmpeg takes no other than it asked for (Q-1).
    """
    if specs and all(spec.mode == "RECORD" for spec in specs):
        raise Refused(405, ("Allow", PUBLIC))
    for spec in specs:
        if spec.mode == "RECORD" or not _carries(spec, presentation):
            continue
        if listening.isMeant(spec):
            if listening.canListen(dialogue, session, presentation, plan):
                return spec
        elif _canCarry(dialogue, session, spec):
            return spec
    raise Refused(461)


def _carries(spec: TransportSpec, presentation: Presentation) -> bool:
    """Whether an alternative is in the language that a presentation goes in: RTP, unless it is a raw stream."""
    if rawstreams.isRaw(presentation):
        return rawstreams.isMeant(spec) and not listening.isMeant(spec)
    return spec.protocol == "RTP" and spec.profile in _PROFILES


def _canCarry(dialogue: Dialogue, session: RTSPSession | None, spec: TransportSpec) -> bool:
    """Whether a track can be had for this client alone in the way that an alternative says."""
    if spec.unicast is False or (session is not None and session.broadcast is not None):
        return False
    return spec.lower == "TCP" or (spec.clientPort is not None and dialogue.datagrams() is not None)


def _begin(dialogue: Dialogue, url: MediaURL, presentation: Presentation, plan: BurstPlan) -> RTSPSession:
    onDemand, registry = dialogue.onDemand, dialogue.registry
    session = RTSPSession(registry.newId(), dialogue.peer, url.segments, presentation, plan, onDemand, registry)
    try:
        registry.add(session)
    except TooManySessions:
        raise Refused(503, ("Retry-After", RETRY_AFTER)) from None
    return session


def _attach(dialogue: Dialogue, session: RTSPSession, index: int, url: str, spec: TransportSpec) -> TransportSpec:
    """
    Makes the sender and its transport.

    @return: what the reply says of it.
    """
    pair = None if spec.lower == "TCP" else dialogue.datagrams()
    former = session.setUpTracks.get(index)
    ssrc = former.sender.ssrc if former is not None else randomNumber()
    transport: InterleavedTransport | DatagramTransport
    if pair is None:
        channels = _channels(dialogue, former, spec.interleaved, spec.rtcpMux)
        transport = InterleavedTransport(dialogue.conduit, channels)
        chosen = TransportSpec(
            profile=spec.profile,
            lower="TCP",
            unicast=True,
            interleaved=channels,
            ssrc=ssrc,
            rtcpMux=spec.rtcpMux,
        )
    else:
        assert spec.clientPort is not None
        if former is not None:
            former.close()  # its addresses may be the new one's
        isRaw = rawstreams.isMeant(spec)
        kind = RawTransport if isRaw else DatagramTransport
        transport = kind(pair, dialogue.peer, spec.clientPort, ssrc, dialogue.address)
        chosen = TransportSpec(
            protocol=spec.protocol,
            profile=spec.profile,
            unicast=True,
            # media go to nobody but who asks (SET-12); who asked for another address is told
            destination=dialogue.peer if spec.destination is not None else None,
            clientPort=spec.clientPort,
            serverPort=(pair.port, pair.port if spec.rtcpMux else pair.port + 1),
            ssrc=None if isRaw else ssrc,
            rtcpMux=spec.rtcpMux,
        )
    if former is not None:
        # the stream goes on where it was (RTP-4, RTP-8)
        sender = former.sender
        moveTo(sender, transport)
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


def _channels(dialogue: Dialogue, former: SessionTrack | None, wanted: Pair | None, isOne: bool) -> Pair:
    """
    The channels that the client wants if they are free, else those that its track has already, else others (SET-7).
    Larix wants 2 and 3 for its only track (Q-11), QuickTime does not say (Q-10).

    @param isOne: whether RTP and RTCP are to share one (RFC 5761).
    """
    own: tuple[int, ...] = ()
    if former is not None and isinstance(former.transport, InterleavedTransport):
        own = former.transport.channels
        if wanted is None and isOne == (own[0] == own[1]):
            wanted = own
    if wanted is not None and not any(dialogue.isChannelUsed(each) and each not in own for each in wanted):
        return wanted
    for first in range(0, 256, 2):
        if not dialogue.isChannelUsed(first) and not dialogue.isChannelUsed(first + 1):
            return first, first if isOne else first + 1
    raise Refused(461)
