"""The library in the API: folders, files, presentations, and references that lead where they say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from apirig import Answer, APIRig, parsed

from mediasrv import __version__
from tests.media.films import Film

LIBRARY, PRESENTATION = "/-/api/library", "/-/api/presentation"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("movies")
    (folder / "sub ?#%").mkdir()
    Film("a.mp4", seconds=1.0, metadata={"title": "x"}).make(folder)
    Film("b é;,.mp4", seconds=1.0).make(folder / "sub ?#%")
    (folder / "notes.txt").write_text("none")
    (folder / "10.mp4").write_bytes(b"no film")
    (folder / "9.mp4").write_bytes(b"no film")
    (folder / ".hidden").mkdir()
    with open(os.fsencode(folder) + b"/bad\xff.mp4", "wb"):
        pass
    return folder


@pytest.fixture
def rig(folder: Path) -> Iterator[APIRig]:
    rig = APIRig({"movies": str(folder), "other": str(folder / "sub ?#%")}, rtspURL=lambda request: "rtsp://me:8554/tv")
    yield rig
    rig.context.library.close()


def names(answer: Answer) -> list[str]:
    return [entry["name"] for entry in answer.json()["entries"]]


def led(path: str, reference: str) -> str:
    """The decoded path that a reference leads to from a path."""
    url = urlsplit(urljoin(f"http://me{path}", reference))
    assert (url.netloc, url.query, url.fragment) == ("me", "", "")
    return unquote(url.path)


@pytest.mark.parametrize("path", [LIBRARY, f"{LIBRARY}/"])
def test_top(rig: APIRig, path: str) -> None:
    answer = rig.ask(path)
    assert answer.json()["path"] == ""
    assert names(answer) == ["movies", "other"]
    movies = answer.json()["entries"][0]
    assert (movies["kind"], movies["size"], movies["path"]) == ("folder", None, "movies")
    assert led(path, movies["urls"]["page"]) == "/movies/"
    assert led(path, movies["urls"]["library"]) == f"{LIBRARY}/movies"


@pytest.mark.parametrize("path", [f"{LIBRARY}/movies", f"{LIBRARY}/movies/"])
def test_folder(rig: APIRig, path: str, folder: Path) -> None:
    """Folders first, by name as people sort; what is hidden, or cannot be named in a URL, is not there."""
    answer = rig.ask(path)
    assert names(answer)[0] == "sub ?#%"
    assert sorted(names(answer)[1:]) == ["10.mp4", "9.mp4", "a.mp4", "notes.txt"]
    assert names(answer).index("9.mp4") < names(answer).index("10.mp4")
    entries = {entry["name"]: entry for entry in answer.json()["entries"]}
    assert [entries[name]["kind"] for name in ("sub ?#%", "9.mp4", "notes.txt")] == ["folder", "video", "text"]
    film = entries["a.mp4"]
    status = os.stat(folder / "a.mp4")
    assert (film["path"], film["size"], film["modified"]) == ("movies/a.mp4", status.st_size, status.st_mtime)
    assert {key: led(path, url) for key, url in film["urls"].items()} == {
        "file": "/movies/a.mp4",
        "page": "/movies/a.mp4/",
        "presentation": f"{PRESENTATION}/movies/a.mp4",
    }
    assert set(entries["notes.txt"]["urls"]) == {"file"}
    assert led(path, entries["sub ?#%"]["urls"]["page"]) == "/movies/sub ?#%/"
    assert answer.json()["total"] == 5
    assert answer.json()["isComplete"]


def test_deepFolder(rig: APIRig) -> None:
    path = f"{LIBRARY}/movies/sub%20%3F%23%25"
    (entry,) = rig.ask(path).json()["entries"]
    assert entry["path"] == "movies/sub ?#%/b é;,.mp4"
    assert led(path, entry["urls"]["file"]) == "/movies/sub ?#%/b é;,.mp4"
    assert rig.ask(urljoin(path, entry["urls"]["presentation"])).json()["path"] == entry["path"]


def test_pages(rig: APIRig) -> None:
    path = f"{LIBRARY}/movies"
    answers = [rig.ask(f"{path}?limit=2&offset={offset}") for offset in (0, 2, 4, 6)]
    assert [name for answer in answers for name in names(answer)] == names(rig.ask(path))
    assert [answer.json()["total"] for answer in answers] == [5] * 4
    assert not any(answer.json()["isComplete"] for answer in answers)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=1e2",
        "limit=%D9%A1",
        "offset=-1",
        "offset=99999999999999",
        "limit=1&limit=2",
        f"search={'x' * 201}",
    ],
)
def test_queriesThatCannotBe(rig: APIRig, query: str) -> None:
    assert rig.ask(f"{LIBRARY}/movies?{query}").code == 400


def test_search(rig: APIRig) -> None:
    answer = rig.ask(f"{LIBRARY}?search=B+%C3%89%3B")
    (entry,) = answer.json()["entries"]  # a folder that has two names is looked through once
    assert entry["name"] == "b é;,.mp4"
    path = f"{LIBRARY}/movies?search=mp4&limit=2"
    answer = rig.ask(path)
    assert (len(names(answer)), answer.json()["isComplete"]) == (2, False)
    assert led(path, answer.json()["entries"][0]["urls"]["file"]) == "/movies/9.mp4"
    assert names(rig.ask(f"{LIBRARY}/movies?search=%20")) == names(rig.ask(f"{LIBRARY}/movies"))
    assert rig.ask(f"{LIBRARY}/none?search=x").code == 404


def test_tooManySearches(rig: APIRig) -> None:
    """And one whose client has gone is given up."""
    rig.pool.held = True
    wires = [rig.open(f"{LIBRARY}?search=a.mp4") for _ in range(17)]
    answer = rig.ask(f"{LIBRARY}?search=x")
    assert (answer.code, answer.headers["retry-after"]) == (503, "5")
    for wire in wires[:10]:
        wire.lose()
    rig.pool.work()
    assert [parsed(wire.value()).code for wire in wires[10:]] == [200] * 7
    assert not any(wire.value() for wire in wires[:10])


@pytest.mark.parametrize("path", ["/none", "/movies/none", "/movies/a.mp4", "/movies/.hidden"])
def test_noFolder(rig: APIRig, path: str) -> None:
    answer = rig.ask(f"{LIBRARY}{path}")
    assert answer.code == 404
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing here.",
    }


def test_presentation(rig: APIRig) -> None:
    path = f"{PRESENTATION}/movies/a.mp4"
    found: dict[str, Any] = rig.ask(path).json()
    assert (found["path"], found["title"]) == ("movies/a.mp4", "a")
    assert found["duration"] == pytest.approx(1.0, abs=0.1)
    video, audio = found["rtp"]["tracks"]
    assert (video["kind"], video["codec"], video["width"], video["height"]) == ("video", "mpeg4", 64, 48)
    assert (video["frameRate"], video["channels"], video["title"]) == (10.0, None, None)
    assert (audio["kind"], audio["codec"], audio["sampleRate"], audio["width"]) == ("audio", "aac", 48000, None)
    assert found["rtp"]["omitted"] == []
    urls = found["urls"]
    assert led(path, urls["file"]) == "/movies/a.mp4"
    assert led(path, urls["page"]) == "/movies/a.mp4/"
    assert led(path, urls["hls"]) == "/movies/a.mp4/index.m3u8"
    assert led(path, urls["poster"]) == "/movies/a.mp4/poster.jpg"
    assert led(path, urls["meta"]["smil"]) == "/movies/a.mp4.smil"
    assert urls["rtsp"] == "rtsp://me:8554/tv/movies/a.mp4"
    assert rig.ask(path, "HEAD").code == 200


def test_presentationForSome(rig: APIRig) -> None:
    """What browsers cannot decode has no HLS; what RTP cannot carry has no URL for it."""
    rig.context.library._carries["web"] = lambda track, sample: False
    found = rig.ask(f"{PRESENTATION}/movies/a.mp4").json()
    assert (found["web"], found["urls"]["hls"]) == (None, None)
    assert found["urls"]["rtsp"].endswith("/a.mp4")
    rig.context.library._carries["web"] = rig.context.library._carries["rtp"]
    rig.context.library._carries["rtp"] = lambda track, sample: False
    rig.context.library.close()
    found = rig.ask(f"{PRESENTATION}/movies/a.mp4").json()
    assert (found["rtp"], found["urls"]["rtsp"]) == (None, None)
    assert found["urls"]["hls"].endswith("/a.mp4/index.m3u8")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/movies/notes.txt", 415),
        ("/movies/none.mp4", 404),
        ("/movies", 404),
        ("/movies/a.mp4/x", 404),
        ("", 404),
        ("/", 404),
    ],
)
def test_noPresentation(rig: APIRig, path: str, code: int) -> None:
    assert rig.ask(f"{PRESENTATION}{path}").code == code


def test_pagesOfOthersMayRead(rig: APIRig) -> None:
    """The library is for everybody, by whatever name."""
    for path in (LIBRARY, f"{PRESENTATION}/movies/a.mp4", "/-/api", "/-/api/openapi.json"):
        answer = rig.ask(path, peer="192.0.2.1", Host="any.example", Origin="http://other.example")
        assert answer.code == 200
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/-/api", "/-/api/"])
def test_index(rig: APIRig, path: str) -> None:
    index = rig.ask(path).json()
    assert index["version"] == __version__
    for key, url in index["urls"].items():
        wire = rig.open(led(path, url), peer="127.0.0.1")
        assert parsed(wire.value()).code == 200, key
        wire.lose()


@pytest.mark.parametrize("path", ["/-/api/none", "/-/api/openapi.json/x", "/-/api/presentations"])
def test_nothing(rig: APIRig, path: str) -> None:
    assert rig.ask(path).code == 404


def test_otherMethods(rig: APIRig) -> None:
    for path in (LIBRARY, f"{PRESENTATION}/movies/a.mp4", "/-/api", "/-/api/openapi.json"):
        answer = rig.ask(path, "POST")
        assert (answer.code, answer.headers["allow"]) == (405, "GET, HEAD")
