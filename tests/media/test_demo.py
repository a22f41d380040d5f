"""The demo clips show and sound what they say."""

from __future__ import annotations

import os
from array import array
from dataclasses import replace

import av
import pytest

from mediasrv.media import demo

SHORT = [replace(clip, duration=2) for clip in demo.CLIPS]


def readClock(frame: av.VideoFrame) -> str:
    """What the clock in the picture shows."""
    plane = frame.planes[0]
    luma, width = bytes(plane), plane.line_size
    left = (frame.width - 31 * demo._DOT) // 2 + demo._DOT // 2
    names = {glyph: name for name, glyph in demo._GLYPHS.items()}
    text = ""
    for place in range(8):
        rows = []
        for row in range(5):
            start = (demo._TEXT_TOP + row * demo._DOT + demo._DOT // 2) * width + left + place * 4 * demo._DOT
            dots = [luma[start + column * demo._DOT] > 128 for column in range(3)]
            rows.append(dots[0] * 4 + dots[1] * 2 + dots[2])
        text += names[tuple(rows)]
    return text


@pytest.fixture(params=SHORT, ids=lambda clip: clip.name)
def clipFile(request, tmp_path) -> str:
    demo.make(str(tmp_path), request.param)
    assert os.listdir(tmp_path) == [request.param.name]
    return str(tmp_path / request.param.name)


def test_pictures(clipFile):
    with av.open(clipFile) as container:
        frames = list(container.decode(video=0))
    assert {(frame.width, frame.height) for frame in frames} == {(640, 360)}
    shown = [readClock(frame) for frame in frames]
    assert shown == [f"00:{number // 25:02}.{number % 25 * 4:02}" for number in range(50)]
    assert [float(frame.pts * frame.time_base) for frame in frames] == pytest.approx(
        [number / 25 for number in range(50)], abs=0.001
    )


def test_keyFrameEachSecond(clipFile):
    with av.open(clipFile) as container:
        keys = [
            float(packet.pts * packet.time_base)
            for packet in container.demux(video=0)
            if packet.size and packet.is_keyframe
        ]
    assert keys == pytest.approx([0, 1], abs=0.001)


def test_beeps(clipFile):
    """Loud for the first 80 ms of each second, silent for the rest."""
    samples: dict[int, float] = {}
    with av.open(clipFile) as container:
        for frame in container.decode(audio=0):
            first = round(float(frame.pts * frame.time_base) * frame.sample_rate)
            values = array("f", bytes(frame.planes[0]))[: frame.samples]
            samples.update(enumerate(values, first))

    def peak(start: float, end: float) -> float:
        return max(abs(samples[each]) for each in range(int(start * 48000), int(end * 48000)))

    for second in range(2):
        assert peak(second + 0.02, second + 0.06) > 0.3
        assert peak(second + 0.15, second + 0.9) < 0.02


def test_missing(tmp_path):
    (tmp_path / "clock.mp4").touch()
    assert [clip.name for clip in demo.missing(str(tmp_path))] == ["clock.webm"]
    assert demo.missing(str(tmp_path / "no such folder")) == list(demo.CLIPS)


def test_failureLeavesNothing(tmp_path, monkeypatch):
    def full(second: int, sampleFormat: str) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(demo, "_sound", full)
    with pytest.raises(OSError, match="disk full"):
        demo.make(str(tmp_path / "demo"), SHORT[0])
    assert os.listdir(tmp_path / "demo") == []


def test_unwritableFolder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        demo.make(str(tmp_path / "file" / "demo"), SHORT[0])
