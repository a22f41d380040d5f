"""
AAC's own headers: AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1) and ADTS (section 1.A.2.2).

RFC 3640 carries bare AAC frames and describes them by an AudioSpecificConfig. Containers either have that, or a 7 or
9 byte ADTS header before every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from mediasrv.rtp.payloads.bits import BitReader
from mediasrv.rtp.payloads.formats import PayloadError

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
_CONFIGURATIONS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 11, 8: 7}

#: audio object types (ISO/IEC 14496-3 table 1.17)
LC, SBR, LD, PS, ELD = 2, 5, 23, 29, 39
#: those whose specific part is a GASpecificConfig
_GENERAL = frozenset({1, LC, 3, 4, 6, 7, 17, 19, 20, 21, 22, LD})
_SYNC_EXTENSION = 0x2B7


@dataclass(frozen=True, slots=True)
class AudioSpecificConfig:
    """
    What a receiver has to know about an AAC stream.

    @ivar objectType: the core coder's audio object type.
    @ivar coreRate: samples per second of the core coder.
    @ivar sampleRate: samples per second that come out: twice as many where SBR is signalled.
    @ivar channels: 0 where the stream itself says (a program config element).
    @ivar frameLength: samples of the core coder in a frame; 0 where this parser does not know.
    @ivar encoded: the bytes.
    """

    objectType: int
    coreRate: int
    sampleRate: int
    channels: int
    frameLength: int
    encoded: bytes

    @property
    def frameDuration(self) -> float:
        """Seconds of a frame; 0.0 where unknown."""
        return self.frameLength / self.coreRate

    @classmethod
    def parse(cls, data: bytes) -> AudioSpecificConfig:
        """
        @raise PayloadError: if that is no AudioSpecificConfig.
        """
        bits = BitReader(data)
        objectType = _readObjectType(bits)
        coreRate = sampleRate = _readRate(bits)
        configuration = bits.read(4)
        if objectType in (SBR, PS):
            sampleRate = _readRate(bits)
            objectType = _readObjectType(bits)
        frameLength = _readFrameLength(bits, objectType)
        if objectType in _GENERAL and sampleRate == coreRate and configuration:
            sampleRate = _readExtension(bits) or coreRate
        return cls(objectType, coreRate, sampleRate, _CHANNELS.get(configuration, 0), frameLength, data)

    @classmethod
    def build(cls, objectType: int, sampleRate: int, channels: int) -> AudioSpecificConfig:
        """
        The configuration of a stream that came without one.

        @param objectType: with L{SBR} or L{PS} the rate is the one that comes out, and the core is an LC coder.
        @raise PayloadError: if there is no standard arrangement of so many channels, or no rate.
        """
        if objectType == PS:
            channels = 1  # the core is mono, parametric stereo makes two of it
        configuration = _CONFIGURATIONS.get(channels)
        if configuration is None or not 0 < sampleRate < 1 << 24:
            raise PayloadError(f"no AAC configuration for {channels} channels at {sampleRate} Hz")
        extended = objectType in (SBR, PS)
        fields = [(objectType, 5), *_rateFields(sampleRate // 2 if extended else sampleRate), (configuration, 4)]
        if extended:
            fields += [*_rateFields(sampleRate), (LC, 5)]
        fields.append((0, 3))  # GASpecificConfig: 1024 samples, no core coder, no extension
        return cls.parse(_joinBits(fields))


def stripADTS(data: bytes) -> list[bytes]:
    """
    The bare frames of ADTS frames; what does not begin with an ADTS header is one bare frame already.

    A bare frame cannot begin like ADTS: its first three bits would be ID_END (ISO/IEC 14496-3 table 4.85).

    @raise PayloadError: if an ADTS frame is cut off, or holds several raw data blocks, which nobody writes.
    """
    if len(data) < 2 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return [data]
    frames = []
    start = 0
    while start < len(data):
        header = data[start : start + 7]
        if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
            raise PayloadError("no ADTS header where one is due")
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        first = 7 if header[1] & 1 else 9
        if length <= first or start + length > len(data) or header[6] & 3:
            raise PayloadError(f"an ADTS frame of {length} bytes in {len(data) - start}")
        frames.append(data[start + first : start + length])
        start += length
    return frames


def _readObjectType(bits: BitReader) -> int:
    objectType = bits.read(5)
    return 32 + bits.read(6) if objectType == 31 else objectType


def _readRate(bits: BitReader) -> int:
    index = bits.read(4)
    rate = bits.read(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    if not rate:
        raise PayloadError(f"sampling rate number {index} of an AAC configuration means nothing")
    return rate


def _readFrameLength(bits: BitReader, objectType: int) -> int:
    if objectType in _GENERAL:
        short = bits.read(1)
        return (480 if short else 512) if objectType == LD else 960 if short else 1024
    if objectType == ELD:
        return 480 if bits.read(1) else 512
    return 0


def _readExtension(bits: BitReader) -> int:
    """The rate that SBR gives, where it is announced behind the core's part so that old decoders ignore it; or 0."""
    try:
        if bits.read(1):
            bits.read(14)  # coreCoderDelay
        if bits.read(1) or bits.read(11) != _SYNC_EXTENSION or bits.read(5) != SBR or not bits.read(1):
            return 0
        return _readRate(bits)
    except PayloadError:
        return 0  # it is optional: nothing, or other bits, may follow


def _rateFields(rate: int) -> list[tuple[int, int]]:
    return [(_RATES.index(rate), 4)] if rate in _RATES else [(15, 4), (rate, 24)]


def _joinBits(fields: list[tuple[int, int]]) -> bytes:
    value = length = 0
    for number, bits in fields:
        value = value << bits | number
        length += bits
    padding = -length % 8
    return (value << padding).to_bytes((length + padding) // 8, "big")
