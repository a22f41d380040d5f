"""The search page."""

from __future__ import annotations

import pytest
from pagesrig import Pages

from mediasrv.media.searching import Search, TooManySearches
from mediasrv.web.pages import search


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


def test_limit(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_FOUND", 2)
    answer = pages.ask("-/search?q=mp4")
    assert "2 things found; there may be more, so try another word" in answer.markup.texts


def test_tooManySearch(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(*arguments: object) -> None:
        raise TooManySearches

    monkeypatch.setattr(Search, "find", find)
    answer = pages.ask("-/search?q=mp4")
    assert (answer.code, answer.headers["retry-after"]) == (503, "5")
