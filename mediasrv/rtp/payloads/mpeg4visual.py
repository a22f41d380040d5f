"""
MPEG-4 Visual, alias MPEG-4 part 2, DivX, Xvid (RFC 6416 section 5): the bitstream itself, cut anywhere, no header.

The decoder's configuration goes into the SDP, so a track without one cannot be carried. Whatever of it also stands in
the stream stays there: section 5.2 allows it.

AVI files of DivX hide B pictures from programs that know none: a frame may hold a P picture and the B picture that
is shown before it, and an empty picture ("not coded") follows in the place that the B picture left. RTP wants a
timestamp per picture, so they are taken apart here, and the empty ones left out. A reader that has used FFmpeg's
C{mpeg4_unpack_bframes} has also taken the mark from the extradata by which this module knows such streams.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup
from mediasrv.rtp.payloads.pictures import PictureUnpacker, cut

_START = b"\0\0\1"
_VOP = b"\0\0\1\xb6"
_SEQUENCE = b"\0\0\1\xb0"
_LAYER = re.compile(b"\0\0\1[\x20-\x2f]")
_PICTURES = re.compile(b"\0\0\1[\xb3\xb6]")  # a group of pictures, or a picture: no configuration any more
_PACKED = re.compile(rb"(DivX\d{1,9}(?:Build|b)\d{1,9})p")
_NOT_CODED = 19  # bytes that such a picture has at most, user data included


class MPEG4VisualFormat(PayloadFormat):
    """MPEG-4 Visual, RFC 6416."""

    codecs = frozenset({"mpeg4"})
    kind = "video"
    encodingName = "MP4V-ES"

    def __init__(self, track: Track) -> None:
        """
        @raise PayloadError: if the extradata holds no video object layer.
        """
        super().__init__(track)
        config = _PICTURES.split(track.extradata, maxsplit=1)[0]
        if not _LAYER.search(config):
            raise PayloadError("MPEG-4 Visual without its configuration in the container")
        self._packed = _PACKED.search(config) is not None
        self._config = _PACKED.sub(rb"\1", config)

    def formatParameters(self) -> str:
        """C{profile-level-id} and C{config}, section 7.1."""
        profile = self._profileLevel()
        return ("" if profile is None else f"profile-level-id={profile};") + f"config={self._config.hex().upper()}"

    def _profileLevel(self) -> int | None:
        """From the visual object sequence; where a container has cut that off, from what the reader knows."""
        at = self._config.find(_SEQUENCE) + len(_SEQUENCE)
        if len(_SEQUENCE) <= at < len(self._config):
            return self._config[at]
        if 0 <= self.track.profile < 16 and 0 <= self.track.level < 16:
            return self.track.profile << 4 | self.track.level
        return None

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """One group per picture. A unit that does not begin with a start code is left out."""
        return [
            PayloadGroup(unit.dts, unit.pts, unit.key, True, cut(unit.data, b"", b"", limit))
            for unit in (_separate(units) if self._packed else units)
            if unit.data.startswith(_START)
        ]

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> MPEG4VisualUnpacker:
        """Needs no parameter."""
        return MPEG4VisualUnpacker()


def _separate(units: Sequence[Unit]) -> list[Unit]:
    """
    Takes packed pictures apart.

    Frames of AVI have one time, that of a decoder which puts out one picture for each of them: the B picture for the
    frame where both are, and the picture before it in the file for the empty frame.
    """
    pictures: list[Unit] = []
    hidden: Unit | None = None  # the picture that is to be shown when the empty frame comes
    for unit in units:
        data = _PACKED.sub(rb"\1", unit.data)
        second = data.find(_VOP, data.find(_VOP) + 1)
        if hidden is not None and len(data) <= _NOT_CODED and second < 0:
            hidden.pts = unit.dts
            hidden = None
        elif second <= 0:
            pictures.append(Unit(unit.dts, unit.dts, unit.duration, unit.key, data))
        else:
            hidden = Unit(unit.dts, unit.dts + unit.duration, unit.duration, unit.key, data[:second])
            pictures += [hidden, Unit(unit.dts, unit.dts, unit.duration, False, data[second:])]
    return pictures


class MPEG4VisualUnpacker(PictureUnpacker):
    """Puts pictures together. Only a picture, or the headers before it, begins with a start code (section 5.2)."""

    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        if not payload:
            raise PayloadError("an empty MPEG-4 Visual payload")
        return payload.startswith(_START), payload

    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        at = data.find(_VOP) + len(_VOP)
        # vop_coding_type, two bits: 0 is intra (ISO/IEC 14496-2 section 6.2.5).
        return len(_VOP) <= at < len(data) and not data[at] & 0xC0, data
