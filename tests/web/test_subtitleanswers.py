"""Subtitles over HTTP: whole tracks, and parts for HLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.python.threadpool import ThreadPool
from wire import Answer
from wire import ask as askResource

from mediasrv.media.errands import TooBusy
from mediasrv.media.files import FileVersion
from mediasrv.media.library import Library, NotFound
from mediasrv.media.subtitlereader import SubtitleReader
from mediasrv.media.subtitles import SideCar, Subtitle
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.context import WebContext
from mediasrv.web.hls import playlists
from mediasrv.web.subtitles import HLSSubtitles, SubtitlesResource, forPage

FILM = ("films", "film.mp4")
TEXT = "1\n00:00:01,000 --> 00:00:05,000\n<i>Grüße</i> & so\n\n2\n00:00:08,000 --> 00:00:09,000\nEnde\n"


@pytest.fixture
def context(pool: ThreadPool, tmp_path: Path) -> WebContext:
    (tmp_path / "film.mp4").write_text("no film, but it has subtitles")
    (tmp_path / "film.de.srt").write_text(TEXT)
    (tmp_path / "film.en.forced.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n")
    library = Library({"films": str(tmp_path)}, carriesTrack, pool, reactor)
    subtitles = SubtitleReader(library, pool, pool, reactor)
    return WebContext(reactor, Settings(), library, Registry(10, 10, reactor), pool, subtitles=subtitles)


async def ask(context: WebContext, *rest: str, method: str = "GET", etag: str = "") -> Answer:
    headers = {"If-None-Match": etag} if etag else {}
    return await askResource(SubtitlesResource(context, FILM, rest), method, headers)


async def test_whole(context: WebContext) -> None:
    answer = await ask(context, "subtitles", "0.vtt")
    assert (answer.code, answer.header("Content-Type")) == (200, "text/vtt; charset=utf-8")
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.body.decode() == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:05.000\n<i>Grüße</i> &amp; so\n\n00:00:08.000 --> 00:00:09.000\nEnde\n\n"
    )
    head = await ask(context, "subtitles", "0.vtt", method="HEAD")
    assert (head.code, head.body, head.header("Content-Length")) == (200, b"", str(len(answer.body)))


async def test_conditional(context: WebContext) -> None:
    first, second = [await ask(context, "subtitles", name) for name in ("0.vtt", "1.vtt")]
    etag = first.header("ETag") or ""
    assert etag != second.header("ETag")
    again = await ask(context, "subtitles", "0.vtt", etag=etag)
    assert (again.code, again.body, again.header("Content-Length")) == (304, b"", None)
    assert (await ask(context, "subtitles", "1.vtt", etag=etag)).code == 200


@pytest.mark.parametrize(
    "rest",
    [
        ("subtitles",),
        ("subtitles", ""),
        ("subtitles", "2.vtt"),
        ("subtitles", "00.vtt"),
        ("subtitles", "-1.vtt"),
        ("subtitles", "1000.vtt"),
        ("subtitles", "0.srt"),
        ("subtitles", "0.vtt", "x"),
        ("titles", "0.vtt"),
        ("subtitles", "\u0661.vtt"),
    ],
)
async def test_nothing(context: WebContext, rest: tuple[str, ...]) -> None:
    assert (await ask(context, *rest)).code == 404


async def test_noReader(context: WebContext) -> None:
    bare = WebContext(reactor, context.settings, context.library, context.registry, context.readers)
    assert (await ask(bare, "subtitles", "0.vtt")).code == 404


async def test_tooBusy(context: WebContext, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(subtitle: Subtitle) -> Any:
        raise TooBusy

    monkeypatch.setattr(context.subtitles, "cues", busy)
    answer = await ask(context, "subtitles", "0.vtt")
    assert (answer.code, answer.header("Retry-After")) == (503, "5")


async def test_HLS(context: WebContext) -> None:
    """Parts have the whole of what is seen in them, on the clock of the film."""
    assert context.subtitles is not None
    source = HLSSubtitles(context.subtitles)
    presentation: Any = None
    assert list(await source.tracks(FILM, presentation)) == [
        playlists.Subtitle(0, "de", "", False),
        playlists.Subtitle(1, "en", "", True),
    ]
    head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"
    first = "\n00:00:01.000 --> 00:00:05.000\n<i>Grüße</i> &amp; so\n"
    last = "\n00:00:08.000 --> 00:00:09.000\nEnde\n"
    parts = [(await source.webVTT(FILM, presentation, 0, start, start + 4)).decode() for start in (0, 4, 8, 12)]
    assert parts == [f"{head}{cues}\n" for cues in (first, first, last, "")]
    with pytest.raises(NotFound):
        await source.webVTT(FILM, presentation, 2, 0, 4)


def test_forPage() -> None:
    """Every track can be told from the others."""
    source = SideCar("x", FileVersion(1, 2, 3, 4))
    found = forPage(
        [
            Subtitle(0, "de", "", False, True, source),
            Subtitle(1, "de", "", True, False, source),
            Subtitle(2, "de", "", False, False, source),
            Subtitle(3, "", "Comments", False, False, source),
            Subtitle(4, "", "", False, False, source),
        ]
    )
    assert [each["label"] for each in found] == [
        "Deutsch",
        "Deutsch (forced)",
        "Deutsch (2)",
        "Comments",
        "Subtitles 5",
    ]
    assert found[1] == {"src": "subtitles/1.vtt", "label": "Deutsch (forced)", "language": "de"}
