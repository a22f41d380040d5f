"""
RTP packets: twelve bytes of header in, twelve bytes out (RFC 3550 section 5.1).

Senders only pack headers, the payloads being shared by all viewers; receivers parse whole packets, from anybody, so
nothing that a packet says about its own lengths is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

VERSION = 2
HEADER_SIZE = 12

_HEADER = Struct("!BBHII")
_EXTENSION = Struct("!HH")


class PacketError(ValueError):
    """Bytes that are no RTP or RTCP packet; the text says why."""


@dataclass(slots=True)
class RTPPacket:
    """
    One RTP packet, without what mixers and header extensions add.

    @ivar payloadType: 0–127.
    @ivar sequence: 16 bits.
    @ivar timestamp: 32 bits, ticks of the track's clock rate.
    @ivar ssrc: 32 bits.
    @ivar payload: without padding; may be empty.
    """

    payloadType: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    def toBytes(self) -> bytes:
        """The packet as it is sent: the plain header and the payload."""
        return packHeader(self.payloadType, self.marker, self.sequence, self.timestamp, self.ssrc) + self.payload


def packHeader(payloadType: int, marker: bool, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """
    The twelve header bytes of a packet without CSRCs, extension and padding.

    @param sequence: cut to 16 bits, so that a running count may be given.
    @param timestamp: cut to 32 bits, likewise.
    """
    return _HEADER.pack(
        0x80, (payloadType & 0x7F) | (0x80 if marker else 0), sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
    )


def parsePacket(data: bytes) -> RTPPacket:
    """
    @param data: exactly one packet: a datagram, or the body of an interleaved frame.
    @raise PacketError: for another version than 2 and for lengths that the packet does not have.
    """
    end = len(data)
    if end < HEADER_SIZE:
        raise PacketError(f"{end} bytes are too few for an RTP header")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    start = HEADER_SIZE
    if first != 0x80:
        start, end = _payloadBounds(data, first)
    return RTPPacket(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, data[start:end])


def _payloadBounds(data: bytes, first: int) -> tuple[int, int]:
    """Where the payload starts and ends in a packet whose first byte is not simply 0x80."""
    if first >> 6 != VERSION:
        raise PacketError(f"RTP version {first >> 6}")
    end = len(data)
    start = HEADER_SIZE + 4 * (first & 0x0F)
    if first & 0x10:
        if start + _EXTENSION.size > end:
            raise PacketError("the header extension starts behind the end of the packet")
        start += _EXTENSION.size + 4 * _EXTENSION.unpack_from(data, start)[1]
    if start > end:
        raise PacketError(f"the RTP header says that it has {start} bytes, the packet has {end}")
    if first & 0x20:
        padding = data[-1]
        # A packet of nothing but padding is legal in practice: senders use it to probe for bandwidth.
        if not 0 < padding <= end - start:
            raise PacketError(f"{padding} bytes of padding in {end - start} bytes")
        end -= padding
    return start, end


def isRTCP(data: bytes) -> bool:
    """Whether a packet that came where RTP and RTCP share a port is RTCP (RFC 5761 section 4)."""
    return len(data) > 1 and 192 <= data[1] <= 223
