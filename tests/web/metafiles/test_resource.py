"""Meta files as answers of HTTP, of real files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exchanging import Answer, Exchange
from twisted.internet import reactor
from twisted.python.threadpool import ThreadPool

from mediasrv.media.library import Library
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.addresses import Addresses, RTSPPort
from mediasrv.web.context import WebContext
from mediasrv.web.metafiles import folders
from mediasrv.web.metafiles.formats import FORMATS
from mediasrv.web.metafiles.resource import MetaFileResource
from tests.media.films import Film

RTSP = Addresses(rtspPort=lambda: RTSPPort("rtsp", 8554))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten films, of which the tenth comes last; a song, and what is no media."""
    made = tmp_path_factory.mktemp("films")
    film = Film("part 1.mp4", seconds=2.0).make(made)
    shutil.copy(film, made / "part 10.mp4")
    shutil.copy(film, made / "part 2 & é.mp4")
    Film("song.m4a", format="ipod", video=(), seconds=1.0).make(made)
    (made / "broken.mp4").write_bytes(b"nonsense")
    (made / "readme.txt").write_text("text")
    (made / "empty").mkdir()
    return made


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy machines have time as well."""
    monkeypatch.setattr(folders, "_PATIENCE", 60.0)


@pytest.fixture
def context(folder: Path) -> Iterator[WebContext]:
    pool = ThreadPool(0, 2)
    pool.start()
    library = Library({"m": str(folder)}, carriesTrack, pool, reactor)
    yield WebContext(
        reactor,
        Settings(),
        library,
        Registry(1, 1, reactor),
        pool,
        RTSP,
        lambda presentation, host: f"v=0\r\ns={presentation.title} on {host}\r\na=control:*\r\n",
    )
    library.close()
    pool.stop()


async def ask(context: WebContext, path: str, *headers: str, query: str = "", **more: Any) -> Answer:
    """The meta file that a path of the library and an extension make."""
    path, _, extension = path.rpartition(".")
    resource = MetaFileResource(context, tuple(path.split("/")), extension)
    return await Exchange(resource, "/x" + query, *headers, **more).answered()


async def test_file(context: WebContext) -> None:
    answer = await ask(context, "m/part 2 & é.mp4.m3u")
    assert answer.code == 200
    assert answer.body.decode() == (
        "#EXTM3U\n#EXTINF:2,part 2 & é\nrtsp://media.example:8554/m/part%202%20&%20%C3%A9.mp4\n"
    )
    assert answer.headers["content-type"] == "audio/x-mpegurl"
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"part 2 & _.mp4.m3u\"; filename*=UTF-8''part%202%20&%20%C3%A9.mp4.m3u"
    )
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"


async def test_folder(context: WebContext) -> None:
    """All its media as people count, with durations; what is broken is left out."""
    answer = await ask(context, "m.m3u8", query="?via=http")
    assert answer.body.decode() == (
        "#EXTM3U\n"
        "#EXTINF:2,part 1\nhttp://media.example/m/part%201.mp4\n"
        "#EXTINF:2,part 2 & é\nhttp://media.example/m/part%202%20&%20%C3%A9.mp4\n"
        "#EXTINF:2,part 10\nhttp://media.example/m/part%2010.mp4\n"
        "#EXTINF:1,song\nhttp://media.example/m/song.m4a\n"
    )


async def test_kinds(context: WebContext) -> None:
    """In a format without durations nothing is opened: names tell."""
    body = (await ask(context, "m.smil")).body.decode()
    assert body.count("<video ") == 4  # with broken.mp4
    assert body.count("<audio ") == 1
    assert '<audio src="' in (await ask(context, "m/song.m4a.smil")).body.decode()


@pytest.mark.parametrize("extension", FORMATS)
async def test_formats(context: WebContext, extension: str) -> None:
    """By default to the stream, but for Windows Media Player to the file."""
    answer = await ask(context, f"m/part 1.mp4.{extension}")
    assert (answer.code, answer.headers["content-type"]) == (200, FORMATS[extension].type)
    isWindows = extension in ("asx", "wvx", "wax")
    url = b"http://media.example/m/part%201.mp4" if isWindows else b"rtsp://media.example:8554/m/part%201.mp4"
    assert answer.body.count(url) == 1


@pytest.mark.parametrize(
    ("via", "url"),
    [
        ("rtsp", "rtsp://media.example:8554/m/part%201.mp4"),
        ("http", "http://media.example/m/part%201.mp4"),
        ("hls", "http://media.example/m/part%201.mp4/index.m3u8"),
    ],
)
@pytest.mark.parametrize("path", ["m/part 1.mp4", "m"])
async def test_via(context: WebContext, via: str, url: str, path: str) -> None:
    answer = await ask(context, f"{path}.ram", query=f"?a=b&via={via}&.ram")
    assert answer.body.decode().splitlines()[-1 if path == "m" else 0].count(url.partition("/m/")[0]) == 1
    assert url in answer.body.decode().splitlines()


@pytest.mark.parametrize(
    ("path", "query", "code", "text"),
    [
        ("m/part 1.mp4.m3u", "?via=ftp", 400, "After via= comes rtsp, http or hls."),
        ("m/part 1.mp4.m3u", "?via=http&via=rtsp", 400, "After via= comes rtsp, http or hls."),
        ("m/part 1.mp4.m3u", "?via=", 400, "After via= comes rtsp, http or hls."),
        ("m/part 1.mp4.sdp", "?via=http", 400, "Session descriptions are of RTSP: leave via out."),
        ("m.sdp", "", 404, "A session description is of one file, not of a folder."),
        ("m/empty.m3u", "", 404, "There is nothing in this folder that can be played."),
        ("m/none.mp4.m3u", "", 404, "There is nothing here."),
        ("m/readme.txt.m3u", "", 415, "This is nothing that can be played."),
        ("m/broken.mp4.ram", "?via=http", 415, "This is nothing that can be played."),
    ],
)
async def test_refusals(context: WebContext, path: str, query: str, code: int, text: str) -> None:
    answer = await ask(context, path, query=query)
    assert (answer.code, answer.body.decode()) == (code, f"{text}\n")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "content-disposition" not in answer.headers


async def test_withoutRTSP(context: WebContext) -> None:
    """The file itself, unless the client insists."""
    without = replace(context, addresses=Addresses(), describe=None)
    assert b"http://media.example/m/part%201.mp4" in (await ask(without, "m/part 1.mp4.m3u")).body
    assert (await ask(without, "m/part 1.mp4.m3u", query="?via=rtsp")).code == 404
    assert (await ask(without, "m/part 1.mp4.sdp")).code == 404
    assert (await ask(replace(without, addresses=RTSP), "m/part 1.mp4.sdp")).code == 404


async def test_description(context: WebContext) -> None:
    host = "Host: [2001:db8::1]:8080"
    answer = await ask(context, "m/part 1.mp4.sdp", host, query="?via=rtsp")
    assert answer.body == (b"v=0\r\ns=part 1 on 2001:db8::1\r\na=control:rtsp://[2001:db8::1]:8554/m/part%201.mp4\r\n")


async def test_conditions(context: WebContext) -> None:
    """It is the same as long as it says the same."""
    first = await ask(context, "m/part 1.mp4.pls")
    etag = first.headers["etag"]
    for tags in (etag, f'"a", W/{etag}', "*"):
        answer = await ask(context, "m/part 1.mp4.pls", "Host: media.example", f"If-None-Match: {tags}")
        assert (answer.code, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in answer.headers
    for headers in (["Host: media.example", 'If-None-Match: "a"'], ["Host: other.example", f"If-None-Match: {etag}"]):
        assert (await ask(context, "m/part 1.mp4.pls", *headers)).code == 200


async def test_head(context: WebContext) -> None:
    get, head = await ask(context, "m/part 1.mp4.asx"), await ask(context, "m/part 1.mp4.asx", method="HEAD")
    assert (head.code, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


async def test_longFolders(context: WebContext, folder: Path, tmp_path: Path) -> None:
    """Only the first file is real: what is opened is left out if it is nothing, the rest is named."""
    for number in range(1, 300):
        (tmp_path / f"{number}.mp4").touch()
    shutil.copy(folder / "part 1.mp4", tmp_path / "0.mp4")
    library = Library({"m": str(tmp_path)}, carriesTrack, context.readers, reactor)
    answer = await ask(replace(context, library=library), "m.xspf")
    library.close()
    body = answer.body.decode()
    assert body.count("<duration>") == 1
    assert body.count("<track>") == 1 + 200
