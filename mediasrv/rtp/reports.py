"""
What a sender tells its receivers over RTCP (RFC 3550 section 6), and what it hears from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mediasrv.rtp.packets import PacketError
from mediasrv.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    RTCPPacket,
    SenderReport,
    SourceDescription,
    packCompound,
    parseCompound,
)
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import SessionClock


def senderReport(sender: TrackSender, clock: SessionClock, now: float, cname: str, leaving: bool = False) -> bytes:
    """
    A compound packet: SR, SDES with the CNAME and, if the track is at its end, BYE (RTCP-1, RTCP-7). UniFi Protect
    drops streams that have none, VLC's clock jumps when the first one is late (Q-15).

    @param now: monotonic seconds; NTP and RTP time of the report are both of this instant (RTCP-2).
    """
    packets: list[RTCPPacket] = [
        SenderReport(
            sender.ssrc,
            clock.ntp(now),
            sender.timeline.at(now),
            sender.packets & 0xFFFFFFFF,
            sender.octets & 0xFFFFFFFF,
        ),
        SourceDescription.named(sender.ssrc, cname),
    ]
    if leaving:
        packets.append(Goodbye([sender.ssrc]))
    return packCompound(packets)


@dataclass(slots=True)
class ReceptionQuality:
    """
    What a client last said about one track (RTCP-5).

    @ivar fractionLost: of the packets between its last two reports, 0.0 to 1.0.
    @ivar packetsLost: in all; negative where duplicates came.
    @ivar jitter: seconds.
    """

    fractionLost: float = 0.0
    packetsLost: int = 0
    jitter: float = 0.0

    def update(self, data: bytes, sender: TrackSender, alive: Callable[[], None]) -> None:
        """
        Takes what came from the client's RTCP address. Any valid RTCP from there shows that it lives (TMO-3), whatever
        SSRC it talks about.
        """
        try:
            packets = parseCompound(data)
        except PacketError:
            return
        alive()
        for packet in packets:
            if not isinstance(packet, ReceiverReport | SenderReport):
                continue
            for block in packet.reports:
                if block.ssrc == sender.ssrc:
                    self.fractionLost = block.fractionLost / 256
                    self.packetsLost = block.cumulativeLost
                    self.jitter = block.jitter / sender.clockRate
