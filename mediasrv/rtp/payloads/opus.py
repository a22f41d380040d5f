"""
Opus in RTP: RFC 7587. One Opus packet (RFC 6716 section 3) is one payload, and the clock is always 48 kHz.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker

_LARGEST_FRAME = 1275
_LONGEST = 5760  # 120 ms


class OpusFormat(PayloadFormat):
    """
    Opus with one or two channels. (More are several Opus streams in one unit, for which RFC 7587 has no room.)

    A unit above the limit is divided into its frames of at most 60 ms, which have at most 1275 bytes each. No RFC says
    how to cut those: they are sent whole whatever the limit, and IP cuts them. It is that or silence.
    """

    codecs = frozenset({"opus"})
    kind: ClassVar[Kind] = "audio"
    encodingName = "opus"
    isSelfContained = True
    startMarker = True
    clockRate = 48000
    channels = 2  # always, whatever is inside (section 7)

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        head = track.extradata
        severalStreams = head.startswith(b"OpusHead") and len(head) > 19 and head[18] and head[19] != 1
        if track.channels > 2 or severalStreams:
            raise PayloadError(f"Opus of {track.channels} channels in several streams")

    def formatParameters(self) -> str:
        return f"sprop-stereo={int(self.track.channels == 2)}"

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        groups = []
        for unit in units:
            try:
                duration, frames = splitFrames(unit.data)
            except PayloadError:
                continue
            if len(unit.data) <= limit:
                groups.append(PayloadGroup(unit.dts, unit.pts, True, False, [unit.data]))
                continue
            single = bytes([unit.data[0] & 0xFC])
            for number, frame in enumerate(frames):
                later = number * duration / 48000
                groups.append(PayloadGroup(unit.dts + later, unit.pts + later, True, False, [single + frame]))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        return _OpusUnpacker()


class _OpusUnpacker:
    """Every payload is a unit."""

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        splitFrames(payload)
        return [ReceivedUnit(timestamp, True, payload)]


def splitFrames(packet: bytes) -> tuple[int, list[bytes]]:
    """
    The frames of an Opus packet (RFC 6716 section 3.2).

    @return: 48 kHz samples of each frame, and the frames.
    @raise PayloadError: if the packet is malformed.
    """
    if not packet:
        raise PayloadError("an empty Opus packet")
    duration = _frameDuration(packet[0] >> 3)
    code = packet[0] & 3
    body = packet[1:]
    if code == 0:
        frames = [body]
    elif code == 1:
        frames = _equalFrames(body, 2)
    elif code == 2:
        size, start = _readSize(body, 0)
        frames = [body[start : start + size], body[start + size :]]
        if start + size > len(body):
            raise PayloadError("an Opus frame is cut off")
    else:
        frames = _countedFrames(body)
    if any(len(frame) > _LARGEST_FRAME for frame in frames) or duration * len(frames) > _LONGEST:
        raise PayloadError("an Opus packet that is too long")
    return duration, frames


def _frameDuration(configuration: int) -> int:
    """48 kHz samples of a frame (RFC 6716 table 2)."""
    if configuration < 12:
        return (480, 960, 1920, 2880)[configuration & 3]
    if configuration < 16:
        return (480, 960)[configuration & 1]
    return (120, 240, 480, 960)[configuration & 3]


def _countedFrames(body: bytes) -> list[bytes]:
    """Code 3: a count, perhaps padding, equal or variable sizes (RFC 6716 section 3.2.5)."""
    if not body or not body[0] & 0x3F:
        raise PayloadError("an Opus packet without frames")
    count = body[0] & 0x3F
    start = 1
    end = len(body)
    if body[0] & 0x40:
        more = 255
        while more == 255:
            if start >= end:
                raise PayloadError("an Opus packet of padding")
            more = body[start]
            end -= more if more < 255 else 254
            start += 1
    if end < start:
        raise PayloadError("an Opus packet with more padding than bytes")
    if not body[0] & 0x80:
        return _equalFrames(body[start:end], count)
    sizes = []
    for _ in range(count - 1):
        size, start = _readSize(body, start)
        sizes.append(size)
    sizes.append(end - start - sum(sizes))
    if sizes[-1] < 0:
        raise PayloadError("an Opus frame is cut off")
    frames = []
    for size in sizes:
        frames.append(body[start : start + size])
        start += size
    return frames


def _equalFrames(body: bytes, count: int) -> list[bytes]:
    size, rest = divmod(len(body), count)
    if rest:
        raise PayloadError(f"{len(body)} bytes cannot be {count} equal Opus frames")
    return [body[number * size : (number + 1) * size] for number in range(count)]


def _readSize(body: bytes, start: int) -> tuple[int, int]:
    """A frame's size, and where the next field begins (RFC 6716 section 3.2.1)."""
    if start >= len(body) or (body[start] >= 252 and start + 1 >= len(body)):
        raise PayloadError("an Opus packet ends in a size")
    if body[start] < 252:
        return body[start], start + 1
    return body[start] + 4 * body[start + 1], start + 2
