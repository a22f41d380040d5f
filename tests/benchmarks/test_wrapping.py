"""What wrapping RTSP costs is measured against a real server."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import media
import pytest
import wrapping
from certificatemaker import makeCertificate


def freePort() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_everyWay(tmp_path: Path) -> None:
    """Each brings media, at some cost; the first is what the others are compared with."""
    clip = media.Clip("clip.mp4", 320, 180, 300_000, 64_000, 12)
    media.make(str(tmp_path), clip, duration=4)
    makeCertificate(tmp_path / "server.pem", 1)
    options = argparse.Namespace(
        viewers=2, seconds=0.5, pem=str(tmp_path / "server.pem"), web_port=freePort(), server_core=None
    )
    found = list(wrapping.measure(str(tmp_path), clip.name, wrapping.waysOf(options), options))
    assert [each["way"] for each in found] == ["interleaved", "HTTP tunnel", "WebSocket", "HTTP tunnel in TLS"]
    assert all(each["megabytes"] > 0.005 and each["cpuSecondsPerGB"] > 0 for each in found)
    assert found[0]["times"] == 1


def test_portTaken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Says so in a line."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(media, "CLIPS", (media.Clip("clip.mp4", 320, 180, 300_000, 64_000, 12),))
    monkeypatch.setattr(media, "make", lambda folder, clip: Path(folder).mkdir(parents=True, exist_ok=True))
    ways = wrapping.waysOf
    monkeypatch.setattr(wrapping, "waysOf", lambda options: {"WebSocket": ways(options)["WebSocket"]})
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert wrapping.main(["--web-port", f"{port}"]) == 1
    assert capsys.readouterr().err == f"wrapping.py: port {port}: Address already in use\n"
