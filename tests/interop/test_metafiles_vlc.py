"""
VLC opens meta files over HTTP, and asks for what they name. It reads no SMIL, which is held by its content alone, and
Debian's has no live555: it tries RTSP, of which its first words are enough.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import peers
import pytest
from listening import Listener
from pages import Pages, site
from serving import Server

from mediasrv.web.addresses import Addresses, RTSPPort
from mediasrv.web.metafiles.formats import FORMATS

#: what VLC reads, of which it knows two by the end of the URL alone
_READ = {extension: f"&.{extension}" if extension in ("qtl", "wvx") else "" for extension in FORMATS}
for _unread in ("smil", "smi", "sdp"):
    del _READ[_unread]

_CLIP = "mp3.mp3"

Listen = Callable[[object], Awaitable[int]]


async def vlc(url: str) -> peers.Outcome:
    """Plays the beginning of everything that a URL leads to. VLC does not want to be root."""
    command = [peers.require("vlc"), "--intf", "dummy", "--vout", "dummy", "--aout", "dummy", "--no-video-title-show"]
    command += ["--play-and-exit", "--no-one-instance", "--stop-time", "0.2", url]
    if os.getuid() == 0:
        command = [peers.require("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", "--", *command]
    return await peers.run(command, seconds=60)


@pytest.mark.deadline(90)
@pytest.mark.parametrize("extension", _READ)
async def test_overHTTP(server: Server, clip: Callable[[str], Path], listen: Listen, extension: str) -> None:
    clip(_CLIP)
    pages = Pages(server.service, Addresses())
    port = await listen(site(pages))
    url = f"http://127.0.0.1:{port}/clips/{_CLIP}"
    outcome = await vlc(f"{url}.{extension}?via=http{_READ[extension]}")
    assert set(pages.asked) == {url}, outcome.errors


@pytest.mark.deadline(90)
@pytest.mark.parametrize("extension", _READ)
async def test_overRTSP(server: Server, clip: Callable[[str], Path], listen: Listen, extension: str) -> None:
    clip(_CLIP)
    listener = Listener()
    number = await listen(listener)
    pages = Pages(server.service, Addresses(rtspPort=lambda: RTSPPort("rtsp", number)))
    port = await listen(site(pages))
    outcome = await vlc(f"http://127.0.0.1:{port}/clips/{_CLIP}.{extension}?via=rtsp{_READ[extension]}")
    url = f"rtsp://127.0.0.1:{number}/clips/{_CLIP}"
    assert any(f" {url} RTSP/1.0".encode() in said for said in listener.said), outcome.errors


@pytest.mark.deadline(90)
@pytest.mark.parametrize("extension", ["m3u", "pls", "asx", "xspf"])
async def test_folders(
    serve: Callable[..., Awaitable[Server]],
    clip: Callable[[str], Path],
    listen: Listen,
    tmp_path: Path,
    extension: str,
) -> None:
    """One after the other, in the order in which people count; whatever the names."""
    names = ["1.mp3", "2 & 3 é.mp3", "10.mp3"]
    for name in names:
        (tmp_path / name).write_bytes(clip(_CLIP).read_bytes())
    server = await serve(media={"songs": str(tmp_path)})
    pages = Pages(server.service, Addresses())
    port = await listen(site(pages))
    outcome = await vlc(f"http://127.0.0.1:{port}/songs.{extension}?via=http")
    urls = [f"http://127.0.0.1:{port}/songs/{name}" for name in ("1.mp3", "2%20&%203%20%C3%A9.mp3", "10.mp3")]
    assert list(dict.fromkeys(pages.asked)) == urls, outcome.errors
