"""Searching: what is found, what is not to be found, and that it comes to an end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from mediasrv.media import searching
from mediasrv.media.folders import canBeNamed
from mediasrv.media.library import NotFound
from mediasrv.media.searching import Finding, Search, TooManySearches, folded


class Threads:
    """
    Threads and reactor in one: what is to be done is done when the test says so.
    """

    joined = False

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def callInThreadWithCallback(self, onResult: Any, function: Any, *arguments: Any) -> None:
        self.jobs.append((onResult, function, arguments))

    def callFromThread(self, function: Any, *arguments: Any) -> None:
        function(*arguments)

    def work(self) -> None:
        while self.jobs:
            onResult, function, arguments = self.jobs.pop(0)
            try:
                result = function(*arguments)
            except Exception:
                onResult(False, Failure())
            else:
                onResult(True, result)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for name in (
        "Amélie.mkv",
        "summer/Beach 1.mp4",
        "summer/beach 2.mp4",
        "summer/deep/BEACH.srt",
        "summer/.beach.mp4",
        ".beach/beach.mp4",
        "winter/summer beach.mp4",
    ):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_bytes(b"1234")
    outside.mkdir()
    (outside / "secret beach.mp4").write_bytes(b"")
    (inside / "beach outside").symlink_to(outside)
    (inside / "beach.mp4").symlink_to(outside / "secret beach.mp4")
    (inside / "summer" / "again").symlink_to(inside)
    (inside / "summer" / "linked beach.mp4").symlink_to(inside / "Amélie.mkv")
    (inside / "summer" / "beach loop").symlink_to("beach loop")
    os.mkfifo(inside / "beach.fifo")
    with open(os.fsencode(inside) + b"/beach\xff.mp4", "wb"):
        pass
    (inside / "beach\n.mp4").touch()
    return inside


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def search(folder: Path, threads: Threads) -> Search:
    anything: Any = threads
    return Search({"movies": str(folder), "beaches": str(folder / "winter")}, False, anything, anything)


def resultOf(deferred: Deferred[Any]) -> Any:
    results: list[Any] = []
    deferred.addBoth(results.append)
    (result,) = results
    return result


def find(search: Search, threads: Threads, text: str, *folder: str, limit: int = 100) -> list[str]:
    deferred = Deferred.fromCoroutine(search.find(folder, text, limit))
    threads.work()
    finding = resultOf(deferred)
    assert isinstance(finding, Finding), finding
    return ["/".join((*each.folder, each.entry.name)) for each in finding.found]


def test_found(search: Search, threads: Threads) -> None:
    """Those near the top first; nothing hidden, nothing outside, nothing twice, nothing that no URL could name."""
    assert find(search, threads, "beach", "movies") == [
        "movies/summer/Beach 1.mp4",
        "movies/summer/beach 2.mp4",
        "movies/summer/linked beach.mp4",
        "movies/winter/summer beach.mp4",
        "movies/summer/deep/BEACH.srt",
    ]


def test_mountsAreFound(search: Search, threads: Threads) -> None:
    """And what is below one of them has its name in its path; a folder with two names is looked through once."""
    assert find(search, threads, "beaches") == ["beaches"]
    assert find(search, threads, "beaches summer") == ["beaches/summer beach.mp4"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("amelie", ["movies/Amélie.mkv"]),
        ("AME\u0301LIE", ["movies/Amélie.mkv"]),
        ("summer beach", 5),
        ("summer 2", ["movies/summer/beach 2.mp4"]),
        ("2 summer", ["movies/summer/beach 2.mp4"]),
        ("beach winter", ["movies/winter/summer beach.mp4"]),
        ("movies", []),
        ("nothing", []),
        ("", []),
    ],
)
def test_words(search: Search, threads: Threads, text: str, found: list[str] | int) -> None:
    result = find(search, threads, text, "movies")
    assert (len(result) if isinstance(found, int) else result) == found


def test_entries(search: Search, threads: Threads, folder: Path) -> None:
    deferred = Deferred.fromCoroutine(search.find(("movies",), "summer", 100))
    threads.work()
    first = resultOf(deferred).found[0]
    assert (first.folder, first.entry.name, first.entry.isFolder, first.entry.size) == (("movies",), "summer", True, 0)
    deferred = Deferred.fromCoroutine(search.find(("movies", "summer"), "1", 100))
    threads.work()
    (entry,) = [each.entry for each in resultOf(deferred).found]
    assert (entry.isFolder, entry.size) == (False, 4)
    assert entry.modified == os.stat(folder / "summer" / "Beach 1.mp4").st_mtime


def test_limit(search: Search, threads: Threads) -> None:
    for limit, isComplete in ((4, False), (5, True)):
        deferred = Deferred.fromCoroutine(search.find(("movies",), "beach", limit))
        threads.work()
        finding = resultOf(deferred)
        assert (len(finding.found), finding.isComplete) == (min(limit, 5), isComplete)


def test_time(search: Search, threads: Threads) -> None:
    deferred = Deferred.fromCoroutine(search.find(("movies",), "beach", 100, seconds=-1.0))
    threads.work()
    assert resultOf(deferred) == Finding([], False)


@pytest.mark.parametrize("folder_", [("none",), ("movies", "none"), ("movies", ".."), ("movies", "Amélie.mkv")])
def test_noFolder(search: Search, threads: Threads, folder_: tuple[str, ...]) -> None:
    deferred = Deferred.fromCoroutine(search.find(folder_, "beach", 100))
    threads.work()
    assert resultOf(deferred).check(NotFound)
    assert find(search, threads, "amelie") == ["movies/Amélie.mkv"]  # the next one has its turn


def test_oneAtATime(search: Search, threads: Threads) -> None:
    """Those who wait may go away; too many are turned away."""
    searches = [Deferred.fromCoroutine(search.find((), "amelie", 100)) for _ in range(17)]
    assert len(threads.jobs) == 1
    assert resultOf(Deferred.fromCoroutine(search.find((), "amelie", 100))).check(TooManySearches)
    searches[5].cancel()
    assert resultOf(searches.pop(5)).check(CancelledError)
    threads.work()
    assert [len(resultOf(each).found) for each in searches] == [1] * 16


def test_givenUp(search: Search, threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the client has gone, the thread finds out at the next name, and the next search has its turn then."""
    looked: list[str] = []
    real = searching.folded

    def slow(text: str) -> str:
        looked.append(text)
        if len(looked) == 3:
            deferred.cancel()
        return real(text)

    monkeypatch.setattr(searching, "folded", slow)
    deferred = Deferred.fromCoroutine(search.find(("movies",), "beach", 100))
    threads.work()
    assert resultOf(deferred).check(CancelledError)
    assert len(looked) <= 5
    monkeypatch.undo()
    assert find(search, threads, "amelie") == ["movies/Amélie.mkv"]


def test_stopped(search: Search, threads: Threads) -> None:
    """Threads that are gone would never answer."""
    threads.joined = True
    assert resultOf(Deferred.fromCoroutine(search.find((), "x", 100))).check(TooManySearches)


def test_manyFiles(tmp_path: Path, threads: Threads) -> None:
    """A name costs microseconds: a library of tens of thousands is looked through in its time."""
    for number in range(3000):
        (tmp_path / f"{number}.mp4").touch()
    anything: Any = threads
    search = Search({"m": str(tmp_path)}, False, anything, anything)
    started = time.process_time()
    assert len(find(search, threads, "mp4", limit=5000)) == 3000
    assert time.process_time() - started < 5


@given(st.text())
def test_folded(text: str) -> None:
    assert folded(folded(text)) == folded(text) or not text.isascii()
    assert folded(text.lower()) == folded(text) or not text.isascii()


@pytest.mark.parametrize(("name", "can"), [("a b", True), ("Ä", True), ("a\n", False), ("a\udcff", False)])
def test_canBeNamed(name: str, can: bool) -> None:
    assert canBeNamed(name) == can


def testNaturalOrder(tmp_path: Path) -> None:
    """As in folders: episode 2 before episode 10, in each folder and of folders."""
    for name in ("Show 10/episode 1", "Show 2/Episode 10", "Show 2/épisode 9", "Show 2/episode 2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    finding = searching._Looking({"m": str(tmp_path)}, False, ["episode"], 10, 5.0, Event()).look(("m",))
    found = ["/".join((*each.folder[1:], each.entry.name)) for each in finding.found]
    assert found == ["Show 2/episode 2", "Show 2/épisode 9", "Show 2/Episode 10", "Show 10/episode 1"]
