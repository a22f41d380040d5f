"""
VP8 (RFC 7741): a descriptor of one byte, then a piece of the frame.

We send the descriptor that needs no memory between frames: no PictureID, no layers (RFC 7741 section 4.2 makes them
optional), and every partition as part of partition 0, which the same section allows.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup
from mediasrv.rtp.payloads.pictures import PictureUnpacker, cut

_START = b"\x10"  # S: the start of a partition; PID 0
_REST = b"\x00"


class VP8Format(PayloadFormat):
    """VP8 video, RFC 7741."""

    codecs = frozenset({"vp8"})
    kind = "video"
    encodingName = "VP8"
    isSelfContained = True

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """One group per frame; an empty frame (a dropped one) is left out."""
        return [
            PayloadGroup(unit.dts, unit.pts, unit.key, True, cut(unit.data, _START, _REST, limit))
            for unit in units
            if unit.data
        ]

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> VP8Unpacker:
        """Needs no parameter."""
        return VP8Unpacker()


class VP8Unpacker(PictureUnpacker):
    """Puts VP8 frames together; a frame starts with partition 0 (RFC 7741 section 4.5.1)."""

    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        at = _descriptorSize(payload)
        if at >= len(payload):
            raise PayloadError("a VP8 payload that ends in its descriptor")
        # S set, and partition 0: bits 4 and 2-0.
        return payload[0] & 0x17 == 0x10, payload[at:]

    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        # The lowest bit of the frame tag says "inter frame" (RFC 6386 section 9.1).
        return not data[0] & 1, data


def _descriptorSize(payload: bytes) -> int:
    """The bytes of the payload descriptor (RFC 7741 section 4.2); it may be more than there are."""
    if not payload or not payload[0] & 0x80:
        return 1
    extension = payload[1] if len(payload) > 1 else 0
    size = 2
    if extension & 0x80:  # I: a PictureID of 7 or, with its M bit, 15 bits
        size += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
    if extension & 0x40:  # L: TL0PICIDX
        size += 1
    if extension & 0x30:  # T or K: one byte for both
        size += 1
    return size
