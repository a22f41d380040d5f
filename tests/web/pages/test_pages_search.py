"""The search page, and what finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagesrig import Pages
from twisted.internet.defer import Deferred

from mediasrv.web.pages import search
from mediasrv.web.pages.search import find


def names(pages: Pages, text: str) -> list[str]:
    """Paths of what is found."""
    results: list[search.Finding] = []
    Deferred.fromCoroutine(find(pages.library, text, 5.0, pages.rig.clock)).addCallback(results.append)
    return ["/".join((*segments, entry.name)) for segments, entry in results[0].found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FLOWER", ["films/more/deeper/Flower.mp4"]),
        ("deeper", ["films/more/deeper"]),
        ("deeper mp4", ["films/more/deeper/Flower.mp4"]),
        ("mp4 more c", ["films/more/c.mp4"]),
        ("hidden", []),
        ("", []),
        ("  ", []),
        ("films", ["films"]),
    ],
)
def test_find(pages: Pages, text: str, found: list[str]) -> None:
    """All words have to be in the path, one of them in the name."""
    assert names(pages, text) == found


def test_linksOfWhatIsFound(pages: Pages) -> None:
    markup = pages.ask("-/search?q=flower").markup
    assert "../films/more/deeper/Flower.mp4/" in markup.references
    assert "1 thing found" in markup.texts
    assert markup.all("input", name="q")[0]["value"] == "flower"


def test_nothingFound(pages: Pages) -> None:
    assert "Nothing has this in its name." in pages.ask("-/search?q=zebra").markup.texts


def test_nothingAskedFor(pages: Pages) -> None:
    markup = pages.ask("-/search").markup
    assert "Nothing has this in its name." not in markup.texts


@pytest.mark.requirement("SEC-26")
def test_whatWasAskedForIsText(pages: Pages) -> None:
    answer = pages.ask("-/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22%3E%FF")
    assert not [each for each in answer.markup.all("script") if "src" not in each]
    assert "<script>alert(1)" in answer.markup.all("input", name="q")[0]["value"]


def test_linksThatGoRound(pages: Pages, folder: Path) -> None:
    """A symbolic link to a folder above it ends the search no later, and finds nothing twice."""
    (folder / "more" / "round").symlink_to(folder)
    assert names(pages, "flower") == ["films/more/deeper/Flower.mp4"]


def test_limit(pages: Pages, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_FOUND", 2)
    answer = pages.ask("-/search?q=mp4")
    assert "2 things found; there may be more, so try another word" in answer.markup.texts


def test_timeIsLimited(pages: Pages) -> None:
    """Somebody with many folders waits no longer than that."""
    clock = pages.rig.clock

    class Slow:
        def listing(self, segments):
            clock.advance(3.0)
            return pages.library.listing(segments)

        def locate(self, segments):
            return pages.library.locate(segments)

    results: list[search.Finding] = []
    Deferred.fromCoroutine(find(Slow(), "flower", 5.0, clock)).addCallback(results.append)
    assert (results[0].found, results[0].isWhole) == ([], False)
