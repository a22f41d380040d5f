"""
Bursts: the packets of a fragment as they will leave, made once and shared by all viewers.

A burst is what one system call sends: consecutive packets of one track with one timestamp, all of the same size except
the last, which may be shorter (what UDP segmentation offload asks for). Large pictures are cut into several bursts that
leave one after the other until the next picture is due, so that a key frame does not overrun the path.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from mediasrv.media.tracks import Fragment
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup

#: bytes of an RTP header without extensions (RFC 3550 section 5.1)
HEADER_SIZE = 12

#: bytes that one system call takes with segmentation offload, IP and UDP headers not counted
_LARGEST_BURST = 65000

#: what a burst costs in memory besides its payloads, bytes: the objects around them
_BURST_OVERHEAD = 300
_PAYLOAD_OVERHEAD = 45

#: seconds by which a time may be off after its way through a container
_ROUNDING = 1e-6


@dataclass(slots=True)
class Burst:
    """
    Packets that leave together.

    @ivar due: NPT seconds when they are to leave.
    @ivar track: index of the track.
    @ivar pts: NPT seconds when they are to be presented.
    @ivar ticks: C{pts} on the track's RTP clock.
    @ivar payloads: one per packet.
    @ivar octets: bytes of all payloads.
    @ivar marker: whether the last packet carries the marker bit.
    @ivar entry: whether a receiver can start with this burst.
    """

    due: float
    track: int
    pts: float
    ticks: int
    payloads: list[bytes]
    octets: int
    marker: bool
    entry: bool


@dataclass(slots=True)
class PacketFragment:
    """
    A fragment as RTP carries it.

    @ivar number: which fragment of the presentation.
    @ivar end: NPT seconds where the next one starts, or everything ends.
    @ivar bursts: of all tracks, in the order in which they leave.
    @ivar last: whether nothing comes after it.
    @ivar size: bytes of memory, about.
    """

    number: int
    end: float
    bursts: list[Burst]
    last: bool
    size: int

    def entryAt(self, time: float) -> int | None:
        """The index of the last burst of the first track with which playing can start at or before an NPT."""
        found = None
        for index, burst in enumerate(self.bursts):
            if burst.entry and burst.track == 0 and burst.pts <= time + _ROUNDING:
                found = index
        return found

    def firstEntry(self) -> int | None:
        """The index of the first burst with which playing can start at all."""
        indexes = [index for index, burst in enumerate(self.bursts) if burst.entry]
        return min(indexes, key=lambda index: (self.bursts[index].track, index), default=None)

    def indexAt(self, time: float) -> int:
        """The index of the first burst that is due after an NPT."""
        return bisect_right(self.bursts, time, key=attrgetter("due"))


@dataclass(frozen=True, slots=True)
class BurstPlan:
    """
    How packets are cut and spread.

    @ivar payloadSize: bytes of the largest payload.
    @ivar longest: packets in a burst at most.
    @ivar pause: seconds between the bursts of one large picture, if there is time for it.
    """

    payloadSize: int
    longest: int
    pause: float


def packFragment(fragment: Fragment, formats: Sequence[PayloadFormat], plan: BurstPlan) -> PacketFragment:
    """Turns the units of a fragment into bursts."""
    bursts: list[Burst] = []
    longest = max(1, min(plan.longest, _LARGEST_BURST // (plan.payloadSize + HEADER_SIZE)))
    for payloadFormat, units in zip(formats, fragment.units, strict=True):
        groups = payloadFormat.pack(units, plan.payloadSize)
        bursts.extend(_burstsOf(groups, payloadFormat, longest, plan.pause))
    bursts.sort(key=attrgetter("due"))
    size = sum(burst.octets + _BURST_OVERHEAD + _PAYLOAD_OVERHEAD * len(burst.payloads) for burst in bursts)
    return PacketFragment(fragment.number, fragment.end, bursts, fragment.last, size)


def _burstsOf(groups: Sequence[PayloadGroup], payloadFormat: PayloadFormat, longest: int, pause: float) -> list[Burst]:
    clockRate = payloadFormat.clockRate
    track = payloadFormat.track.index
    bursts: list[Burst] = []
    due = groups[0].dts if groups else 0.0
    for group, following in pairwise([*groups, None]):
        assert group is not None
        # what a damaged file says about time never makes a packet leave before the one in front of it
        due = max(due, group.dts)
        ticks = round(group.pts * clockRate)
        runs = list(_runs(group.payloads, longest))
        step = pause
        if len(runs) > 1 and following is not None:
            step = min(pause, max(0.0, following.dts - due) / len(runs))
        final = len(runs) - 1
        for number, payloads in enumerate(runs):
            octets = sum(map(len, payloads))
            marker = group.marker and number == final
            entry = group.key and number == 0
            bursts.append(Burst(due, track, group.pts, ticks, payloads, octets, marker, entry))
            if number != final:
                due += step
    return bursts


def _runs(payloads: list[bytes], longest: int) -> Iterator[list[bytes]]:
    """Cuts payloads into runs of one size, each of which may end with a shorter one."""
    count = len(payloads)
    if count == 1:
        yield payloads
        return
    # three runs of 20 are kinder to the path than two of 29 and one of 2
    longest = -(-count // -(-count // longest))
    start = 0
    while start < count:
        size = len(payloads[start])
        end = start + 1
        stop = min(count, start + longest)
        while end < stop and len(payloads[end]) == size:
            end += 1
        if end < stop and len(payloads[end]) < size:
            end += 1
        yield payloads[start:end]
        start = end
