"""
What comes of one track: every RTP and RTCP packet, with when and in what order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from mediasrv.conform.ports import PortPair
from mediasrv.rtp.packets import PacketError, RTPPacket, parsePacket
from mediasrv.rtp.rtcp import Goodbye, RTCPPacket, SenderReport, parseCompound
from mediasrv.rtp.sdpparser import MediaSection
from mediasrv.rtp.timeline import SequenceUnwrapper, TimestampUnwrapper
from mediasrv.rtsp.transport import TransportSpec


@dataclass(frozen=True, slots=True)
class Track:
    """A track as the description names it; C{url} is what SETUP gets."""

    url: str
    section: MediaSection

    @property
    def clockRate(self) -> int:
        for number in self.section.payloadTypes:
            if number in self.section.rtpmaps:
                return self.section.rtpmaps[number].clockRate
        return 90000


class Arrival(NamedTuple):
    """
    An RTP packet.

    @ivar time: monotonic seconds.
    @ivar order: among all that came on all sockets.
    @ivar sequence: unwrapped.
    @ivar timestamp: unwrapped.
    """

    time: float
    order: int
    sequence: int
    timestamp: int
    packet: RTPPacket


class Compound(NamedTuple):
    """An RTCP datagram or frame; C{packetsBefore} counts the RTP packets of its track that had come."""

    time: float
    order: int
    packets: list[RTCPPacket]
    packetsBefore: int


@dataclass
class Reception:
    """
    All that comes of one track.

    @ivar transport: what the server chose.
    @ivar broken: what came and is neither RTP nor RTCP.
    """

    track: Track
    transport: TransportSpec
    ports: PortPair | None = None
    packets: list[Arrival] = field(default_factory=list)
    compounds: list[Compound] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    _sequences: SequenceUnwrapper = field(default_factory=SequenceUnwrapper)
    _timestamps: TimestampUnwrapper = field(default_factory=TimestampUnwrapper)

    @property
    def name(self) -> str:
        """For people: C{video}, C{audio}."""
        return self.track.section.kind

    @property
    def clockRate(self) -> int:
        return self.track.clockRate

    def mediaReceived(self, data: bytes, now: float, order: int) -> None:
        try:
            packet = parsePacket(data)
        except PacketError as error:
            self.broken.append(f"{error}: {data[:16].hex()}")
            return
        sequence = self._sequences.unwrap(packet.sequence)
        self.packets.append(Arrival(now, order, sequence, self._timestamps.unwrap(packet.timestamp), packet))

    def controlReceived(self, data: bytes, now: float, order: int) -> None:
        try:
            packets = parseCompound(data)
        except PacketError as error:
            self.broken.append(f"{error}: {data[:16].hex()}")
            return
        self.compounds.append(Compound(now, order, packets, len(self.packets)))

    @property
    def leaps(self) -> list[int]:
        """By how much a sequence number was further than the one before it, wherever that is not 1."""
        numbers = [each.sequence for each in self.packets]
        steps = [after - before for before, after in pairwise(numbers)]
        return [step for step in steps if step != 1]

    @property
    def reports(self) -> list[SenderReport]:
        return [each for compound in self.compounds for each in compound.packets if isinstance(each, SenderReport)]

    @property
    def farewell(self) -> Compound | None:
        """What had a BYE in it."""
        return next((each for each in self.compounds if any(isinstance(one, Goodbye) for one in each.packets)), None)

    def near(self, timestamp: int) -> int:
        """A timestamp of 32 bits, unwrapped as the packets' are."""
        if not self.packets:
            return timestamp
        last = self.packets[-1].timestamp
        return last + ((timestamp - last + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
