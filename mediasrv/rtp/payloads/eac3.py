"""
E-AC-3 in RTP: RFC 4598. Two bytes of header: whether this is a piece of a frame, and how many frames or pieces.

A unit is a program set: the frame of the first independent substream and those that go with it (section 2.1.2). It is
never put in a packet with another: a loss then spoils nothing else (section 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.ac3 import (
    SYNC_WORD,
    PieceCounter,
    SyncFrame,
    checkedRate,
    gatherUnits,
    readFrame,
    splitFrames,
)
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.frames import cut

_BLOCKS = (1, 2, 3, 6)


class EAC3Format(PayloadFormat):
    """E-AC-3 (A/52 annex E). The number of channels is not in the rtpmap (section 5.2)."""

    codecs = frozenset({"eac3"})
    kind: ClassVar[Kind] = "audio"
    encodingName = "eac3"
    isSelfContained = True

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self.clockRate = checkedRate(track)

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        groups = []
        for unit in units:
            try:
                frames = [data for _, data in splitFrames(unit.data, readEnhancedFrame)]
            except PayloadError:
                continue
            if frames:
                groups.append(PayloadGroup(unit.dts, unit.pts, True, True, _payloads(frames, limit - 2)))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        return _EAC3Unpacker()


class _EAC3Unpacker:
    """A program set that came in several packets is handed on in as many units, with one timestamp."""

    def __init__(self) -> None:
        self._pieces = PieceCounter(4096, readEnhancedFrame)

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        data = payload[2:]
        if not data or not payload[1]:
            raise PayloadError(f"an E-AC-3 payload of {len(payload)} bytes")
        if not payload[0] & 1:
            self._pieces.clear()
            return list(gatherUnits(timestamp, splitFrames(data, readEnhancedFrame)))
        # Nothing says which piece is the first one. After a loss the rest of a frame continues nothing either.
        first = not self._pieces.continues(sequence, timestamp)
        if first and not data.startswith(SYNC_WORD):
            self._pieces.clear()
            return []
        return self._pieces.push(sequence, timestamp, payload[1], data, first=first)


def readEnhancedFrame(data: bytes, start: int) -> SyncFrame:
    """
    Reads the start of an E-AC-3 frame, or of an AC-3 frame, which may be among them (RFC 4598 section 4.4).

    @raise PayloadError: if none begins there.
    """
    header = data[start : start + 6]
    if len(header) < 6 or not header.startswith(SYNC_WORD) or header[5] >> 3 > 16:
        raise PayloadError(f"{header.hex()} begins no E-AC-3 frame")
    if header[5] >> 3 <= 10:
        return readFrame(data, start)
    reserved = header[2] >> 6 == 3
    size = 2 * ((header[2] & 7) << 8 | header[3]) + 2
    if reserved or size < 6:
        raise PayloadError(f"an E-AC-3 frame of {size} bytes")
    halfRate = header[4] >> 6 == 3  # then the number of blocks gives way to the rate
    blocks = 6 if halfRate else _BLOCKS[header[4] >> 4 & 3]
    return SyncFrame(size, 256 * blocks, header[2] >> 6 != 1 and not header[2] & 0x38)


def _payloads(frames: list[bytes], room: int) -> list[bytes]:
    if sum(map(len, frames)) <= room and len(frames) < 256:
        return [bytes((0, len(frames))) + b"".join(frames)]
    payloads = []
    for frame in frames:
        pieces = cut(frame, room)
        header = bytes((len(pieces) > 1, len(pieces)))
        payloads += [header + piece for piece in pieces]
    return payloads
