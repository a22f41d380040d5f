"""
The three headers of a Vorbis stream: as FFmpeg keeps them, as RFC 5215 packs them (section 3.2.1), and what they say
about the durations of packets.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from mediasrv.rtp.payloads.formats import PayloadError

#: no vendor, no comments, the framing bit: the real ones may hold cover pictures (section 3.1.1 lets us)
_EMPTY_COMMENT = b"\x03vorbis" + bytes(8) + b"\x01"
_MODE_BITS = 41
_MOST_MODES = 64
_MOST_CONFIGURATIONS = 64


@dataclass(frozen=True, slots=True)
class VorbisConfiguration:
    """
    The headers without which nothing can be decoded.

    @ivar identification: the first header.
    @ivar setup: the third header: the code books.
    """

    identification: bytes
    setup: bytes

    def __post_init__(self) -> None:
        ident = self.identification
        if not (ident.startswith(b"\x01vorbis") and len(ident) >= 30 and self.setup.startswith(b"\x05vorbis")):
            raise PayloadError("these are no Vorbis headers")

    @classmethod
    def fromExtradata(cls, extradata: bytes) -> VorbisConfiguration:
        """
        @param extradata: the three headers behind their sizes in Xiph lacing (Matroska, Ogg), or each behind its own
            16-bit size.
        @raise PayloadError: if they are not there.
        """
        identification, _, setup = _splitExtradata(extradata)
        return cls(identification, setup)

    @property
    def ident(self) -> int:
        """24 bits that name this configuration in every packet (section 2.2); different headers, different number."""
        return zlib.crc32(self.setup, zlib.crc32(self.identification)) & 0xFFFFFF

    def packed(self) -> str:
        """
        The value of the format parameter C{configuration}.

        @raise PayloadError: if the headers are larger than its 16-bit length.
        """
        headers = self.identification + _EMPTY_COMMENT + self.setup
        if len(headers) > 0xFFFF:
            raise PayloadError(f"{len(headers)} bytes of Vorbis headers")
        lengths = b"\x02" + _base128(len(self.identification)) + _base128(len(_EMPTY_COMMENT))
        start = (1).to_bytes(4, "big") + self.ident.to_bytes(3, "big") + len(headers).to_bytes(2, "big")
        return base64.b64encode(start + lengths + headers).decode("ascii")

    def extradata(self) -> bytes:
        """The headers in Xiph lacing, the comment an empty one."""
        sizes = b"".join(_lace(len(header)) for header in (self.identification, _EMPTY_COMMENT))
        return b"\x02" + sizes + self.identification + _EMPTY_COMMENT + self.setup


def readPacked(configuration: str) -> dict[int, VorbisConfiguration]:
    """
    Reads the format parameter C{configuration}.

    @return: the configurations by their 24-bit names.
    @raise PayloadError: if it is damaged.
    """
    try:
        data = base64.b64decode(configuration + "=" * (-len(configuration) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PayloadError(f"the Vorbis configuration is not base64: {error}") from error
    count = int.from_bytes(data[:4], "big")
    if not 0 < count <= _MOST_CONFIGURATIONS:
        raise PayloadError(f"{count} Vorbis configurations")
    found = {}
    start = 4
    for _ in range(count):
        ident = int.from_bytes(data[start : start + 3], "big")
        found[ident], start = _readOne(data, start + 3)
    return found


class BlockSizes:
    """
    The block sizes of packets (Vorbis I sections 4.2.2 and 4.3.1), from which their durations follow: of several in an
    RTP packet only the first has a timestamp.
    """

    def __init__(self, configuration: VorbisConfiguration) -> None:
        sizes = configuration.identification[28]
        self._short, self._long = 1 << (sizes & 15), 1 << (sizes >> 4)
        self._flags = _blockFlags(configuration.setup)
        self._modeMask = (1 << (len(self._flags) - 1).bit_length()) - 1

    @property
    def slack(self) -> int:
        """Samples by which a packet's duration may be misjudged if the block before it is not known."""
        return (self._long - self._short) // 4

    def of(self, packet: bytes) -> int:
        """The samples of the packet's block; 0 for a packet that is not audio."""
        if not packet or packet[0] & 1:
            return 0
        mode = packet[0] >> 1 & self._modeMask
        return self._long if mode < len(self._flags) and self._flags[mode] else self._short

    def duration(self, packet: bytes, previous: int) -> int:
        """
        The samples that a packet gives: a quarter of its block and of the one before.

        @param previous: the size of the block before; 0 where it is not known. A long block tells; before a short one
            there was most likely another.
        """
        size = self.of(packet)
        if not previous and size == self._long:
            previous = self._long if packet[0] >> 1 & self._modeMask + 1 else self._short
        return ((previous or size) + size) // 4


def _splitExtradata(extradata: bytes) -> tuple[bytes, bytes, bytes]:
    if extradata[:2] == b"\x00\x1e":
        headers = list(_splitSized(extradata))
        if len(headers) != 3:
            raise PayloadError(f"{len(headers)} Vorbis headers")
        return headers[0], headers[1], headers[2]
    if extradata[:1] != b"\x02":
        raise PayloadError("the Vorbis headers are missing")
    first, start = _readLaced(extradata, 1)
    second, start = _readLaced(extradata, start)
    third = start + first + second
    if third >= len(extradata):
        raise PayloadError("the Vorbis headers are cut off")
    return extradata[start : start + first], extradata[start + first : third], extradata[third:]


def _splitSized(extradata: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(extradata):
        end = start + 2 + int.from_bytes(extradata[start : start + 2], "big")
        yield extradata[start + 2 : end]
        start = end


def _readLaced(data: bytes, start: int) -> tuple[int, int]:
    """A size in Xiph lacing, and where the next field begins."""
    end = start
    while end < len(data) and data[end] == 255:
        end += 1
    if end >= len(data):
        raise PayloadError("the Vorbis headers are cut off")
    return 255 * (end - start) + data[end], end + 1


def _lace(size: int) -> bytes:
    return b"\xff" * (size // 255) + bytes([size % 255])


def _readOne(data: bytes, start: int) -> tuple[VorbisConfiguration, int]:
    """One packed header behind its name, and where the next begins."""
    length = int.from_bytes(data[start : start + 2], "big")
    headers, start = _readBase128(data, start + 2)
    first, start = _readBase128(data, start)
    second, start = _readBase128(data, start)
    if headers != 2 or first + second > length or start + length > len(data):
        raise PayloadError("the Vorbis configuration is damaged")
    third = start + first + second
    configuration = VorbisConfiguration(data[start : start + first], data[third : start + length])
    return configuration, start + length


def _readBase128(data: bytes, start: int) -> tuple[int, int]:
    value = 0
    for position in range(start, min(start + 4, len(data))):
        value = value << 7 | data[position] & 0x7F
        if data[position] < 0x80:
            return value, position + 1
    raise PayloadError("the Vorbis configuration is cut off")


def _base128(number: int) -> bytes:
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(number & 0x7F | 0x80)
    return bytes(reversed(septets))


def _blockFlags(setup: bytes) -> list[bool]:
    """
    For each mode whether its blocks are long.

    Modes are the last thing in the header (Vorbis I section 4.2.4), and all before them would have to be decoded to get
    there. So this reads backwards from the framing bit: a mode has 32 bits that must be zero, and before all of them is
    their count, less one.
    """
    bits = int.from_bytes(setup[7:], "little")
    position = bits.bit_length() - 1  # the framing bit is the last that is set
    span = _MOST_MODES * _MODE_BITS + 6
    tail = bits >> max(position - span, 0)  # short numbers from here on
    position = min(position, span)
    flags: list[bool] = []
    found: list[bool] = []
    while position >= _MODE_BITS + 6 and len(flags) < _MOST_MODES:
        position -= _MODE_BITS
        mode = tail >> position & ((1 << _MODE_BITS) - 1)
        if mode >> 33 > 63 or mode >> 1 & 0xFFFFFFFF:
            break
        flags.insert(0, bool(mode & 1))
        if (tail >> (position - 6) & 63) + 1 == len(flags):
            found = list(flags)
    if not found:
        raise PayloadError("the Vorbis setup header has no modes")
    return found
