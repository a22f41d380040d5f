"""
Bursts: the packets of a fragment as they will leave, made once and shared by all viewers.

A burst is consecutive packets of one track with one timestamp that leave together. Over TCP one system call sends it,
over UDP one for each of its runs: packets of the same size, the last of which may be shorter, as segmentation offload
asks for. Large pictures are cut into several bursts that leave one after the other until the next picture is due, so
that a key frame does not overrun the path.
"""

from __future__ import annotations

import socket
import struct
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import inf
from operator import attrgetter

from mediasrv.media.tracks import Fragment
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup
from mediasrv.rtp.stamping import HEADER_SIZE, frameSteps, headerSteps

#: SOL_UDP's option of linux/udp.h, which the socket module does not name
UDP_SEGMENT = 103

#: bytes that one system call takes with segmentation offload, IP and UDP headers not counted
_LARGEST_BURST = 65000

#: what a burst costs in memory besides its payloads, bytes: the objects around them
_BURST_OVERHEAD = 300
_PAYLOAD_OVERHEAD = 50

#: seconds by which sound may leave early to leave with a picture; players keep more than that in store
_MOMENT = 0.05

#: seconds at most between the decoding of a picture and its presentation
_REORDERING = 1.0

#: seconds by which a time may be off after its way through a container
_ROUNDING = 1e-6


#: buffers of a burst that one C{sendmsg} takes, from and to, and its control message; that is empty for a single packet
Run = tuple[int, int, list[tuple[int, int, bytes]]]


@dataclass(slots=True)
class Burst:
    """
    Packets that leave together.

    @ivar due: NPT seconds when they are to leave.
    @ivar track: index of the track.
    @ivar pts: NPT seconds when they are to be presented.
    @ivar ticks: C{pts} on the track's RTP clock.
    @ivar buffers: the payloads, with a place for a header in front of each.
    @ivar count: of packets.
    @ivar octets: bytes of all payloads.
    @ivar marker: whether the last packet carries the marker bit.
    @ivar entry: whether a receiver can start with this burst.
    @ivar headerSteps: what is added to the first RTP header times L{mediasrv.rtp.stamping.Pattern.repeat}.
    @ivar runs: what leaves with one call each, in order.
    """

    due: float
    track: int
    pts: float
    ticks: int
    buffers: list[bytes]
    count: int
    octets: int
    marker: bool
    entry: bool
    runs: list[Run]
    headerSteps: int
    _frameSteps: int = 0

    @property
    def payloads(self) -> list[bytes]:
        """One per packet."""
        return self.buffers[1::2]

    @property
    def frameSteps(self) -> int:
        """Like C{headerSteps} for interleaved frames; worked out for the first viewer who needs it."""
        if not self._frameSteps:
            self._frameSteps = frameSteps(self.payloads, self.marker)
        return self._frameSteps


@dataclass(slots=True)
class PacketFragment:
    """
    A fragment as RTP carries it.

    @ivar number: which fragment of the presentation.
    @ivar end: NPT seconds where the next one starts, or everything ends.
    @ivar bursts: of all tracks, in the order in which they leave.
    @ivar last: whether nothing comes after it.
    @ivar size: bytes of memory, about.
    @ivar reference: the index of the track that says where playing can start.
    @ivar latest: NPT seconds of the last picture of each track that has any, by index.
    """

    number: int
    end: float
    bursts: list[Burst]
    last: bool
    size: int
    reference: int = 0
    latest: dict[int, float] = field(init=False)

    def __post_init__(self) -> None:
        self.latest = {}
        for burst in self.bursts:
            self.latest[burst.track] = max(burst.pts, self.latest.get(burst.track, burst.pts))

    def entryAt(self, time: float) -> int | None:
        """The index of the last burst with which playing can start at or before an NPT."""
        found = None
        for index, burst in enumerate(self.bursts):
            if burst.entry and burst.track == self.reference and burst.pts <= time + _ROUNDING:
                found = index
        return found

    def firstEntry(self) -> int | None:
        """The index of the first burst with which playing can start at all."""
        indexes = [index for index, burst in enumerate(self.bursts) if burst.entry]
        return min(indexes, key=lambda index: (self.bursts[index].track, index), default=None)


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
    handover = _handover(fragment)
    longest = max(1, min(plan.longest, _LARGEST_BURST // (plan.payloadSize + HEADER_SIZE)))
    for payloadFormat, units in zip(formats, fragment.units, strict=True):
        groups = payloadFormat.pack(units, plan.payloadSize)
        bursts.extend(_burstsOf(groups, payloadFormat, longest, plan.pause, handover))
    for burst in bursts:
        if handover < burst.due < handover + _REORDERING:
            burst.due = handover
    _join(bursts, {form.track.index for form in formats if form.kind == "video"})
    bursts.sort(key=attrgetter("due"))
    size = sizeOf(bursts)
    return PacketFragment(fragment.number, fragment.end, bursts, fragment.last, size, fragment.reference)


def sizeOf(bursts: Sequence[Burst]) -> int:
    """Bytes of memory that bursts take, about."""
    return sum(burst.octets + _BURST_OVERHEAD + _PAYLOAD_OVERHEAD * burst.count for burst in bursts)


def _handover(fragment: Fragment) -> float:
    """
    NPT seconds when the first picture of the next fragment is due, infinite if there is none.

    That is before it is to be shown, where pictures are reordered; sound of this fragment may be for later still. It
    leaves a little early then: the key frame must not wait for it.
    """
    reference = fragment.units[fragment.reference] if fragment.units else []
    first = reference[0] if reference else None
    if first is None or fragment.last:
        return inf
    return fragment.end - min(max(0.0, first.pts - first.dts), _REORDERING)


def _join(bursts: Sequence[Burst], videos: Collection[int]) -> None:
    """
    Has sound leave together with the picture in front of it, if that is but a moment earlier: a viewer who is looked at
    once for both costs half as much, and over TCP both are one write.
    """
    pictures = sorted(burst.due for burst in bursts if burst.track in videos)
    if not pictures:
        return
    for burst in bursts:
        if burst.track not in videos:
            picture = pictures[bisect_right(pictures, burst.due) - 1]
            if 0 <= burst.due - picture < _MOMENT:
                burst.due = picture


def _burstsOf(
    groups: Sequence[PayloadGroup], payloadFormat: PayloadFormat, longest: int, pause: float, handover: float
) -> list[Burst]:
    clockRate = payloadFormat.clockRate
    track = payloadFormat.track.index
    bursts: list[Burst] = []
    due = groups[0].dts if groups else 0.0
    for group, following in pairwise([*groups, None]):
        assert group is not None
        # what a damaged file says about time never makes a packet leave before the one in front of it
        due = max(due, group.dts)
        sizes = list(map(len, group.payloads))
        shares = _shares(sizes, longest)
        step = pause
        if len(shares) > 1:
            until = following.dts if following is not None else handover
            step = min(pause, max(0.0, until - due) / len(shares))
        ticks = round(group.pts * clockRate)
        for runs in shares:
            start, end = runs[0][0], runs[-1][1]
            if start:
                due += step
            count = end - start
            buffers = [b""] * (2 * count)
            buffers[1::2] = group.payloads[start:end]
            marker = group.marker and end == len(sizes)
            bursts.append(
                Burst(
                    due,
                    track,
                    group.pts,
                    ticks,
                    buffers,
                    count,
                    sum(sizes[start:end]),
                    marker,
                    group.key and not start,
                    [
                        (2 * (first - start), 2 * (last - start), _segments(sizes[first], last - first))
                        for first, last in runs
                    ],
                    headerSteps(count, marker),
                )
            )
    return bursts


@lru_cache(maxsize=4096)
def _segments(size: int, count: int) -> list[tuple[int, int, bytes]]:
    """The control message for so many datagrams with payloads of one size in bytes; the last may be shorter."""
    return [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", size + HEADER_SIZE))] if count > 1 else []


def _shares(sizes: list[int], longest: int) -> list[list[tuple[int, int]]]:
    """The runs of a group, as those that leave together: C{longest} packets at most."""
    shares: list[list[tuple[int, int]]] = []
    room = 0
    for start, end in _runs(sizes, longest):
        if not shares or end - start > room:
            shares.append([])
            room = longest
        shares[-1].append((start, end))
        room -= end - start
    return shares


def _runs(sizes: list[int], longest: int) -> list[tuple[int, int]]:
    """Cuts payloads of these sizes into runs of one size, each of which may end with a shorter one: start and end."""
    count, first, last = len(sizes), sizes[0], sizes[-1]
    if count <= longest and last <= first and sizes.count(first) + (last < first) == count:
        return [(0, count)]
    # three runs of 20 are kinder to the path than two of 29 and one of 2
    longest = -(-count // -(-count // longest))
    runs = []
    start = 0
    while start < count:
        size = sizes[start]
        end = start + 1
        stop = min(count, start + longest)
        while end < stop and sizes[end] == size:
            end += 1
        if end < stop and sizes[end] < size:
            end += 1
        runs.append((start, end))
        start = end
    return runs
