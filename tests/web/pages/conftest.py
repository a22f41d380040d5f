"""A folder as people have them, and a site of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pagesrig import Pages
from rtsprig import Rig

sys.path.append(str(Path(__file__).parent.parent.parent / "media"))

from films import Film


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small MP4."""
    return Path(Film("film.mp4").make(tmp_path_factory.mktemp("film"))).read_bytes()


@pytest.fixture
def folder(tmp_path: Path, film: bytes) -> Path:
    """Two films, sound that is none, and what is no media; below it more of them."""
    for name in ("a.mp4", "b #1: 100%?.mp4", "more/c.mp4", "more/deeper/Flower.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film)
    (tmp_path / "broken.mp3").write_bytes(b"no sound")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / ".hidden.mp4").write_bytes(film)
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.fixture
def pages(rig: Rig, folder: Path) -> Pages:
    return Pages(rig, {"films": folder})
