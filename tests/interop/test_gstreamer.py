"""
GStreamer's rtspsrc and depayloaders: to the last byte what is in the file, and they find the end by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import clips
import essence
import peers
import pytest
from serving import Server

#: the functions of rtspsrc that an error comes from, and those of its way out
_FUNCTION = re.compile(r"(gst_\w+) \(\)")
_CLOSING = {"gst_rtspsrc_try_send", "gst_rtspsrc_pause", "gst_rtspsrc_close"}

#: seconds that all of these clips last
_SECONDS = 3.0

#: seconds beyond that after which a pipeline counts as stuck
_PATIENCE = 25.0

#: what takes a codec out of RTP, and the parser that judges it where there is one for the form in which it comes out
_DEPAYLOADERS = {
    "h264": "rtph264depay ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au",
    "hevc": "rtph265depay ! h265parse ! video/x-h265,stream-format=byte-stream,alignment=au",
    "vp8": "rtpvp8depay",
    "vp9": "rtpvp9depay",
    "mpeg4": "rtpmp4vdepay ! mpeg4videoparse",
    "mpeg2video": "rtpmpvdepay ! mpegvideoparse",
    "mjpeg": "rtpjpegdepay ! jpegparse",
    "aac": "rtpmp4gdepay",
    "opus": "rtpopusdepay",
    "mp3": "rtpmpadepay",
    "mp2": "rtpmpadepay",
    "ac3": "rtpac3depay ! ac3parse",
    "vorbis": "rtpvorbisdepay",
    "flac": "rtpL16depay",
    "pcm_s16le": "rtpL16depay",
    "pcm_alaw": "rtppcmadepay",
    "pcm_mulaw": "rtppcmudepay",
    "adpcm_g722": "rtpg722depay",
}

# Only clips of one track: when the pads of two come at the same time, gst-launch-1.0 now and then links them to each
# other's branches; and if one of them has no branch, it may be the first to come, which ends the pipeline.
_PICTURES = [name for name in clips.SILENT if name != "silent-av1.mp4"]
_SOUNDS = [name for name, clip in clips.CLIPS.items() if clip.picture is None and name != "eac3.eac3"]


@dataclass(frozen=True)
class Take:
    """What a pipeline got of a clip."""

    path: Path
    stream: essence.Stream
    outcome: peers.Outcome
    data: bytes


async def take(server: Server, path: Path, stream: essence.Stream, properties: str, folder: Path) -> Take:
    """
    Plays a clip of one track.

    @param properties: of rtspsrc.
    """
    file = folder / path.name
    pipeline = (
        f"rtspsrc location={server.url(path.name)} {properties} "
        f"! {_DEPAYLOADERS[stream.codec]} ! "
        # the single segment is an endless one: sinks leave out what is behind the end of theirs, and rtspsrc reckons
        # that from the start of the pipeline, not from the first packet, which came some milliseconds later
        f"identity single-segment=true ! filesink location={file}"
    )
    seconds = _SECONDS + _PATIENCE
    outcome = await peers.run([peers.require("gst-launch-1.0"), "-q", *pipeline.split()], seconds)
    return Take(path, stream, outcome, file.read_bytes() if file.exists() else b"")


def complaints(taken: Take) -> list[str]:
    """What is wrong with what came."""
    found = []
    outcome, stream = taken.outcome, taken.stream
    # rtspsrc interrupts its own PAUSE and TEARDOWN when it is stopped, which it then takes for an error now and then
    failed = set(_FUNCTION.findall(outcome.errors))
    isClosing = outcome.code == 1 and bool(failed) and failed <= _CLOSING
    if outcome.code != 0 and not isClosing:
        found.append(f"gst-launch-1.0 ended with {outcome.code} after {outcome.seconds:.1f} s: {outcome.errors}")
    wrong = essence.difference(received(stream, taken.data), essence.expected(stream, taken.path))
    if wrong:
        found.append(wrong)
    return [f"{taken.path.name}: {stream.kind} {stream.codec}: {each}" for each in found]


def received(stream: essence.Stream, data: bytes) -> bytes:
    """The essence of what a pipeline wrote."""
    if stream.codec == "vorbis":
        # the configuration comes first, as three packets
        start = data.find(stream.units[0].data)
        return data[start:] if data.startswith(b"\1vorbis") else data
    return essence.essenceOf(stream.codec, [data]) if stream.codec in ("h264", "hevc", "mjpeg") else data


@pytest.mark.requirement("RTCP-7", "RTP-9")
@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("names", [_PICTURES, _SOUNDS], ids=["pictures", "sounds"])
async def test_streamIsTheFile(
    server: Server, clip: Callable[[str], Path], tmp_path: Path, transport: str, names: list[str]
) -> None:
    """All clips at the same time."""
    paths = [clip(name) for name in names]
    streams = [essence.readFile(path)[0] for path in paths]
    taken = await peers.together(
        take(server, path, stream, f"protocols={transport}", tmp_path)
        for path, stream in zip(paths, streams, strict=True)
    )
    # only now: to compare takes time, in which the server would stand still
    wrong = [complaint for one in taken for complaint in complaints(one)]
    assert not wrong, "\n".join(wrong)
