"""What the log says at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediasrv.greeting import greeting, urlOf
from mediasrv.settings import Settings


@pytest.mark.parametrize(
    ("description", "url"),
    [
        ("tcp:8554", "rtsp://localhost:8554/"),
        ("tcp:port=8554", "rtsp://localhost:8554/"),
        ("tcp:8554:backlog=4096", "rtsp://localhost:8554/"),
        ("tcp:8554:interface=10.0.0.5", "rtsp://10.0.0.5:8554/"),
        ("tcp:8554:interface=0.0.0.0:backlog=7", "rtsp://localhost:8554/"),
        ("tcp6:8554", "rtsp://localhost:8554/"),
        (r"tcp6:8554:interface=\:\:1", "rtsp://[::1]:8554/"),
        ("tls:/etc/certs:port=322", "rtsps://localhost:322/"),
        ("tcp:0", "tcp:0"),
        ("unix:/run/8554", "unix:/run/8554"),
        ("systemd:domain=INET:name=rtsp", "systemd:domain=INET:name=rtsp"),
    ],
)
def test_urls(description: str, url: str) -> None:
    assert urlOf(description) == url


def test_twoLines(tmp_path: Path) -> None:
    settings = Settings(media={"films": str(tmp_path), "a b": str(tmp_path)}, ports=("8554", "tcp6:322"), webPorts=())
    assert greeting(settings) == [
        "serving rtsp://localhost:8554/, rtsp://localhost:322/",
        f"/films/ is {tmp_path}, /a b/ is {tmp_path}",
    ]


def test_webPorts() -> None:
    settings = Settings(ports=("8554",), webPorts=("8080", "tls:/etc/certs:port=8443"))
    assert greeting(settings)[0] == "serving rtsp://localhost:8554/, http://localhost:8080/, https://localhost:8443/"
