"""
Open bitstream units of AV1, as its bitstream specification (version 1.0.0 with errata 1) writes them: sections 4.10.5
(leb128), 5.3 (headers) and 5.5 (sequence header).
"""

from __future__ import annotations

from mediasrv.rtp.payloads.bits import BitReader
from mediasrv.rtp.payloads.formats import PayloadError

# obu_type: section 6.2.2.
SEQUENCE_HEADER, TEMPORAL_DELIMITER, FRAME_HEADER, TILE_GROUP = 1, 2, 3, 4
FRAME, REDUNDANT_FRAME_HEADER, TILE_LIST, PADDING = 6, 7, 8, 15

_FORBIDDEN, _EXTENSION, _HAS_SIZE = 0x80, 0x04, 0x02


def encodeSize(value: int) -> bytes:
    """C{value} as leb128, with no more bytes than it needs."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def decodeSize(data: bytes, at: int) -> tuple[int, int]:
    """
    Reads a leb128 number.

    @return: it, and where it ends.
    @raise PayloadError: if it has no end or more than 32 bits.
    """
    value = 0
    for position, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            if value >> 32:
                break
            return value, at + position + 1
    raise PayloadError("damaged leb128 number")


def obuType(obu: bytes) -> int:
    """The type of an OBU that is not empty."""
    return obu[0] >> 3 & 0xF


def obuLayer(obu: bytes) -> int:
    """C{temporal_id} and C{spatial_id} as one number, -1 for an OBU of no particular layer."""
    return obu[1] >> 3 if obu[0] & _EXTENSION else -1


def obuPayload(obu: bytes) -> bytes:
    """What an OBU without a size field has after its header."""
    return obu[_headerSize(obu[0]) :]


def _headerSize(first: int) -> int:
    return 2 if first & _EXTENSION else 1


def splitOBUs(data: bytes) -> list[bytes]:
    """
    The OBUs of a temporal unit in the low-overhead format (section 5.2), their size fields taken out.

    @raise PayloadError: if a size points outside of the unit.
    """
    obus = []
    at = 0
    while at < len(data):
        first, at = data[at], at + _headerSize(data[at])
        header = bytes((first & ~_HAS_SIZE,)) + data[at - _headerSize(first) + 1 : at]
        size, at = decodeSize(data, at) if first & _HAS_SIZE else (len(data) - at, at)
        if first & _FORBIDDEN or size < 0 or at + size > len(data):
            raise PayloadError("damaged OBU")
        obus.append(header + data[at : at + size])
        at += size
    return obus


def withoutSize(obu: bytes) -> bytes:
    """
    A received OBU without its size field, if it has one.

    @raise PayloadError: if it is damaged.
    """
    single = splitOBUs(obu)
    if len(single) != 1:
        raise PayloadError("OBU element that is not one OBU")
    return single[0]


def withSize(obu: bytes) -> bytes:
    """An OBU that has no size field, in the low-overhead format."""
    end = _headerSize(obu[0])
    return bytes((obu[0] | _HAS_SIZE,)) + obu[1:end] + encodeSize(len(obu) - end) + obu[end:]


def sequenceLevel(payload: bytes) -> tuple[int, int, int]:
    """
    C{seq_profile}, C{seq_level_idx[0]} and C{seq_tier[0]} of a sequence header.

    @raise PayloadError: if it is truncated.
    """
    bits = BitReader(payload)
    profile = bits.read(3)
    bits.read(1)  # still_picture
    if bits.read(1):  # reduced_still_picture_header
        return profile, bits.read(5), 0
    if bits.read(1):  # timing_info_present_flag
        bits.read(64)  # num_units_in_display_tick, time_scale
        if bits.read(1):  # equal_picture_interval
            bits.expGolomb()
        if bits.read(1):  # decoder_model_info_present_flag
            bits.read(5 + 32 + 5 + 5)
    bits.read(1 + 5 + 12)  # initial_display_delay_present_flag, operating_points_cnt_minus_1, operating_point_idc[0]
    level = bits.read(5)
    return profile, level, bits.read(1) if level > 7 else 0
