"""
What the headers of a JPEG picture say (ITU-T T.81 annex B), and whether RFC 2435 can say it in eight bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.jpegtables import STANDARD_HUFFMAN

MAXIMUM_SIDE = 2040
"""Pixels: 255 blocks of eight, section 3.1.5."""

SAMPLINGS = (b"\x21\x11\x11", b"\x22\x11\x11")
"""The sampling factors of Y, Cb and Cr for each type, section 4.1: 4:2:2 and 4:2:0."""

RESTART = 64
"""Added to the type of a picture with restart markers."""

DYNAMIC = 255
"""The Q that says: tables in each picture, section 3.1.8."""

END = b"\xff\xd9"
SOF0, DHT, SOI, EOI, SOS, DQT, DRI, APP0 = 0xC0, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE0
_OTHER_FRAMES = frozenset(range(0xC1, 0xD0)) - {DHT, 0xC8}
_UNALIGNED = b"\xff\xff"  # F, L and a count of all ones: restart intervals are not aligned with packets


@dataclass(slots=True)
class Picture:
    """
    What a picture's headers say.

    @ivar sampling: one byte with both factors for each component.
    @ivar tables: the quantization tables by destination, with the precision (1: 16 bits) before the values.
    @ivar used: the quantization table of each component.
    @ivar huffman: the Huffman tables by class and destination.
    @ivar restart: MCUs between restart markers, or 0.
    @ivar begin: where the scan begins.
    @ivar end: where it ends, the end-of-image marker included.
    """

    width: int = 0
    height: int = 0
    identifiers: bytes = b""
    sampling: bytes = b""
    used: bytes = b""
    tables: dict[int, bytes] = field(default_factory=dict)
    huffman: dict[int, bytes] = field(default_factory=lambda: dict(STANDARD_HUFFMAN))
    restart: int = 0
    begin: int = 0
    end: int = 0

    def payloads(self, data: bytes, limit: int) -> list[bytes]:
        """
        Cuts the scan.

        @raise PayloadError: if the headers do not fit.
        """
        luminance, chrominance = self.tables[self.used[0]], self.tables[self.used[1]]
        kind = SAMPLINGS.index(self.sampling) + (RESTART if self.restart else 0)
        common = bytes((kind, DYNAMIC, self.width + 7 >> 3, self.height + 7 >> 3))
        if self.restart:
            common += self.restart.to_bytes(2, "big") + _UNALIGNED
        values = luminance[1:] + chrominance[1:]
        tables = bytes((0, luminance[0] | chrominance[0] << 1)) + len(values).to_bytes(2, "big") + values
        first = b"\0\0\0\0" + common + tables
        if len(first) >= limit:
            raise PayloadError(f"{len(first)} bytes of headers for a payload of {limit}")
        start, step = limit - len(first), limit - 4 - len(common)
        scan = data[self.begin : self.end]
        return [
            first + scan[:start],
            *[at.to_bytes(4, "big") + common + scan[at : at + step] for at in range(start, len(scan), step)],
        ]


def parse(data: bytes) -> Picture:
    """
    Reads the headers of a picture (ITU-T T.81 annex B).

    @raise PayloadError: if it is damaged, or RFC 2435 cannot express it.
    """
    picture = Picture()
    if data[:2] != b"\xff\xd8":
        raise PayloadError("no JPEG")
    at, code = 2, SOI
    try:
        while code != SOS:
            while data[at + 1] == 0xFF:  # fill bytes
                at += 1
            code, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            if data[at] != 0xFF or length < 2 or at + 2 + length > len(data):
                raise PayloadError("a broken JPEG")
            _segment(picture, code, data[at + 4 : at + 2 + length])
            at += 2 + length
        _checkCarriable(picture)
    except (IndexError, KeyError) as error:
        raise PayloadError("a broken JPEG header") from error
    picture.begin = at
    end = data.find(END, at)
    picture.end = len(data) if end < 0 else end + 2
    if picture.end - at >= 1 << 24:
        raise PayloadError("a JPEG of more than 16 MiB")
    if data.find(b"\xff\xd8\xff", picture.end) >= 0:
        raise PayloadError("two JPEG pictures in one: interlaced video")
    return picture


def _segment(picture: Picture, code: int, body: bytes) -> None:
    if code == DQT:
        at = 0
        while at < len(body):
            size = 128 if body[at] >> 4 else 64
            picture.tables[body[at] & 15] = bytes((body[at] >> 4 & 1,)) + body[at + 1 : at + 1 + size]
            at += 1 + size
    elif code == DHT:
        at = 0
        while at < len(body):
            size = 16 + sum(body[at + 1 : at + 17])
            picture.huffman[body[at]] = body[at + 1 : at + 1 + size]
            at += 1 + size
    elif code == DRI:
        picture.restart = int.from_bytes(body[:2], "big")
    elif code == SOF0:
        picture.height, picture.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        picture.identifiers, picture.sampling, picture.used = body[6::3], body[7::3], body[8::3]
    elif code == SOS:
        _checkScan(picture, body)
    elif code in _OTHER_FRAMES or code == EOI:
        raise PayloadError("RTP carries only baseline JPEG")


def _checkScan(picture: Picture, body: bytes) -> None:
    """
    @raise PayloadError: unless this is one scan of all components with the standard Huffman tables.
    """
    if len(body) != 10 or body[1:7:2] != picture.identifiers or body[7:9] != b"\x00\x3f":
        raise PayloadError("RTP carries only JPEG of one scan of three components")
    for selector, destination in ((body[2], 0), (body[4], 1), (body[6], 1)):
        direct, alternating = picture.huffman[selector >> 4], picture.huffman[0x10 | selector & 15]
        if direct != STANDARD_HUFFMAN[destination] or alternating != STANDARD_HUFFMAN[0x10 | destination]:
            raise PayloadError("RTP carries only JPEG with the standard Huffman tables; this one's are its own")


def _checkCarriable(picture: Picture) -> None:
    """
    @raise PayloadError: if the type, the size or the quantization tables are none that RFC 2435 has.
    """
    if picture.sampling not in SAMPLINGS:
        raise PayloadError("RTP carries only JPEG with 4:2:0 or 4:2:2 sampling")
    if not 0 < picture.width <= MAXIMUM_SIDE or not 0 < picture.height <= MAXIMUM_SIDE:
        raise PayloadError(f"RTP carries no JPEG of {picture.width}x{picture.height}")
    tables = [picture.tables[number] for number in picture.used]
    if tables[1] != tables[2]:
        raise PayloadError("RTP carries only JPEG with one quantization table for both colours")
    if any(len(table) != (129 if table[0] else 65) for table in tables):
        raise PayloadError("a JPEG with half a quantization table")
