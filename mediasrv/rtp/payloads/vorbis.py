"""
Vorbis in RTP: RFC 5215. Each payload names the configuration that decodes it, then has whole packets behind their
16-bit sizes, or a piece of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.frames import CONTIGUITY, Assembly, bundles, cut
from mediasrv.rtp.payloads.vorbisheaders import BlockSizes, VorbisConfiguration, readPacked

_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_MOST = 15
_LARGEST = 1 << 18


class VorbisFormat(PayloadFormat):
    """
    Vorbis with the headers in the session description.

    @cvar longestPacket: seconds of sound in a packet, unless a single one is longer.
    """

    codecs = frozenset({"vorbis"})
    kind: ClassVar[Kind] = "audio"
    encodingName = "vorbis"
    longestPacket: ClassVar[float] = 0.05

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        configuration = VorbisConfiguration.fromExtradata(track.extradata)
        self._parameters = f"configuration={configuration.packed()}"
        self._ident = configuration.ident << 8
        self._blockSizes = BlockSizes(configuration)
        self.channels = configuration.identification[11]
        self.clockRate = int.from_bytes(configuration.identification[12:16], "little")
        if not self.clockRate or not self.channels:
            raise PayloadError("Vorbis without a rate or channels")

    def formatParameters(self) -> str:
        return self._parameters

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        groups = []
        for run in bundles(self._timed(units), limit - 4, 2, _MOST, self.longestPacket):
            first = run[0]
            if len(first.data) > limit - 6:
                payloads = self._pieces(first.data, limit - 6)
            else:
                parts = [self._header(_WHOLE, len(run))]
                for unit in run:
                    parts += [len(unit.data).to_bytes(2, "big"), unit.data]
                payloads = [b"".join(parts)]
            # The marker is always zero (section 2.1).
            groups.append(PayloadGroup(first.dts, first.pts, True, False, payloads))
        return groups

    def _timed(self, units: Sequence[Unit]) -> Iterator[Unit]:
        """
        Units with the times that a receiver will reckon. FFmpeg's Ogg reader gives the first short block after a long
        one the duration of a short one after another, and a start that is too late by as much.
        """
        slack = (self._blockSizes.slack + 1) / self.clockRate + CONTIGUITY
        previous = 0
        due = 0.0
        for unit in units:
            if not 0 < len(unit.data) <= _LARGEST:
                continue
            if not previous or abs(unit.pts - due) > slack:
                due = unit.pts
            duration = self._blockSizes.duration(unit.data, previous) / self.clockRate
            yield Unit(unit.dts + due - unit.pts, due, duration, True, unit.data)
            previous = self._blockSizes.of(unit.data)
            due += duration

    def _pieces(self, data: bytes, size: int) -> list[bytes]:
        pieces = cut(data, size)
        kinds = [_FIRST, *[_MIDDLE] * (len(pieces) - 2), _LAST]
        return [
            self._header(kind, 0) + len(piece).to_bytes(2, "big") + piece
            for kind, piece in zip(kinds, pieces, strict=True)
        ]

    def _header(self, kind: int, count: int) -> bytes:
        return (self._ident | kind << 6 | count).to_bytes(4, "big")

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        return _VorbisUnpacker(parameters.get("configuration", ""))


class _VorbisUnpacker:
    """
    Gives raw Vorbis packets. Those of a configuration that the parameters do not have are dropped, as section 3 asks,
    and so are configurations in the stream itself.
    """

    def __init__(self, configuration: str) -> None:
        self._blockSizes = {ident: BlockSizes(found) for ident, found in readPacked(configuration).items()}
        self._assembly = Assembly(_LARGEST)
        self._next = -1
        self._previous = 0

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        if len(payload) < 6:
            raise PayloadError(f"a Vorbis payload of {len(payload)} bytes")
        if sequence != self._next:
            self._previous = 0  # the size of the block before is lost
        self._next = (sequence + 1) & 0xFFFF
        blockSizes = self._blockSizes.get(int.from_bytes(payload[:3], "big"))
        kind, dataType, count = payload[3] >> 6, payload[3] >> 4 & 3, payload[3] & 15
        if blockSizes is None or dataType:
            self._assembly.clear()
            return []
        packets = self._whole(payload, count) if kind == _WHOLE else self._piece(sequence, timestamp, kind, payload)
        units = []
        for packet in packets:
            units.append(ReceivedUnit(timestamp & 0xFFFFFFFF, True, packet))
            timestamp += blockSizes.duration(packet, self._previous)
            self._previous = blockSizes.of(packet)
        return units

    def _whole(self, payload: bytes, count: int) -> list[bytes]:
        self._assembly.clear()
        packets = []
        start = 4
        for _ in range(count):
            end = start + 2 + int.from_bytes(payload[start : start + 2], "big")
            if end > len(payload) or end == start + 2:
                raise PayloadError("a Vorbis packet is cut off or empty")
            packets.append(payload[start + 2 : end])
            start = end
        return packets

    def _piece(self, sequence: int, timestamp: int, kind: int, payload: bytes) -> list[bytes]:
        piece = payload[6 : 6 + int.from_bytes(payload[4:6], "big")]
        if not piece:
            raise PayloadError("an empty piece of a Vorbis packet")
        if kind == _FIRST:
            self._assembly.begin(sequence, timestamp, piece)
            return []
        if not self._assembly.extend(sequence, timestamp, piece) or kind == _MIDDLE:
            return []
        return [self._assembly.take()]
