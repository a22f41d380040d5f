"""
ffmpeg and GStreamer play the HLS of files over HTTP: what they get is what is in the file, to the end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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
            choose += ["-bsf", _FILTERS[each.codec]] if each.codec in _FILTERS else []
            arguments += [*choose, "-f", "data", str(tmp_path / f"{name}.{each.kind}")]
        outcome = await peers.run(arguments, _PATIENCE)
        if outcome.code != 0:
            found.append(f"{name}: ffmpeg ended with {outcome.code}: {outcome.errors}")
            continue
        for each in streams:
            got = (tmp_path / f"{name}.{each.kind}").read_bytes()
            wanted = b"".join(unit.data for unit in each.units)
            if each.codec in ("h264", "hevc"):
                got, wanted = essence.essenceOf(each.codec, [got]), essence.expected(each, path)
            wrong = essence.difference(got, wanted)
            if wrong:
                found.append(f"{name}, {each.kind}: {wrong}")
    assert found == []


@pytest.mark.requirement("HLS-4")
@pytest.mark.deadline(150)
@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "vp9.webm"])
async def test_ffmpegIsInTime(top: str, clip: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """Pictures and sound are shown when they are in the file, against each other."""
    with av.open(str(clip(name))) as container:
        wanted = _starts(container)
    out = tmp_path / "copy.mkv"
    command = ["-v", "error", "-i", f"{top}{name}/index.m3u8", "-map", "0", "-c", "copy", str(out)]
    outcome = await peers.run([peers.require("ffmpeg"), *command], _PATIENCE)
    assert (outcome.code, outcome.errors) == (0, "")
    with av.open(str(out)) as container:
        got = _starts(container)
    assert got["audio"] - got["video"] == pytest.approx(wanted["audio"] - wanted["video"], abs=0.002)


def _starts(container: Any) -> dict[str, float]:
    """When the first frame of each kind is shown, seconds."""
    return {each.type: float(next(container.decode(each)).time) for each in container.streams if not container.seek(0)}


@pytest.mark.requirement("HLS-4")
@pytest.mark.deadline(150)
@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "vp9.webm"])
async def test_gstreamer(top: str, clip: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """C{hlsdemux} decodes every picture, and finds the end."""
    out = tmp_path / "pictures"
    pipeline = f"souphttpsrc location={top}{name}/index.m3u8 ! hlsdemux ! qtdemux ! decodebin ! videoconvert"
    sink = f"video/x-raw,format=I420 ! filesink location={out}"
    outcome = await peers.run([peers.require("gst-launch-1.0"), "-q", *f"{pipeline} ! {sink}".split()], _PATIENCE)
    assert outcome.code == 0, outcome.errors
    with av.open(str(clip(name))) as container:
        wanted = list(container.decode(video=0))
        size = clips.WIDTH * clips.HEIGHT * 3 // 2
        assert out.stat().st_size == len(wanted) * size
        pictures = [bytes(plane) for frame in wanted for plane in frame.planes]
    assert out.read_bytes() == b"".join(pictures)
