"""
libavformat's own RTSP client of today, through PyAV: bytes, times, and a seek as players do it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import clips
import essence
import peers
import pytest
from receive import Received
from serving import Server

#: seconds beyond what it plays after which the program counts as stuck
_PATIENCE = 25.0

#: E-AC-3 has no depacketiser in FFmpeg
_NAMES = ["h264.mp4", "h264.mkv", "h264.ts", "h265.mp4", "vp8.webm", "vp9.webm", "av1.mp4", "mpeg4.avi", "mpeg2.ts"]

#: seconds by which a time may be off: Matroska counts milliseconds, and so does a Range
_ROUNDING = 0.0015


async def received(server: Server, name: str, transport: str, folder: Path, *where: float) -> list[Received]:
    """What the program of C{receive.py} got."""
    target = folder / f"{name}.pickle"
    arguments = [server.url(name), transport, str(target), *map(str, where)]
    outcome = await peers.runPython("receive.py", *arguments, seconds=clips.ALL[name].seconds + _PATIENCE)
    assert outcome.code == 0, f"{name}: {outcome.code} after {outcome.seconds:.1f} s: {outcome.errors}"
    packets: list[Received] = pickle.loads(target.read_bytes())
    return packets


def complaints(path: Path, packets: list[Received]) -> list[str]:
    """What is wrong with a clip that was received from its start to its end."""
    found = []
    for stream in essence.readFile(path):
        mine = [(time, data) for kind, time, data in packets if kind == stream.kind]
        got = essence.essenceOf(stream.codec, (data for _, data in mine))
        wrong = essence.difference(got, stream.essence())
        if not wrong and len(mine) == len(stream.units):
            # the first packet, and what its parsers hold back, comes without a time, or with a guess
            pairs = [(time, unit.pts) for (time, _), unit in zip(mine, stream.units, strict=True) if time is not None][
                1:
            ]
            late = [f"{time} instead of {pts}" for time, pts in pairs if abs(time - pts) > _ROUNDING]
            if late or len(pairs) < len(mine) - 5:
                wrong = f"{len(pairs)} of {len(mine)} packets have times, these are wrong: {late[:5]}"
        if wrong:
            found.append(f"{path.name}: {stream.kind} {stream.codec}: {wrong}")
    return found


@pytest.mark.requirement("RTP-3", "SDP-3")
@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_whole(server: Server, clip: Callable[[str], Path], tmp_path: Path, transport: str) -> None:
    """From the start to the end: every byte, and every packet at its time on the presentation's time line."""
    paths = [clip(name) for name in _NAMES]
    got = await peers.together(received(server, path.name, transport, tmp_path) for path in paths)
    wrong = [complaint for path, packets in zip(paths, got, strict=True) for complaint in complaints(path, packets)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.requirement("Q-3", "PLY-7")
@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_seek(server: Server, clip: Callable[[str], Path], tmp_path: Path, transport: str) -> None:
    """After a seek it goes on at the key frame at or before, with picture and sound at the times of the file."""
    path = clip("seek.mp4")
    wanted = 9.7
    packets = await received(server, "seek.mp4", transport, tmp_path, wanted, 1.0)
    for stream in essence.readFile(path):
        places = {essence.essenceOf(stream.codec, [unit.data], stream.extradata): unit for unit in stream.units}
        mine = [(time, data) for kind, time, data in packets if kind == stream.kind]
        units = [(time, places[essence.essenceOf(stream.codec, [data])]) for time, data in mine]
        start = max(unit.pts for unit in stream.units if unit.key and unit.pts <= wanted)
        after = [(time, unit) for time, unit in units if unit.pts > 3.0]  # the rest was on its way before the seek
        assert len(after) > 20
        if stream.kind == "video":
            assert after[0][1].pts == start
        else:
            assert start - 1.0 < after[0][1].pts < start + 1.0
        for time, unit in after:
            assert time is None or time == pytest.approx(unit.pts, abs=_ROUNDING)
