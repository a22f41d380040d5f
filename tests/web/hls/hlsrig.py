"""Films as HLS has them: packages of real files, and what a player puts together from them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av

from mediasrv.media.files import FileVersion
from mediasrv.media.fragments import Cut
from mediasrv.media.presentation import FilePresentation, Presentation, Section
from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.web.browsers import carriedByBrowsers
from mediasrv.web.hls.package import Package
from tests.media.films import Film

H264 = Film("a.mp4", video=("libx264",), seconds=10)

#: what files do, by what is special about it
FILMS = {
    "mp4": H264,
    "B-frames": H264.but(bFrames=2),
    "fragmented": H264.but(bFrames=2, options={"movflags": "frag_keyframe+empty_moov"}),
    "mkv": H264.but(name="a.mkv", bFrames=2),
    "flv": H264.but(name="a.flv", bFrames=2),
    "ts": H264.but(name="a.ts", bFrames=2),
    "starts late": H264.but(name="a.ts", bFrames=2, offset=100.0),
    "varying rate": H264.but(skipped=frozenset({3, 4, 5, 6, 22, 23, 40, 41, 42})),
    "several sounds": H264.but(name="a.mkv", audio=("aac", "libopus", "flac")),
    "two videos": H264.but(video=("libx264", "libx264")),
    "hevc": H264.but(
        video=("libx265",), codecOptions={"x265-params": "log-level=none:keyint=10:bframes=2:open-gop=0:pools=none"}
    ),
    "hevc in ts": H264.but(
        name="a.ts",
        video=("libx265",),
        codecOptions={"x265-params": "log-level=none:keyint=10:bframes=2:open-gop=0:pools=none"},
    ),
    "vp9": Film("a.webm", video=("libvpx-vp9",), audio=("libopus",), seconds=10, codecOptions={"deadline": "realtime"}),
    "av1": Film("a.mp4", video=("libsvtav1",), audio=("libopus",), seconds=10, codecOptions={"preset": "13"}),
    "mp3": Film("a.mp3", video=(), audio=("mp3",), seconds=10),
    "flac": Film("a.flac", video=(), audio=("flac",), seconds=10),
    "adts": Film("a.aac", video=(), audio=("aac",), seconds=10),
    "ogg": Film("a.ogg", video=(), audio=("libopus",), seconds=10),
    "m4a": Film("a.m4a", video=(), audio=("aac",), seconds=10, format="ipod"),
}


def packageOf(path: str, segmentDuration: float = 4.0) -> Package:
    """What HLS makes of a file."""
    return Package(FilePresentation(path, carriedByBrowsers, 2.0, "web"), segmentDuration)


@dataclass(frozen=True)
class Sample:
    """
    A packet that FFmpeg's demuxer found.

    @ivar pts: seconds.
    @ivar dts: seconds.
    """

    pts: float
    dts: float
    key: bool
    data: bytes


def played(data: bytes) -> list[Sample]:
    """What a player gets from an init segment with media segments after it."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams[0]
        return [
            Sample(float(each.pts * each.time_base), float(each.dts * each.time_base), each.is_keyframe, bytes(each))
            for each in container.demux(stream)
            if each.size
        ]


def wholeOf(package: Package, track: int) -> bytes:
    """All segments of a track of one section."""
    return package.init(track, 0) + b"".join(
        package.make(number).data[track] for number in range(len(package.segments))
    )


def unitsOf(package: Package, track: int) -> list[Unit]:
    """The units of a track as the file has them."""
    presentation = package.presentation
    return [unit for number in range(len(presentation.cuts)) for unit in presentation.read(number).units[track]]


def bare(track: Track, data: bytes) -> bytes:
    """A unit without what its container frames it with: start codes become lengths, and ADTS headers go."""
    if track.codec in ("h264", "hevc") and track.extradata[:1] != b"\1":
        parts = [part.rstrip(b"\0") for part in re.split(rb"\x00\x00\x01", data)[1:]]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    if track.codec == "aac" and data[:1] == b"\xff" and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


class FakeSequence:
    """
    Clips one after the other, as a C{seq} description has them: units of the same clips at later times.

    @ivar clips: the presentations; each has the same kinds of tracks.
    """

    view = "web"

    def __init__(self, clips: Sequence[Presentation]) -> None:
        self.clips = clips
        self.path, self.title = "/nowhere/seq.toml", "seq"
        self.version = FileVersion(1, 2, sum(clip.version.size for clip in clips), 3)
        self.tracks = clips[0].tracks
        self.omitted: list[str] = []
        self.duration = sum(clip.duration for clip in clips)
        self.cuts: list[Cut] = []
        self.sections: list[Section] = []
        self._places: list[tuple[Presentation, int, float]] = []
        start = 0.0
        for clip in clips:
            self.sections.append(Section(len(self.cuts), clip.tracks))
            for number, cut in enumerate(clip.cuts):
                self._places.append((clip, number, start))
                self.cuts.append(Cut(cut.dts + start, cut.pts + start, cut.key))
            start += clip.duration

    def read(self, number: int) -> Fragment:
        clip, own, later = self._places[number]
        fragment = clip.read(own)
        units: Any = [
            [Unit(unit.dts + later, unit.pts + later, unit.duration, unit.key, unit.data) for unit in track]
            for track in fragment.units
        ]
        return Fragment(number, fragment.start + later, fragment.end + later, units, number + 1 == len(self.cuts))


def decoded(container: Any, stream: Any) -> list[bytes]:
    """All pictures or sounds of a stream, without what lies between their lines."""
    return [b"".join(_lines(frame)) for frame in container.decode(stream)]


def _lines(frame: Any) -> Iterator[bytes]:
    for plane in frame.planes:
        data = bytes(plane)
        if isinstance(frame, av.VideoFrame):
            for start in range(0, plane.height * plane.line_size, plane.line_size):
                yield data[start : start + plane.width]
        else:
            yield data[: frame.samples * frame.format.bytes]
