"""Bursts and senders to test transports with."""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.rtp.bursts import Burst, BurstPlan, packFragment
from mediasrv.rtp.packets import RTPPacket, parsePacket
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup
from mediasrv.rtp.sender import TrackSender, TrackTransport
from mediasrv.rtp.timeline import Timeline


class _Given(PayloadFormat):
    def __init__(self, group: PayloadGroup) -> None:
        super().__init__(Track(0, "video", "given"))
        self.kind = "video"
        self._group = group

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        return [self._group]


def burst(sizes: Sequence[int], pts: float = 0.0, marker: bool = True) -> Burst:
    """One burst with payloads of these sizes."""
    payloads = [bytes([at + 1 & 0xFF]) * size for at, size in enumerate(sizes)]
    group = PayloadGroup(pts, pts, True, marker, payloads)
    (made,) = packFragment(
        Fragment(0, 0.0, 1.0, [[]], True), [_Given(group)], BurstPlan(max(sizes), len(sizes), 0.01)
    ).bursts
    return made


def sender(transport: TrackTransport, sequence: int = 100, ssrc: int = 0x12345678) -> TrackSender:
    return TrackSender(96, ssrc, sequence, Timeline(90000, 0.0, base=1000), transport)


def parsed(datagrams: Sequence[bytes]) -> list[RTPPacket]:
    return [parsePacket(datagram) for datagram in datagrams]
