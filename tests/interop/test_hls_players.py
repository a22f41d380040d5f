"""
ffmpeg and GStreamer play the HLS of files over HTTP: what they get is what is in the file, to the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import av
import clips
import essence
import peers
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web.server import Site

#: seconds that a player may take
_PATIENCE = 40.0

#: what both browsers and these players have; of AV1 the ffmpeg of today's distributions copies all the same
_CLIPS = [
    "h264.mp4",
    "h264.mkv",
    "h264.ts",
    "vp9.webm",
    "av1.mp4",
    "h265.mkv",
    "aac.m4a",
    "opus.opus",
    "mp3.mp3",
    "flac.flac",
]
#: a configuration record, of H.264 or H.265, that says that the lengths before NAL units have four bytes
_LENGTHS = b"\1" + b"\3" * 22


@pytest_twisted.async_yield_fixture
async def top(serve: Any) -> AsyncIterator[str]:
    """The URL of the clips, over HTTP."""
    server = await serve(segmentDuration=1.0)
    site = Site(server.service.webResource())
    port: Any = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
    yield f"http://127.0.0.1:{port.getHost().port}/clips/"
    await port.stopListening()


@pytest.mark.requirement("HLS-4")
@pytest.mark.deadline(150)
async def test_ffmpegCopiesTheFile(top: str, clip: Callable[[str], Path], tmp_path: Path) -> None:
    """Byte by byte."""
    found = []
    for name in _CLIPS:
        path = clip(name)
        streams = [each for each in essence.readFile(path) if each.codec != "ac3"]
        arguments = [peers.require("ffmpeg"), "-v", "error", "-i", f"{top}{name}/index.m3u8"]
        for each in streams:
            choose = ["-map", f"0:{each.kind[0]}:0", "-c", "copy", "-copyinkf", "-copypriorss", "1"]
            arguments += [*choose, "-f", "data", str(tmp_path / f"{name}.{each.kind}")]
        outcome = await peers.run(arguments, _PATIENCE)
        if outcome.code != 0:
            found.append(f"{name}: ffmpeg ended with {outcome.code}: {outcome.errors}")
            continue
        for each in streams:
            got = (tmp_path / f"{name}.{each.kind}").read_bytes()
            wanted = b"".join(unit.data for unit in each.units)
            if each.codec in ("h264", "hevc", "aac"):
                got, wanted = essence.essenceOf(each.codec, [got], _LENGTHS), essence.expected(each, path)
            wrong = essence.difference(got, wanted)
            if wrong:
                found.append(f"{name}, {each.kind}: {wrong}")
    assert found == []


@pytest.mark.requirement("HLS-4")
@pytest.mark.deadline(150)
@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "vp9.webm"])
async def test_ffmpegIsInTime(top: str, clip: Callable[[str], Path], name: str) -> None:
    """Every picture and every sound is shown when it is in the file."""
    path = clip(name)
    show = ["-show_entries", "packet=codec_type,pts_time", "-of", "csv=p=0", f"{top}{name}/index.m3u8"]
    outcome = await peers.run([peers.require("ffprobe"), "-v", "error", *show], _PATIENCE)
    assert (outcome.code, outcome.errors) == (0, "")
    got: dict[str, list[float]] = {}
    for line in outcome.output.decode().split():
        kind, time, *_ = line.split(",")
        got.setdefault(kind, []).append(float(time))
    for stream in essence.readFile(path):
        # Matroska counts milliseconds
        assert got[stream.kind] == pytest.approx([unit.pts for unit in stream.units], abs=0.0011)


@pytest.mark.requirement("HLS-4")
@pytest.mark.deadline(150)
@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "vp9.webm"])
async def test_gstreamer(top: str, clip: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """C{hlsdemux} decodes every picture, and finds the end."""
    path, out = clip(name), tmp_path / "pictures"
    pipeline = f"souphttpsrc location={top}{name}/index.m3u8 ! hlsdemux ! qtdemux ! decodebin ! videoconvert"
    sink = f"video/x-raw,format=I420 ! filesink location={out}"
    outcome = await peers.run([peers.require("gst-launch-1.0"), "-q", *f"{pipeline} ! {sink}".split()], _PATIENCE)
    assert outcome.code == 0, outcome.errors
    with av.open(str(path)) as container:
        wanted = list(container.decode(video=0))
        size = clips.WIDTH * clips.HEIGHT * 3 // 2
        assert out.stat().st_size == len(wanted) * size
    assert out.read_bytes() == b"".join(_lines(wanted))


def _lines(frames: list[Any]) -> Iterator[bytes]:
    """The pixels, without what lies between the lines."""
    for frame in frames:
        for plane in frame.planes:
            data = bytes(plane)
            yield from (data[at : at + plane.width] for at in range(0, len(data), plane.line_size))
