"""
H.264 and H.265 in MP4 (ISO/IEC 14496-15): each NAL unit with its length before it.

What comes that way is handed on as it is. What has start codes gets lengths instead, and a configuration record made of
its parameter sets; those within the pictures stay there, which decoders do not mind.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.bits import BitReader
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.h264 import H264Format
from mediasrv.rtp.payloads.h265 import H265Format
from mediasrv.rtp.payloads.nalformat import NALFormat
from mediasrv.rtp.payloads.nalunits import joinAnnexB, splitAnnexB, splitLengthPrefixed, unescape
from mediasrv.streaming.fmp4.boxes import box
from mediasrv.streaming.fmp4.formats import NotPackaged, PictureFormat

#: H.264 profiles whose configuration record says how pixels are kept (ISO/IEC 14496-15 section 5.3.3.1)
_HIGH_PROFILES = frozenset({100, 110, 122, 144})

#: types of NAL units (H.264 table 7-1), and of an SEI message (D.1)
_IDR, _SEI = 5, 6
_RECOVERY_POINT = 6

#: bytes of the lengths that are written where there were start codes
_LENGTH_SIZE = 4


class _NALSamples(PictureFormat):
    """
    @ivar record: the decoder configuration record.
    """

    record: bytes

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        try:
            known = self._knownSets(track)
            self._lengthSize = known.lengthSize
            if self._lengthSize:
                self.record = track.extradata
            else:
                _collect(known, units)
                self.record = self._recordOf(known)
            self.codecString = self._codecString(self.record)
        except (PayloadError, IndexError) as error:
            raise NotPackaged(str(error)) from None

    @abstractmethod
    def _knownSets(self, track: Track) -> NALFormat:
        """The parameter sets that the container has."""

    @abstractmethod
    def _recordOf(self, known: NALFormat) -> bytes:
        """The decoder configuration record of parameter sets."""

    @abstractmethod
    def _codecString(self, record: bytes) -> str:
        """What C{CODECS} says of a record."""

    def samples(self, unit: Unit) -> list[bytes]:
        if self._lengthSize:
            return [unit.data]
        try:
            nalUnits = self._nalUnits(unit.data)
        except PayloadError:
            return []
        return [_withLengths(nalUnits, _LENGTH_SIZE)] if nalUnits else []

    def _nalUnits(self, data: bytes) -> list[bytes]:
        spans = splitLengthPrefixed(data, self._lengthSize) if self._lengthSize else splitAnnexB(data)
        return [data[start:end] for start, end in spans]


def _withLengths(nalUnits: Sequence[bytes], size: int) -> bytes:
    """
    @param size: bytes of the length in front of each.
    """
    return b"".join(piece for each in nalUnits for piece in (len(each).to_bytes(size, "big"), each))


def _collect(known: NALFormat, units: Sequence[Unit]) -> None:
    """Takes the parameter sets of the first units up to one that has all types."""
    for unit in units:
        if all(known.sets.byType.values()):
            return
        try:
            for start, end in splitAnnexB(unit.data):
                known.sets.add(unit.data[start:end])
        except PayloadError:
            continue


def _listed(sets: Sequence[bytes]) -> bytes:
    """Parameter sets, each with 16 bits of length before it."""
    return b"".join(len(one).to_bytes(2, "big") + one for one in sets)


class H264Samples(_NALSamples):
    """H.264 as C{avc1}."""

    codecs = frozenset({"h264"})

    def _knownSets(self, track: Track) -> NALFormat:
        return H264Format(track)

    def _recordOf(self, known: NALFormat) -> bytes:
        spss, ppss = known.sets.byType.values()
        if not spss or not ppss or len(spss[0]) < 4:
            raise NotPackaged("H.264 without parameter sets")
        parts = [b"\1", spss[0][1:4], bytes((0xFF, 0xE0 | len(spss[:31]))), _listed(spss[:31])]
        parts += [bytes((len(ppss[:255]),)), _listed(ppss[:255])]
        if spss[0][1] in _HIGH_PROFILES:
            chroma, luma, chromaDepth = _h264Format(spss[0])
            parts.append(bytes((0xFC | chroma, 0xF8 | luma, 0xF8 | chromaDepth, 0)))
        return b"".join(parts)

    def _codecString(self, record: bytes) -> str:
        if len(record) < 4:
            raise NotPackaged("a truncated avcC")
        return f"avc1.{record[1:4].hex().upper()}"

    def amid(self, unit: Unit) -> Unit:
        """
        Pictures from which decoding can recover, but which are no IDR, are no places to start at: what follows may name
        pictures from before, at which Chromium gives up. It looks for SEI itself, whatever the flags say.
        """
        if not unit.key:
            return unit
        try:
            nalUnits = self._nalUnits(unit.data)
        except PayloadError:
            return unit
        if any(each[0] & 0x1F == _IDR for each in nalUnits):
            return unit
        kept = [each for each in nalUnits if not _isRecoveryPoint(each)]
        data = _withLengths(kept, self._lengthSize) if self._lengthSize else joinAnnexB(kept)
        return replace(unit, key=False, data=data)

    def entry(self) -> bytes:
        return self.visualEntry(b"avc1", box(b"avcC", self.record))


def _isRecoveryPoint(nalUnit: bytes) -> bool:
    """Whether all that it says is the SEI message of a recovery point (H.264 7.3.2.3.1, D.1.8)."""
    if nalUnit[0] & 0x1F != _SEI:
        return False
    message = unescape(nalUnit[1:])
    return len(message) > 2 and message[0] == _RECOVERY_POINT and len(message) == 3 + message[1]


def _h264Format(sps: bytes) -> tuple[int, int, int]:
    """C{chroma_format_idc} and the bits of luma and chroma beyond eight, of a high profile (H.264 7.3.2.1.1)."""
    bits = BitReader(unescape(sps)[4:])
    bits.expGolomb()  # seq_parameter_set_id
    chroma = bits.expGolomb()
    if chroma == 3:
        bits.read(1)
    return chroma & 3, bits.expGolomb() & 7, bits.expGolomb() & 7


class H265Samples(_NALSamples):
    """H.265 as C{hvc1}, which is what Apple wants."""

    codecs = frozenset({"hevc"})

    def _knownSets(self, track: Track) -> NALFormat:
        return H265Format(track)

    def _recordOf(self, known: NALFormat) -> bytes:
        sets = known.sets.byType
        if not all(sets.values()):
            raise NotPackaged("H.265 without parameter sets")
        sps = unescape(next(iter(sets[33])))
        general, format, layers = sps[3:15], _h265Format(sps), sps[2] >> 1 & 7
        fixed = bytes((0xF0, 0, 0xFC, 0xFC | format[0], 0xF8 | format[1], 0xF8 | format[2], 0, 0))
        last = (layers + 1) << 3 | (sps[2] & 1) << 2 | 3
        arrays = [
            bytes((0x80 | kind,)) + len(units).to_bytes(2, "big") + _listed(units) for kind, units in sets.items()
        ]
        return b"".join((b"\1", general, fixed, bytes((last, len(arrays))), *arrays))

    def _codecString(self, record: bytes) -> str:
        """ISO/IEC 14496-15 annex E.3."""
        if len(record) < 23:
            raise NotPackaged("a truncated hvcC")
        space = ("", "A", "B", "C")[record[1] >> 6]
        compatibility = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
        tier = "H" if record[1] & 0x20 else "L"
        parts = [f"hvc1.{space}{record[1] & 0x1F}", f"{compatibility:X}", f"{tier}{record[12]}"]
        return ".".join(parts + [f"{each:X}" for each in record[6:12].rstrip(b"\0")])

    def entry(self) -> bytes:
        return self.visualEntry(b"hvc1", box(b"hvcC", self.record))


def _h265Format(sps: bytes) -> tuple[int, int, int]:
    """C{chroma_format_idc} and the bits of luma and chroma beyond eight (H.265 7.3.2.2.1 and 7.3.3)."""
    bits = BitReader(sps[15:])
    layers = sps[2] >> 1 & 7
    present = [(bits.read(1), bits.read(1)) for _ in range(layers)]
    if layers:
        bits.read(2 * (8 - layers))
    for profile, level in present:
        bits.read(88 * profile + 8 * level)
    bits.expGolomb()  # sps_seq_parameter_set_id
    chroma = bits.expGolomb()
    if chroma == 3:
        bits.read(1)
    bits.expGolomb()  # width
    bits.expGolomb()  # height
    if bits.read(1):  # conformance_window_flag
        for _ in range(4):
            bits.expGolomb()
    return chroma & 3, bits.expGolomb() & 7, bits.expGolomb() & 7
