"""
Motion JPEG (RFC 2435): the scan of a baseline picture, its headers replaced by eight bytes in every payload.

A receiver writes the headers anew, so only what those eight bytes can say can be carried: 4:2:0 or 4:2:2, up to 2040
pixels a side, the standard Huffman tables (section 4.1). Quantization tables travel with every picture (Q = 255), for a
receiver may join at any. Encoders that optimize their Huffman tables (FFmpeg does unless told C{huffman=default}) make
pictures that no RTP receiver could decode; these are left out, and L{JPEGFormat.check} tells in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup
from mediasrv.rtp.payloads.jpegpicture import (
    APP0,
    DHT,
    DQT,
    DRI,
    DYNAMIC,
    END,
    MAXIMUM_SIDE,
    RESTART,
    SAMPLINGS,
    SOF0,
    SOS,
    parse,
)
from mediasrv.rtp.payloads.jpegtables import STANDARD_HUFFMAN, quantizationTables
from mediasrv.rtp.payloads.pictures import PictureUnpacker


class JPEGFormat(PayloadFormat):
    """Motion JPEG, RFC 2435."""

    codecs = frozenset({"mjpeg"})
    kind = "video"
    encodingName = "JPEG"
    isSelfContained = True
    payloadType = 26

    def __init__(self, track: Track) -> None:
        """
        @raise PayloadError: if the pictures are larger than 2040 pixels on a side.
        """
        super().__init__(track)
        if max(track.width, track.height) > MAXIMUM_SIDE:
            raise PayloadError(f"RTP carries no JPEG of {track.width}x{track.height}, only up to {MAXIMUM_SIDE} a side")

    @staticmethod
    def check(data: bytes) -> None:
        """
        Tells whether a picture can be carried. What an encoder does once it does for the whole track.

        @raise PayloadError: if it cannot; the text says why.
        """
        parse(data)

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """
        One group per picture. A picture that RFC 2435 cannot express is left out, and so is one whose headers and
        quantization tables (140 bytes as a rule, 272 at most) do not go into the first payload.
        """
        groups = []
        for unit in units:
            try:
                payloads = parse(unit.data).payloads(unit.data, limit)
            except PayloadError:
                continue
            groups.append(PayloadGroup(unit.dts, unit.pts, unit.key, True, payloads))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> JPEGUnpacker:
        """Needs no parameter."""
        return JPEGUnpacker()


class JPEGUnpacker(PictureUnpacker):
    """Puts pictures together and writes their headers; the tables of Q 128 to 254 are remembered (section 4.2)."""

    def __init__(self) -> None:
        super().__init__()
        self._headers = b""  # of the open picture
        self._common = b""  # what all its payloads have in common
        self._known: dict[int, tuple[int, bytes]] = {}

    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        if len(payload) < 9 or payload[4] & ~RESTART > 1 or not payload[6] or not payload[7]:
            raise PayloadError("a JPEG payload of a kind that RFC 2435 does not define")
        offset = int.from_bytes(payload[1:4], "big")
        at = 12 if payload[4] & RESTART else 8
        if self._open and (offset != len(self._data) or payload[4:8] != self._common):
            raise PayloadError("a JPEG payload that does not continue its picture")
        if not offset:
            precision, tables, at = self._quantization(payload, at)
            restart = int.from_bytes(payload[8:10], "big") if payload[4] & RESTART else 0
            self._common = payload[4:8]
            self._headers = _header(payload[4] & 1, payload[6] << 3, payload[7] << 3, restart, precision, tables)
        return not offset, payload[at:]

    def _quantization(self, payload: bytes, at: int) -> tuple[int, bytes, int]:
        """The precision and values of the two tables, and where the scan begins (section 3.1.8)."""
        quality = payload[5]
        if 1 <= quality <= 99:
            return 0, quantizationTables(quality), at
        if quality < 128 or len(payload) < at + 4:
            raise PayloadError("a JPEG payload without quantization tables")
        precision = payload[at + 1] & 3
        end = at + 4 + int.from_bytes(payload[at + 2 : at + 4], "big")
        tables = payload[at + 4 : end]
        if not tables and quality in self._known:
            return *self._known[quality], end
        size = sum(128 if precision >> table & 1 else 64 for table in (0, 1))
        if end > len(payload) or len(tables) < size:
            raise PayloadError("a JPEG payload with half a quantization table")
        if quality != DYNAMIC:
            self._known[quality] = precision, tables[:size]
        return precision, tables[:size], end

    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        return True, self._headers + data + (b"" if data.endswith(END) else END)


@lru_cache(maxsize=16)
def _header(kind: int, width: int, height: int, restart: int, precision: int, tables: bytes) -> bytes:
    """All that stands before the scan of a JFIF picture."""
    size = 128 if precision & 1 else 64
    components = b"".join(bytes((number + 1, factors, number > 0)) for number, factors in enumerate(SAMPLINGS[kind]))
    segments = [
        (APP0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (DQT, bytes((precision << 4 & 0x10,)) + tables[:size]),
        (DQT, bytes((precision << 3 & 0x10 | 1,)) + tables[size:]),
        (SOF0, b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\3" + components),
        *[(DHT, bytes((number,)) + table) for number, table in STANDARD_HUFFMAN.items()],
    ]
    if restart:
        segments.append((DRI, restart.to_bytes(2, "big")))
    segments.append((SOS, bytes.fromhex("03 0100 0211 0311 003f00")))
    return b"\xff\xd8" + b"".join(
        bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body for code, body in segments
    )
