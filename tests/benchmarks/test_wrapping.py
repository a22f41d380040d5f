"""What wrapping RTSP costs is measured against a real server."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import media
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
