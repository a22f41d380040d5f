"""
The film that the checker watches in these tests: pictures with a key frame each second, and sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.filter import Graph
from av.video.frame import PictureType

SECONDS = 12
_OPTIONS = {"preset": "ultrafast", "bf": "2", "g": "25", "threads": "1", "x264-params": "scenecut=0"}


def makeFilm(path: Path, *, sound: bool = True) -> Path:
    """H.264 with B-frames, and AAC unless C{sound} is false."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options=_OPTIONS)
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        feeds = [_encoded(video, "testsrc2", f"size=160x120:rate=25:duration={SECONDS}", "buffersink")]
        if sound:
            audio: Any = container.add_stream("aac", rate=44100, layout="mono", format="fltp")
            source = f"seed=1:amplitude=0.1:sample_rate=44100:nb_samples=1024:duration={SECONDS}"
            feeds.append(_encoded(audio, "anoisesrc", source, "abuffersink"))
        times = [0.0] * len(feeds)
        while min(times) < float("inf"):
            behind = times.index(min(times))
            times[behind], packets = next(feeds[behind])
            container.mux(packets)
    return path


def _encoded(stream: Any, source: str, options: str, sink: str) -> Iterator[tuple[float, list[Any]]]:
    """Packets, and how far they reach, in seconds."""
    graph = Graph()
    shape = "format" if sink == "buffersink" else "aformat"
    form = stream.codec_context.pix_fmt if shape == "format" else "sample_fmts=fltp:channel_layouts=mono"
    filters = [graph.add(source, options), graph.add(shape, form), graph.add(sink)]
    graph.link_nodes(*filters).configure()
    while True:
        try:
            frame = graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            break
        if sink == "buffersink":
            frame.pict_type = (
                PictureType.NONE
            )  # the encoder decides, not the source, which makes all of them key frames
        yield float(frame.pts * frame.time_base), stream.encode(frame)
    yield float("inf"), stream.encode(None)
