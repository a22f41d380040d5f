"""
MPEG-1 and MPEG-2 video (RFC 2250 section 3): a header of four bytes, then slices.

A payload holds whole slices, as many as fit; the headers of a sequence, a group and a picture go before the first of
them. Only a slice that is larger than a payload is cut. The header's extension for MPEG-2 (section 3.4.1) is optional
and left out: it repeats what a lost picture header said, and a receiver here drops the picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mediasrv.media.tracks import Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup
from mediasrv.rtp.payloads.pictures import PictureUnpacker

_PICTURE = b"\0\0\1\x00"
_SEQUENCE = b"\0\0\1\xb3"
_GROUP = b"\0\0\1\xb8"
_HEADERS = (_SEQUENCE, _GROUP, _PICTURE)
# Twice as fast as an expression that tells the codes apart, and finds little else.
_CODES = re.compile(b"\0\0\1")

# Bits of the video-specific header, section 3.4.
_EXTENDED, _SEQUENCE_PRESENT, _SLICE_BEGINS, _SLICE_ENDS = 1 << 26, 1 << 13, 1 << 12, 1 << 11
_INTRA, _PREDICTED, _BIDIRECTIONAL, _DC = 1, 2, 3, 4


class MPEGVideoFormat(PayloadFormat):
    """MPEG-1 and MPEG-2 video, RFC 2250."""

    codecs = frozenset({"mpeg1video", "mpeg2video"})
    kind = "video"
    encodingName = "MPV"
    isSelfContained = True
    payloadType = 32

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """
        One group per unit, with one picture or two fields; payloads differ in size, for slices do.

        A key frame without sequence header gets the one of the container: there is no other way to tell a receiver. A
        unit without picture is left out. Under a limit of 261 bytes long headers are cut, which section 3.1 forbids.
        """
        groups = []
        for unit in units:
            data = unit.data
            if unit.key and self.track.extradata.startswith(_SEQUENCE) and not data.startswith(_SEQUENCE):
                data = self.track.extradata + data
            try:
                pictures = _pictures(data)
            except PayloadError:
                continue
            payloads: list[bytes] = []
            for picture in pictures:
                payloads += picture.payloads(data, limit - 4)
            groups.append(PayloadGroup(unit.dts, unit.pts, unit.key, True, payloads))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> MPEGVideoUnpacker:
        """Needs no parameter."""
        return MPEGVideoUnpacker()


@dataclass(slots=True)
class _Picture:
    """
    Where the parts of a picture are.

    @ivar word: what the video-specific headers of its packets have in common.
    @ivar slice: where its first slice begins.
    @ivar cuts: where its headers begin, where each slice but the first begins, where it ends.
    """

    word: int
    slice: int
    cuts: list[int]

    def payloads(self, data: bytes, room: int) -> list[bytes]:
        """Puts whole slices into payloads of up to C{room} bytes, and cuts those that are larger."""
        payloads: list[bytes] = []
        begin = previous = self.cuts[0]
        word = self.word | _SLICE_BEGINS | _SLICE_ENDS
        for end in self.cuts[1:]:
            if end - begin > room:
                if previous > begin:
                    payloads.append(word.to_bytes(4, "big") + data[begin:previous])
                begin = previous
                if end - begin > room:
                    self._fragment(payloads, data, begin, end, room)
                    begin = end
            previous = end
        if previous > begin:
            payloads.append(word.to_bytes(4, "big") + data[begin:previous])
        if data.startswith(_SEQUENCE, self.cuts[0]):
            payloads[0] = (int.from_bytes(payloads[0][:4], "big") | _SEQUENCE_PRESENT).to_bytes(4, "big") + payloads[0][
                4:
            ]
        return payloads

    def _fragment(self, payloads: list[bytes], data: bytes, begin: int, end: int, room: int) -> None:
        """Cuts one slice, with the headers before it if it is the first."""
        start = max(begin, self.slice)
        for at in range(begin, end, room):
            begins = _SLICE_BEGINS if at <= start < at + room else 0
            ends = _SLICE_ENDS if at + room >= end else 0
            payloads.append((self.word | begins | ends).to_bytes(4, "big") + data[at : min(at + room, end)])


def _pictures(data: bytes) -> list[_Picture]:
    """
    The picture, or the two field pictures, of a unit.

    @raise PayloadError: if there is none, or one without slices.
    """
    pictures: list[_Picture] = []
    cuts: list[int] = []
    word = first = -1
    for match in _CODES.finditer(data, 0, len(data) - 1):
        at = match.start()
        code = data[at + 3]
        if 1 <= code <= 0xAF:
            if first < 0:
                first = at
            else:
                cuts.append(at)
        elif data.startswith(_HEADERS, at):
            if first >= 0:
                pictures.append(_checked(word, first, [*cuts, at]))
                cuts, word, first = [], -1, -1
            if not cuts:
                cuts.append(at)
            if not code:
                word = _headerWord(data, at + 4)
        # User data, extensions and the end of the sequence belong to what they follow.
    pictures.append(_checked(word, first, [*cuts, len(data)]))
    return pictures


def _checked(word: int, first: int, cuts: list[int]) -> _Picture:
    if word < 0 or first < 0:
        raise PayloadError("no picture, or no slice in it")
    return _Picture(word, first, cuts)


def _headerWord(data: bytes, at: int) -> int:
    """
    TR, P and the vector fields from the picture header (ISO/IEC 13818-2 section 6.2.3), in their places.

    @raise PayloadError: if it ends early or is of an unknown type.
    """
    bits = int.from_bytes(data[at : at + 5], "big")
    picture = bits >> 27 & 7
    if len(data) < at + 5 or not _INTRA <= picture <= _DC:
        raise PayloadError("a broken picture header")
    word = bits >> 30 << 16 | picture << 8
    if picture in (_PREDICTED, _BIDIRECTIONAL):
        word |= bits >> 7 & 0xF  # full_pel_forward_vector, forward_f_code
    if picture == _BIDIRECTIONAL:
        word |= (bits >> 3 & 0xF) << 4
    return word


class MPEGVideoUnpacker(PictureUnpacker):
    """Puts pictures together; a picture starts with one of its headers (section 3.1)."""

    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        word = int.from_bytes(payload[:4], "big")
        at = 4
        if word & _EXTENDED:
            at = _extensionEnd(payload)
        if at >= len(payload):
            raise PayloadError("an MPEG video payload that ends in its header")
        if not word & 0x700:
            raise PayloadError("an MPEG video payload without picture type")
        return payload.startswith(_HEADERS, at), payload[at:]

    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        at = data.find(_PICTURE) + 5
        return 5 <= at < len(data) and data[at] >> 3 & 7 == _INTRA, data


def _extensionEnd(payload: bytes) -> int:
    """Where the MPEG-2 extension of the header ends, section 3.4.1; it may be beyond the payload."""
    flags = int.from_bytes(payload[4:8].ljust(4, b"\0"), "big")
    at = 8
    if flags & 1:  # D: composite display information
        at += 4
    if flags & 1 << 30:  # E: extensions; their first byte counts words, itself included
        at += 4 * (payload[at] or 1) if at < len(payload) else 1
    return at
