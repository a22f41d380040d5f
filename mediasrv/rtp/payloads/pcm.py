"""
Uncompressed and logarithmic sound in RTP: RFC 3551 section 4.5 (PCMU, PCMA, L8, L16) and RFC 3190 (L24).

A container's units are runs of samples of any length. They are sent in packets of 20 ms (RFC 3551 section 4.2), or of
as many whole sample frames (one sample of each channel) as fit.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import ClassVar

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.frames import CONTIGUITY

_PACKET = 0.02
#: the payload up to which a 20 ms packet can be relied on: less than any usual limit
_USUAL = 1200


class SampleFormat(PayloadFormat):
    """
    What all of these have in common.

    @cvar sampleBytes: bytes of one sample of one channel.
    @cvar staticTypes: static payload types by clock rate and channels (RFC 3551 table 4).
    """

    kind: ClassVar[Kind] = "audio"
    startMarker = True
    sampleBytes: ClassVar[int] = 1
    staticTypes: ClassVar[dict[tuple[int, int], int]] = {}

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        channels = max(track.channels, 1)
        self.clockRate = self._clockRate()
        if not 0 < self.clockRate < 1 << 24 or channels > 255:
            raise PayloadError(f"{track.codec} of {channels} channels at {self.clockRate} Hz")
        self.payloadType = self.staticTypes.get((self.clockRate, channels))
        self.channels = channels if channels > 1 else 0
        self._frameBytes = channels * self.sampleBytes

    def _clockRate(self) -> int:
        return self.track.sampleRate

    def attributes(self) -> list[str]:
        whole = int(self.clockRate * _PACKET) * self._frameBytes
        return ["a=ptime:20"] if whole <= _USUAL else []

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """
        Units that follow each other without a gap are joined and cut anew. What is left before a gap, or at the end,
        becomes a shorter packet.
        """
        frames = min(max(int(self.clockRate * _PACKET), 1), limit // self._frameBytes)
        groups = []
        if frames:
            for dts, pts, data in self._runs(units):
                size = frames * self._frameBytes
                for start in range(0, len(data), size):
                    later = start // self._frameBytes / self.clockRate
                    groups.append(PayloadGroup(dts + later, pts + later, True, False, [data[start : start + size]]))
        return groups

    def _runs(self, units: Sequence[Unit]) -> Iterator[tuple[float, float, bytes]]:
        """Start (dts, pts) and payload bytes of what lies between two gaps."""
        parts: list[bytes] = []
        dts = pts = end = 0.0
        for unit in units:
            whole = len(unit.data) - len(unit.data) % self._frameBytes
            if not whole:
                continue
            if parts and abs(unit.pts - end) > CONTIGUITY:
                yield dts, pts, self._toNetwork(b"".join(parts))
                parts = []
            if not parts:
                dts, pts, end = unit.dts, unit.pts, unit.pts
            parts.append(unit.data[:whole])
            end += whole // self._frameBytes / self.clockRate
        if parts:
            yield dts, pts, self._toNetwork(b"".join(parts))

    def _toNetwork(self, data: bytes) -> bytes:
        """Samples in the byte order of the network."""
        return data

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        channels = parameters.get("channels", "1")
        if not (channels.isascii() and channels.isdigit() and len(channels) < 4):
            raise PayloadError(f"{channels} channels")
        return _SampleUnpacker(max(int(channels), 1) * cls.sampleBytes)


class PCMUFormat(SampleFormat):
    """G.711 mu-law (section 4.5.14)."""

    codecs = frozenset({"pcm_mulaw"})
    encodingName = "PCMU"
    staticTypes = {(8000, 1): 0}


class PCMAFormat(SampleFormat):
    """G.711 A-law (section 4.5.14)."""

    codecs = frozenset({"pcm_alaw"})
    encodingName = "PCMA"
    staticTypes = {(8000, 1): 8}


class L8Format(SampleFormat):
    """8 bits, unsigned (section 4.5.10)."""

    codecs = frozenset({"pcm_u8"})
    encodingName = "L8"


class L16Format(SampleFormat):
    """16 bits, signed, big-endian (section 4.5.11). Received units are C{pcm_s16be}."""

    codecs = frozenset({"pcm_s16le", "pcm_s16be"})
    encodingName = "L16"
    sampleBytes = 2
    staticTypes = {(44100, 2): 10, (44100, 1): 11}

    def _toNetwork(self, data: bytes) -> bytes:
        if self.track.codec == "pcm_s16be":
            return data
        samples = array("H", data)
        samples.byteswap()
        return samples.tobytes()


class L24Format(SampleFormat):
    """24 bits, signed, big-endian (RFC 3190 section 4). Received units are C{pcm_s24be}."""

    codecs = frozenset({"pcm_s24le", "pcm_s24be"})
    encodingName = "L24"
    sampleBytes = 3

    def _toNetwork(self, data: bytes) -> bytes:
        if self.track.codec == "pcm_s24be":
            return data
        swapped = bytearray(data)
        swapped[0::3], swapped[2::3] = data[2::3], data[0::3]
        return bytes(swapped)


class _SampleUnpacker:
    """Every payload is a unit."""

    def __init__(self, frameBytes: int) -> None:
        self._frameBytes = frameBytes

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        rest = len(payload) % self._frameBytes
        if rest or not payload:
            raise PayloadError(f"{len(payload)} bytes are no whole number of {self._frameBytes}-byte sample frames")
        return [ReceivedUnit(timestamp, True, payload)]
