"""
What sends one track to one client: its sequence numbers, timestamps and counts (RFC 3550 section 5.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.stamping import (
    FRAME_SIZE,
    HEADER_SIZE,
    framesOneByOne,
    headersOneByOne,
    packFrame,
    packHeader,
    patternOf,
)
from mediasrv.rtp.timeline import Timeline


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
        "_prefix",
        "clockRate",
        "octets",
        "packets",
        "payloadType",
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
        self._offset = 0
        #: version, payload type and SSRC where they are in a header
        self._prefix = (0x8000 | payloadType) << 80 | ssrc

    def begin(self, position: float, wall: float) -> int:
        """
        From now on NPT C{position} (seconds) is presented at C{wall} (monotonic seconds).

        @return: the RTP timestamp of that position, for RTP-Info.
        """
        start = round(position * self.clockRate)
        # the unwrapped time keeps the offset exact to the tick however long the session is
        self._offset = self.timeline.extended(wall) - start
        return (self._offset + start) & 0xFFFFFFFF

    def rtpTimeAt(self, position: float) -> int:
        """The RTP timestamp of an NPT (seconds) of what is being sent, for the RTP-Info of who comes later."""
        return (self._offset + round(position * self.clockRate)) & 0xFFFFFFFF

    def header(self, burst: Burst) -> bytes:
        """The RTP header of a burst of one packet."""
        marked = self.payloadType | 0x80 if burst.marker or self.startMarker else self.payloadType
        return packHeader(0x80, marked, self.sequence, (burst.ticks + self._offset) & 0xFFFFFFFF, self.ssrc)

    def headers(self, burst: Burst) -> Sequence[bytes]:
        """The RTP headers of a burst's packets."""
        count, sequence = burst.count, self.sequence
        timestamp = (burst.ticks + self._offset) & 0xFFFFFFFF
        if sequence + count > 0x10000 or self.startMarker:
            return headersOneByOne(
                self.payloadType, sequence, timestamp, self.ssrc, count, burst.marker, self.startMarker
            )
        pattern = patternOf(count, HEADER_SIZE)
        first = self._prefix | sequence << 64 | timestamp << 32
        return pattern.split((first * pattern.repeat + burst.headerSteps).to_bytes(pattern.length, "big"))

    def frames(self, burst: Burst, channel: int) -> list[bytes]:
        """The packets of a burst as interleaved binary data (RFC 2326 section 10.12): headers and payloads in turn."""
        count, sequence = burst.count, self.sequence
        timestamp = (burst.ticks + self._offset) & 0xFFFFFFFF
        if count == 1:
            marked = self.payloadType | 0x80 if burst.marker or self.startMarker else self.payloadType
            length = burst.octets + HEADER_SIZE
            return [packFrame(0x24, channel, length, 0x80, marked, sequence, timestamp, self.ssrc), burst.buffers[1]]
        pieces = burst.buffers.copy()
        if sequence + count > 0x10000 or self.startMarker:
            pieces[::2] = framesOneByOne(
                channel,
                burst.payloads,
                self.payloadType,
                sequence,
                timestamp,
                self.ssrc,
                burst.marker,
                self.startMarker,
            )
            return pieces
        pattern = patternOf(count, FRAME_SIZE)
        first = self._prefix | sequence << 64 | timestamp << 32 | 0x24 << 120 | channel << 112
        pieces[::2] = pattern.split((first * pattern.repeat + burst.frameSteps).to_bytes(pattern.length, "big"))
        return pieces

    def count(self, packets: int, octets: int) -> None:
        """Notes that packets have left."""
        self.sequence = (self.sequence + packets) & 0xFFFF
        self.startMarker = False
        self.packets += packets
        self.octets += octets


class _UntilEntry:
    """A transport that drops everything in front of the first burst with which a receiver can start."""

    __slots__ = ("_transport",)

    def __init__(self, transport: TrackTransport) -> None:
        self._transport = transport

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        if not burst.entry:
            return True
        sender.transport = self._transport
        return self._transport.send(sender, burst)

    def sendControl(self, data: bytes) -> None:
        self._transport.sendControl(data)


def awaitEntry(sender: TrackSender) -> None:
    """Has a sender that joins in the middle begin with the next burst with which its receiver can start."""
    if not isinstance(sender.transport, _UntilEntry):
        sender.transport = _UntilEntry(sender.transport)


def moveTo(sender: TrackSender, transport: TrackTransport) -> None:
    """Gives a sender another transport; one that waits for a burst to begin with goes on waiting."""
    isWaiting = isinstance(sender.transport, _UntilEntry)
    sender.transport = _UntilEntry(transport) if isWaiting else transport
