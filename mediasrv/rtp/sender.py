"""
What sends one track to one client: its sequence numbers, timestamps and counts (RFC 3550 section 5.1).
"""

from __future__ import annotations

import struct
from typing import Protocol

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.timeline import Timeline

_HEADER = struct.Struct(">BBHII")
_FRAME = struct.Struct(">BBHBBHII")
_VERSION = 0x80


class TrackTransport(Protocol):
    """
    How the bursts of one track reach one client.
    """

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        """
        Sends a burst, or takes it to be sent at the next flush.

        @return: False if the network takes nothing now; the same burst is to be offered again later.
        """

    def sendControl(self, data: bytes) -> None:
        """Sends an RTCP compound packet."""


class TrackSender:
    """
    One track of one session on its way out.

    @ivar ssrc: constant for the session's life (RTP-8).
    @ivar sequence: of the next packet.
    @ivar packets: RTP packets sent.
    @ivar octets: bytes of their payloads.
    @ivar startMarker: whether the next packet is the first of a talkspurt (RTP-6).
    """

    __slots__ = (
        "_offset",
        "clockRate",
        "octets",
        "packets",
        "payloadType",
        "sent",
        "sequence",
        "ssrc",
        "startMarker",
        "timeline",
        "transport",
    )

    def __init__(
        self, payloadType: int, ssrc: int, sequence: int, timeline: Timeline, transport: TrackTransport
    ) -> None:
        self.payloadType = payloadType
        self.ssrc = ssrc
        self.sequence = sequence
        self.timeline = timeline
        self.clockRate = timeline.clockRate
        self.transport = transport
        self.packets = 0
        self.octets = 0
        self.startMarker = False
        #: packets of the burst on offer that have left already
        self.sent = 0
        self._offset = 0

    def begin(self, position: float, wall: float) -> int:
        """
        From now on NPT C{position} (seconds) is presented at C{wall} (monotonic seconds).

        @return: the RTP timestamp of that position, for RTP-Info.
        """
        start = round(position * self.clockRate)
        # the unwrapped time keeps the offset exact to the tick however long the session is
        self._offset = self.timeline.extended(wall) - start
        return (self._offset + start) & 0xFFFFFFFF

    def headers(self, burst: Burst) -> list[bytes]:
        """The RTP headers of a burst's packets, without those that have left already."""
        timestamp = (burst.ticks + self._offset) & 0xFFFFFFFF
        payloadType, ssrc, first = self.payloadType, self.ssrc, self.sequence
        pack = _HEADER.pack
        count = len(burst.payloads) - self.sent
        headers = [
            pack(_VERSION, payloadType, sequence & 0xFFFF, timestamp, ssrc) for sequence in range(first, first + count)
        ]
        if burst.marker:
            headers[-1] = pack(_VERSION, payloadType | 0x80, (first + count - 1) & 0xFFFF, timestamp, ssrc)
        if self.startMarker:
            headers[0] = pack(_VERSION, payloadType | 0x80, first & 0xFFFF, timestamp, ssrc)
        return headers

    def frames(self, burst: Burst, channel: int) -> list[bytes]:
        """The packets of a burst as interleaved binary data (RFC 2326 section 10.12): headers and payloads in turn."""
        timestamp = (burst.ticks + self._offset) & 0xFFFFFFFF
        payloadType, ssrc, first = self.payloadType, self.ssrc, self.sequence
        pack = _FRAME.pack
        pieces: list[bytes] = []
        final = len(burst.payloads) - 1
        for index, payload in enumerate(burst.payloads):
            marked = (index == final and burst.marker) or (self.startMarker and not index)
            pieces.append(
                pack(
                    0x24,
                    channel,
                    len(payload) + 12,
                    _VERSION,
                    payloadType | 0x80 if marked else payloadType,
                    (first + index) & 0xFFFF,
                    timestamp,
                    ssrc,
                )
            )
            pieces.append(payload)
        return pieces

    def count(self, packets: int, octets: int) -> None:
        """Notes that packets have left."""
        self.sequence = (self.sequence + packets) & 0xFFFF
        self.startMarker = False
        self.packets += packets
        self.octets += octets
