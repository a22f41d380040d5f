"""
An MPEG transport stream (RFC 2250 section 2, RFC 3551 section 5.7): whole TS packets one after another, no header.

The timestamp is the time at which the first byte is to be sent, so a unit's time is that of its program clock, not of
the pictures within. The marker, which announces a jump of that clock, is not ours to set: a jump within a file is told
by the stream's own discontinuity indicator.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit

_PACKET = 188
_SYNC = b"\x47"
_USUAL = 7  # What Ethernet's 1,500 bytes hold, and what every receiver expects at most.


class TransportStreamFormat(PayloadFormat):
    """MPEG-TS, RFC 2250: units of whole TS packets of 188 bytes."""

    codecs = frozenset({"mpegts"})
    kind = "video"
    encodingName = "MP2T"
    payloadType = 33

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """
        One group per unit, up to seven TS packets in a payload, never a part of one.

        A unit that is not made of whole TS packets is left out, and with a limit under 188 bytes every unit is.
        """
        step = min(limit // _PACKET, _USUAL) * _PACKET
        if not step:
            return []
        return [
            PayloadGroup(
                unit.dts,
                unit.pts,
                unit.key,
                False,
                [unit.data[at : at + step] for at in range(0, len(unit.data), step)],
            )
            for unit in units
            if _wholePackets(unit.data)
        ]

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> TransportStreamUnpacker:
        """Needs no parameter."""
        return TransportStreamUnpacker()


class TransportStreamUnpacker:
    """Every payload is a unit of its own: a loss takes the TS packets that were in it, and their counters tell."""

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        """
        Takes the payload of one packet; see L{formats.Unpacker.push}.

        @raise PayloadError: for anything but whole TS packets.
        """
        if not _wholePackets(payload):
            raise PayloadError(f"{len(payload)} bytes that are no TS packets")
        return [ReceivedUnit(timestamp, _randomAccess(payload), payload)]


def _wholePackets(data: bytes) -> bool:
    count, rest = divmod(len(data), _PACKET)
    return count > 0 and not rest and data[::_PACKET] == _SYNC * count


def _randomAccess(data: bytes) -> bool:
    """Whether a packet has a random access indicator in its adaptation field (ISO/IEC 13818-1 section 2.4.3.5)."""
    starts = range(0, len(data), _PACKET)
    return any(data[at + 3] & 0x20 and data[at + 4] and data[at + 5] & 0x40 for at in starts)
