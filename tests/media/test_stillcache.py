"""Stills on disk: bounded, there after a restart, and no trouble when the disk makes some."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import LogEvent, globalLogPublisher

from mediasrv.media.stillcache import StillCache


def named(number: int) -> str:
    return f"{number:040x}"


def still(size: int = 100) -> bytes:
    return b"\xff\xd8" + bytes(size - 4) + b"\xff\xd9"


def onDisk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "stills"


@pytest.fixture
def warnings() -> Any:
    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"].name == "warn":
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def test_keep(folder: Path) -> None:
    cache = StillCache(str(folder), 1000)
    assert cache.get(named(1)) is None
    assert not folder.exists()
    cache.put(named(1), still())
    assert cache.get(named(1)) == still()
    assert cache.size == 100
    cache.put(named(1), still(50))
    assert (cache.get(named(1)), cache.size) == (still(50), 50)


def test_bound(folder: Path) -> None:
    """The least recently used go first; what is larger than the whole is not kept."""
    cache = StillCache(str(folder), 350)
    for number in range(3):
        cache.put(named(number), still())
    cache.get(named(0))
    for number in (3, 4):
        cache.put(named(number), still())
    assert [cache.get(named(number)) is not None for number in range(5)] == [True, False, False, True, True]
    assert (cache.size, onDisk(folder)) == (300, 300)
    cache.put(named(9), still(351))
    assert cache.get(named(9)) is None
    assert cache.get(named(0)) is not None


def test_restart(folder: Path) -> None:
    """What was used longest ago is known afterwards too, and a smaller bound holds from the next still on."""
    first = StillCache(str(folder), 1000)
    for number in range(4):
        first.put(named(number), still())
        path = folder / named(number)[:2] / f"{named(number)}.jpg"
        os.utime(path, (time.time() - 10_000 + number,) * 2)
    assert StillCache(str(folder), 1000).get(named(1)) == still()
    later = StillCache(str(folder), 300)
    later.put(named(8), still())
    assert onDisk(folder) == 300
    assert [later.get(named(number)) is not None for number in (0, 1, 2, 3, 8)] == [False, True, False, True, True]


def test_others(folder: Path) -> None:
    """What is no still stays; what was not finished long ago goes."""
    inside = folder / "00"
    inside.mkdir(parents=True)
    foreign = [folder / "x.jpg", inside / "holiday.jpg", inside / ("f" * 40 + ".jpg"), folder / "notes" / "a.txt"]
    foreign[3].parent.mkdir()
    old, new = inside / f".{named(1)}.7.1", inside / f".{named(1)}.7.2"
    for path in (*foreign, old, new):
        path.write_bytes(still(400))
    os.utime(old, (0, 0))
    cache = StillCache(str(folder), 150)
    for number in range(5):
        cache.put(named(number), still())
    assert all(path.exists() for path in (*foreign, new))
    assert not old.exists()
    assert cache.size == 100


def test_halfWritten(folder: Path) -> None:
    """A power cut may leave a file without its end: it is made anew."""
    cache = StillCache(str(folder), 1000)
    cache.put(named(1), still())
    path = folder / "00" / f"{named(1)}.jpg"
    for content in (b"", still()[:50]):
        path.write_bytes(content)
        assert StillCache(str(folder), 1000).get(named(1)) is None
        assert not path.exists()


def test_emptied(folder: Path) -> None:
    """Somebody empties the folder while it is in use."""
    cache = StillCache(str(folder), 1000)
    cache.put(named(1), still())
    (folder / "00" / f"{named(1)}.jpg").unlink()
    assert cache.get(named(1)) is None
    assert cache.size == 0
    cache.put(named(1), still())
    assert cache.get(named(1)) == still()


def test_fullDisk(folder: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[LogEvent]) -> None:
    """The log has one line when it begins, not one for each still; and nothing half is left."""
    cache = StillCache(str(folder), 1000)
    cache.put(named(1), still())
    replace = os.replace

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    for number in (2, 3):
        cache.put(named(number), still())
        assert cache.get(named(number)) is None
    assert onDisk(folder) == 100
    assert [event["reason"] for event in warnings] == ["No space left on device"]
    monkeypatch.setattr(os, "replace", replace)
    cache.put(named(2), still())
    assert cache.get(named(2)) == still()
    monkeypatch.setattr(os, "replace", full)
    cache.put(named(3), still())
    assert len(warnings) == 2


def test_noFolder(tmp_path: Path, warnings: list[LogEvent]) -> None:
    (tmp_path / "file").write_text("no folder")
    cache = StillCache(str(tmp_path / "file" / "stills"), 1000)
    for number in range(3):
        cache.put(named(number), still())
        assert cache.get(named(number)) is None
    assert len(warnings) == 1


def test_none(folder: Path) -> None:
    cache = StillCache(str(folder), 0)
    cache.put(named(1), still())
    assert cache.get(named(1)) is None
    assert not folder.exists()


def test_threads(folder: Path) -> None:
    """Many threads at a time leave as much as the bound allows, and all of it whole."""
    cache = StillCache(str(folder), 2000)

    def work(seed: int) -> None:
        for number in range(60):
            cache.put(named((seed * number) % 37), still(100 + number))
            cache.get(named(number % 37))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1000 < onDisk(folder) <= 2000
    assert StillCache(str(folder), 2000).get(named(99)) is None
    assert not list(folder.rglob(".*"))
