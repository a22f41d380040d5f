"""Files that stay open, within limits, and paths that are remembered for a moment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from mediasrv.media.files import FileVersion
from mediasrv.media.library import Located
from mediasrv.web import lookup
from mediasrv.web.lookup import FileLookup
from mediasrv.web.openfiles import OpenFile, OpenFiles, openForSending


def write(path: Path, content: bytes = b"content") -> str:
    path.write_bytes(content)
    return str(path)


def isOpen(file: OpenFile) -> bool:
    try:
        status = os.fstat(file.descriptor)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (file.version.device, file.version.inode)


def testShared(tmp_path: Path) -> None:
    """One descriptor for all readers, and for those who come soon after."""
    path = write(tmp_path / "a.mp4")
    files = OpenFiles()
    file = files.add(openForSending(path))
    assert file.type.name == "video/mp4"
    assert files.take(path, file.version) is file
    late = openForSending(path)  # two threads opened it at the same time
    assert files.add(late) is file
    assert not isOpen(late)
    for _ in range(3):
        assert files.isEmpty
        files.release(file, 5.0)
    assert not files.isEmpty
    assert files.take(path, file.version) is file
    files.release(file, 6.0)
    files.closeIdle(5.9)
    assert isOpen(file)
    files.closeIdle(6.0)
    assert not isOpen(file)
    assert files.isEmpty
    assert files.take(path, file.version) is None


def testAnotherVersion(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    files = OpenFiles()
    old = files.add(openForSending(path))
    (tmp_path / "b").write_bytes(b"other content")
    os.replace(tmp_path / "b", path)
    assert files.take(path, FileVersion.of(path)) is None
    new = files.add(openForSending(path))
    assert new is not old
    for file in (old, new):
        files.release(file, 1.0)
    files.closeIdle(1.0)
    assert not isOpen(old)
    assert not isOpen(new)


def testNotTooMany(tmp_path: Path) -> None:
    files = OpenFiles(mostIdle=2)
    opened = [files.add(openForSending(write(tmp_path / f"{number}"))) for number in range(4)]
    for file in opened:
        files.release(file, 1.0)
    assert [isOpen(file) for file in opened] == [False, False, True, True]
    files.closeIdle(1.0)


def testWhatCannotBeOpened(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    os.mkfifo(tmp_path / "fifo")
    for name in ("nothing", "fifo", "."):
        with pytest.raises(FileNotFoundError):
            openForSending(str(tmp_path / name))
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("size", "seconds", "expected"), [(7, 0, False), (7, 1, True), (5, 1, True), (9, 1, False)])
def testChanged(tmp_path: Path, size: int, seconds: int, expected: bool) -> None:
    """Written over or cut off; what is appended is no change of what was there."""
    path = write(tmp_path / "a")
    os.utime(path, (1000, 1000))
    file = openForSending(path)
    os.truncate(path, size)
    os.utime(path, (1000 + seconds, 1000 + seconds))
    assert file.hasChanged() is expected
    file.close()


class Shelf:
    """
    As a library.

    @ivar asked: how often.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0

    def locate(self, segments: Sequence[str]) -> Deferred[Located]:
        self.asked += 1
        path = str(self.folder.joinpath(*segments))
        return succeed(Located(path, None if os.path.isdir(path) else FileVersion.of(path)))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def result(found: Any) -> Located:
    if isinstance(found, Deferred):
        found = found.result
    assert isinstance(found, Located)
    return found


def testRemembered(shelf: Shelf) -> None:
    """For a moment, with a look at the file each time."""
    clock = Clock()
    found = FileLookup(shelf, clock.seconds)  # type: ignore[arg-type]  # as much of a library as is used
    path = write(shelf.folder / "a.mp4")
    first = result(found.locate(["a.mp4"]))
    assert found.locate(("a.mp4",)) == first
    write(shelf.folder / "a.mp4", b"longer content")
    second = found.locate(["a.mp4"])
    assert isinstance(second, Located)
    assert second.version == FileVersion.of(path)
    assert second.version != first.version
    assert shelf.asked == 1
    clock.advance(lookup._MOMENT)
    assert isinstance(found.locate(["a.mp4"]), Deferred)
    assert shelf.asked == 2


def testNotRemembered(shelf: Shelf) -> None:
    """Folders, and what is gone."""
    found = FileLookup(shelf, Clock().seconds)  # type: ignore[arg-type]  # as much of a library as is used
    os.mkdir(shelf.folder / "folder")
    for _ in range(2):
        assert isinstance(found.locate(["folder"]), Deferred)
    path = write(shelf.folder / "a.mp4")
    found.locate(["a.mp4"])
    os.unlink(path)
    os.mkdir(path)
    assert result(found.locate(["a.mp4"])).isFolder
    assert shelf.asked == 4


def testNotTooManyPaths(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_MOST", 2)
    found = FileLookup(shelf, Clock().seconds)  # type: ignore[arg-type]  # as much of a library as is used
    for name in "abc":
        write(shelf.folder / name)
        found.locate([name])
    assert isinstance(found.locate(["c"]), Located)
    assert isinstance(found.locate(["a"]), Deferred)
