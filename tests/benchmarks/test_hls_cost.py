"""What HLS costs is measured against a real server."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import hls
import media
import pytest


def freePort() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_everyRendition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures and sound, each with its numbers."""
    clip = media.Clip("clip.mp4", 320, 180, 300_000, 64_000, 12)
    media.make(str(tmp_path), clip, duration=10)
    monkeypatch.setattr(media, "CLIPS", (clip,))
    options = argparse.Namespace(
        connections=2, seconds=0.3, web_port=freePort(), server_core=None, folder=str(tmp_path)
    )
    found = list(hls.ours(options))
    assert [each["what"] for each in found] == ["clip.mp4 video", "clip.mp4 audio"]
    for each in found:
        assert each["firstMs"] > 0
        assert each["perSecond"] > 0
        assert each["perCoreSecond"] > 0
    assert found[0]["kilobytes"] > 2 * found[1]["kilobytes"] > 10


def test_noHLS() -> None:
    """Says so in a line."""
    assert hls.main(["--url", f"http://127.0.0.1:{freePort()}/index.m3u8", "--pid", "1"]) == 1


def test_portTaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Says so in a line."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(media, "CLIPS", (media.Clip("clip.mp4", 320, 180, 300_000, 64_000, 12),))
    monkeypatch.setattr(media, "make", lambda folder, clip: Path(folder).mkdir(parents=True, exist_ok=True))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert hls.main(["--web-port", f"{port}"]) == 1
    assert capsys.readouterr().err == f"hls.py: port {port}: Address already in use\n"
