"""From a file to its stills: each made once, and those that play are not held up."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, gatherResults
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mediasrv.media import stillmaker as module
from mediasrv.media.files import FileVersion
from mediasrv.media.presentation import PresentationChanged
from mediasrv.media.stillcache import StillCache
from mediasrv.media.stillmaker import StillMaker, nameOf
from mediasrv.media.stills import NoPicture, StillSource, TookTooLong
from tests.media.films import Film
from tests.media.picturebook import COMPASS, Look, isLike, makeFilm, rainbow


def file(path: Any) -> tuple[str, FileVersion]:
    return str(path), FileVersion.of(str(path))


@pytest.fixture
def pools() -> Iterator[list[ThreadPool]]:
    pools = [ThreadPool(0, 2), ThreadPool(0, 2)]
    for pool in pools:
        pool.start()
    yield pools
    for pool in pools:
        pool.stop()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were opened."""
    paths: list[str] = []

    class Counted(StillSource):
        def __init__(self, path: str) -> None:
            paths.append(os.path.basename(path))
            super().__init__(path)

    monkeypatch.setattr(module, "StillSource", Counted)
    return paths


@pytest.fixture
def maker(pools: list[ThreadPool], tmp_path: Path) -> StillMaker:
    return StillMaker(StillCache(str(tmp_path / "cache"), 1 << 20), *pools, reactor)


async def test_onceForAll(maker: StillMaker, opened: list[str], pools: list[ThreadPool], tmp_path: Path) -> None:
    film = file(makeFilm(tmp_path / "a.mp4"))
    pictures = await gatherResults([maker.poster(film, 640) for _ in range(5)])
    assert isLike(Look(pictures[0]).quarters, COMPASS)
    assert pictures == pictures[:1] * 5
    assert await maker.poster(film, 640) == pictures[0]
    assert opened == ["a.mp4"]
    await maker.poster(film, 160)
    assert opened == ["a.mp4", "a.mp4"]
    again = StillMaker(StillCache(str(tmp_path / "cache"), 1 << 20), *pools, reactor)
    assert await again.poster(film, 640) == pictures[0]
    assert len(opened) == 2


async def test_grid(maker: StillMaker, opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file has few stills, however many places are asked for."""
    monkeypatch.setattr(module, "stillStep", lambda duration: 2)
    film = file(makeFilm(tmp_path / "a.mp4", rainbow, seconds=6))
    pictures = [await maker.still(film, seconds, 160) for seconds in (0, 1, 2, 3, 4, 5, 6, 99_999)]
    seconds = [next(each for each in range(6) if isLike(Look(picture).quarters, rainbow(each))) for picture in pictures]
    assert seconds == [0, 0, 2, 2, 4, 4, 5, 5]
    # once for the duration
    assert len(opened) <= 1 + 4


async def test_change(maker: StillMaker, tmp_path: Path) -> None:
    """Another file at the same path has other pictures."""
    path = tmp_path / "a.mp4"
    makeFilm(path)
    former = await maker.poster(file(path), 640)
    old = file(path)
    makeFilm(tmp_path / "b.mp4", rainbow)
    os.replace(tmp_path / "b.mp4", path)
    assert await maker.poster(old, 640) == former  # still kept
    assert await maker.poster(file(path), 640) != former
    with pytest.raises(PresentationChanged):
        await maker.poster(old, 160)


async def test_noPicture(maker: StillMaker, opened: list[str], tmp_path: Path) -> None:
    """It is not looked for again and again."""
    song = file(Film("a.mp3", video=(), audio=("mp3",), seconds=1).make(tmp_path))
    for _ in range(3):
        with pytest.raises(NoPicture):
            await maker.poster(song, 640)
    assert opened == ["a.mp3"]


async def test_tookTooLong(
    maker: StillMaker, opened: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another time it may be found."""
    film = file(makeFilm(tmp_path / "a.mp4"))
    poster = StillSource.poster

    def late(source: StillSource, width: int) -> bytes:
        raise TookTooLong("late")

    monkeypatch.setattr(StillSource, "poster", late)
    with pytest.raises(TookTooLong):
        await maker.poster(film, 640)
    monkeypatch.setattr(StillSource, "poster", poster)
    assert Look(await maker.poster(film, 640)).width == 192


async def test_removed(maker: StillMaker, tmp_path: Path) -> None:
    film = file(makeFilm(tmp_path / "a.mp4"))
    os.unlink(film[0])
    with pytest.raises(FileNotFoundError):
        await maker.poster(film, 640)


async def test_readersStayFree(maker: StillMaker, pools: list[ThreadPool], tmp_path: Path) -> None:
    """However many posters wait, a reader thread has nothing to do with it; and who leaves is forgotten."""
    films = [file(makeFilm(tmp_path / f"{number}.mp4")) for number in range(8)]
    makers, readers = pools
    gate = threading.Event()
    for _ in range(2):
        makers.callInThread(gate.wait, 10)
    asked = [maker.poster(film, 640) for film in films]
    assert await deferToThreadPool(reactor, readers, lambda: "read") == "read"
    for each in asked[2:]:
        each.addErrback(lambda failure: failure.trap(CancelledError) and None)
        each.cancel()
    gate.set()
    assert all(isLike(Look(picture).quarters, COMPASS) for picture in await gatherResults(asked[:2]))
    # those that were under way when they were left are finished
    assert 2 <= len(list((tmp_path / "cache").rglob("*.jpg"))) <= 4


def test_names(tmp_path: Path) -> None:
    """Another name for another path, version, place and width; any bytes may be in a path."""
    version = FileVersion(1, 2, 3, 4)
    names = {
        nameOf((path, version), what, width)
        for path in ("/a", "/b", "/\udcff")
        for what in ("poster", "still 1", "still 11")
        for width in (160, 640)
    }
    names |= {nameOf(("/a", FileVersion(1, 2, 3, 5)), "poster", 160)}
    assert len(names) == 19
    assert all(len(name) == 40 for name in names)
