"""
One RTSP session: a client's use of one presentation (RFC 2326 section 3.4), whatever connection its requests come on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol

from automat import NoTransition
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import Presentation, PresentationChanged
from mediasrv.registry import Registry
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.datagrams import DatagramTransport
from mediasrv.rtp.interleaved import InterleavedTransport, NoOutlet, Outlet
from mediasrv.rtp.rawstream import RawTransport
from mediasrv.rtp.reports import ReceptionQuality
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import SessionClock
from mediasrv.rtsp.asking import NotAnswered, redirection
from mediasrv.rtsp.headers import RTPInfo
from mediasrv.rtsp.messages import Request, Response
from mediasrv.rtsp.playqueue import Dropped, PlayQueue
from mediasrv.rtsp.states import StateName, newStates
from mediasrv.rtsp.urls import parseURI, splitTrack
from mediasrv.streaming.broadcast import Broadcast, Seat
from mediasrv.streaming.cues import NothingToPlay
from mediasrv.streaming.ondemand import OnDemand
from mediasrv.streaming.player import Player


class Carrier(Protocol):
    """
    A connection to a session's client. It may carry the session's interleaved data.
    """

    @property
    def outlet(self) -> Outlet:
        """What its tracks are sent through."""

    def adopt(self, session: RTSPSession) -> None:
        """It ends with this connection from now on."""

    def release(self, session: RTSPSession) -> None:
        """It is gone."""

    def ask(self, request: Request) -> Deferred[Response]:
        """As L{mediasrv.rtsp.asking.Questions.ask}."""


@dataclass(slots=True)
class SessionTrack:
    """
    One track that was set up.

    @ivar url: the Request-URI of its SETUP, to the letter.
    @ivar description: of its transport, as the reply to SETUP said it.
    """

    url: str
    sender: TrackSender
    transport: DatagramTransport | InterleavedTransport | Seat
    description: str
    quality: ReceptionQuality = field(default_factory=ReceptionQuality)

    def close(self) -> None:
        """Gives back what the transport holds."""
        if not isinstance(self.transport, InterleavedTransport):
            self.transport.close()


class RTSPSession:
    """
    @ivar segments: the path of the presentation.
    @ivar carrier: the connection with its interleaved tracks; None while all of them go over UDP.
    @ivar caller: the connection on which its client last named it; None if that is gone.
    @ivar broadcast: whose tracks it has, all of them over multicast; None if they are its own.
    @ivar lastSeen: monotonic seconds when the client last showed that it lives.
    @ivar setUpTracks: by index of the track.
    @ivar queue: the PLAYs that wait for their turn.
    """

    _log = Logger()
    door = "rtsp"

    def __init__(
        self,
        id: str,
        peer: str,
        segments: tuple[str, ...],
        presentation: Presentation,
        plan: BurstPlan,
        onDemand: OnDemand,
        registry: Registry,
    ) -> None:
        self.id = id
        self.peer = peer
        self.segments = segments
        self.presentation = presentation
        self.carrier: Carrier | None = None
        self.caller: Carrier | None = None
        self.broadcast: Broadcast | None = None
        self.setUpTracks: dict[int, SessionTrack] = {}
        self.endReason = ""
        self._registry = registry
        self._seconds: Callable[[], float] = onDemand.pacer.now
        self.clock: SessionClock = onDemand.clock()
        self.startedAt = self.clock.unixOrigin
        self.lastSeen = self._seconds()
        self._name = StateName()
        self.states = newStates(self._name)
        # One CNAME for all tracks (RTCP-1), with nobody's name in it (RFC 7022 section 4.2). Nor the session's: whoever
        # knows that may steer it.
        self.player: Player = onDemand.player(presentation, plan, self.clock, token_hex(12), NoOutlet(), self)
        self.queue = PlayQueue(self.player)

    # What the registry shows

    @property
    def path(self) -> str:
        return "/".join(self.segments)

    @property
    def title(self) -> str:
        return self.presentation.title

    @property
    def tracks(self) -> list[str]:
        known = self.presentation.tracks
        return [f"{known[index].kind} {known[index].codec}" for index in sorted(self.setUpTracks)]

    @property
    def transport(self) -> str:
        return ", ".join(track.description for track in self.setUpTracks.values())

    @property
    def state(self) -> str:
        return self._name.state

    @property
    def packetsSent(self) -> int:
        return sum(track.sender.packets for track in self.setUpTracks.values())

    @property
    def octetsSent(self) -> int:
        return sum(track.sender.octets for track in self.setUpTracks.values())

    @property
    def fractionLost(self) -> float:
        return max((track.quality.fractionLost for track in self.setUpTracks.values()), default=0.0)

    @property
    def packetsLost(self) -> int:
        return sum(track.quality.packetsLost for track in self.setUpTracks.values())

    @property
    def jitter(self) -> float:
        return max((track.quality.jitter for track in self.setUpTracks.values()), default=0.0)

    @property
    def duration(self) -> float | None:
        return self.presentation.duration

    def position(self) -> float:
        return self.player.position if self.broadcast is None else self.broadcast.positionOf(self)

    # Tracks

    def addTrack(self, index: int, track: SessionTrack, carrier: Carrier | None) -> None:
        """
        Takes what SETUP made; replaces the track's former transport (SET-10).

        In a session that has played it is silent until a PLAY takes it in.

        @raise automat.NoTransition: if the session has ended.
        """
        self.states.setUp()
        former = self.setUpTracks.pop(index, None)
        if former is not None and former.transport is not track.transport:
            former.close()
        self.setUpTracks[index] = track
        if self.state == "ready" or self.broadcast is not None:
            self.player.senders[index] = track.sender
        if carrier is not None:
            self._carriedBy(carrier)
        elif not any(isinstance(each.transport, InterleavedTransport) for each in self.setUpTracks.values()):
            self._carriedBy(None)
        self._registry.changed(self)

    def listenTo(self, broadcast: Broadcast) -> None:
        """Its tracks, of which there are none yet, are those of a broadcast, and so is the player from now on."""
        self.broadcast = broadcast
        self.player = broadcast.player
        self.queue = PlayQueue(self.player)

    def _carriedBy(self, carrier: Carrier | None) -> None:
        if self.carrier is carrier:
            return
        if self.carrier is not None:
            self.carrier.release(self)
        self.carrier = carrier
        self.player.outlet = carrier.outlet if carrier is not None else NoOutlet()
        if carrier is not None:
            carrier.adopt(self)
        if not self.player.outlet.blocked:
            self.player.unblocked()  # it may have waited for the other one

    def dropTrack(self, index: int) -> None:
        """Takes a track out (TDN-1): its client is told that nothing more will come, the others play on."""
        if self.broadcast is None:
            self.mute(index)
        track = self.setUpTracks.pop(index)
        if self.broadcast is None:
            # over multicast others may go on to listen to it
            self.player.senders[index] = None
            self.player.sayGoodbye([track.sender])
        track.close()
        if not any(isinstance(each.transport, InterleavedTransport) for each in self.setUpTracks.values()):
            self._carriedBy(None)
        if not self.setUpTracks:
            self.end("TEARDOWN")
        self.changed()

    def choose(self, tracks: Iterable[int]) -> None:
        """Says which of the tracks that are set up the next PLAY is about."""
        chosen = set(tracks)
        for index, track in self.setUpTracks.items():
            self.player.senders[index] = track.sender if index in chosen else None

    def isActive(self, track: int) -> bool:
        """Whether a track is sent while the session plays."""
        return self.player.senders[track] is not None

    def isOnly(self, track: int) -> bool:
        """Whether nothing of another track is sent while the session plays."""
        others = (each for each in self.setUpTracks if each != track)
        return not any(self.isActive(each) and self.player.course.shows(each) for each in others)

    def mute(self, track: int) -> None:
        """Sends nothing more of a track; with the last one the session pauses."""
        if self.state == "playing" and self.isOnly(track):
            self.states.pause()
            self.queue.clear()
            self.player.pause()
        else:
            self.player.leave(track)
        self.changed()

    def isChannelUsed(self, channel: int) -> bool:
        """Whether one of its tracks has an interleaved channel."""
        return self.trackOn(channel) is not None

    def trackOn(self, channel: int) -> SessionTrack | None:
        """The track that has an interleaved channel, for RTP or for RTCP."""
        for track in self.setUpTracks.values():
            if isinstance(track.transport, InterleavedTransport) and channel in track.transport.channels:
                return track
        return None

    def rtpInfo(self, begins: Mapping[int, tuple[int | None, int]]) -> list[RTPInfo]:
        """
        What RTP-Info says of the tracks that are set up, less those that have no RTP.

        @param begins: by index the sequence number of a track's next packet and the RTP time of the position; over
            multicast also of tracks that others have set up.
        """
        tracks = [(self.setUpTracks[index], begin) for index, begin in begins.items() if index in self.setUpTracks]
        return [RTPInfo(track.url, *begin) for track, begin in tracks if not isinstance(track.transport, RawTransport)]

    # What the client says

    def alive(self) -> None:
        """The client showed that it lives."""
        self.lastSeen = self._seconds()

    def controlFrom(self, track: SessionTrack, data: bytes) -> None:
        """RTCP came on the channel of a track."""
        track.quality.update(data, track.sender, self.alive)

    def controlHeard(self, track: int, data: bytes) -> None:
        """RTCP came to the multicast group of a track."""
        if track in self.setUpTracks:
            self.controlFrom(self.setUpTracks[track], data)

    def changed(self) -> None:
        """Tells the registry's observers that the state is another."""
        self._registry.changed(self)

    # What the player says

    def rangeEnded(self) -> None:
        if self.queue:
            self._playNext()
        else:
            self.states.reachEnd()
            self.changed()

    def mediaEnded(self) -> None:
        if self.queue:
            self._playNext()
        else:
            self._atEnd()

    def _atEnd(self) -> None:
        # ffmpeg waits for it on every track, to know that this is the end.
        self.player.sayGoodbye(track.sender for track in self.setUpTracks.values())
        self.states.reachEnd()
        self.changed()

    def _playNext(self) -> None:
        """Goes on with the PLAY whose turn it is: where the one before it ended, on the wall clock."""
        anchor = self.player.presentedAt(self.player.position)
        Deferred.fromCoroutine(self._begin(anchor)).addErrback(self._notBegun)

    async def _begin(self, anchor: float) -> None:
        play, cue = await self.queue.next()
        if self.state == "playing" and not self.player.isPlaying:
            self.queue.closed = play.closed
            self.player.start(cue, play.stop, speed=play.speed, anchor=anchor)
            self.player.run()
            self.changed()

    def _notBegun(self, failure: Failure) -> None:
        """What was to come next was dropped by a PAUSE, or is not there any more: the file is damaged, or gone."""
        if not failure.check(Dropped, NothingToPlay, PresentationChanged, NotMedia, OSError):
            self._log.failure("a PLAY that waited could not begin", failure)
        if self.state != "playing" or self.player.isPlaying:
            return
        if failure.check(Dropped):
            self.rangeEnded()
        else:
            self.queue.clear()
            self._atEnd()

    def playerFailed(self) -> None:
        self.end("internal error")

    # The end

    def redirect(self, location: str, at: float | None = None) -> None:
        """
        Tells the client by a REDIRECT (section 10.10), if it has a connection, to go on elsewhere. Who can do that
        sends TEARDOWN and leaves. An answer of 2xx ends nothing here, unlike in RTSP 2.0: GStreamer gives it and stays.

        @param at: when it takes effect, seconds since 1970; None for at once.
        """
        track = next(iter(self.setUpTracks.values()), None)
        if self.caller is None or track is None:
            return
        uri = splitTrack(parseURI(track.url))[0].literal
        asked = self.caller.ask(redirection(uri, self.id, location, at))
        asked.addCallbacks(self._redirected, self._notRedirected)

    def _redirected(self, response: Response) -> None:
        self.alive()  # whatever it says, and though it may not say of which session
        self._log.debug("{peer} answers REDIRECT with {code}", peer=self.peer, code=response.code)

    def _notRedirected(self, failure: Failure) -> None:
        failure.trap(NotAnswered)
        self._log.debug("{peer} was not redirected: {reason}", peer=self.peer, reason=failure.value)

    def end(self, reason: str) -> None:
        """Ends it; more than once is no error, and only the first reason counts."""
        try:
            self.states.tearDown()
        except NoTransition:
            return
        self.endReason = reason
        self.queue.clear()
        try:
            self._leavePlayer()
        finally:
            for track in self.setUpTracks.values():
                track.close()
            self._carriedBy(None)
            self.caller = None
            self._registry.remove(self)

    def _leavePlayer(self) -> None:
        """Plays no more. Whoever still knows the session, such as its connection, holds no media by it."""
        if self.broadcast is not None:
            self.broadcast.leave(self)
            return
        try:
            self.player.pause()
            self.player.sayGoodbye(track.sender for track in self.setUpTracks.values())
        finally:
            self.player.release()
