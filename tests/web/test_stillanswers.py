"""Stills over HTTP, from a real folder, through a real site."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool
from wire import Answer
from wire import ask as askResource

from mediasrv.media import stillmaker
from mediasrv.media.errands import TooBusy
from mediasrv.media.files import FileVersion
from mediasrv.media.library import Library
from mediasrv.media.stillcache import StillCache
from mediasrv.media.stillmaker import StillMaker
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.context import WebContext
from mediasrv.web.stills import StillResource
from tests.media.films import Film
from tests.media.picturebook import COMPASS, Look, isLike, makeFilm, rainbow


@pytest.fixture
def context(pool: ThreadPool, tmp_path: Path) -> WebContext:
    films = tmp_path / "films"
    films.mkdir()
    makeFilm(films / "a.webm", rainbow, codec="libvpx", seconds=6)
    makeFilm(films / "old.avi", codec="mpeg4", seconds=1)
    Film("song.mp3", video=(), audio=("mp3",), seconds=1).make(films)
    (films / "text.mp4").write_text("no film")
    library = Library({"films": str(films)}, carriesTrack, pool, reactor)
    stills = StillMaker(StillCache(str(tmp_path / "cache"), 1 << 20), pool, pool, reactor)
    return WebContext(reactor, Settings(), library, Registry(10, 10, reactor), pool, stills=stills)


async def ask(
    context: WebContext, name: str, *rest: str, method: str = "GET", etag: str = "", **arguments: str
) -> Answer:
    headers = {"If-None-Match": etag} if etag else {}
    return await askResource(StillResource(context, ("films", name), rest), method, headers, **arguments)


async def test_poster(context: WebContext) -> None:
    """A film that no browser plays by HLS has one too."""
    answer = await ask(context, "old.avi", "poster.jpg")
    assert (answer.code, answer.header("Content-Type")) == (200, "image/jpeg")
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Cache-Control") == "public, max-age=3600"
    assert isLike(Look(answer.body).quarters, COMPASS)
    assert Look((await ask(context, "old.avi", "poster.jpg", w="150")).body).width == 160
    assert Look((await ask(context, "old.avi", "poster.jpg", w="99999")).body).width == 192


@pytest.mark.parametrize("name", ["0.jpg", "3.jpg", "3.75.jpg", "0004.jpg", "9999999.jpg"])
async def test_still(context: WebContext, name: str) -> None:
    answer = await ask(context, "a.webm", "still", name)
    assert answer.code == 200
    assert isLike(Look(answer.body).quarters, rainbow(min(5, int(float(name[:-4])))))


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("none.mp4", ("poster.jpg",)),
        ("song.mp3", ("poster.jpg",)),
        ("song.mp3", ("still", "1.jpg")),
        ("text.mp4", ("poster.jpg",)),
        ("a.webm", ("poster.png",)),
        ("a.webm", ("poster.jpg", "x")),
        ("a.webm", ("still",)),
        ("a.webm", ("still", "")),
        ("a.webm", ("still", "-1.jpg")),
        ("a.webm", ("still", "nan.jpg")),
        ("a.webm", ("still", "1e3.jpg")),
        ("a.webm", ("still", "12345678.jpg")),
        ("a.webm", ("still", "\u0661.jpg")),
        ("a.webm", ("still", "1.jpg", "x")),
        (".", ("poster.jpg",)),
    ],
)
async def test_nothing(context: WebContext, name: str, rest: tuple[str, ...]) -> None:
    answer = await ask(context, name, *rest)
    assert answer.code == 404
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("width", ["", "x", "-1", "1.5", "123456"])
async def test_widthThatIsNone(context: WebContext, width: str) -> None:
    assert (await ask(context, "a.webm", "poster.jpg", w=width)).code == 400


async def test_folder(context: WebContext) -> None:
    answer = await askResource(StillResource(context, ("films",), ("poster.jpg",)))
    assert answer.code == 404


async def test_head(context: WebContext) -> None:
    whole = await ask(context, "a.webm", "poster.jpg")
    answer = await ask(context, "a.webm", "poster.jpg", method="HEAD")
    assert (answer.code, answer.body) == (200, b"")
    assert answer.header("Content-Length") == str(len(whole.body))


async def test_conditional(context: WebContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has it is told so without anything being opened; another picture has another tag."""
    answer = await ask(context, "a.webm", "still", "1.jpg")
    etag = answer.header("ETag") or ""
    others = [
        await ask(context, "a.webm", "still", "2.jpg"),
        await ask(context, "a.webm", "still", "1.jpg", w="160"),
        await ask(context, "a.webm", "poster.jpg"),
        await ask(context, "old.avi", "still", "1.jpg"),
    ]
    assert len({etag, *(other.header("ETag") for other in others)}) == 5
    monkeypatch.setattr(stillmaker, "StillSource", None)
    monkeypatch.setattr(context.stills, "_cache", None)
    again = await ask(context, "a.webm", "still", "1.jpg", etag=etag)
    assert (again.code, again.body, again.header("ETag")) == (304, b"", etag)
    # there is no length of another body
    assert (again.header("Content-Length"), again.header("Transfer-Encoding")) == (None, None)


async def test_versioned(context: WebContext) -> None:
    """A URL with the version of the file is good for ever; with one that has gone it is not."""
    path = os.path.join(context.library.folders["films"], "a.webm")
    version = FileVersion.of(path).etag
    answer = await ask(context, "a.webm", "poster.jpg", v=version)
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    os.utime(path, (1, 1))
    answer = await ask(context, "a.webm", "poster.jpg", v=version)
    assert answer.header("Cache-Control") == "public, max-age=3600"


async def test_tooBusy(context: WebContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> Deferred[bytes]:
        raise TooBusy

    monkeypatch.setattr(context.stills, "poster", busy)
    answer = await ask(context, "a.webm", "poster.jpg")
    assert (answer.code, answer.header("Retry-After")) == (503, "5")


async def test_noMaker(context: WebContext) -> None:
    bare = WebContext(reactor, context.settings, context.library, context.registry, context.readers)
    assert (await ask(bare, "a.webm", "poster.jpg")).code == 404


def describe(context: WebContext, text: str, name: str = "evening.toml") -> None:
    """Puts a description among the films."""
    Path(context.library.folders["films"], name).write_text(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('seq = [{src = "a.webm", begin = 2, end = 4}, "a.webm"]', {0: 2, 1: 3, 2: 0, 3: 1, 4: 2}),
        ('seq = [{src = "a.webm", end = 1}, "song.mp3", {src = "a.webm", begin = 5}]', {0: 0, 1: None, 3: 5}),
        ('par = ["song.mp3", {src = "a.webm", begin = 4}]', {0: 4, 1: 5, 9: 5}),
        ('switch = [{src = "song.mp3", language = "en"}, {src = "a.webm", language = "de"}]', {0: 0, 2: 2}),
    ],
)
async def test_stillOfDescription(context: WebContext, text: str, seen: dict[int, int | None]) -> None:
    """What names several films shows what is on in each of them."""
    describe(context, text)
    for second, number in seen.items():
        answer = await ask(context, "evening.toml", "still", f"{second}.jpg", lang="de")
        assert answer.code == (404 if number is None else 200), second
        if number is not None:
            assert isLike(Look(answer.body).quarters, rainbow(number)), second


async def test_posterOfDescription(context: WebContext) -> None:
    """It is that of the clip which is on after a third of the time, and is kept for as long as none of them changes."""
    makeFilm(Path(context.library.folders["films"], "b.webm"), codec="libvpx", seconds=3)
    describe(context, 'seq = [{src = "a.webm", end = 1}, "b.webm"]')
    own = await ask(context, "b.webm", "poster.jpg")
    version = (await context.library.presentation(("films", "evening.toml"))).version.etag
    answer = await ask(context, "evening.toml", "poster.jpg", v=version)
    assert (answer.code, answer.body) == (200, own.body)
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert answer.header("Vary") is None
    assert (await ask(context, "evening.toml", "poster.jpg", etag=own.header("ETag") or "")).code == 304
    os.utime(os.path.join(context.library.folders["films"], "a.webm"), (1, 1))
    answer = await ask(context, "evening.toml", "poster.jpg", v=version)
    assert answer.header("Cache-Control") == "public, max-age=3600"


async def test_pictureOfAlternatives(context: WebContext) -> None:
    describe(context, 'switch = [{src = "a.webm", language = "en"}, {src = "old.avi", language = "de"}]')
    english, german = [await ask(context, "evening.toml", "poster.jpg", lang=each) for each in ("en", "de")]
    assert english.body != german.body
    assert english.header("Vary") == german.header("Vary") == "Accept-Language"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("evening.toml", "seq = ["),
        ("evening.toml", 'seq = ["none.mp4"]'),
        ("a.m3u8", "#EXTM3U\n"),
        ("a.m3u", "song.mp3"),
    ],
)
async def test_descriptionWithoutPictures(context: WebContext, name: str, text: str) -> None:
    describe(context, text, name)
    assert (await ask(context, name, "poster.jpg")).code == 404
    assert (await ask(context, name, "still", "0.jpg")).code == 404
