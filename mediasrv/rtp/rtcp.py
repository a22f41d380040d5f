"""
RTCP packets: reports, source descriptions, goodbyes (RFC 3550 section 6), as values.

What comes in is held to its lengths (a lie in one packet discards the datagram, RFC 3550 appendix A.2) but free in its
composition: reduced-size packets (RFC 5506) are taken although nobody negotiated them. What goes out is a compound
packet as section 6.1 wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from struct import Struct

from mediasrv.rtp.packets import VERSION, PacketError

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203
APPLICATION = 204
TRANSPORT_FEEDBACK = 205
PAYLOAD_FEEDBACK = 206

#: SDES item types (RFC 3550 section 6.5)
CNAME = 1
TOOL = 6

#: The count field of the header has five bits.
_MOST_PARTS = 31
#: More packets than this in one datagram are an attack.
_MOST_PACKETS = 64
#: Seconds from 1900, where NTP starts, to 1970.
_NTP_OFFSET = 2208988800

_HEADER = Struct("!BBH")
_SSRC = Struct("!I")
_SENDER = Struct("!IQIII")
_BLOCK = Struct("!IIIIII")


def ntpTimestamp(unixSeconds: float) -> int:
    """The 64-bit NTP timestamp of a Unix time: 32.32 fixed point seconds since 1900 (RFC 3550 section 4)."""
    return (round(unixSeconds * 4294967296.0) + (_NTP_OFFSET << 32)) & 0xFFFFFFFFFFFFFFFF


def unixSeconds(ntp: int) -> float:
    """The Unix time of a 64-bit NTP timestamp, taken to be between 1968 and 2104: NTP starts anew in 2036."""
    if ntp < 1 << 63:
        ntp += 1 << 64
    return (ntp - (_NTP_OFFSET << 32)) / 4294967296.0


def middleOfNTP(ntp: int) -> int:
    """The middle 32 bits, 16.16 fixed point seconds, as LSR has them (RFC 3550 section 6.4.1)."""
    return ntp >> 16 & 0xFFFFFFFF


@dataclass(slots=True)
class ReportBlock:
    """
    What a receiver tells about one source (RFC 3550 section 6.4.1).

    @ivar ssrc: the source that it is about.
    @ivar fractionLost: since the last report, in 1/256.
    @ivar cumulativeLost: packets since the beginning; below zero if duplicates outnumber the losses.
    @ivar highestSequence: extended to 32 bits.
    @ivar jitter: in ticks of the clock rate.
    @ivar lastSR: middle 32 bits of the NTP time of the last sender report, 0 if none came.
    @ivar delaySinceLastSR: in 1/65536 s.
    """

    ssrc: int
    fractionLost: int = 0
    cumulativeLost: int = 0
    highestSequence: int = 0
    jitter: int = 0
    lastSR: int = 0
    delaySinceLastSR: int = 0

    def roundTrip(self, arrival: int) -> float | None:
        """
        Seconds that a packet takes there and back, or None if the receiver had no sender report yet.

        @param arrival: 64-bit NTP timestamp of when this report came.
        """
        if self.lastSR == 0:
            return None
        delay = (middleOfNTP(arrival) - self.lastSR - self.delaySinceLastSR) & 0xFFFFFFFF
        # Clocks are read a little apart: a small negative difference is none.
        return 0.0 if delay >= 0x80000000 else delay / 65536.0

    def toBytes(self) -> bytes:
        lost = max(-0x800000, min(0x7FFFFF, self.cumulativeLost)) & 0xFFFFFF
        fraction = self.fractionLost << 24 | lost
        return _BLOCK.pack(self.ssrc, fraction, self.highestSequence, self.jitter, self.lastSR, self.delaySinceLastSR)


@dataclass(slots=True)
class SenderReport:
    """
    SR (RFC 3550 section 6.4.1).

    @ivar ntp: 64-bit NTP timestamp of the instant that C{rtpTime} names on the track's own clock.
    @ivar octetCount: payload bytes alone, modulo 2^32, as C{packetCount} is.
    @ivar extension: what a profile adds after the blocks.
    """

    ssrc: int
    ntp: int
    rtpTime: int
    packetCount: int
    octetCount: int
    reports: list[ReportBlock] = field(default_factory=list)
    extension: bytes = b""

    def toBytes(self) -> bytes:
        """
        @raise PacketError: for more than 31 report blocks.
        """
        sender = _SENDER.pack(
            self.ssrc,
            self.ntp,
            self.rtpTime & 0xFFFFFFFF,
            self.packetCount & 0xFFFFFFFF,
            self.octetCount & 0xFFFFFFFF,
        )
        return _pack(SENDER_REPORT, len(self.reports), sender + _packBlocks(self.reports) + self.extension)


@dataclass(slots=True)
class ReceiverReport:
    """RR (RFC 3550 section 6.4.2); C{extension} is what a profile adds after the blocks."""

    ssrc: int
    reports: list[ReportBlock] = field(default_factory=list)
    extension: bytes = b""

    def toBytes(self) -> bytes:
        """
        @raise PacketError: for more than 31 report blocks.
        """
        body = _SSRC.pack(self.ssrc) + _packBlocks(self.reports) + self.extension
        return _pack(RECEIVER_REPORT, len(self.reports), body)


@dataclass(slots=True)
class SourceChunk:
    """
    What an SDES packet says about one source.

    @ivar items: types with their values, UTF-8 of at most 255 bytes; other peers' values may be anything.
    """

    ssrc: int
    items: list[tuple[int, bytes]] = field(default_factory=list)

    def toBytes(self) -> bytes:
        """
        @raise PacketError: for an item that is too long or has type 0, which ends the list.
        """
        parts = [_SSRC.pack(self.ssrc)]
        for kind, value in self.items:
            if not 0 < kind < 256 or len(value) > 255:
                raise PacketError(f"SDES item of type {kind} with {len(value)} bytes")
            parts += bytes((kind, len(value))), value
        data = b"".join(parts)
        return data + bytes(4 - len(data) % 4)


@dataclass(slots=True)
class SourceDescription:
    """SDES (RFC 3550 section 6.5)."""

    chunks: list[SourceChunk] = field(default_factory=list)

    @classmethod
    def named(cls, ssrc: int, cname: str) -> SourceDescription:
        """The description that every compound packet of a source carries: its CNAME and nothing else."""
        return cls([SourceChunk(ssrc, [(CNAME, _shortened(cname))])])

    def names(self) -> dict[int, str]:
        """The CNAME of each SSRC that has one."""
        return {
            chunk.ssrc: value.decode("utf-8", "replace")
            for chunk in self.chunks
            for kind, value in chunk.items
            if kind == CNAME
        }

    def toBytes(self) -> bytes:
        """
        @raise PacketError: for more than 31 chunks or an impossible item.
        """
        body = b"".join(chunk.toBytes() for chunk in self.chunks)
        return _pack(SOURCE_DESCRIPTION, len(self.chunks), body)


@dataclass(slots=True)
class Goodbye:
    """BYE (RFC 3550 section 6.6): these sources send no more; C{reason} is for people."""

    ssrcs: list[int]
    reason: str = ""

    def toBytes(self) -> bytes:
        """
        @raise PacketError: for more than 31 sources.
        """
        body = b"".join(map(_SSRC.pack, self.ssrcs))
        if self.reason:
            text = _shortened(self.reason)
            body += bytes((len(text),)) + text
            body += bytes(-len(body) % 4)
        return _pack(GOODBYE, len(self.ssrcs), body)


@dataclass(slots=True)
class OtherPacket:
    """
    A packet that is passed on as it is: APP, feedback (RFC 4585), extended reports, what is yet to be invented.

    @ivar count: the five bits after the padding flag: subtype, feedback message type, …
    @ivar body: what follows the first four bytes, without padding; whole 32-bit words.
    """

    packetType: int
    count: int
    body: bytes

    def toBytes(self) -> bytes:
        """
        @raise PacketError: for a body or count that no packet can have.
        """
        return _pack(self.packetType, self.count, self.body)


RTCPPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye | OtherPacket


def packCompound(packets: Iterable[RTCPPacket]) -> bytes:
    """
    One datagram of several packets.

    @raise PacketError: if they do not start with a report, name no source, or go on after a BYE, all of which
        RFC 3550 section 6.1 rules out.
    """
    packets = list(packets)
    if not packets or not isinstance(packets[0], SenderReport | ReceiverReport):
        raise PacketError("a compound packet starts with a report")
    if not any(isinstance(packet, SourceDescription) and packet.names() for packet in packets):
        raise PacketError("a compound packet names its source")
    goodbyes = [isinstance(packet, Goodbye) for packet in packets]
    if goodbyes != sorted(goodbyes):
        raise PacketError("BYE comes last in a compound packet")
    return b"".join(packet.toBytes() for packet in packets)


def parseCompound(data: bytes) -> list[RTCPPacket]:
    """
    @param data: exactly one datagram, or the body of an interleaved frame.
    @return: its packets, at least one, in order; whether they make a proper compound packet is not asked.
    @raise PacketError: for anything whose lengths, version or type are wrong.
    """
    if not data:
        raise PacketError("an empty RTCP packet")
    packets: list[RTCPPacket] = []
    start = 0
    while start < len(data):
        if len(packets) == _MOST_PACKETS:
            raise PacketError("too many RTCP packets in one")
        if len(data) - start < _HEADER.size:
            raise PacketError("the RTCP packet ends within a header")
        first, packetType, words = _HEADER.unpack_from(data, start)
        if first >> 6 != VERSION or not 192 <= packetType <= 223:
            raise PacketError(f"version {first >> 6}, type {packetType} is not RTCP")
        end = start + 4 + 4 * words
        if end > len(data):
            raise PacketError("an RTCP packet is shorter than its header says")
        body = data[start + 4 : end]
        if first & 0x20:
            if end != len(data):
                raise PacketError("padding before the last RTCP packet")
            body = _withoutPadding(body)
        parse = _parsers.get(packetType)
        count = first & 0x1F
        packets.append(parse(count, body) if parse else OtherPacket(packetType, count, body))
        start = end
    return packets


def _pack(packetType: int, count: int, body: bytes) -> bytes:
    if not 0 <= count <= _MOST_PARTS or len(body) % 4 or len(body) > 0xFFFF * 4:
        raise PacketError(f"no RTCP packet has {count} parts in {len(body)} bytes")
    return _HEADER.pack(VERSION << 6 | count, packetType, len(body) // 4) + body


def _packBlocks(reports: list[ReportBlock]) -> bytes:
    return b"".join(block.toBytes() for block in reports)


def _shortened(text: str) -> bytes:
    """UTF-8 of at most 255 bytes, cut between characters."""
    return text.encode("utf-8", "replace")[:255].decode("utf-8", "ignore").encode("utf-8")


def _withoutPadding(body: bytes) -> bytes:
    padding = body[-1] if body else 0
    if padding == 0 or padding % 4 or padding > len(body):
        raise PacketError(f"{padding} bytes of RTCP padding in {len(body)} bytes")
    return body[:-padding]


def _parseBlocks(count: int, body: bytes, start: int) -> tuple[list[ReportBlock], bytes]:
    """The blocks from C{start} on, and what follows them."""
    end = start + count * _BLOCK.size
    if end > len(body):
        raise PacketError(f"a report of {len(body)} bytes cannot hold {count} blocks")
    blocks = []
    for ssrc, loss, highest, jitter, lastSR, delay in _BLOCK.iter_unpack(body[start:end]):
        lost = (loss & 0xFFFFFF) - (0x1000000 if loss & 0x800000 else 0)
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, lastSR, delay))
    return blocks, body[end:]


def _parseSenderReport(count: int, body: bytes) -> RTCPPacket:
    if len(body) < _SENDER.size:
        raise PacketError("a sender report without sender information")
    blocks, extension = _parseBlocks(count, body, _SENDER.size)
    ssrc, ntp, rtpTime, packetCount, octetCount = _SENDER.unpack_from(body)
    return SenderReport(ssrc, ntp, rtpTime, packetCount, octetCount, blocks, extension)


def _parseReceiverReport(count: int, body: bytes) -> RTCPPacket:
    if len(body) < _SSRC.size:
        raise PacketError("a receiver report without SSRC")
    blocks, extension = _parseBlocks(count, body, _SSRC.size)
    return ReceiverReport(_SSRC.unpack_from(body)[0], blocks, extension)


def _parseSourceDescription(count: int, body: bytes) -> RTCPPacket:
    chunks = []
    position = 0
    for _ in range(count):
        chunk, position = _parseChunk(body, position)
        chunks.append(chunk)
    if position != len(body):
        raise PacketError("a source description goes on after its last chunk")
    return SourceDescription(chunks)


def _parseChunk(body: bytes, position: int) -> tuple[SourceChunk, int]:
    """The chunk that starts at C{position}, and where the next one starts."""
    if position + _SSRC.size > len(body):
        raise PacketError("a source description has fewer chunks than it says")
    chunk = SourceChunk(_SSRC.unpack_from(body, position)[0])
    position += _SSRC.size
    while position < len(body) and body[position]:
        end = position + 2 + (body[position + 1] if position + 1 < len(body) else 0)
        chunk.items.append((body[position], body[position + 2 : end]))
        position = end
    if position >= len(body):
        raise PacketError("an SDES item is longer than its packet, or none is the last")
    return chunk, (position + 4) & ~3


def _parseGoodbye(count: int, body: bytes) -> RTCPPacket:
    end = count * _SSRC.size
    if end > len(body):
        raise PacketError(f"a BYE of {len(body)} bytes cannot name {count} sources")
    ssrcs = [ssrc for (ssrc,) in _SSRC.iter_unpack(body[:end])]
    if end == len(body):
        return Goodbye(ssrcs)
    length = body[end]
    if end + 1 + length > len(body):
        raise PacketError("the reason of a BYE is longer than its packet")
    return Goodbye(ssrcs, body[end + 1 : end + 1 + length].decode("utf-8", "replace"))


_parsers: dict[int, Callable[[int, bytes], RTCPPacket]] = {
    SENDER_REPORT: _parseSenderReport,
    RECEIVER_REPORT: _parseReceiverReport,
    SOURCE_DESCRIPTION: _parseSourceDescription,
    GOODBYE: _parseGoodbye,
}
