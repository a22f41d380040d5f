"""
AAC, MP3, Opus and FLAC in MP4: ISO/IEC 14496-14, and the encapsulations of Opus and FLAC by Xiph.Org.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.aac import configOf
from mediasrv.rtp.payloads.audiospecific import PS, SBR, AudioSpecificConfig, stripADTS
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.streaming.fmp4.boxes import box, fullBox
from mediasrv.streaming.fmp4.formats import NotPackaged, SoundFormat, elementaryStream
from mediasrv.streaming.fmp4.silence import silentAAC, silentOpus

#: object types (ISO/IEC 14496-1 table 5)
_AAC, _MPEG1_AUDIO, _MPEG2_AUDIO = 0x40, 0x6B, 0x69
#: the lowest rate of MPEG-1; what is lower is of MPEG-2
_MPEG1_RATE = 32000
#: bytes of STREAMINFO (RFC 9639 section 8.2)
_STREAM_INFO = 34


class AACSamples(SoundFormat):
    """AAC, with or without ADTS headers."""

    codecs = frozenset({"aac"})

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        try:
            config = AudioSpecificConfig.parse(track.extradata) if track.extradata else configOf(track)
        except PayloadError as error:
            raise NotPackaged(str(error)) from None
        self._config = config.encoded
        signalled = config.encoded[0] >> 3
        extended = config.sampleRate != config.coreRate and signalled not in (SBR, PS)
        self.codecString = f"mp4a.40.{SBR if extended else PS if signalled == PS else _objectType(config)}"
        ticks, rest = divmod(config.frameLength * self.timescale, config.coreRate)
        self.frameTicks = self.silentTicks = 0 if rest else ticks
        self.silence = silentAAC(config.channels)

    def entry(self) -> bytes:
        return self.soundEntry(b"mp4a", elementaryStream(_AAC, self._config))

    def samples(self, unit: Unit) -> list[bytes]:
        try:
            return [frame for frame in stripADTS(unit.data) if frame]
        except PayloadError:
            return []


def _objectType(config: AudioSpecificConfig) -> int:
    """As it is signalled: SBR where that comes first."""
    return SBR if config.encoded[0] >> 3 == SBR else config.objectType


class MP3Samples(SoundFormat):
    """MP3, a frame in each sample."""

    codecs = frozenset({"mp3"})

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        isFirst = track.sampleRate >= _MPEG1_RATE
        self._objectType = _MPEG1_AUDIO if isFirst else _MPEG2_AUDIO
        self.frameTicks = 1152 if isFirst else 576
        self.codecString = f"mp4a.{self._objectType:X}"

    def entry(self) -> bytes:
        return self.soundEntry(b"mp4a", elementaryStream(self._objectType, b""))


class OpusSamples(SoundFormat):
    """Opus ("Encapsulation of Opus in ISO Base Media File Format")."""

    codecs = frozenset({"opus"})
    codecString = "opus"

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        self.timescale = 48000
        head = track.extradata
        if not head:
            if track.channels not in (1, 2):
                raise NotPackaged(f"Opus of {track.channels} channels without its header")
            head = b"OpusHead\1" + bytes((track.channels,)) + bytes(9)
        if len(head) < 19 or not head.startswith(b"OpusHead"):
            raise NotPackaged("an Opus header that is none")
        # the same fields as in the header of RFC 7845, with the bytes of the numbers the other way round
        numbers = [head[start:end][::-1] for start, end in ((10, 12), (12, 16), (16, 18))]
        family = head[18]
        self.silence = b"" if family else silentOpus(head[9])
        self.silentTicks = 960
        self._specific = b"\0" + head[9:10] + b"".join(numbers) + head[18:]

    def entry(self) -> bytes:
        return self.soundEntry(b"Opus", box(b"dOps", self._specific))


class FLACSamples(SoundFormat):
    """FLAC ("Encapsulation of FLAC in ISO Base Media File Format")."""

    codecs = frozenset({"flac"})
    codecString = "fLaC"

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        info = track.extradata
        if info.startswith(b"fLaC"):
            info = info[8:]
        self._info = info[:_STREAM_INFO]
        if len(self._info) < _STREAM_INFO:
            raise NotPackaged("FLAC without STREAMINFO")

    def entry(self) -> bytes:
        bits = (self._info[12] & 1) << 4 | self._info[13] >> 4
        block = b"\x80" + _STREAM_INFO.to_bytes(3, "big") + self._info
        return self.soundEntry(b"fLaC", fullBox(b"dfLa", 0, 0, block), bits + 1)
