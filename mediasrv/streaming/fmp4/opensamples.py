"""
AV1 and VP9 in MP4, by the Alliance for Open Media's "AV1 Codec ISO Media File Format Binding" and WebM's "VP Codec ISO
Media File Format Binding".
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.bits import BitReader
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.streaming.fmp4.boxes import box, fullBox
from mediasrv.streaming.fmp4.formats import NotPackaged, PictureFormat

#: a temporal delimiter, with which a temporal unit begins everywhere but in MP4 and Matroska
_DELIMITER = b"\x12\0"

#: levels of VP9 (times ten), their luma samples a second, and those of a picture
_VP9_LEVELS = (
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
    (62, 4_706_009_088, 35_651_584),
)


class AV1Samples(PictureFormat):
    """AV1, of which the container has the configuration (C{av1C})."""

    codecs = frozenset({"av1"})

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        record = track.extradata
        if len(record) < 4 or record[0] != 0x81:
            raise NotPackaged("AV1 without its configuration")
        tier = "H" if record[2] & 0x80 else "M"
        depth = (12 if record[2] & 0x20 else 10) if record[2] & 0x40 else 8
        self.codecString = f"av01.{record[1] >> 5}.{record[1] & 0x1F:02}{tier}.{depth:02}"

    def entry(self) -> bytes:
        return self.visualEntry(b"av01", box(b"av1C", self.track.extradata))

    def samples(self, unit: Unit) -> list[bytes]:
        data = unit.data.removeprefix(_DELIMITER)
        return [data] if data else []


class VP9Samples(PictureFormat):
    """VP9, whose first picture says what the container does not."""

    codecs = frozenset({"vp9"})

    def __init__(self, track: Track, units: Sequence[Unit]) -> None:
        super().__init__(track, units)
        self._profile, self._depth, self._chroma, self._isFull = 0, 8, 1, 0
        if units:
            try:
                self._readHeader(units[0].data)
            except PayloadError:
                raise NotPackaged("VP9 that does not start with a key frame") from None
        pixels = track.width * track.height
        rate = pixels * (track.frameRate or 30)
        levels = [level for level, most, largest in _VP9_LEVELS if rate <= most and pixels <= largest]
        self._level = levels[0] if levels else 62
        self.codecString = f"vp09.{self._profile:02}.{self._level}.{self._depth:02}"

    def _readHeader(self, picture: bytes) -> None:
        """The beginning of C{uncompressed_header} (VP9 bitstream specification section 6.2)."""
        bits = BitReader(picture[:12])
        marker, low, high = bits.read(2), bits.read(1), bits.read(1)
        profile = high << 1 | low
        if profile == 3:
            bits.read(1)
        # show_existing_frame, frame_type, then show_frame and error_resilient_mode
        if marker != 2 or bits.read(2) or bits.read(2) is None or bits.read(24) != 0x498342:
            raise PayloadError("no key frame")
        depth = 8 if profile < 2 else 12 if bits.read(1) else 10
        chroma, isFull = 1, 0
        if bits.read(3) != 7:  # color_space
            isFull = bits.read(1)
            if profile & 1:
                chroma = 3 - bits.read(1)
        else:
            chroma, isFull = 3, 1
        self._profile, self._depth, self._chroma, self._isFull = profile, depth, chroma, isFull

    def entry(self) -> bytes:
        color = [each if 0 <= each < 256 else 2 for each in self.track.color]
        format = self._depth << 4 | self._chroma << 1 | self._isFull
        return self.visualEntry(
            b"vp09", fullBox(b"vpcC", 1, 0, bytes((self._profile, self._level, format, *color)), bytes(2))
        )
