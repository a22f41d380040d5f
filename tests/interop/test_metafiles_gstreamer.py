"""
GStreamer opens session descriptions over HTTP, and sets up what they say. That is as far as version 1.22 gets: without
a DESCRIBE it speaks RTSP/0.0, which is none. FFmpeg makes nothing of them: it waits for RTP that nobody sends.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import peers
import pytest
from listening import Listener
from pages import Pages, site
from serving import Server

from mediasrv.web.addresses import Addresses, RTSPPort


@pytest.mark.deadline(60)
@pytest.mark.requirement("SDP-1")
async def test_descriptions(
    server: Server, clip: Callable[[str], Path], listen: Callable[[object], Awaitable[int]]
) -> None:
    launch = peers.require("gst-launch-1.0")
    clip("aac.m4a")
    listener = Listener()
    number = await listen(listener)
    port = await listen(site(Pages(server.service, Addresses(rtspPort=lambda: RTSPPort("rtsp", number)))))
    url = f"http://127.0.0.1:{port}/clips/aac.m4a.sdp"
    read = await peers.run([launch, "-m", "souphttpsrc", f"location={url}", "!", "sdpdemux", "redirect=true"], 30)
    redirect = re.search(r'redirect, new-location=\(string\)"(.*?)";', read.output.decode())
    assert redirect is not None, read.errors
    location = re.sub(r"\\(.)", r"\1", redirect[1])
    assert location.startswith("rtsp-sdp://")
    source = ["rtspsrc", f"location={location}", "protocols=tcp"]
    played = await peers.run([launch, *source, "!", "fakesink"], seconds=30)
    start = f"SETUP rtsp://127.0.0.1:{number}/clips/aac.m4a/trackID=0 RTSP/".encode()
    assert any(said.startswith(start) for said in listener.said), played.errors
