"""Real pictures for the tests of the video payload formats, and a network that may lose some of their packets."""

from __future__ import annotations

import fractions
from collections.abc import Collection, Sequence

import av

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadGroup, ReceivedUnit, Unpacker


def encode(
    codec: str,
    count: int = 12,
    width: int = 160,
    height: int = 96,
    pixelFormat: str = "yuv420p",
    options: dict[str, str] | None = None,
    encoder: str = "",
) -> tuple[Track, list[Unit]]:
    """Encodes a moving pattern at 25 pictures per second."""
    context = av.CodecContext.create(encoder or codec, "w")
    context.width, context.height, context.pix_fmt = width, height, pixelFormat
    context.time_base, context.framerate = fractions.Fraction(1, 25), fractions.Fraction(25)
    context.bit_rate, context.gop_size, context.thread_count = 400_000, 6, 1
    context.options = options or {}
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={width}x{height}:rate=25")
    convert = graph.add("format", pixelFormat)
    sink = graph.add("buffersink")
    source.link_to(convert)
    convert.link_to(sink)
    graph.configure()
    packets = []
    for number in range(count):
        frame = graph.pull()
        frame.pts, frame.time_base, frame.pict_type = number, context.time_base, 0
        packets += context.encode(frame)
    packets += context.encode(None)
    units = [
        Unit(packet.dts / 25, packet.pts / 25, 0.04, packet.is_keyframe, bytes(packet)) for packet in packets if packet
    ]
    extradata = bytes(context.extradata or b"")
    return Track(0, "video", codec, extradata, width=width, height=height), units


def decode(codec: str, extradata: bytes, pictures: Sequence[bytes]) -> list[bytes]:
    """The pixels of all pictures, in the order of showing."""
    context = av.CodecContext.create(codec, "r")
    context.thread_count = 1
    if extradata:
        context.extradata = extradata
    frames = []
    for data in pictures:
        packet = av.Packet(len(data))  # Packet(data) lacks the padding behind the data into which decoders look.
        packet.update(data)
        frames += context.decode(packet)
    frames += context.decode(None)
    return [_pixels(frame) for frame in frames]


def _pixels(frame: av.VideoFrame) -> bytes:
    """The planes without what pads their lines."""
    lines = []
    for plane in frame.planes:
        data = bytes(plane)
        lines += [data[at : at + plane.width] for at in range(0, plane.height * plane.line_size, plane.line_size)]
    return b"".join(lines)


def payloadsOf(groups: Sequence[PayloadGroup]) -> list[bytes]:
    return [payload for group in groups for payload in group.payloads]


def deliver(
    groups: Sequence[PayloadGroup], unpacker: Unpacker, lost: Collection[int] = (), markers: bool = True
) -> list[ReceivedUnit]:
    """
    Sends groups to an unpacker, with sequence numbers that wrap around.

    @param lost: which packets do not arrive, counted from 0.
    @param markers: False for a sender that forgets them.
    """
    received = []
    number = 0
    for group in groups:
        for payload in group.payloads:
            marker = group.marker and payload is group.payloads[-1] and markers
            if number not in lost:
                received += unpacker.push((65_530 + number) & 0xFFFF, round(group.pts * 90_000), marker, payload)
            number += 1
    return received


def sizesAreEqual(group: PayloadGroup, limit: int) -> bool:
    """Whether all payloads fill the limit but the last, which is not larger."""
    return all(len(payload) == limit for payload in group.payloads[:-1]) and len(group.payloads[-1]) <= limit


def survives(unpacker: Unpacker, packets: Sequence[tuple[int, int, bool, bytes]]) -> None:
    """Pushes garbage; anything but PayloadError fails the test."""
    for sequence, timestamp, marker, payload in packets:
        try:
            unpacker.push(sequence, timestamp, marker, payload)
        except PayloadError:
            continue
