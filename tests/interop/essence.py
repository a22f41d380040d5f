"""
What of a coded stream has to arrive, whatever container or payload format it went through.

Start codes, length fields, ADTS and JPEG headers, delimiters and repeated parameter sets belong to the carrier. The
rest is compared byte by byte. Nothing here uses the server's own code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av

_START_CODE = re.compile(rb"\x00\x00\x01")

#: NAL unit types that are the carrier's: parameter sets, delimiters, ends of sequence and stream, filler
_CARRIER_H264 = frozenset({7, 8, 9, 10, 11, 12})
_CARRIER_H265 = frozenset({32, 33, 34, 35, 36, 37, 38})
#: OBU types likewise: temporal delimiter, tile list, padding
_CARRIER_AV1 = frozenset({2, 8, 15})


@dataclass(frozen=True)
class Unit:
    """
    @ivar pts: seconds on the presentation's time line, which starts with the earliest track.
    """

    pts: float
    duration: float
    key: bool
    data: bytes


@dataclass(frozen=True)
class Stream:
    """
    One track of a file.

    @ivar codec: FFmpeg's name.
    @ivar units: in the order of the file.
    """

    kind: str
    codec: str
    rate: int
    extradata: bytes
    units: list[Unit]

    def essence(self, first: int = 0) -> bytes:
        """What of it has to arrive, from a unit on."""
        return essenceOf(self.codec, (unit.data for unit in self.units[first:]), self.extradata)


def readFile(path: Path) -> list[Stream]:
    """The tracks of a file: video, then audio, as the file's own packets have them."""
    with av.open(str(path)) as container:
        streams = sorted(container.streams, key=lambda stream: stream.type != "video")
        zero = min(float((stream.start_time or 0) * stream.time_base) for stream in streams)
        units: dict[int, list[Unit]] = {stream.index: [] for stream in streams}
        for packet in container.demux(streams):
            if packet.size:
                base = packet.time_base
                pts = packet.pts if packet.pts is not None else packet.dts
                time = float(pts * base) - zero if pts is not None else float("nan")
                unit = Unit(time, float((packet.duration or 0) * base), packet.is_keyframe, bytes(packet))
                units[packet.stream_index].append(unit)
        return [
            Stream(
                stream.type,
                stream.codec_context.codec.canonical_name,
                stream.codec_context.sample_rate if stream.type == "audio" else 90000,
                bytes(stream.codec_context.extradata or b""),
                units[stream.index],
            )
            for stream in streams
        ]


def decodedSamples(path: Path) -> bytes:
    """The audio of a file as 16-bit big-endian samples, channels interleaved."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16")
        frames = [made for frame in container.decode(audio=0) for made in resampler.resample(frame)]
        samples = b"".join(bytes(frame.planes[0])[: frame.samples * 2 * frame.layout.nb_channels] for frame in frames)
        return swapped(samples)


def expected(stream: Stream, path: Path) -> bytes:
    """The bytes that have to come of a track of a file."""
    if stream.codec == "flac":
        return decodedSamples(path)
    whole = stream.essence()
    return swapped(whole) if stream.codec == "pcm_s16le" else whole


def difference(got: bytes, wanted: bytes) -> str:
    """Where two streams part, for people; empty if they do not."""
    if got == wanted:
        return ""
    same = next((at for at, (one, other) in enumerate(zip(got, wanted, strict=False)) if one != other), None)
    where = "one is the beginning of the other" if same is None else f"they differ from byte {same}"
    found = wanted.find(got[:64])
    return f"{len(got)} bytes instead of {len(wanted)}, {where}; its first bytes are at {found} of the file's"


def swapped(samples: bytes) -> bytes:
    """16-bit samples in the other byte order."""
    turned = bytearray(samples)
    turned[0::2], turned[1::2] = samples[1::2], samples[0::2]
    return bytes(turned)


def essenceOf(codec: str, units: Iterable[bytes], extradata: bytes = b"") -> bytes:
    """
    What of coded units has to arrive.

    @param units: in order; for most codecs it is no matter where one ends and the next begins.
    @param extradata: the configuration, which says how long the length fields are.
    """
    reduce = _REDUCERS.get(codec)
    return b"".join(reduce(unit, extradata) if reduce else unit for unit in units)


def _h264(data: bytes, extradata: bytes) -> bytes:
    sizeBytes = (extradata[4] & 3) + 1 if extradata[:1] == b"\1" else 0
    kept = (nal for nal in _nalUnits(data, sizeBytes) if nal[0] & 31 not in _CARRIER_H264)
    return b"".join(b"\0\0\1" + nal for nal in kept)


def _h265(data: bytes, extradata: bytes) -> bytes:
    sizeBytes = (extradata[21] & 3) + 1 if extradata[:1] == b"\1" else 0
    kept = (nal for nal in _nalUnits(data, sizeBytes) if nal[0] >> 1 & 63 not in _CARRIER_H265)
    return b"".join(b"\0\0\1" + nal for nal in kept)


def _nalUnits(data: bytes, sizeBytes: int) -> Iterator[bytes]:
    """NAL units behind length fields, or behind start codes if these have no bytes."""
    if sizeBytes:
        position = 0
        while position < len(data):
            size = int.from_bytes(data[position : position + sizeBytes], "big")
            yield data[position + sizeBytes : position + sizeBytes + size]
            position += sizeBytes + size
        return
    for piece in _START_CODE.split(data)[1:]:
        nal = piece.rstrip(b"\0")
        if nal:
            yield nal


def _av1(data: bytes, extradata: bytes) -> bytes:
    """OBUs without their size fields, which are optional."""
    kept = []
    position = 0
    while position < len(data):
        header = data[position]
        start = position + (2 if header & 4 else 1)
        size, start = _leb128(data, start) if header & 2 else (len(data) - start, start)
        if header >> 3 & 15 not in _CARRIER_AV1:
            kept.append(bytes([header & ~2]) + data[position + 1 : position + 1 + bool(header & 4)])
            kept.append(data[start : start + size])
        position = start + size
    return b"".join(kept)


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        shift += 7
        position += 1
        if byte < 128:
            return value, position


def _aac(data: bytes, extradata: bytes) -> bytes:
    """Without ADTS headers, which come if there is no configuration outside."""
    if extradata or data[:1] != b"\xff" or data[1] & 0xF6 != 0xF0:
        return data
    frames = []
    while data:
        size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        frames.append(data[7 if data[1] & 1 else 9 : size])
        data = data[size:]
    return b"".join(frames)


def _jpeg(data: bytes, extradata: bytes) -> bytes:
    """The entropy-coded pictures: RTP carries no headers, and who receives it writes others."""
    scans = []
    position = 0
    while (start := data.find(b"\xff\xda", position)) >= 0:
        start += 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        position = data.index(b"\xff\xd9", start)
        # fill bytes may precede the marker
        scans.append(data[start:position].rstrip(b"\xff"))
    return b"".join(scans)


_REDUCERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "h264": _h264,
    "hevc": _h265,
    "av1": _av1,
    "aac": _aac,
    "mjpeg": _jpeg,
}
