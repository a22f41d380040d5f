"""What all pages have in common, refusals among them; and that every link leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from pagesrig import Answer, Pages
from rtsprig import Rig

PAGES = ["", "films/", "films/more/deeper/", "films/a.mp4/", "films/broken.mp3/", "-/sessions", "-/search?q=a", "none"]


@pytest.mark.parametrize("path", PAGES)
def test_headers(pages: Pages, path: str) -> None:
    """Nothing from elsewhere, no script or style in the page: neither ours nor somebody else's would run."""
    answer = pages.ask(path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not answer.markup.all("style")
    assert not [found for _, found in answer.markup.elements if "style" in found]
    assert all("src" in script for script in answer.markup.all("script"))
    assert not [name for _, found in answer.markup.elements for name in found if name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_readable(pages: Pages, path: str) -> None:
    """What screen readers need: a language, a title, one heading, names for pictures and fields."""
    markup = pages.ask(path).markup
    assert markup.all("html")[0]["lang"] == "en"
    assert len(markup.all("h1")) == 1
    assert len(markup.all("title")) == 1
    assert all("alt" in picture for picture in markup.all("img"))
    assert all("aria-label" in field for field in (*markup.all("input"), *markup.all("select")))
    assert markup.all("a", class_="skip")[0]["href"] == "#main"


@pytest.mark.parametrize("path", PAGES)
def test_head(pages: Pages, path: str) -> None:
    """HEAD says the same, and has no body."""
    get, head = pages.ask(path), pages.ask(path, "HEAD")
    assert (head.code, head.body) == (get.code, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("path", ["", "films/a.mp4/", "-/sessions"])
def test_otherMethods(pages: Pages, path: str) -> None:
    answer = pages.ask(path, "POST")
    assert (answer.code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("mounted", [False, True])
def test_everyLinkLeadsSomewhere(rig: Rig, folder: Path, mounted: bool) -> None:
    """At the top of a site and below somebody else's, no reference leaves the mount, and each of a page is answered."""
    pages = Pages(rig, {"films": folder}, mounted)
    found = pages.crawl()
    assert all(path.startswith(pages.base) for path in found)
    missing = {path for path, answer in found.items() if answer.code != 200}
    # media, and what is made of them, are not ours
    others = (
        ".mp4",
        ".mp3",
        ".txt",
        ".m3u8",
        ".jpg",
        ".m3u",
        ".pls",
        ".xspf",
        ".asx",
        ".ram",
        ".qtl",
        ".smil",
        ".strm",
        ".sdp",
    )
    assert not [path for path in missing if not path.endswith(others)]
    assert f"{pages.base}films/more/deeper/Flower.mp4/" in found
    assert len(found) > 20


def test_refusalForPeople(pages: Pages) -> None:
    answer = pages.ask("films/none/such/place")
    assert answer.code == 404
    assert "../../../" in answer.markup.references
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["vary"] == "Accept"
    assert any("search for its name" in text for text in answer.markup.texts)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "video/mp4, */*", "text/htmlx"])
def test_refusalForPlayers(pages: Pages, accept: str) -> None:
    """What plays media, and programs, get one line."""
    answer = pages.ask("films/none", Accept=accept)
    assert (answer.code, answer.text) == (404, "There is nothing here.\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_refusalWithoutAccept(pages: Pages) -> None:
    answer: Answer = pages.ask("films/none", Accept="")
    assert answer.text == "There is nothing here.\n"
