"""
GStreamer's rtspsrc and depayloaders: to the last byte what is in the file, up to the end, which they find by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import clips
import essence
import peers
import pytest
from serving import Server

#: seconds that a pipeline may take beyond a clip's duration: to start while others do, and to drain its jitter buffer
_PATIENCE = 9.0

#: what takes a codec out of RTP, and the parser that judges it where there is one for the form in which it comes out
_DEPAYLOADERS = {
    "h264": "rtph264depay ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au",
    "hevc": "rtph265depay ! h265parse ! video/x-h265,stream-format=byte-stream,alignment=au",
    "vp8": "rtpvp8depay",
    "vp9": "rtpvp9depay",
    "mpeg4": "rtpmp4vdepay ! mpeg4videoparse",
    "mpeg2video": "rtpmpvdepay ! mpegvideoparse",
    "mjpeg": "rtpjpegdepay ! jpegparse",
    "aac": "rtpmp4gdepay ! aacparse",
    "opus": "rtpopusdepay",
    "mp3": "rtpmpadepay ! mpegaudioparse",
    "mp2": "rtpmpadepay ! mpegaudioparse",
    "ac3": "rtpac3depay ! ac3parse",
    "vorbis": "rtpvorbisdepay",
    "flac": "rtpL16depay",
    "pcm_s16le": "rtpL16depay",
    "pcm_alaw": "rtppcmadepay",
    "pcm_mulaw": "rtppcmudepay",
    "adpcm_g722": "rtpg722depay",
}

_PICTURES = [name for name, clip in clips.CLIPS.items() if clip.picture is not None and name != "seek.mp4"]
_SOUNDS = [name for name, clip in clips.CLIPS.items() if clip.picture is None and name != "eac3.eac3"]


async def complaints(server: Server, path: Path, transport: str, folder: Path) -> list[str]:
    """Plays a clip; what is wrong with what came."""
    streams = [stream for stream in essence.readFile(path) if stream.codec in _DEPAYLOADERS]
    source = ["rtspsrc", "name=source", f"location={server.url(path.name)}", f"protocols={transport}", "latency=200"]
    arguments = [peers.require("gst-launch-1.0"), "-q", *source]
    for stream in streams:
        target = f"filesink location={folder / path.name}.{stream.kind}"
        branch = f"source. ! application/x-rtp,media={stream.kind} ! {_DEPAYLOADERS[stream.codec]} ! {target}"
        arguments += branch.split(" ")
    outcome = await peers.run(arguments, clips.CLIPS[path.name].seconds + _PATIENCE)
    found = []
    if outcome.code != 0:
        found.append(f"gst-launch-1.0 ended with {outcome.code} after {outcome.seconds:.1f} s: {outcome.errors}")
    for stream in streams:
        file = folder / f"{path.name}.{stream.kind}"
        got = received(stream, file.read_bytes() if file.exists() else b"")
        wrong = essence.difference(got, essence.expected(stream, path))
        if wrong:
            found.append(f"{stream.kind} {stream.codec}: {wrong}")
    return [f"{path.name}: {each}" for each in found]


def received(stream: essence.Stream, data: bytes) -> bytes:
    """The essence of what a pipeline wrote."""
    if stream.codec == "vorbis":
        # the configuration comes first, as three packets
        start = data.find(stream.units[0].data)
        return data[start:] if data.startswith(b"\1vorbis") else data
    return essence.essenceOf(stream.codec, [data]) if stream.codec in ("h264", "hevc", "mjpeg") else data


@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("names", [_PICTURES, _SOUNDS], ids=["pictures", "sounds"])
async def test_streamIsTheFile(
    server: Server, clip: Callable[[str], Path], tmp_path: Path, transport: str, names: list[str]
) -> None:
    """All clips at the same time, each by one pipeline."""
    paths = [clip(name) for name in names]
    wrong = await peers.together(complaints(server, path, transport, tmp_path) for path in paths)
    assert not any(wrong), "\n".join(line for lines in wrong for line in lines)
