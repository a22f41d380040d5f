"""
AAC in RTP: RFC 3640, mode AAC-hbr (section 3.3.6).

A packet is a list of 16-bit headers (13 bits size, 3 bits index) and the frames themselves, or a piece of one frame
under a header with the size of the whole.

The RTP clock is the rate that comes out of the decoder, as RFC 3640 section 3.1 wants and FFmpeg's own sender does: for
HE-AAC twice the core's. FFmpeg's and GStreamer's receivers take any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.audiospecific import PS, SBR, AudioSpecificConfig, stripADTS
from mediasrv.rtp.payloads.bits import BitReader
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.frames import Assembly, bundles, cut

_LARGEST = (1 << 13) - 1
#: FFmpeg's profiles to audio object types, for streams without configuration; it calls "unknown" -99
_OBJECT_TYPES = {-99: 2, 0: 1, 1: 2, 2: 3, 3: 4, 4: SBR, 28: PS, 128: 2, 131: SBR}


class AACFormat(PayloadFormat):
    """
    AAC of all kinds, with or without ADTS headers.

    @cvar mostFrames: frames in a packet. Players wait for a whole packet, and a loss takes all of them.
    @cvar longestPacket: seconds of sound in a packet, unless one frame is longer.
    """

    codecs = frozenset({"aac"})
    kind: ClassVar[Kind] = "audio"
    encodingName = "mpeg4-generic"
    mostFrames: ClassVar[int] = 4
    longestPacket: ClassVar[float] = 0.1

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self._config = AudioSpecificConfig.parse(track.extradata) if track.extradata else configOf(track)
        self.clockRate = track.sampleRate or self._config.sampleRate
        self.channels = track.channels or self._config.channels

    def formatParameters(self) -> str:
        ticks, rest = divmod(self._config.frameLength * self.clockRate, self._config.coreRate)
        duration = f"constantDuration={ticks};" if ticks and not rest else ""
        return (
            "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
            f"{duration}config={self._config.encoded.hex()}"
        )

    def presumed(self) -> tuple[object, ...]:
        # an extension that says that there is no SBR is no difference
        return self.encodingName, self.clockRate, self.channels, replace(self._config, encoded=b"")

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        groups = []
        for run in bundles(self._frames(units), limit - 2, 2, self.mostFrames, self.longestPacket):
            first = run[0]
            if len(first.data) > limit - 4:
                header = b"\x00\x10" + (len(first.data) << 3).to_bytes(2, "big")
                payloads = [header + piece for piece in cut(first.data, limit - 4)]
            else:
                headers = [(len(frame.data) << 3).to_bytes(2, "big") for frame in run]
                bits = (16 * len(run)).to_bytes(2, "big")
                payloads = [b"".join([bits, *headers, *[frame.data for frame in run]])]
            groups.append(PayloadGroup(first.dts, first.pts, True, True, payloads))
        return groups

    def _frames(self, units: Sequence[Unit]) -> Iterator[Unit]:
        """Bare frames with their true durations; damaged ones, and those that 13 bits cannot count, are left out."""
        for unit in units:
            try:
                frames = stripADTS(unit.data)
            except PayloadError:
                continue
            length = self._config.frameDuration or unit.duration
            for number, data in enumerate(frames):
                if 0 < len(data) <= _LARGEST:
                    later = number * length
                    yield Unit(unit.dts + later, unit.pts + later, length, True, data)

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        return _AACUnpacker(parameters)


def configOf(track: Track) -> AudioSpecificConfig:
    """
    The configuration of a stream whose container has none: what its ADTS headers say.

    @raise PayloadError: if they say what cannot be written as one.
    """
    objectType = _OBJECT_TYPES.get(track.profile)
    if objectType is None:
        raise PayloadError(f"AAC of profile {track.profile} without configuration")
    return AudioSpecificConfig.build(objectType, track.sampleRate, track.channels)


class _AACUnpacker:
    """
    Takes every layout of AU headers that RFC 3640 section 3.2.1.1 allows, for AAC-lbr and AAC-hbr, but no interleaving:
    no sender that we know of interleaves, and it would cost delay.
    """

    def __init__(self, parameters: dict[str, str]) -> None:
        number = _Numbers(parameters)
        self._sizeBits = number("sizelength")
        self._indexBits = number("indexlength")
        self._deltaBits = number("indexdeltalength")
        self._timeBits = (number("ctsdeltalength"), number("dtsdeltalength"))
        self._flagBits = min(number("randomaccessindication"), 1) + number("streamstateindication")
        self._auxiliaryBits = number("auxiliarydatasizelength")
        if not self._sizeBits:
            raise PayloadError("AAC without sizeLength")
        self._duration = number("constantduration") or _durationOf(parameters, number("clockrate"))
        self._assembly = Assembly(1 << min(self._sizeBits, 16))

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        sizes, data = self._readHeaders(payload)
        if len(sizes) == 1 and sizes[0] > len(data):
            return self._pushPiece(sequence, timestamp, sizes[0], data)
        self._assembly.clear()
        if sum(sizes) > len(data):
            raise PayloadError(f"{sum(sizes)} bytes of AAC announced, {len(data)} there")
        units = []
        start = 0
        for number, size in enumerate(sizes):
            units.append(self._unit(timestamp + number * self._duration, data[start : start + size]))
            start += size
        return units

    def _pushPiece(self, sequence: int, timestamp: int, total: int, data: bytes) -> list[ReceivedUnit]:
        """Pieces have no numbers. If the first is lost, then what follows never makes up the sum."""
        assembly = self._assembly
        if not assembly.extend(sequence, timestamp, data):
            assembly.begin(sequence, timestamp, data, total)
        if total != assembly.total or len(assembly) > total:
            assembly.clear()
            raise PayloadError(f"a piece that does not belong to an AAC frame of {total} bytes")
        return [self._unit(timestamp, assembly.take())] if len(assembly) == total else []

    def _readHeaders(self, payload: bytes) -> tuple[list[int], bytes]:
        """The sizes of the access units, and the section with their bytes."""
        length = int.from_bytes(payload[:2], "big")
        start = 2 + (length + 7) // 8
        if not length or len(payload) <= start:
            raise PayloadError(f"{length} bits of AU headers in {len(payload)} bytes")
        bits = BitReader(payload[2:start])
        sizes: list[int] = []
        while length > 0:
            size, used = self._readHeader(bits, not sizes)
            sizes.append(size)
            length -= used
        if length:
            raise PayloadError("the last AU header is cut off")
        if self._auxiliaryBits:
            auxiliary = BitReader(payload[start : start + 8]).read(self._auxiliaryBits)
            start += (self._auxiliaryBits + auxiliary + 7) // 8
        return sizes, payload[start:]

    def _readHeader(self, bits: BitReader, first: bool) -> tuple[int, int]:
        """The size of an access unit, and the bits of its header."""
        indexBits = self._indexBits if first else self._deltaBits
        used = self._sizeBits + indexBits + self._flagBits
        size = bits.read(self._sizeBits)
        if bits.read(indexBits) and not first:
            raise PayloadError("interleaved AAC")
        for length in self._timeBits:
            if length:
                present = bits.read(1)
                bits.read(present * length)
                used += 1 + present * length
        bits.read(self._flagBits)
        if not size:
            raise PayloadError("an empty AAC frame")
        return size, used

    def _unit(self, timestamp: int, data: bytes) -> ReceivedUnit:
        frames = stripADTS(data)  # some cameras send ADTS in RTP
        if len(frames) != 1:
            raise PayloadError("several ADTS frames in one access unit")
        return ReceivedUnit(timestamp & 0xFFFFFFFF, True, frames[0])


class _Numbers:
    """Reads numbers from format parameters."""

    def __init__(self, parameters: dict[str, str]) -> None:
        self._parameters = parameters

    def __call__(self, name: str) -> int:
        text = self._parameters.get(name, "0")
        if not (text.isascii() and text.isdigit() and len(text) < 8):
            raise PayloadError(f"{name}={text} is no number")
        number = int(text)
        if name.endswith(("length", "indication")) and number > 32:
            raise PayloadError(f"{name}={text} is too large")
        return number


def _durationOf(parameters: dict[str, str], clockRate: int) -> int:
    """RTP ticks of one frame."""
    if not parameters.get("config"):
        return 1024
    try:
        config = AudioSpecificConfig.parse(bytes.fromhex(parameters["config"]))
    except ValueError as error:
        raise PayloadError(f"config={parameters['config']}: {error}") from error
    return round(config.frameDuration * (clockRate or config.sampleRate)) or 1024
