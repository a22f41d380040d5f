"""
H.265: RFC 7798 (single NAL units, aggregation packets and fragmentation units, without decoding order numbers).

What the pictures lose on the way is in L{mediasrv.rtp.payloads.nalformat}. The enhancement of Dolby Vision (NAL unit
types 62 and 63, not specified by H.265) is among it: the base layer is what players get.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediasrv.rtp.payloads.formats import PayloadError, Unpacker
from mediasrv.rtp.payloads.nalformat import NALFormat
from mediasrv.rtp.payloads.nalunits import decodeSets, encodeSet, unescape
from mediasrv.rtp.payloads.nalunpacker import NALUnpacker

# NAL unit types: ITU-T H.265 table 7-1.
_SLICES = range(32)
_IRAP = range(16, 24)
_VPS, _SPS, _PPS, _AUD, _FILLER = 32, 33, 34, 35, 38
# The types of payloads that are no NAL unit: RFC 7798 section 4.4.
_AP, _FU = 48, 49

_TYPES = bytes(first >> 1 & 0x3F for first in range(256))
_NAL_TYPES = range(48)


class H265Format(NALFormat):
    """H.265 from hvcC (ISO/IEC 14496-15, lengths) or with start codes."""

    codecs: ClassVar[frozenset[str]] = frozenset({"hevc"})
    encodingName = "H265"
    types = _TYPES
    headerSize = 2
    setTypes = (_VPS, _SPS, _PPS)
    dropped = frozenset({_AUD, _FILLER, *range(48, 64)})

    def _readConfiguration(self, record: bytes) -> None:
        if len(record) < 23:
            raise PayloadError("extradata is neither hvcC nor parameter sets with start codes")
        self.lengthSize = (record[21] & 3) + 1
        at = 23
        for _ in range(record[22]):
            at = self._readSets(record, at + 3, int.from_bytes(record[at + 1 : at + 3], "big"))

    def formatParameters(self) -> str:
        """
        RFC 7798 section 7.1. One parameter set of each type, because clients take the value for a single one; further
        ones come with each key picture.
        """
        vps, sps, pps = (self.sets.first(setType) for setType in self.setTypes)
        parameters = _profile(sps)
        parameters.append("sprop-max-don-diff=0")
        if vps and sps and pps:
            parameters += (
                f"sprop-vps={encodeSet(vps)}",
                f"sprop-sps={encodeSet(sps)}",
                f"sprop-pps={encodeSet(pps)}",
            )
        return ";".join(parameters)

    def _aggregationHeader(self, nalUnits: Sequence[bytes]) -> bytes:
        # RFC 7798 section 4.4.2: F is the OR of all, layer and temporal identifiers are the lowest.
        forbidden = any(nalUnit[0] & 0x80 for nalUnit in nalUnits)
        layer = min((nalUnit[0] & 1) << 5 | nalUnit[1] >> 3 for nalUnit in nalUnits)
        temporal = min(nalUnit[1] & 7 for nalUnit in nalUnits)
        return bytes((forbidden << 7 | _AP << 1 | layer >> 5, (layer & 0x1F) << 3 | temporal))

    def _fragmentHeaders(self, header: bytes) -> tuple[bytes, bytes, bytes]:
        # RFC 7798 section 4.4.3: the type moves to the third byte, beside S (0x80) and E (0x40).
        indicator = bytes((header[0] & 0x81 | _FU << 1, header[1]))
        nalType = _TYPES[header[0]]
        return (
            indicator + bytes((0x80 | nalType,)),
            indicator + bytes((nalType,)),
            indicator + bytes((0x40 | nalType,)),
        )

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        """
        @raise PayloadError: for streams with decoding order numbers, which may be out of order.
        """
        for name in ("sprop-max-don-diff", "sprop-depack-buf-nalus"):
            if parameters.get(name, "0").strip() not in ("", "0"):
                raise PayloadError(f"{name}={parameters[name]} is not supported")
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        return H265Unpacker([one for name in names for one in decodeSets(parameters.get(name, ""))])


def _profile(sps: bytes) -> list[str]:
    """The profile, tier and level of a sequence parameter set (H.265 7.3.3) as RFC 7798 section 7.1 writes them."""
    # Two bytes of header, one of identifiers, then profile_tier_level().
    general = unescape(sps[:32])[3:15]
    if len(general) < 12:
        return []
    return [
        f"profile-space={general[0] >> 6}",
        f"profile-id={general[0] & 0x1F}",
        f"tier-flag={general[0] >> 5 & 1}",
        f"level-id={general[11]}",
        f"interop-constraints={general[5:11].hex().upper()}",
    ]


class H265Unpacker(NALUnpacker):
    """Puts H.265 pictures together: RFC 7798 section 4.4."""

    types = _TYPES
    headerSize = 2
    setTypes = (_VPS, _SPS, _PPS)
    sliceTypes = frozenset(_SLICES)
    startTypes = frozenset({_AUD, _VPS})
    delimiter = _AUD

    def _add(self, payload: bytes) -> None:
        kind = _TYPES[payload[0]]
        if kind in _NAL_TYPES:
            self._addWhole(payload)
        elif kind == _AP:
            for nalUnit in self._aggregated(payload):
                if _TYPES[nalUnit[0]] not in _NAL_TYPES:
                    raise PayloadError(f"NAL unit of type {_TYPES[nalUnit[0]]} in an aggregation packet")
                self._addWhole(nalUnit)
        elif kind == _FU:
            self._addFragment(payload)
        else:
            raise PayloadError(f"payload of type {kind}")

    def _addWhole(self, nalUnit: bytes) -> None:
        if len(nalUnit) < 2:
            raise PayloadError("NAL unit without its header")
        super()._addWhole(nalUnit)

    def _addFragment(self, payload: bytes) -> None:
        if len(payload) < 3 or payload[2] & 0x3F not in _NAL_TYPES:
            raise PayloadError("fragmentation unit of no NAL unit")
        header = bytes((payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]))
        self._addPart(header, payload[3:], bool(payload[2] & 0x80), bool(payload[2] & 0x40))

    def _isKey(self, types: list[int]) -> bool:
        return any(nalType in _IRAP for nalType in types)
