"""
ffmpeg copies what it receives: to the last byte what is in the file, and it finds the end by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import clips
import essence
import peers
import pytest
from serving import Serve, Server

#: seconds beyond a clip's duration after which ffmpeg counts as stuck: without BYE it would wait for ever over UDP.
#: Three are plenty on an idle machine, but a test is not to depend on that.
_PATIENCE = 25.0

#: what the ffmpeg of today's distributions cannot receive: AV1 came with FFmpeg 7.1, for E-AC-3 it has nothing
_UNKNOWN = {"av1.mp4": {"video"}, "h264-fragmented.mp4": {"audio"}, "eac3.eac3": {"audio"}}

_PICTURES = [name for name, clip in clips.CLIPS.items() if clip.picture is not None]
_SOUNDS = [name for name, clip in clips.CLIPS.items() if clip.picture is None and name not in _UNKNOWN]


@dataclass(frozen=True)
class Copy:
    """What ffmpeg wrote of one clip: for each kind of track its packets, one after the other."""

    name: str
    outcome: peers.Outcome
    tracks: dict[str, bytes]


async def copy(server: Server, name: str, transport: str, folder: Path) -> Copy:
    kinds = _kindsOf(name)
    arguments = [peers.require("ffmpeg"), "-v", "error", "-rtsp_transport", transport, "-i", server.url(name)]
    for kind in kinds:
        # all packets as they are: those before zero prime decoders, and not every depacketiser knows key frames
        choose = ["-map", f"0:{kind[0]}:0", "-c", "copy", "-copyinkf", "-copypriorss", "1"]
        arguments += [*choose, "-f", "data", str(folder / f"{name}.{kind}")]
    duration = clips.CLIPS[name].seconds
    outcome = await peers.run(arguments, duration + _PATIENCE)
    files = {kind: folder / f"{name}.{kind}" for kind in kinds}
    return Copy(name, outcome, {kind: file.read_bytes() for kind, file in files.items() if file.exists()})


def _kindsOf(name: str) -> list[str]:
    clip = clips.CLIPS[name]
    present = {"video": clip.picture, "audio": clip.sound}
    return [kind for kind, coding in present.items() if coding and kind not in _UNKNOWN.get(name, ())]


def complaints(made: Copy, path: Path) -> list[str]:
    """What is wrong with a copy."""
    found = []
    if made.outcome.code != 0:
        found.append(f"ffmpeg ended with {made.outcome.code} after {made.outcome.seconds:.1f} s: {made.outcome.errors}")
    for stream in essence.readFile(path):
        if stream.kind in _UNKNOWN.get(made.name, ()):
            continue
        got = made.tracks.get(stream.kind, b"")
        if stream.codec in ("h264", "hevc", "mjpeg"):
            got = essence.essenceOf(stream.codec, [got])
        wrong = essence.difference(got, essence.expected(stream, path))
        if wrong:
            found.append(f"{stream.kind} {stream.codec}: {wrong}")
    return [f"{made.name}: {each}" for each in found]


@pytest.mark.requirement("Q-3", "RTCP-7", "RTP-9")
@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("names", [_PICTURES, _SOUNDS], ids=["pictures", "sounds"])
async def test_copyIsTheFile(
    server: Server, clip: Callable[[str], Path], tmp_path: Path, transport: str, names: list[str]
) -> None:
    """
    All clips at the same time, copied by one ffmpeg each: the elementary streams are those of the files, in order.
    """
    paths = {name: clip(name) for name in names}
    copies = await peers.together(copy(server, name, transport, tmp_path) for name in names)
    # only now: to compare takes time, in which the server would stand still
    wrong = [complaint for made in copies for complaint in complaints(made, paths[made.name])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.requirement("SYN-7")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_spacesInAName(serve: Serve, clip: Callable[[str], Path], tmp_path: Path, transport: str) -> None:
    """As people type it, in quotation marks."""
    (tmp_path / "New York.mp3").hardlink_to(clip("mp3.mp3"))
    server = await serve(media={"clips": str(tmp_path)})
    arguments = [peers.require("ffmpeg"), "-v", "error", "-rtsp_transport", transport, "-i", server.url("New York.mp3")]
    outcome = await peers.run(
        [*arguments, "-map", "0:a", "-c", "copy", "-f", "data", str(tmp_path / "copy")], _PATIENCE
    )
    assert outcome.code == 0, outcome.errors
    assert (tmp_path / "copy").stat().st_size > 0
