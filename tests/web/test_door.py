"""What answers for a path, whether it has to be looked for or was there a moment ago."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rtsprig import Rig

from mediasrv.media.library import Library
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.context import WebContext
from mediasrv.web.door import WebDoor
from mediasrv.web.files import FileResource
from mediasrv.web.places import Place

PATH = ("films", "a.mp4")


def doorOf(rig: Rig, folder: Path) -> WebDoor:
    pool: Any = rig.pool
    clock: Any = rig.clock
    library = Library({"films": str(folder)}, carriesTrack, pool, clock)
    return WebDoor(WebContext(clock, Settings(), library, rig.registry, pool), {}, pool)


def testAFileIsKnownForAMoment(rig: Rig, tmp_path: Path) -> None:
    """Both the first answer and the later ones let a player's next range be answered without another look."""
    (tmp_path / "a.mp4").write_bytes(b"film")
    door = doorOf(rig, tmp_path)
    assert door.early(PATH) is None
    found: list[Any] = []
    door.context.library.locate(PATH).addCallback(found.append)
    for resource in (door.resource(Place("file", PATH, (), found[0])), door.early(PATH)):
        assert isinstance(resource, FileResource)
        assert resource._locateNow is not None
        assert resource._locateNow() == found[0]
    rig.clock.advance(1.5)
    assert door.early(PATH) is None
