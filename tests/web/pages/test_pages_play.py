"""The page of a file."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest
from films import Film
from pagesrig import Markup, Pages


def data(markup: Markup) -> dict:
    """What the script gets."""
    return json.loads(markup.all("div", class_="player")[0]["data-presentation"])


def test_film(pages: Pages) -> None:
    markup = pages.ask("films/b%20%231%3A%20100%25%3F.mp4/").markup
    found = data(markup)
    assert found["title"] == "b #1: 100%?"
    assert (found["kind"], found["file"], found["hls"]) == ("video", "../b%20%231%3A%20100%25%3F.mp4", "index.m3u8")
    assert (found["type"], found["duration"]) == ("video/mp4", 6.0)
    assert "b #1: 100%?" in markup.texts
    assert "../b%20%231%3A%20100%25%3F.mp4.m3u" in markup.references
    assert "rtsp://media.example:8554/films/b%20%231:%20100%25%3F.mp4" in markup.texts


def test_shell(pages: Pages, folder: Path) -> None:
    """The line for a shell runs one program, whatever a file is called."""
    name = "it's';reboot;'.mp4"
    (folder / name).write_bytes((folder / "a.mp4").read_bytes())
    markup = pages.ask("films/it's';reboot;'.mp4/").markup
    (line,) = (text for text in markup.texts if text.startswith("ffplay "))
    program, url = shlex.split(line)
    assert program == "ffplay"
    assert line == f"ffplay '{url}'"
    assert unquote(url) == f"rtsp://media.example:8554/films/{name}"


def test_neighbours(pages: Pages) -> None:
    """What can be played, in the order of the folder."""
    markup = pages.ask("films/b%20%231%3A%20100%25%3F.mp4/").markup
    assert [markup.all("a", rel=rel)[0]["href"] for rel in ("prev", "next")] == ["../a.mp4/", "../broken.mp3/"]
    first = pages.ask("films/a.mp4/").markup
    assert not first.all("a", rel="prev")


def test_withoutScript(pages: Pages) -> None:
    """A browser without scripts takes the first source that it can play."""
    markup = pages.ask("films/a.mp4/").markup
    assert [source["src"] for source in markup.all("source")] == ["index.m3u8", "../a.mp4"]


def test_severalFilms(pages: Pages, folder: Path) -> None:
    """What names several films has pictures as these have."""
    (folder / "list.toml").write_text('seq = ["a.mp4", "a.mp4"]')
    assert data(pages.ask("films/list.toml/").markup)["stills"] == "still/"


def test_sound(pages: Pages, folder: Path) -> None:
    Film("tone.mka", video=(), audio=("aac", "aac")).make(folder)
    markup = pages.ask("films/tone.mka/").markup
    assert data(markup)["kind"] == "audio"
    assert len(data(markup)["sounds"]) == 2
    assert data(markup)["stills"] is None
    assert markup.all("div", class_="sound")
    assert markup.all("audio")


def test_noMedia(pages: Pages) -> None:
    """It can be downloaded all the same."""
    answer = pages.ask("films/broken.mp3/")
    assert answer.code == 200
    assert any("nothing that can be played" in text for text in answer.markup.texts)
    assert not answer.markup.all("div", class_="player")
    assert [link["href"] for link in answer.markup.all("a", download="")] == ["../broken.mp3"]
    assert "../broken.mp3.m3u" not in answer.markup.references


def test_notForBrowsers(pages: Pages, folder: Path) -> None:
    """What browsers cannot decode, others can be told to play."""
    (folder / "a.mp4").rename(folder / "a.avi")
    pages.library._carries["web"] = lambda track, unit: False
    answer = pages.ask("films/a.avi/")
    assert not answer.markup.all("div", class_="player")
    assert any(text.startswith("Browsers cannot play") for text in answer.markup.texts)
    assert "../a.avi.m3u" in answer.markup.references


def test_notForHLS(pages: Pages) -> None:
    """What HLS cannot have, browsers may play as a file (VP8, Vorbis)."""
    pages.library._carries["web"] = lambda track, unit: False
    markup = pages.ask("films/a.mp4/").markup
    assert (data(markup)["hls"], data(markup)["file"]) == (None, "../a.mp4")
    assert [source["src"] for source in markup.all("source")] == ["../a.mp4"]


@pytest.mark.requirement("SEC-26")
def test_titlesAreText(pages: Pages, folder: Path, film: bytes) -> None:
    (folder / "<script>alert(1).mp4").write_bytes(film)
    markup = pages.ask("films/%3Cscript%3Ealert(1).mp4/").markup
    assert data(markup)["title"] == "<script>alert(1)"
    assert not [each for each in markup.all("script") if "src" not in each]
