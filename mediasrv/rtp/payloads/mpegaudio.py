"""
MPEG audio, layers 1 to 3, in RTP: RFC 2250 sections 3.2 and 3.5.

A payload is four bytes, of which two are the offset of what follows in its frame, and whole frames or a piece of one.
The clock is 90 kHz for every sampling rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from mediasrv.media.tracks import Kind, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.frames import Assembly, bundles, cut

_HEADER = bytes(4)
_CLOCK = 90000
#: kbit/s by version (MPEG-1; MPEG-2 and 2.5), layer and number; 0 is free format, which FFmpeg does not read either
_BIT_RATES = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_HALVINGS = {3: 0, 2: 1, 0: 2}  # of the rate, in MPEG-1, MPEG-2 and MPEG-2.5
_LARGEST = 2881  # MPEG-2.5 layer 2, 160 kbit/s at 8 kHz, padded


class MPEGAudioFormat(PayloadFormat):
    """
    MP1, MP2 and MP3.

    @cvar longestPacket: seconds of sound in a packet, unless one frame is longer. 50 ms are two frames of a 48 kHz MP3.
    """

    codecs = frozenset({"mp1", "mp2", "mp3"})
    kind: ClassVar[Kind] = "audio"
    encodingName = "MPA"
    isSelfContained = True
    startMarker = True
    payloadType = 14
    clockRate = _CLOCK
    longestPacket: ClassVar[float] = 0.05

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        groups = []
        room = limit - len(_HEADER)
        for run in bundles(_frames(units), room, 0, 255, self.longestPacket):
            first = run[0]
            if len(first.data) > room:
                payloads = [
                    (number * room).to_bytes(4, "big") + piece for number, piece in enumerate(cut(first.data, room))
                ]
            else:
                payloads = [_HEADER + b"".join([frame.data for frame in run])]
            groups.append(PayloadGroup(first.dts, first.pts, True, False, payloads))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        return _MPEGAudioUnpacker()


class _MPEGAudioUnpacker:
    def __init__(self) -> None:
        self._assembly = Assembly(_LARGEST)

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        offset = int.from_bytes(payload[2:4], "big")
        data = payload[4:]
        if not data:
            raise PayloadError("an MPEG audio payload without audio")
        if offset:
            return self._extend(sequence, timestamp, offset, data)
        self._assembly.clear()
        size, _ = frameSize(data)
        if size > len(data):
            self._assembly.begin(sequence, timestamp, data, size)
            return []
        return list(_split(timestamp, data))

    def _extend(self, sequence: int, timestamp: int, offset: int, data: bytes) -> list[ReceivedUnit]:
        assembly = self._assembly
        expected = len(assembly)
        if not assembly.extend(sequence, timestamp, data):
            return []
        if offset != expected or len(assembly) > assembly.total:
            assembly.clear()
            raise PayloadError(f"a piece of an MPEG audio frame at {offset} instead of {expected}")
        if len(assembly) < assembly.total:
            return []
        return [ReceivedUnit(timestamp, True, assembly.take())]


def frameSize(data: bytes, start: int = 0) -> tuple[int, float]:
    """
    Reads the header of the MPEG audio frame at C{start} (ISO/IEC 11172-3 section 2.4.1.3, 13818-3).

    @return: the frame's bytes and seconds.
    @raise PayloadError: if no frame begins there, or one in free format.
    """
    header = int.from_bytes(data[start : start + 4], "big")
    version = header >> 19 & 3
    layer = 4 - (header >> 17 & 3)
    bitRate = header >> 12 & 15
    rate = header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or bitRate in (0, 15) or rate == 3:
        raise PayloadError(f"{header:08x} begins no MPEG audio frame")
    first = version == 3
    bits = _BIT_RATES[first, layer][bitRate] * 1000
    samplesPerSecond = _RATES[rate] >> _HALVINGS[version]
    padding = header >> 9 & 1
    if layer == 1:
        return (12 * bits // samplesPerSecond + padding) * 4, 384 / samplesPerSecond
    samples = 576 if layer == 3 and not first else 1152
    return samples // 8 * bits // samplesPerSecond + padding, samples / samplesPerSecond


def _frames(units: Sequence[Unit]) -> Iterator[Unit]:
    """Single frames with their true durations; what is damaged is left out."""
    for unit in units:
        later = 0.0
        start = 0
        while start < len(unit.data):
            try:
                size, duration = frameSize(unit.data, start)
            except PayloadError:
                break
            if start + size > len(unit.data):
                break
            yield Unit(unit.dts + later, unit.pts + later, duration, True, unit.data[start : start + size])
            start += size
            later += duration


def _split(timestamp: int, data: bytes) -> Iterator[ReceivedUnit]:
    """
    The frames of a payload.

    @raise PayloadError: if one is damaged or cut off.
    """
    later = 0.0
    start = 0
    while start < len(data):
        size, duration = frameSize(data, start)
        if start + size > len(data):
            raise PayloadError("an MPEG audio frame is cut off")
        yield ReceivedUnit((timestamp + round(later * _CLOCK)) & 0xFFFFFFFF, True, data[start : start + size])
        start += size
        later += duration
