"""What of a folder is in its meta files, and how long that may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.threadpool import ThreadPool

from mediasrv.media.containers import NotMedia
from mediasrv.media.library import Entry, NotFound
from mediasrv.web.metafiles import folders
from mediasrv.web.metafiles.folders import mediaOf, playedKind


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    threads = ThreadPool(0, 1)
    threads.start()
    yield threads
    threads.stop()


class FakeLibrary:
    """
    @ivar asked: which files were opened, for whom.
    """

    def __init__(self, names: Sequence[str], opening: Callable[[str], Deferred[Any]] = succeed) -> None:
        self._names = names
        self._opening = opening
        self.asked: list[tuple[str, str]] = []

    def listing(self, segments: Sequence[str]) -> Deferred[list[Entry]]:
        return succeed([Entry(name.rstrip("/"), name.endswith("/"), 1, 1.0) for name in self._names])

    def presentation(self, segments: Sequence[str], view: str) -> Deferred[Any]:
        self.asked.append(("/".join(segments), view))
        return self._opening(segments[-1])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", "video"),
        ("a.b.MKV", "video"),
        ("a.ts", "video"),
        ("a.m4a", "audio"),
        ("a.opus", "audio"),
        ("a.txt", None),
        ("a.mp4.srt", None),
        ("poster.jpg", None),
        ("a.m3u", None),
        ("mp4", None),
        (".mp4", None),
        ("a.", None),
        ("", None),
    ],
)
def test_kinds(name: str, kind: str | None) -> None:
    assert playedKind(name) == kind


async def test_media(pool: ThreadPool) -> None:
    """Files that are media by their names, in the order of the listing; what turns out to be none is left out."""
    errors = {"b.mp4": NotMedia("x"), "c.mp4": NotFound("x"), "d.mp4": PermissionError("x")}
    names = ["sub.mp4/", "a.mp4", "b.mp4", "c.mp4", "d.mp4", "g.txt", "h.mp3"]
    library: Any = FakeLibrary(names, lambda name: fail(errors[name]) if name in errors else succeed(f"<{name}>"))
    found: Any = await mediaOf(library, ("m", "n"), "web", reactor, pool)
    assert list(found.items()) == [("a.mp4", "<a.mp4>"), ("h.mp3", "<h.mp3>")]
    assert library.asked == [(f"m/n/{name}", "web") for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4", "h.mp3")]


async def test_namesAlone(pool: ThreadPool) -> None:
    library: Any = FakeLibrary(["a.mp4", "b.mp4"])
    assert await mediaOf(library, ("m",), None, reactor, pool) == {"a.mp4": None, "b.mp4": None}
    assert library.asked == []


async def test_manyFiles(pool: ThreadPool) -> None:
    """The first ones are opened, ten thousand are named."""
    library: Any = FakeLibrary([f"{number}.mp4" for number in range(10_100)])
    found = await mediaOf(library, ("m",), "rtp", reactor, pool)
    assert list(found) == [f"{number}.mp4" for number in range(10_000)]
    assert len(library.asked) == 100
    assert [presentation is None for presentation in found.values()].count(False) == 100


async def test_slowFiles(pool: ThreadPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are named without what is not known of them yet."""
    monkeypatch.setattr(folders, "_PATIENCE", 0.05)
    library: Any = FakeLibrary(["a.mp4", "b.mp4", "c.mp4"], lambda name: succeed(1) if name == "a.mp4" else Deferred())
    assert await mediaOf(library, ("m",), "rtp", reactor, pool) == {"a.mp4": 1, "b.mp4": None, "c.mp4": None}
    assert len(library.asked) == 2
