"""
GStreamer asked for RTSP 2.0: it learns from the answer that this server speaks 1.0, goes on in that, and plays.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import essence
import peers
import pytest
from serving import Server
from test_gstreamer import complaints, take


@pytest.mark.requirement("SYN-13")
@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_askedForTwo(server: Server, clip: Callable[[str], Path], tmp_path: Path, transport: str) -> None:
    path = clip("silent-h264.mp4")
    (stream,) = essence.readFile(path)
    properties = f"protocols={transport} default-rtsp-version=2-0"
    (taken,) = await peers.together([take(server, path, stream, properties, tmp_path)])
    assert complaints(taken) == []
