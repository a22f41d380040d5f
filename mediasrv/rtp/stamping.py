"""
Many RTP headers at once.

The headers of a burst differ in one number, the sequence number, and that by one from packet to packet. Written one
after the other they are one large integer: the first header times C{1 + 2**96 + 2**192 + …}, plus 0, 1, 2, … in the
places of the sequence numbers. Python multiplies large integers quickly: a burst of 13 headers takes 1.6 µs this way
and 4.6 µs with a C{struct.pack} for each, at 75,000 bursts a second for a thousand viewers. Where a sequence number
wraps inside the burst it is done one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

#: bytes of an RTP header without extensions (RFC 3550 section 5.1), and of one behind a frame header (RFC 2326 10.12)
HEADER_SIZE = 12
FRAME_SIZE = 16

#: one RTP header: version and flags, marker and payload type, sequence number, timestamp, SSRC
packHeader = struct.Struct(">BBHII").pack

#: the same behind a frame header: dollar sign, channel, length
packFrame = struct.Struct(">BBHBBHII").pack

_VERSION = 0x80
_MARKER = 0x80
_DOLLAR = 0x24

#: where the marker bit is in the last header
_MARKER_BIT = _MARKER << 80


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    What all bursts of some number of packets have in common, for headers of some size.

    @ivar repeat: times the first header, all headers.
    @ivar steps: what the sequence numbers add.
    @ivar length: bytes of all headers.
    @ivar split: cuts these bytes into headers.
    """

    repeat: int
    steps: int
    length: int
    split: Callable[[bytes], tuple[bytes, ...]]


@lru_cache(maxsize=256)
def patternOf(count: int, size: int) -> Pattern:
    """The pattern of C{count} headers of C{size} bytes each."""
    bits = 8 * size
    repeat = sum(1 << bits * index for index in range(count))
    steps = sum(index << 64 + bits * (count - 1 - index) for index in range(count))
    return Pattern(repeat, steps, count * size, struct.Struct(f"{size}s" * count).unpack)


@lru_cache(maxsize=256)
def headerSteps(count: int, marker: bool) -> int:
    """What sequence numbers and marker add to C{count} RTP headers."""
    return patternOf(count, HEADER_SIZE).steps + (_MARKER_BIT if marker else 0)


def frameSteps(payloads: Sequence[bytes], marker: bool) -> int:
    """What sequence numbers, lengths and marker add to the frames of these payloads."""
    pattern = patternOf(len(payloads), FRAME_SIZE)
    lengths = 0
    for payload in payloads:
        lengths = lengths << 8 * FRAME_SIZE | len(payload) + HEADER_SIZE
    return pattern.steps + (lengths << 96) + (_MARKER_BIT if marker else 0)


def headersOneByOne(
    payloadType: int, sequence: int, timestamp: int, ssrc: int, count: int, marker: bool, start: bool
) -> list[bytes]:
    """
    RTP headers, the plain way.

    @param marker: whether the last one has the marker bit.
    @param start: whether the first one has it.
    """
    return [
        packHeader(
            _VERSION, payloadType | _mark(index, count, marker, start), sequence + index & 0xFFFF, timestamp, ssrc
        )
        for index in range(count)
    ]


def framesOneByOne(
    channel: int,
    payloads: Sequence[bytes],
    payloadType: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    marker: bool,
    start: bool,
) -> list[bytes]:
    """RTP headers behind their frame headers, the plain way."""
    count = len(payloads)
    return [
        packFrame(
            _DOLLAR,
            channel,
            len(payload) + HEADER_SIZE,
            _VERSION,
            payloadType | _mark(index, count, marker, start),
            sequence + index & 0xFFFF,
            timestamp,
            ssrc,
        )
        for index, payload in enumerate(payloads)
    ]


def _mark(index: int, count: int, marker: bool, start: bool) -> int:
    return _MARKER if (marker and index == count - 1) or (start and index == 0) else 0
