"""
NAL units in bytes: finding them in what containers hold, and writing them with start codes.

A container holds a coded picture either as an elementary stream, each NAL unit after a start code (ITU-T H.264 and
H.265 annex B), or with a length before each (ISO/IEC 14496-15). Units are named by their C{(start, end)} in the bytes
that hold them, so that a large one is cut into payloads without being copied first.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from mediasrv.rtp.payloads.formats import PayloadError

Span = tuple[int, int]

START_CODE = b"\0\0\0\1"
_SHORT_START_CODE = b"\0\0\1"


def isAnnexB(data: bytes) -> bool:
    """Whether C{data} begins with a start code."""
    return data.startswith((START_CODE, _SHORT_START_CODE))


def splitLengthPrefixed(data: bytes, size: int) -> list[Span]:
    """
    The NAL units of a picture in which each has its length before it.

    @param size: bytes of a length field.
    @return: where they start and end, without the empty ones.
    @raise PayloadError: if a length points outside of the picture.
    """
    spans = []
    at, stop = 0, len(data)
    while at < stop:
        start = at + size
        at = start + int.from_bytes(data[at:start], "big")
        if at > stop:
            raise PayloadError(f"a NAL unit ends {at - stop} bytes after its picture")
        if at > start:
            spans.append((start, at))
    return spans


def splitAnnexB(data: bytes) -> list[Span]:
    """
    The NAL units of a picture with start codes. Zeros before a start code and at the end are no part of a unit
    (H.264 and H.265 B.1: C{leading_zero_8bits}, C{trailing_zero_8bits}).

    @return: where they start and end, without the empty ones.
    @raise PayloadError: if something else is before the first start code.
    """
    spans = []
    at = data.find(_SHORT_START_CODE)
    if at < 0 or _withoutZeros(data, 0, at):
        raise PayloadError("no start code at the start of the picture")
    while at >= 0:
        start = at + 3
        at = data.find(_SHORT_START_CODE, start)
        end = _withoutZeros(data, start, at if at >= 0 else len(data))
        if end > start:
            spans.append((start, end))
    return spans


def _withoutZeros(data: bytes, start: int, end: int) -> int:
    """The end of C{data[start:end]} without the zeros at its end."""
    if end > start and not data[end - 1]:
        end -= 1  # nearly always the only one: the first byte of a long start code
        if end > start and not data[end - 1]:
            return start + len(data[start:end].rstrip(b"\0"))
    return end


def joinAnnexB(nalUnits: Iterable[bytes]) -> bytes:
    """NAL units as an elementary stream, a four-byte start code before each."""
    return b"".join(START_CODE + nalUnit for nalUnit in nalUnits)


def unescape(data: bytes) -> bytes:
    """What a NAL unit says, without its C{emulation_prevention_three_byte}s (H.264 and H.265 7.4.1)."""
    return data.replace(b"\0\0\3", b"\0\0")


def encodeSet(nalUnit: bytes) -> str:
    """A parameter set as C{a=fmtp} carries it."""
    return base64.b64encode(nalUnit).decode("ascii")


def decodeSets(value: str) -> list[bytes]:
    """
    The parameter sets of a comma-separated C{a=fmtp} value. Those that are damaged are left out: cameras are careless
    here, and what the stream itself carries counts for more.
    """
    sets = []
    for part in value.split(","):
        try:
            nalUnit = base64.b64decode(part.strip().rstrip("=") + "==")  # cameras forget the padding
        except (binascii.Error, ValueError):
            continue
        # Some senders put the start code in as well.
        sets.append(nalUnit.removeprefix(START_CODE).rstrip(b"\0"))
    return [nalUnit for nalUnit in sets if nalUnit]
