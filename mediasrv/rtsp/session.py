"""
One RTSP session: a client's use of one presentation (RFC 2326 section 3.4), whatever connection its requests come on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol

from automat import NoTransition

from mediasrv.media.presentation import Presentation
from mediasrv.registry import Registry
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.datagrams import DatagramTransport
from mediasrv.rtp.interleaved import InterleavedTransport, Outlet
from mediasrv.rtp.reports import ReceptionQuality
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import SessionClock
from mediasrv.rtsp.states import StateName, newStates
from mediasrv.streaming.ondemand import OnDemand
from mediasrv.streaming.player import Player


class Carrier(Protocol):
    """
    The connection that carries a session's interleaved data.
    """

    @property
    def outlet(self) -> Outlet:
        """What its tracks are sent through."""

    def adopt(self, session: RTSPSession) -> None:
        """It ends with this connection from now on."""

    def release(self, session: RTSPSession) -> None:
        """It is gone."""


class NoOutlet:
    """The outlet of a session over UDP: every burst leaves by itself."""

    blocked = False

    def flush(self) -> None:
        """There is nothing to send."""


@dataclass(slots=True)
class SessionTrack:
    """
    One track that was set up.

    @ivar url: the Request-URI of its SETUP, to the letter.
    @ivar description: of its transport, as the reply to SETUP said it.
    """

    url: str
    sender: TrackSender
    transport: DatagramTransport | InterleavedTransport
    description: str
    quality: ReceptionQuality = field(default_factory=ReceptionQuality)

    def close(self) -> None:
        """Gives back what the transport holds."""
        if isinstance(self.transport, DatagramTransport):
            self.transport.close()


class RTSPSession:
    """
    @ivar segments: the path of the presentation.
    @ivar carrier: the connection with its interleaved tracks; None while all of them go over UDP.
    @ivar lastSeen: monotonic seconds when the client last showed that it lives.
    @ivar setUpTracks: by index of the track.
    """

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

    def position(self) -> float:
        return self.player.position

    # Tracks

    def addTrack(self, index: int, track: SessionTrack, carrier: Carrier | None) -> None:
        """
        Takes what SETUP made; replaces the track's former transport (SET-10).

        @raise automat.NoTransition: while playing.
        """
        self.states.setUp()
        former = self.setUpTracks.pop(index, None)
        if former is not None:
            former.close()
        self.setUpTracks[index] = track
        self.player.senders[index] = track.sender
        if carrier is not None:
            self._carriedBy(carrier)
        elif not any(isinstance(each.transport, InterleavedTransport) for each in self.setUpTracks.values()):
            self._carriedBy(None)
        self._registry.changed(self)

    def _carriedBy(self, carrier: Carrier | None) -> None:
        if self.carrier is carrier:
            return
        if self.carrier is not None:
            self.carrier.release(self)
        self.carrier = carrier
        self.player.outlet = carrier.outlet if carrier is not None else NoOutlet()
        if carrier is not None:
            carrier.adopt(self)

    def isChannelUsed(self, channel: int) -> bool:
        """Whether one of its tracks has an interleaved channel."""
        return self.trackOn(channel) is not None

    def trackOn(self, channel: int) -> SessionTrack | None:
        """The track that has an interleaved channel, for RTP or for RTCP."""
        for track in self.setUpTracks.values():
            if isinstance(track.transport, InterleavedTransport) and channel in track.transport.channels:
                return track
        return None

    # What the client says

    def alive(self) -> None:
        """The client showed that it lives."""
        self.lastSeen = self._seconds()

    def controlFrom(self, track: SessionTrack, data: bytes) -> None:
        """RTCP came on the channel of a track."""
        track.quality.update(data, track.sender, self.alive)

    def changed(self) -> None:
        """Tells the registry's observers that the state is another."""
        self._registry.changed(self)

    # What the player says

    def rangeEnded(self) -> None:
        self.states.reachEnd()
        self.changed()

    def mediaEnded(self) -> None:
        # ffmpeg waits for it on every track, to know that this is the end.
        self.player.sayGoodbye()
        self.states.reachEnd()
        self.changed()

    def playerFailed(self) -> None:
        self.end("internal error")

    # The end

    def end(self, reason: str) -> None:
        """Ends it; more than once is no error, and only the first reason counts."""
        try:
            self.states.tearDown()
        except NoTransition:
            return
        self.endReason = reason
        try:
            self.player.pause()
            self.player.sayGoodbye()
        finally:
            for track in self.setUpTracks.values():
                track.close()
            self._carriedBy(None)
            self._registry.remove(self)
            # whoever still knows the session, such as its connection, holds no media by it
            self.player.release()
