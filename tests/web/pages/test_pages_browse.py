"""The page of a folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pagesrig import Pages, turnsOf
from rtsprig import Rig


def test_top(pages: Pages) -> None:
    """The top has the mounts, as folders."""
    answer = pages.ask("/")
    assert answer.code == 200
    assert [link["href"] for link in _cards(answer.markup)] == ["films/"]
    assert "Library" in answer.markup.texts


def test_order(pages: Pages) -> None:
    """Folders first; media lead to their pages, what is none to itself; what is hidden stays so."""
    links = _cards(pages.ask("films/").markup)
    assert [link["href"] for link in links] == [
        "empty/",
        "more/",
        "a.mp4/",
        "b%20%231%3A%20100%25%3F.mp4/",
        "broken.mp3/",
        "notes.txt",
    ]
    assert [link["href"] for link in links if "download" in link] == ["notes.txt"]


def test_pictures(pages: Pages, folder: Path) -> None:
    """Films and what names several have a picture, which is fetched when it is seen; sound has none."""
    (folder / "a-list.toml").write_text('seq = ["a.mp4"]')
    pictures = pages.ask("films/").markup.all("img")
    assert [picture["src"] for picture in pictures] == [
        "a-list.toml/poster.jpg",
        "a.mp4/poster.jpg",
        "b%20%231%3A%20100%25%3F.mp4/poster.jpg",
    ]
    assert {picture["loading"] for picture in pictures} == {"lazy"}


def test_durations(pages: Pages) -> None:
    """Nothing is opened to be listed; of what was opened, the duration is shown until the file changes."""
    assert not pages.ask("films/").markup.all("time", class_="badge")
    pages.ask("films/a.mp4/")
    markup = pages.ask("films/").markup
    assert [badge["datetime"] for badge in markup.all("time", class_="badge")] == ["PT6.0S"]
    assert "0:06" in markup.texts


def test_durationOfTheChanged(pages: Pages, folder: Path) -> None:
    pages.ask("films/a.mp4/")
    with open(folder / "a.mp4", "ab") as file:
        file.write(b"more")
    assert not pages.ask("films/").markup.all("time", class_="badge")


def test_crumbs(pages: Pages) -> None:
    answer = pages.ask("films/more/deeper/")
    nav = re.search('<nav class="crumbs".*?</nav>', answer.text, re.S)
    assert nav is not None
    assert re.findall('href="([^"]*)"', nav[0]) == ["../../../", "../../../films/", "../../../films/more/"]
    assert '<span aria-current="page">deeper</span>' in nav[0]


def test_empty(pages: Pages, rig: Rig) -> None:
    assert "This folder is empty." in pages.ask("films/empty/").markup.texts
    assert "Nothing is served yet." in Pages(rig, {}).ask("/").markup.texts


@pytest.mark.requirement("SEC-26")
def test_namesAreText(pages: Pages, folder: Path) -> None:
    """A name is shown, whatever it looks like, and never read as markup."""
    names = ["<script>alert(1)<!--.mp4", '" onclick="alert(1).mp4', "&lt;b&gt;.mp4", "line\nbreak.mp4", "x\x1b[31m.mp4"]
    for name in names:
        (folder / "empty" / name).write_bytes(b"")
    for path in ("films/empty/", "-/search?q=mp4"):
        answer = pages.ask(path)
        assert "alert(1)<!--.mp4" in "".join(answer.markup.texts)
        assert not answer.markup.all("b")
        assert answer.markup.all("script")[0]["src"].endswith(".js")
        assert len(answer.markup.all("script")) == 1
        assert not [found for _, found in answer.markup.elements if "onclick" in found]
        assert "\x1b" not in answer.text


def test_whatCannotBeAskedFor(pages: Pages, folder: Path) -> None:
    """A name that is no UTF-8, or has control characters, is in no URL: it is not listed."""
    (folder / "empty" / "a\nb.mp4").write_bytes(b"")
    with open(bytes(folder / "empty") + b"/\xff.mp4", "wb"):
        pass
    (folder / "empty" / "good.mp4").write_bytes(b"")
    assert [link["href"] for link in _cards(pages.ask("films/empty/").markup)] == ["good.mp4/"]


def test_manyFiles(pages: Pages, folder: Path, rig: Rig) -> None:
    """A thousand cards are made a few at a time, with turns for the reactor in between."""
    for number in range(1000):
        (folder / "empty" / f"{number}.mp4").touch()
    turns = turnsOf(rig)
    assert len(_cards(pages.ask("films/empty/").markup)) == 1000
    assert turns.count(0) >= 1000 // 12


@pytest.mark.parametrize("path", ["films/none/", "films/a.mp4/none/", "films/.hidden.mp4/", "none/"])
def test_nothing(pages: Pages, path: str) -> None:
    assert pages.ask(path).code == 404


def _cards(markup) -> list[dict[str, str]]:
    """The links of cards: the others stand before the list and after it."""
    names = [(tag, found.get("class", "")) for tag, found in markup.elements]
    place = next((number for number, (_, kind) in enumerate(names) if kind.split()[:1] == ["cards"]), len(names))
    rest = markup.elements[place:]
    return [found for tag, found in rest if tag == "a"]
