"""
All broadcasts: one for each presentation that somebody listens to over multicast.
"""

from __future__ import annotations

from mediasrv.media.files import Version
from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.multicast import Multicast
from mediasrv.streaming.broadcast import Broadcast
from mediasrv.streaming.ondemand import OnDemand

#: what two presentations of the same content have in common: the library forgets one and makes another
_Key = tuple[str, Version, BurstPlan]


class Broadcasts:
    """
    Finds the broadcast of a presentation, or begins it.
    """

    def __init__(self, onDemand: OnDemand, multicast: Multicast) -> None:
        self._onDemand = onDemand
        self._multicast = multicast
        self._known: dict[_Key, Broadcast] = {}

    def __len__(self) -> int:
        return len(self._known)

    def hasRoomFor(self, presentation: Presentation, plan: BurstPlan) -> bool:
        """Whether a presentation is broadcast, or could be."""
        return _keyOf(presentation, plan) in self._known or self._multicast.free >= len(presentation.tracks)

    def broadcast(self, presentation: Presentation, plan: BurstPlan) -> Broadcast:
        """
        The broadcast of a presentation. Those who want other sizes of packets have another one. Without a listener it
        does not last: take a seat in it.

        @raise NoGroupFree: if there is none and there cannot be another one.
        """
        key = _keyOf(presentation, plan)
        if key not in self._known:

            def emptied() -> None:
                del self._known[key]

            self._known[key] = Broadcast(presentation, plan, self._onDemand, self._multicast, emptied)
        return self._known[key]


def _keyOf(presentation: Presentation, plan: BurstPlan) -> _Key:
    return presentation.path, presentation.version, plan
