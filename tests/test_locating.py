"""Where presentations are that are elsewhere: URLs, the table, and whoever else knows (RED-1)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mediasrv.interfaces import Elsewhere, Gone, IMediaLocator
from mediasrv.locating import Location, RedirectTable, below, checkedURL, locate, locationOf


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://a",
        "rtsps://a.example:322/x/y.mp4?t=1;u=%20",
        "rtspu://[2001:db8::1]:554/",
        "rtsp://user:word@192.0.2.1/a;b=c,d",
    ],
)
def test_urls(url: str) -> None:
    assert checkedURL(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("", "a", "/a", "rtsp:/a", "rtsp://", "rtsp:///a", "http://a/", "file:///etc/passwd", "rtsp://:554/"),
        *("rtsp://a/ b", "rtsp://a/\r\nX: y", "rtsp://a/\0", "rtsp://a/é", "rtsp://a/#b", "rtsp://a:0/", "rtsp://[::1"),
        *("rtsp://a:70000/", "rtsp://a:b/", "rtsp://a/<x>", 'rtsp://a/"', None, 5, b"rtsp://a", ["rtsp://a"]),
    ],
)
def test_noURLs(url: object) -> None:
    """Nothing gets into a Location that does not belong there (SEC-26)."""
    with pytest.raises(ValueError, match=r"\Anot|is not a URL such as rtsp://HOST:8554/PATH\Z"):
        checkedURL(url)


@pytest.mark.parametrize(
    ("url", "segments", "result"),
    [
        ("rtsp://a", [], "rtsp://a"),
        ("rtsp://a/", [], "rtsp://a/"),
        ("rtsp://a", ["b", "c"], "rtsp://a/b/c"),
        ("rtsp://a/", ["b"], "rtsp://a/b"),
        ("rtsp://a/x?q=1", ["b c", "é?#%", "d;e=f,g"], "rtsp://a/x/b%20c/%C3%A9%3F%23%25/d;e=f,g?q=1"),
        ("rtsp://a", ["\r\n", "/"], "rtsp://a/%0D%0A/%2F"),
    ],
)
def test_below(url: str, segments: list[str], result: str) -> None:
    assert below(url, segments) == result


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20), max_size=10))
def test_whatIsBelowAURLIsOne(segments: list[str]) -> None:
    assert checkedURL(below("rtsp://a.example/x", segments))


TABLE: Mapping[str, str | Location] = {
    "movies": "rtsp://m.example/films",
    "/movies/new/": Elsewhere("rtsp://n.example", permanent=True),
    "movies/new/lost.mp4": Gone(),
    "a b": "rtsp://b.example?x",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("movies", Elsewhere("rtsp://m.example/films")),
        ("movies/a/b.mp4", Elsewhere("rtsp://m.example/films/a/b.mp4")),
        ("movies/new", Elsewhere("rtsp://n.example", permanent=True)),
        ("movies/new/c d.mp4", Elsewhere("rtsp://n.example/c%20d.mp4", permanent=True)),
        ("movies/new/lost.mp4", Gone()),
        ("a b/c", Elsewhere("rtsp://b.example/c?x")),
        ("movies.mp4", None),
        ("music/movies", None),
        ("Movies/a", None),
        ("", None),
    ],
)
def test_theLongestPathDecides(path: str, found: Location | None) -> None:
    assert RedirectTable(TABLE).locate(path, "192.0.2.1") == found


def test_theEmptyPathIsEverything() -> None:
    table = RedirectTable({"/": "rtsp://a/x", "b": Gone()})
    assert table.locate("c/d", "") == Elsewhere("rtsp://a/x/c/d")
    assert table.locate("", "") == Elsewhere("rtsp://a/x")
    assert table.locate("b/c", "") == Gone()


def test_anEmptyTable() -> None:
    assert RedirectTable({}).locate("a", "") is None


def test_theTableIsALocator() -> None:
    assert verifyObject(IMediaLocator, RedirectTable({}))
    with pytest.raises(ValueError, match="ftp"):
        RedirectTable({"a": "ftp://b"})


@implementer(IMediaLocator)
class Answering:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def locate(self, path: str, peer: str) -> object:
        self.asked.append((path, peer))
        return self.answer


def ask(*locators: Answering) -> list[object]:
    """What comes of asking: nothing yet, or one thing."""
    results: list[object] = []
    Deferred.fromCoroutine(locate(locators, "a/b", "192.0.2.1")).addBoth(results.append)
    return results


def test_theFirstAnswerCounts() -> None:
    first, second, third = Answering(None), Answering("rtsp://x/"), Answering("rtsp://y/")
    assert ask(first, second, third) == [Elsewhere("rtsp://x/")]
    assert first.asked == second.asked == [("a/b", "192.0.2.1")]
    assert third.asked == []
    assert ask() == ask(first) == [None]


def test_answersThatTakeTheirTime() -> None:
    """Deferreds and coroutines alike."""
    waiting: Deferred[object] = Deferred()
    results = ask(Answering(waiting), Answering("rtsp://y/"))
    assert results == []
    waiting.callback(Gone())
    assert results == [Gone()]

    async def soon() -> str:
        return "rtsp://z/"

    assert ask(Answering(soon())) == [Elsewhere("rtsp://z/")]


@pytest.mark.parametrize("answer", ["x", "rtsp://a/\r\nb", Elsewhere("http://a"), 5, True, ("rtsp://a", True)])
def test_answersThatAreNone(answer: object) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        locationOf(answer)
