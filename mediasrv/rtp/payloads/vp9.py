"""
VP9 (RFC 9628): a descriptor, then a piece of the picture.

A superframe, as containers hold it (a hidden frame and the one that is shown), travels whole as one frame: that is what
encoders hand to WebRTC as well, and what receivers give to their decoders. The descriptor has no PictureID and no layer
indices, which need memory between pictures; the picture's size goes with each key frame, as scalability structure
with one layer (section 4.2.1).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup
from mediasrv.rtp.payloads.pictures import PictureUnpacker, cut

# The first byte of the descriptor, section 4.2.
_PICTURE_ID, _INTER, _LAYERS, _FLEXIBLE, _BEGIN, _END, _STRUCTURE = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02


class VP9Format(PayloadFormat):
    """VP9 video, RFC 9628."""

    codecs = frozenset({"vp9"})
    kind = "video"
    encodingName = "VP9"
    isSelfContained = True

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        if track.profile > 3:
            raise PayloadError(f"there is no VP9 profile {track.profile}")

    def formatParameters(self) -> str:
        """C{profile-id}, section 6.1; nothing if the container does not tell it."""
        return f"profile-id={self.track.profile}" if self.track.profile >= 0 else ""

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """One group per frame or superframe; an empty one is left out."""
        return [PayloadGroup(unit.dts, unit.pts, unit.key, True, _payloads(unit, limit)) for unit in units if unit.data]

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> VP9Unpacker:
        """Needs no parameter."""
        return VP9Unpacker()


def _payloads(unit: Unit, limit: int) -> list[bytes]:
    every = 0 if unit.key else _INTER
    first = bytes((every | _BEGIN,))
    size = _keyFrameSize(unit.data) if unit.key else None
    if size is not None:
        # N_S = 0: one spatial layer; Y: with its size; G = 0: no picture group.
        first = struct.pack(">BBHH", every | _BEGIN | _STRUCTURE, 0x10, *size)
    payloads = cut(unit.data, first, bytes((every,)), limit)
    last = payloads[-1]
    payloads[-1] = bytes((last[0] | _END,)) + last[1:]
    return payloads


class VP9Unpacker(PictureUnpacker):
    """
    Puts VP9 pictures together. The layers of a picture with several are joined in sending order, without an index.
    """

    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        try:
            at, spatial = _descriptor(payload)
        except IndexError:
            at, spatial = len(payload), 0
        if at >= len(payload):
            raise PayloadError("a VP9 payload that ends in its descriptor")
        return bool(payload[0] & _BEGIN) and not spatial, payload[at:]

    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        return _isKeyFrame(data), data


def _descriptor(payload: bytes) -> tuple[int, int]:
    """
    The size of the payload descriptor and the spatial layer that it names (section 4.2).

    @raise IndexError: if the payload ends within it.
    """
    flags, at, spatial = payload[0], 1, 0
    if flags & _PICTURE_ID:
        at += 2 if payload[at] & 0x80 else 1
    if flags & _LAYERS:
        spatial = payload[at] >> 1 & 7
        at += 1 if flags & _FLEXIBLE else 2  # TL0PICIDX is there in non-flexible mode only
    if flags & _FLEXIBLE and flags & _INTER:
        for _ in range(3):  # P_DIFF; its lowest bit says that another follows
            at += 1
            if not payload[at - 1] & 1:
                break
        else:
            raise PayloadError("a VP9 picture with more than three references")
    if flags & _STRUCTURE:
        at = _structureEnd(payload, at)
    return at, spatial


def _structureEnd(payload: bytes, at: int) -> int:
    """Where the scalability structure that starts at C{at} ends (section 4.2.1)."""
    head = payload[at]
    at += 1
    if head & 0x10:  # Y: width and height of each of N_S + 1 layers
        at += 4 * ((head >> 5) + 1)
    if head & 0x08:  # G: a picture group, N_G pictures with R references each
        count = payload[at]
        at += 1
        for _ in range(count):
            at += 1 + (payload[at] >> 2 & 3)
    return at


def _isKeyFrame(data: bytes) -> bool:
    """Reads the start of the uncompressed header (VP9 bitstream specification, section 6.2)."""
    head = data[0]
    if head >> 6 != 2:  # frame_marker
        return False
    # Profile 3 has one reserved bit more before show_existing_frame and frame_type (0: key frame).
    return head & (0x06 if head & 0x30 == 0x30 else 0x0C) == 0


def _keyFrameSize(data: bytes) -> tuple[int, int] | None:
    """Width and height from a key frame's uncompressed header (sections 6.2, 7.2), or None if it is none."""
    if len(data) < 11 or not _isKeyFrame(data):
        return None
    head = data[0]
    profile = (head >> 5 & 1) | (head >> 4 & 1) << 1
    bits = int.from_bytes(data[:12].ljust(12, b"\0"), "big")
    # frame_marker 2, profile 2, reserved_zero if profile 3, show_existing, frame_type, show_frame, error_resilient
    at = 9 if profile == 3 else 8
    if bits >> 96 - at - 24 & 0xFFFFFF != 0x498342:  # frame_sync_code
        return None
    at += 24 + (profile >= 2)  # ten_or_twelve_bit
    colorSpace = bits >> 96 - at - 3 & 7
    at += 3
    if colorSpace != 7:  # color_range, then the subsampling of profiles 1 and 3
        at += 1 + (3 if profile & 1 else 0)
    elif profile & 1:  # RGB
        at += 1
    return (bits >> 96 - at - 16 & 0xFFFF) + 1, (bits >> 96 - at - 32 & 0xFFFF) + 1
