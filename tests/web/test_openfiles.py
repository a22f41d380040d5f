"""Files that stay open, within limits, and paths that are remembered for a moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from mediasrv.media.files import FileVersion
from mediasrv.media.library import Located
from mediasrv.web import recentfiles
from mediasrv.web.openfiles import OpenFile, OpenFiles, openForSending
from mediasrv.web.recentfiles import RecentFiles


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


def testRemembered(tmp_path: Path) -> None:
    """For a moment, with a look at the file each time."""
    clock = Clock()
    recent = RecentFiles(clock.seconds)
    path = write(tmp_path / "a.mp4")
    first = Located(path, FileVersion.of(path))
    assert recent.find("a") is None
    recent.remember("a", first)
    assert recent.find("a") == first
    write(tmp_path / "a.mp4", b"longer content")
    assert recent.find("a") == Located(path, FileVersion.of(path)) != first
    clock.advance(recentfiles.MOMENT)
    assert recent.find("a") is None


def testNotRemembered(tmp_path: Path) -> None:
    """Folders, and what is gone."""
    recent = RecentFiles(Clock().seconds)
    recent.remember("folder", Located(str(tmp_path), None))
    assert recent.find("folder") is None
    path = write(tmp_path / "a.mp4")
    recent.remember("a", Located(path, FileVersion.of(path)))
    os.unlink(path)
    os.mkdir(path)
    assert recent.find("a") is None
    os.rmdir(path)
    write(tmp_path / "a.mp4")
    assert recent.find("a") is None


def testNotTooManyPaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recentfiles, "_MOST", 2)
    recent = RecentFiles(Clock().seconds)
    located = Located(path := write(tmp_path / "a"), FileVersion.of(path))
    for key in "abac":
        recent.remember(key, located)
    assert [recent.find(key) for key in "abc"] == [located, None, located]
