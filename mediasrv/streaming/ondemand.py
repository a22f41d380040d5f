"""
On-demand streaming without a protocol: what every door needs to describe a presentation and to play it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred

from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation
from mediasrv.media.tracks import Track
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.interleaved import Outlet
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat
from mediasrv.rtp.payloads.jpeg import JPEGFormat
from mediasrv.rtp.payloads.registry import formatFor
from mediasrv.rtp.sdp import TrackDescription, describe, payloadTypes
from mediasrv.rtp.timeline import SessionClock
from mediasrv.streaming.loader import FragmentLoader
from mediasrv.streaming.pacer import Pacer
from mediasrv.streaming.player import Player, PlayerListener

#: payload sizes that clients ask for are cut down to a multiple of this, so that they share what is made for one
_SIZE_STEP = 64

#: the smallest payload that they get: not all formats can do with less, for MPEG video has headers of 261 bytes, a JPEG
#: has its tables and TS packets have 188 bytes; and somebody has to send all those packets
_SMALLEST = 320


def carriesTrack(track: Track, sample: bytes | None) -> bool:
    """Whether RTP has a payload format for a track as it is; with a unit, whether the format carries this too."""
    try:
        found = formatFor(track)
        if sample is not None and isinstance(found, JPEGFormat):
            found.check(sample)
    except PayloadError:
        return False
    return True


def continuesTrack(first: Track, other: Track) -> bool:
    """
    Whether a track may go on as another one in the same RTP stream: the description has the parameters of the first,
    so those of the other have to be the same, or come with its units.
    """
    try:
        begun, going = formatFor(first), formatFor(other)
    except PayloadError:
        return False

    return begun.presumed() == going.presumed()


class OnDemand:
    """
    The library as RTP presents it.

    @ivar pacer: drives all players.
    """

    def __init__(self, library: Library, loader: FragmentLoader, pacer: Pacer, plan: BurstPlan) -> None:
        """
        @param plan: how packets are cut where the client asks for nothing else.
        """
        self.library = library
        self.pacer = pacer
        self._loader = loader
        self._plan = plan
        self._formats: WeakKeyDictionary[Presentation, list[PayloadFormat]] = WeakKeyDictionary()

    def presentation(self, segments: Sequence[str], preferences: Preferences = ANY) -> Deferred[Presentation]:
        """As L{Library.presentation}."""
        return self.library.presentation(segments, "rtp", preferences)

    def transportStream(self, segments: Sequence[str]) -> Deferred[Presentation]:
        """As L{Library.transportStream}."""
        return self.library.transportStream(segments)

    def formatsOf(self, presentation: Presentation) -> list[PayloadFormat]:
        """The payload format of each track."""
        formats = self._formats.get(presentation)
        if formats is None:
            formats = self._formats[presentation] = [formatFor(track) for track in presentation.tracks]
        return formats

    def describe(self, presentation: Presentation, address: str, rtcpMux: bool = True) -> str:
        """
        The session description of a presentation.

        @param address: ours, as the client reached it.
        @param rtcpMux: whether RTP and RTCP on one port are offered.
        """
        formats = self.formatsOf(presentation)
        version = presentation.version
        return describe(
            title=presentation.title,
            address=address,
            sessionId=version.inode,
            version=version.modified // 1000,
            duration=presentation.duration,
            tracks=[
                TrackDescription(payloadFormat.track.index, payloadFormat, payloadType)
                for payloadFormat, payloadType in zip(formats, payloadTypes(formats), strict=True)
            ],
            etag=version.etag,
            rtcpMux=rtcpMux,
        )

    def payloadType(self, presentation: Presentation, track: int) -> int:
        """The payload type of a track, as its description says."""
        return payloadTypes(self.formatsOf(presentation))[track]

    def planFor(self, payloadSize: int | None) -> BurstPlan:
        """
        How to cut packets for a client.

        @param payloadSize: bytes that it wants at most (Blocksize); None if it did not say.
        """
        if payloadSize is None or payloadSize >= self._plan.payloadSize:
            return self._plan
        size = max(min(_SMALLEST, self._plan.payloadSize), payloadSize - payloadSize % _SIZE_STEP)
        return BurstPlan(size, self._plan.longest, self._plan.pause)

    def clock(self) -> SessionClock:
        """The clock of a new session."""
        return SessionClock(self.pacer.now(), time.time())

    def player(
        self,
        presentation: Presentation,
        plan: BurstPlan,
        clock: SessionClock,
        cname: str,
        outlet: Outlet,
        listener: PlayerListener,
    ) -> Player:
        """A player for one session."""
        formats = self.formatsOf(presentation)
        return Player(presentation, formats, plan, self._loader, self.pacer, clock, cname, outlet, listener)
