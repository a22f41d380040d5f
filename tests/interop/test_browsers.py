"""
Chromium and Firefox on the pages, as viewers use them: they click, see it play, seek, change the sound, read subtitles.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import webclips
from browsers import browse, requireBrowser
from rtspclient import RTSPClient
from serving import Serve
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web import pages
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from twisted.web.static import File

from tests.media.films import Film

FILMS = ["web.mp4", "web-fragmented.mp4", "web.mkv", "web-vp9.webm", "web-vp8.webm", "web.mp3", "web.ogg", "web.flac"]
BROWSERS = ["chromium", "firefox"]


class Elsewhere(Resource):
    """Somebody else's site: it has what was put into it, and no icon."""

    def getChild(self, path: bytes, request: Request) -> Resource:
        return pages.notFound()


class Website:
    """
    A site that has a server's pages at its top, or below C{/a/b}.

    @ivar top: URL of the top of the pages.
    @ivar other: a site of another port, to which resources can be added.
    """

    def __init__(self, server: Any, top: str, other: Resource, otherURL: str) -> None:
        self.server = server
        self.top = top
        self.other = other
        self.otherURL = otherURL


@pytest_twisted.async_yield_fixture
async def website(serve: Serve, request: pytest.FixtureRequest) -> AsyncIterator[Website]:
    server = await serve()
    root: Resource = server.service.webResource()
    mounted = getattr(request, "param", False)
    for name in (b"b", b"a") if mounted else ():
        outer = Resource()
        outer.putChild(name, root)
        root = outer
    other = Elsewhere()
    sites = [Site(root), Site(other)]
    ports: list[Any] = [await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site) for site in sites]
    top, otherURL = (f"http://127.0.0.1:{port.getHost().port}/" for port in ports)
    yield Website(server, f"{top}a/b/" if mounted else top, other, otherURL)
    for port in ports:
        await port.stopListening()


@pytest.mark.deadline(200)
@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("website", [True], indirect=True, ids=["mounted"])
async def test_films(website: Website, browser: str, clip: Callable[[str], Path]) -> None:
    """From the folder to the film, and to its middle; below somebody else's site."""
    requireBrowser(browser)
    for name in FILMS:
        clip(name)
    found = await browse(browser, "films.mjs", f"{website.top}clips/", *FILMS, seconds=190)
    for name, film in found["films"].items():
        assert "failure" not in film, (name, film)
        begun, sought = film["begun"], film["sought"]
        assert begun["message"] == sought["message"] == "", (name, film)
        assert begun["time"] > 0.2, (name, film)
        assert begun["duration"] == pytest.approx(8.0, abs=0.3), (name, film)
        assert 3.8 < sought["time"] < 8.0, (name, film)
        if not name.endswith((".mp3", ".ogg", ".flac")):
            assert 0 < begun["frames"] < sought["frames"], (name, film)
            assert begun["width"] == 320, (name, film)
    assert found["complaints"] == []


@pytest.mark.deadline(100)
@pytest.mark.parametrize("browser", BROWSERS)
async def test_description(website: Website, browser: str, clip: Callable[[str], Path], clipFolder: Path) -> None:
    """Two films as one, in both ways: over the seam, where parameters change, and into the second."""
    requireBrowser(browser)
    clip("web.mp4")
    first = webclips.small(clipFolder)
    unfinished = clipFolder / f".{os.getpid()}.turns.toml"
    unfinished.write_text(f'seq = ["{first}", "web.mp4"]')
    unfinished.replace(clipFolder / "turns.toml")
    ways = ["turns.toml", "turns.toml?player=mse"]
    found = await browse(browser, "films.mjs", f"{website.top}clips/", *ways, seconds=90)
    for way, film in found["films"].items():
        assert "failure" not in film, (way, film)
        begun, sought = film["begun"], film["sought"]
        assert begun["message"] == sought["message"] == "", (way, film)
        assert begun["duration"] == pytest.approx(12.0, abs=0.3), (way, film)
        assert sought["time"] > 5.8, (way, film)
        assert 0 < begun["frames"] < sought["frames"], (way, film)
        assert (begun["width"], sought["width"]) == (64, 320), (way, film)
    assert found["complaints"] == []


@pytest.mark.deadline(60)
@pytest.mark.parametrize("browser", BROWSERS)
async def test_mp3(website: Website, browser: str, clipFolder: Path) -> None:
    """Film with MP3, which browsers take in no segments: the file, or else pictures with a word about the sound."""
    requireBrowser(browser)
    names = [webclips.withMP3(clipFolder, ending) for ending in ("mp4", "mov", "mkv", "ts")]
    found = await browse(browser, "films.mjs", f"{website.top}clips/", *names, seconds=50)
    for name, film in found["films"].items():
        assert "failure" not in film, (name, film)
        begun, sought = film["begun"], film["sought"]
        assert begun["message"] == sought["message"] == "", (name, film)
        assert 0 < begun["frames"] < sought["frames"], (name, film)
        assert begun["way"] == sought["way"] == ("mse" if name == "mp3.ts" else "file"), (name, film)
        assert begun["note"].startswith("Without sound") == (name == "mp3.ts"), (name, film)
    assert found["vain"] == []
    assert found["complaints"] == []


@pytest.mark.deadline(100)
@pytest.mark.parametrize("query", ["", "?player=mse"], ids=["best", "mse"])
@pytest.mark.parametrize("browser", BROWSERS)
async def test_tracks(website: Website, browser: str, query: str, clipFolder: Path) -> None:
    """Another sound is heard, subtitles are there, the place that is sought is seen, and a picture of it before."""
    requireBrowser(browser)
    name = webclips.twoSounds(clipFolder)
    found = await browse(browser, "tracks.mjs", f"{website.top}clips/{name}/{query}", seconds=90)
    assert found["complaints"] == []
    low, high = webclips.SOUNDS.values()
    if browser == "chromium":
        assert found["first"] == pytest.approx(low, abs=15)
        assert found["second"] == pytest.approx(high, abs=15)
    else:  # without a sound card it hears nothing
        assert set(found["tracks"]) == {0, 1, 2}
    assert found["before"] <= found["after"] < found["before"] + 5.0
    assert found["cue"] == "Hello, viewer"
    assert found["still"] == 150
    assert found["preview"] in ("0:04", "0:05")


@pytest.mark.deadline(60)
@pytest.mark.parametrize("browser", BROWSERS)
async def test_replaced(website: Website, browser: str, clipFolder: Path, tmp_path: Path) -> None:
    """A film that is replaced while it is watched by Media Source Extensions goes on as what is there now."""
    requireBrowser(browser)
    film = Film(f"replaced-{browser}.mp4", video=("libx264",), audio=(), seconds=90)
    path, other = Path(film.make(clipFolder)), Path(film.but(gop=20).make(tmp_path))
    page = f"{website.top}clips/{path.name}/?player=mse"
    found = await browse(browser, "replaced.mjs", page, str(path), str(other), seconds=50)
    assert found["message"] == ""
    assert found["way"] == "mse"
    assert found["time"] > 80.3


@pytest.mark.deadline(60)
@pytest.mark.parametrize("browser", BROWSERS)
async def test_keys(website: Website, browser: str, clip: Callable[[str], Path]) -> None:
    requireBrowser(browser)
    clip("seek.mp4")
    clip("numbers.mp4")
    found = await browse(browser, "keys.mjs", f"{website.top}clips/", "seek.mp4", seconds=50)
    assert found["complaints"] == []
    assert found["first"] == found["back"] != found["second"]
    assert found["search"] == "q"
    assert found["paused"]
    assert found["middle"] == pytest.approx(10.0, abs=0.2)
    assert found["on"] == pytest.approx(found["middle"] + 5.0, abs=0.2)
    assert found["before"] == pytest.approx(found["on"] - 10.0, abs=0.2)
    assert found["muted"]
    assert (found["faster"], found["slower"]) == (1.25, 0.75)
    assert found["help"]
    assert found["helpGone"]
    assert found["playing"]


@pytest.mark.deadline(60)
async def test_sessions(website: Website, clip: Callable[[str], Path]) -> None:
    """Somebody's session is seen to get on, and is ended."""
    requireBrowser("chromium")
    clip("seek.mp4")
    registry = website.server.service.registry
    client = await RTSPClient.connect(website.server.port)
    await client.setUp(website.server.url("seek.mp4"), "tcp")
    await client.play()
    found = await browse("chromium", "sessions.mjs", f"{website.top}-/sessions", seconds=50)
    assert found["complaints"] == []
    assert "seek" in found["row"]
    assert found["nobody"]
    assert len(registry) == 0
    await client.close()


@pytest.mark.deadline(60)
async def test_hlsjs(website: Website, clip: Callable[[str], Path], clipFolder: Path) -> None:
    """A player that many pages have, from another site."""
    requireBrowser("chromium")
    names = ["web.mp4", "web.mkv", "web-vp9.webm", webclips.twoSounds(clipFolder)]
    for name in names[:3]:
        clip(name)
    scripts = Path(__file__).with_name("browser")
    website.other.putChild(b"page", File(str(scripts / "hlsjs.html")))
    website.other.putChild(b"hls.js", File(str(scripts / "node_modules" / "hls.js" / "dist" / "hls.min.js")))
    playlists = [f"{website.top}clips/{name}/index.m3u8" for name in names]
    found = await browse("chromium", "hlsjs.mjs", f"{website.otherURL}page", *playlists, seconds=50)
    for playlist, outcome in found["played"].items():
        assert outcome["errors"] == [], playlist
        assert outcome["frames"] > 10, playlist
        assert outcome["time"] > outcome["duration"] / 2, playlist
    assert found["played"][playlists[-1]]["sounds"] == 2


@pytest.mark.deadline(60)
async def test_ranges(website: Website, clip: Callable[[str], Path]) -> None:
    """A thousand ranges of a file, as a browser's script asks for them."""
    requireBrowser("chromium")
    data = clip("web.mp4").read_bytes()
    chance = random.Random(1)
    values, expected = [], []
    for _ in range(1000):
        first = chance.randrange(len(data))
        last = min(len(data) - 1, first + chance.choice([0, 1, 100, 10_000, 1_000_000]))
        values.append(chance.choice([f"bytes={first}-{last}"] * 3 + [f"bytes={first}-", f"bytes=-{len(data) - first}"]))
        if not re.fullmatch("bytes=[0-9]+-[0-9]+", values[-1]):
            last = len(data) - 1
        part = data[first : last + 1]
        expected.append([206, f"bytes {first}-{last}/{len(data)}", len(part), sha256(part).hexdigest()])
    page, file = f"{website.top}clips/", f"{website.top}clips/web.mp4"
    found = await browse("chromium", "ranges.mjs", page, file, json.dumps(values), seconds=50)
    assert found["answers"] == expected
