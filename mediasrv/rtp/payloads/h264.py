"""
H.264: RFC 6184, packetization mode 1 (single NAL units, STAP-A and FU-A).

What the pictures lose on the way is in L{mediasrv.rtp.payloads.nalformat}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediasrv.rtp.payloads.formats import PayloadError, Unpacker
from mediasrv.rtp.payloads.nalformat import NALFormat
from mediasrv.rtp.payloads.nalunits import decodeSets, encodeSet, unescape
from mediasrv.rtp.payloads.nalunpacker import NALUnpacker

# NAL unit types: ITU-T H.264 table 7-1.
_SLICE, _PARTITION_A, _IDR, _SEI, _SPS, _PPS, _AUD, _FILLER = 1, 2, 5, 6, 7, 8, 9, 12
# The types of payloads that are no NAL unit: RFC 6184 table 1.
_STAP_A, _FU_A = 24, 28

_RECOVERY_POINT = 6  # SEI payload type, H.264 D.1.1

_TYPES = bytes(first & 0x1F for first in range(256))
_NAL_TYPES = range(1, 24)


class H264Format(NALFormat):
    """H.264 from avcC (ISO/IEC 14496-15, lengths) or with start codes."""

    codecs: ClassVar[frozenset[str]] = frozenset({"h264"})
    encodingName = "H264"
    types = _TYPES
    headerSize = 1
    setTypes = (_SPS, _PPS)
    dropped = frozenset({_AUD, _FILLER, 0, *range(24, 32)})

    _profileLevel = b""

    def _readConfiguration(self, record: bytes) -> None:
        if record[0] != 1 or len(record) < 6:
            raise PayloadError("extradata is neither avcC nor parameter sets with start codes")
        self._profileLevel = record[1:4]
        self.lengthSize = (record[4] & 3) + 1
        at = self._readSets(record, 6, record[5] & 0x1F)
        if at < len(record):
            self._readSets(record, at + 1, record[at])

    def formatParameters(self) -> str:
        """
        RFC 6184 section 8.1. C{sprop-parameter-sets} has exactly one SPS and one PPS, because ExoPlayer takes nothing
        else (androidx/media issue 901); further ones come with each key picture.
        """
        sps, pps = self.sets.first(_SPS), self.sets.first(_PPS)
        profileLevel = sps[1:4] if len(sps) >= 4 else self._profileLevel
        parameters = ["packetization-mode=1"]
        if profileLevel:
            parameters.append(f"profile-level-id={profileLevel.hex().upper()}")
        if sps and pps:
            parameters.append(f"sprop-parameter-sets={encodeSet(sps)},{encodeSet(pps)}")
        return ";".join(parameters)

    def _aggregationHeader(self, nalUnits: Sequence[bytes]) -> bytes:
        # RFC 6184 section 5.7: F is the OR of all, NRI the maximum.
        forbidden = any(nalUnit[0] & 0x80 for nalUnit in nalUnits)
        importance = max(nalUnit[0] & 0x60 for nalUnit in nalUnits)
        return bytes((forbidden << 7 | importance | _STAP_A,))

    def _fragmentHeaders(self, header: bytes) -> tuple[bytes, bytes, bytes]:
        # RFC 6184 section 5.8: F and NRI stay, the type moves to the second byte, beside S (0x80) and E (0x40).
        indicator, nalType = header[0] & 0xE0 | _FU_A, header[0] & 0x1F
        return (
            bytes((indicator, 0x80 | nalType)),
            bytes((indicator, nalType)),
            bytes((indicator, 0x40 | nalType)),
        )

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        """
        @raise PayloadError: for the interleaved mode, C{packetization-mode=2}.
        """
        mode = parameters.get("packetization-mode", "0")
        if mode not in ("0", "1"):
            raise PayloadError(f"packetization-mode={mode} is not supported")
        return H264Unpacker(decodeSets(parameters.get("sprop-parameter-sets", "")))


class H264Unpacker(NALUnpacker):
    """Puts H.264 pictures together: RFC 6184 sections 5.6 to 5.8."""

    types = _TYPES
    headerSize = 1
    setTypes = (_SPS, _PPS)
    sliceTypes = frozenset({_SLICE, _PARTITION_A, _IDR})
    startTypes = frozenset({_AUD, _SPS})
    delimiter = _AUD

    def _add(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind in _NAL_TYPES:
            self._addWhole(payload)
        elif kind == _STAP_A:
            for nalUnit in self._aggregated(payload):
                if nalUnit[0] & 0x1F not in _NAL_TYPES:
                    raise PayloadError(f"NAL unit of type {nalUnit[0] & 0x1F} in a STAP-A")
                self._addWhole(nalUnit)
        elif kind == _FU_A:
            self._addFragment(payload)
        else:
            raise PayloadError(f"payload of type {kind} in packetization mode 1")

    def _addFragment(self, payload: bytes) -> None:
        if len(payload) < 2 or payload[1] & 0x1F not in _NAL_TYPES:
            raise PayloadError("FU-A of no NAL unit")
        header = bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))
        self._addPart(header, payload[2:], bool(payload[1] & 0x80), bool(payload[1] & 0x40))

    def _isKey(self, types: list[int]) -> bool:
        # Streams with open or gradually refreshed groups of pictures have no IDR picture, but say where to start.
        return _IDR in types or any(
            nalType == _SEI and _hasRecoveryPoint(self._nalUnit(number)) for number, nalType in enumerate(types)
        )


def _hasRecoveryPoint(sei: bytes) -> bool:
    """Whether one of the messages of an SEI NAL unit is a recovery point (H.264 7.3.2.3)."""
    data = unescape(sei[1:])
    at = 0
    while at + 2 < len(data):  # what is left is more than the trailing bits
        values = []
        for _ in ("type", "size"):
            value = 0
            while at < len(data) and data[at] == 0xFF:
                value += 0xFF
                at += 1
            values.append(value + (data[at] if at < len(data) else 0))
            at += 1
        if values[0] == _RECOVERY_POINT:
            return True
        at += values[1]
    return False
