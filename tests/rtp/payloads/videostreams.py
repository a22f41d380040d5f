"""Video to test payload formats with: encoded pictures, and a network that loses packets."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Collection, Iterable

import av

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadGroup, ReceivedUnit, Unpacker

RATE = 25
TICKS = 90000 // RATE


@functools.cache
def encode(encoder: str, container: str, count: int = 12, **options: str) -> tuple[Track, list[Unit]]:
    """Encodes moving noise and reads it back from a container."""
    file = io.BytesIO()
    noise = random.Random(1)
    with av.open(file, "w", container) as output:
        stream = output.add_stream(encoder, RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        for number in range(count):
            picture = av.VideoFrame(192, 128, "yuv420p")
            for plane in picture.planes:
                plane.update(noise.randbytes(64).ljust(plane.buffer_size, bytes((number * 16 & 0xFF,))))
            picture.pts = number
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    with av.open(io.BytesIO(file.getvalue())) as read:
        video = read.streams.video[0]
        context = video.codec_context
        track = Track(0, "video", context.name.replace("libdav1d", "av1"), bytes(context.extradata or b""))
        units = [
            Unit(number / RATE, float(one.pts * one.time_base), 1 / RATE, one.is_keyframe, bytes(one))
            for number, one in enumerate(one for one in read.demux(video) if one.size)
        ]
    return track, units


def decode(codec: str, units: Iterable[bytes], extradata: bytes = b"") -> list[bytes]:
    """The pictures, in the order in which they are shown."""
    context = av.CodecContext.create(codec, "r")
    if extradata:
        context.extradata = extradata
    packets = [av.Packet(unit) for unit in units]
    pictures = [picture for packet in packets for picture in context.decode(packet)]
    pictures += context.decode(None)
    return [b"".join(_rows(plane) for plane in picture.planes) for picture in pictures]


def _rows(plane: av.video.plane.VideoPlane) -> bytes:
    """What is to be seen of a plane: decoders leave anything between the rows."""
    data = bytes(plane)
    return b"".join(data[row * plane.line_size :][: plane.width] for row in range(plane.height))


def receive(
    unpacker: Unpacker, groups: Iterable[PayloadGroup], lost: Collection[int] = (), first: int = 65530
) -> list[ReceivedUnit]:
    """Sends groups, the first packet numbered C{first}, but not the packets at the positions C{lost}."""
    units: list[ReceivedUnit] = []
    position = 0
    for number, group in enumerate(groups):
        for left in reversed(range(len(group.payloads))):
            if position not in lost:
                payload = group.payloads[len(group.payloads) - 1 - left]
                marker = group.marker and not left
                units += unpacker.push(first + position & 0xFFFF, number * TICKS, marker, payload)
            position += 1
    return units


def checkSizes(groups: Iterable[PayloadGroup], limit: int) -> None:
    """No payload may be larger than the limit, none empty, no group without payloads."""
    for group in groups:
        assert group.payloads
        assert all(0 < len(payload) <= limit for payload in group.payloads)
