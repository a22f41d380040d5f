#!/usr/bin/env python3
"""
Makes the clips that the benchmarks stream: two minutes each, of steady rate, so that every second costs the same.

    python benchmarks/media.py FOLDER

C{load-720p.mp4} is 1280x720 at 30 pictures a second, 4 Mbit/s of H.264 without B-frames, a key frame every two seconds,
and 128 kbit/s of AAC. C{load-320p.mp4} is 320x180 with 0.3 Mbit/s and 64 kbit/s: few bytes, many packets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.filter import Graph

FRAME_RATE = 30
SAMPLE_RATE = 48000
_KEY_INTERVAL = 2 * FRAME_RATE


@dataclass(frozen=True, slots=True)
class Clip:
    """
    @ivar videoRate: bits per second; so C{audioRate}.
    @ivar noise: how much of it the test picture gets; without any it would compress too well to need the rate.
    """

    name: str
    width: int
    height: int
    videoRate: int
    audioRate: int
    noise: int


CLIPS = (
    Clip("load-720p.mp4", 1280, 720, 4_000_000, 128_000, 24),
    Clip("load-320p.mp4", 320, 180, 300_000, 64_000, 12),
)


def make(folder: str, clip: Clip, duration: int = 120) -> str:
    """
    Makes a clip unless it is there. Takes some part of its duration.

    @param duration: seconds.
    @return: its path.
    """
    path = os.path.join(folder, clip.name)
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        unfinished = f"{path}.{os.getpid()}"
        with av.open(unfinished, "w", format="mp4", options={"movflags": "faststart"}) as container:
            _encode(container, clip, duration)
        os.replace(unfinished, path)
    return path


def _encode(container: Any, clip: Clip, duration: int) -> None:
    kilobits = clip.videoRate // 1000
    steady = f"nal-hrd=cbr:force-cfr=1:vbv-maxrate={kilobits}:vbv-bufsize={kilobits // 2}:scenecut=0"
    video = container.add_stream(
        "libx264",
        rate=FRAME_RATE,
        options={
            "preset": "ultrafast",
            "bf": "0",
            "g": str(_KEY_INTERVAL),
            "keyint_min": str(_KEY_INTERVAL),
            "x264-params": steady,
        },
    )
    video.width, video.height, video.pix_fmt, video.bit_rate = clip.width, clip.height, "yuv420p", clip.videoRate
    audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    audio.bit_rate = clip.audioRate
    pictures = _pictures(clip, duration)
    sounds = _sounds(duration)
    heard = 0.0
    for number, picture in enumerate(pictures):
        container.mux(video.encode(picture))
        while heard * FRAME_RATE <= number:
            sound = next(sounds, None)
            if sound is None:
                break
            heard = sound.pts / SAMPLE_RATE
            container.mux(audio.encode(sound))
    for sound in sounds:
        container.mux(audio.encode(sound))
    container.mux(video.encode(None))
    container.mux(audio.encode(None))


def _pictures(clip: Clip, duration: int) -> Iterator[av.VideoFrame]:
    graph = Graph()
    size = f"size={clip.width}x{clip.height}:rate={FRAME_RATE}:duration={duration}"
    chain = [
        graph.add("testsrc2", size),
        graph.add("noise", f"alls={clip.noise}:allf=t"),
        graph.add("format", "pix_fmts=yuv420p"),
        graph.add("buffersink"),
    ]
    for frame in _pulled(graph, chain):
        frame.pict_type = 0  # the encoder decides
        yield frame


def _sounds(duration: int) -> Iterator[av.AudioFrame]:
    graph = Graph()
    chain = [
        graph.add("sine", f"frequency=440:sample_rate={SAMPLE_RATE}:duration={duration}"),
        graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
        graph.add("abuffersink"),
    ]
    return _pulled(graph, chain)


def _pulled(graph: Graph, chain: list[Any]) -> Iterator[Any]:
    graph.link_nodes(*chain).configure()
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield frame


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python benchmarks/media.py FOLDER", file=sys.stderr)
        return 2
    for clip in CLIPS:
        path = make(arguments[0], clip)
        print(f"{path}: {os.path.getsize(path) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
