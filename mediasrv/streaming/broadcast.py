"""
A broadcast: one player for all who listen to a presentation over multicast, so that many cost what one does.

Each listener sets tracks up, plays and pauses as if he were alone; what he hears is the same as what all the others
hear. Who plays first chooses the place, who plays later joins where it is. Only the last one who stops to listen stops
the player, and only when nobody is left the receivers are told that nothing more will come: over multicast BYE is for
all of them (RFC 3550 section 6.3.7).

While at most one listener plays there is nothing to be shared: then the player is his, to seek and to pause as any
other. That is why this class has no methods to play; listeners use L{Broadcast.player}.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import randbelow, token_hex
from typing import Protocol

from twisted.internet.defer import DeferredLock

from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.interleaved import NoOutlet
from mediasrv.rtp.multicast import Group, Multicast, MulticastTransport, NoGroupFree
from mediasrv.rtp.reports import senderReport
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import randomNumber
from mediasrv.streaming.ondemand import OnDemand

#: seconds between sender reports for listeners who have just come
_REPORT_AGAIN = 1.0


class Listener(Protocol):
    """A session that listens to a broadcast."""

    @property
    def peer(self) -> str:
        """The address of its client, without port."""

    @property
    def state(self) -> str:
        """C{"playing"} while it listens."""

    def rangeEnded(self) -> None:
        """What was played has ended: it is paused."""

    def playerFailed(self) -> None:
        """Something went wrong inside; nothing more is sent."""

    def controlHeard(self, track: int, data: bytes) -> None:
        """Its client said something to the group of a track."""


@dataclass(slots=True)
class _Place:
    """
    What a broadcast knows of one listener.

    @ivar tracks: indexes of those that it set up.
    @ivar point: NPT seconds where it goes on if it is the first to play again.
    """

    tracks: set[int] = field(default_factory=set)
    point: float = 0.0


class Seat:
    """
    One listener's use of one track.

    @ivar sender: the track's, shared by all listeners.
    @ivar group: where to listen.
    """

    __slots__ = ("_broadcast", "_index", "_listener", "group", "sender")

    def __init__(self, broadcast: Broadcast, listener: Listener, index: int, sender: TrackSender, group: Group) -> None:
        self._broadcast = broadcast
        self._listener = listener
        self._index = index
        self.sender = sender
        self.group = group

    def close(self) -> None:
        """Does not want the track any more."""
        self._broadcast.giveUp(self._listener, self._index)


class Broadcast:
    """
    @ivar player: shared; its senders are there for all tracks, set up or not.
    @ivar turn: whoever begins to play holds it, for that takes time and is to happen once.
    """

    def __init__(
        self,
        presentation: Presentation,
        plan: BurstPlan,
        onDemand: OnDemand,
        multicast: Multicast,
        emptied: Callable[[], None],
    ) -> None:
        """
        Takes a group for each track of the presentation: a client that had one of two would be worse off than one that
        had to do without multicast.

        @param emptied: called when the last listener has left.
        @raise NoGroupFree: if there are not that many.
        """
        formats = onDemand.formatsOf(presentation)
        if multicast.free < len(formats):
            raise NoGroupFree(f"{len(formats)} multicast groups are needed, {multicast.free} are free")
        self.turn = DeferredLock()
        self._clock = onDemand.clock()
        self._cname = token_hex(12)
        self._now = onDemand.pacer.now
        self._emptied = emptied
        self._places: dict[Listener, _Place] = {}
        self._reportedAt = self._now()
        self.player = onDemand.player(presentation, plan, self._clock, self._cname, NoOutlet(), self)
        self._tracks: list[tuple[TrackSender, MulticastTransport]] = []
        for index, payloadFormat in enumerate(formats):
            ssrc = randomNumber()
            transport = multicast.transport(ssrc, self._hearing(index))
            timeline = self._clock.timeline(payloadFormat.clockRate)
            payloadType = onDemand.payloadType(presentation, index)
            sender = TrackSender(payloadType, ssrc, randbelow(1 << 16), timeline, transport)
            self._tracks.append((sender, transport))
            self.player.senders[index] = sender

    # Who listens

    def takeSeat(self, listener: Listener, index: int) -> Seat:
        """A listener sets a track up."""
        sender, transport = self._tracks[index]
        self._places.setdefault(listener, _Place()).tracks.add(index)
        transport.wanted = True
        return Seat(self, listener, index, sender, transport.group)

    def giveUp(self, listener: Listener, index: int) -> None:
        """A listener does not want a track any more; without any left it has left altogether."""
        place = self._places.get(listener)
        if place is None:
            return
        place.tracks.discard(index)
        if not place.tracks:
            self.leave(listener)
        else:
            self._wantTracks()

    def leave(self, listener: Listener) -> None:
        """A listener is gone."""
        if self._places.pop(listener, None) is None:
            return
        if not self._places:
            self._close()
            return
        self._wantTracks()
        if not self._listening():
            self._halt()

    def _wantTracks(self) -> None:
        for index, (_, transport) in enumerate(self._tracks):
            transport.wanted = any(index in place.tracks for place in self._places.values())

    def _close(self) -> None:
        """Stops, says so to all who may still listen, and gives the groups back."""
        self.player.pause()
        for sender, transport in self._tracks:
            transport.wanted = transport.wanted or sender.packets > 0
        self.player.sayGoodbye()
        self.player.release()
        for _, transport in self._tracks:
            transport.close()
        self._emptied()

    def _listening(self) -> list[Listener]:
        return [listener for listener in self._places if listener.state == "playing"]

    def isHeardByOthers(self, listener: Listener) -> bool:
        """Whether somebody else is listening now."""
        return any(each is not listener for each in self._listening())

    # Where everybody is

    def positionOf(self, listener: Listener) -> float:
        """The NPT, seconds, that a listener hears, or where it would go on."""
        place = self._places.get(listener)
        return self.player.position if place is None or listener.state == "playing" else place.point

    def remember(self, listener: Listener) -> None:
        """A listener has paused, or is about to while others go on: here is where it goes on later."""
        self._places[listener].point = self.player.position

    def prepareFor(self, listener: Listener) -> None:
        """Nobody listens, and somebody is about to: he goes on where he was, not where another one stopped."""
        point = self._places[listener].point
        if not self.player.isPlaying and self.player.position != point:
            self.player.pause(point)

    def join(self, listener: Listener) -> tuple[float, dict[int, tuple[int, int]]]:
        """
        A listener comes to what others are listening to. The receivers get a sender report, for the next one in its
        turn is some seconds away.

        @return: the NPT of now, and for each of its tracks the sequence number of the next packet and the RTP time of
            that position.
        """
        position, now = self.player.position, self._now()
        if now - self._reportedAt >= _REPORT_AGAIN:
            self._reportedAt = now
            for sender, transport in self._tracks:
                transport.sendControl(senderReport(sender, self._clock, now, self._cname))
        infos = {}
        for index in sorted(self._places[listener].tracks):
            sender = self._tracks[index][0]
            infos[index] = (sender.sequence, sender.rtpTimeAt(position))
        return position, infos

    # What the player says

    def rangeEnded(self) -> None:
        self._tellEnd()

    def mediaEnded(self) -> None:
        # Players wait for it to know that this is the end.
        self.player.sayGoodbye()
        self._tellEnd()

    def playerFailed(self) -> None:
        for listener in list(self._places):
            listener.playerFailed()

    def _halt(self) -> None:
        if self.player.isPlaying:
            self.player.pause()

    def _tellEnd(self) -> None:
        for listener in self._listening():
            self._places[listener].point = self.player.position
            listener.rangeEnded()

    # What listeners say

    def _hearing(self, index: int) -> Callable[[bytes, str], None]:
        return lambda data, host: self._heard(index, data, host)

    def _heard(self, index: int, data: bytes, host: str) -> None:
        """
        RTCP came to the group of a track. It is taken for a listener's if there is just one on that host; our own
        reports come back as well where it is this one.
        """
        if int.from_bytes(data[4:8], "big") == self._tracks[index][0].ssrc:
            return
        there = [each for each, place in self._places.items() if each.peer == host and index in place.tracks]
        if len(there) == 1:
            there[0].controlHeard(index, data)
