"""
ffmpeg reads the subtitles that HLS has of a film: every cue comes, at its time, whichever format it is kept in.

It does not look at the subtitles of a multivariant playlist, so it is shown where they are.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import peers
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.web.server import Site

from mediasrv.media.webvtt import parseFile
from tests.media.films import Film
from tests.media.subtitled import withSubtitles

#: seconds that ffmpeg may take
_PATIENCE = 30.0

_SIDE_CAR = "1\n00:00:00,500 --> 00:00:05,500\nlong\n\n2\n00:00:02,000 --> 00:00:03,000\n<i>kursiv</i> & so\n"


@pytest_twisted.async_yield_fixture
async def top(serve: Any) -> AsyncIterator[str]:
    """The URL of the web pages."""
    server = await serve()
    site = Site(server.service.webResource())
    port: Any = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
    yield f"http://127.0.0.1:{port.getHost().port}/clips/"
    await port.stopListening()


def film(folder: Path) -> str:
    """A film of two segments with three tracks of subtitles in it and one beside it."""
    path = folder / "subtitled.mkv"
    if not path.exists():
        source = Film("subtitled-source.mkv", video=("libx264",), seconds=10)
        languages = ("eng", "fre", "ita")
        tracks = [
            (codec, {"language": each}) for codec, each in zip(("subrip", "ass", "webvtt"), languages, strict=True)
        ]
        withSubtitles(path, *tracks, film=source)
        (folder / "subtitled.de.srt").write_text(_SIDE_CAR)
    return path.name


async def got(arguments: list[str]) -> str:
    outcome = await peers.run([peers.require("ffmpeg"), "-v", "error", *arguments, "-f", "webvtt", "-"], _PATIENCE)
    assert (outcome.code, outcome.errors) == (0, "")
    return outcome.output.decode()


async def body(url: str) -> str:
    outcome = await peers.run([peers.require("curl"), "-sSf", "--compressed", url], _PATIENCE)
    assert (outcome.code, outcome.errors) == (0, "")
    return outcome.output.decode()


@pytest.mark.deadline(150)
async def test_cues(top: str, clipFolder: Path) -> None:
    """Once each, though those that last over a boundary are in both parts."""
    url = f"{top}{film(clipFolder)}/"
    renditions = re.findall(
        r'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="(\w+)",.*LANGUAGE="(\w+)".*URI="([^"]+)"',
        await body(f"{url}index.m3u8"),
    )
    assert [language for _, language, _ in renditions] == ["en", "fr", "it", "de"]
    assert len({group for group, _, _ in renditions}) == 1
    spoken = [(1.0, 2.5, "Hello <i>world</i> &amp; all"), (3.0, 4.0, "two\nlines"), (3.5, 5.25, "Ende")]
    beside = [(0.5, 5.5, "long"), (2.0, 3.0, "<i>kursiv</i> &amp; so")]
    for (*_, uri), wanted in zip(renditions, [spoken, spoken, spoken, beside], strict=True):
        text = await got(["-i", f"{url}{uri}", "-c", "copy"])
        cues = [(round(cue.start, 3), round(cue.end, 3), cue.text) for cue in parseFile(text.encode())]
        assert sorted(set(cues)) == sorted(wanted)


@pytest.mark.deadline(60)
async def test_sameBoundaries(top: str, clipFolder: Path) -> None:
    """Subtitles are cut where the pictures are."""
    url = f"{top}{film(clipFolder)}/"
    index = await body(f"{url}index.m3u8")
    pictures = next(line for line in index.splitlines() if line and not line.startswith("#"))
    texts = re.findall(r'TYPE=SUBTITLES.*URI="([^"]+)"', index)
    lengths = [re.findall("#EXTINF:([0-9.]+)", await body(url + uri)) for uri in (pictures, *texts)]
    assert len(lengths[0]) > 1
    assert lengths == lengths[:1] * 5


@pytest.mark.deadline(60)
async def test_whole(top: str, clipFolder: Path) -> None:
    """The file for a page."""
    text = await got(["-i", f"{top}{film(clipFolder)}/subtitles/3.vtt", "-c", "copy"])
    assert [cue.text for cue in parseFile(text.encode())] == ["long", "<i>kursiv</i> &amp; so"]
