"""
Stills on disk: bounded in bytes, the least recently used forgotten first, still there after a restart.

The folder may be emptied at any time, by anybody. What is in it besides stills is left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from twisted.logger import Logger

#: a still by its name; and one that was being written when the process died
_NAME = re.compile(r"[0-9a-f]{40}\.jpg")
_UNFINISHED = re.compile(r"\.[0-9a-f]{40}\.[0-9]+\.[0-9]+")

#: seconds after which the time of a file's last use is written down once more, and an unfinished one given up
_HOUR = 3600.0

#: how a JPEG file begins and ends (T.81 table B.1); a crash may leave one without its end
_FIRST, _LAST = b"\xff\xd8", b"\xff\xd9"


@dataclass(slots=True)
class _Kept:
    size: int
    used: float  # Unix seconds, as the file's modification time has it


class StillCache:
    """
    JPEG files by name, for any thread; everything blocks. What the disk does not want to keep is not kept.

    @ivar limit: bytes that the files may take together.
    @ivar size: bytes that they take, as far as is known.
    """

    _log = Logger()

    def __init__(self, folder: str, limit: int) -> None:
        """
        @param folder: made when it is needed first.
        """
        self.limit = limit
        self.size = 0
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] | None = None  # the least recently used first
        self._count = 0
        self._isFailing = False

    def get(self, name: str) -> bytes | None:
        """
        The still of a name, counted as used; None if it is not kept.

        @param name: 40 hexadecimal digits.
        """
        if not self.limit:
            return None
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            self._forget(name)
            return None
        if not data.startswith(_FIRST) or not data.endswith(_LAST):
            self._forget(name)
            with contextlib.suppress(OSError):
                os.unlink(path)
            return None
        self._use(name, path, len(data))
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keeps a still. If that cannot be done the log says so, once until it can again."""
        if len(data) > self.limit:
            return
        try:
            self._write(name, data)
        except OSError as error:
            if not self._isFailing:
                self._isFailing = True
                self._log.warn(
                    "stills are not kept in {folder}: {reason}", folder=self._folder, reason=error.strerror or error
                )
            return
        self._isFailing = False
        with self._lock:
            self._enter(name, _Kept(len(data), time.time()))
            self._shrink()

    def _write(self, name: str, data: bytes) -> None:
        """Under its name there is either all of it or nothing."""
        path = self._path(name)
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with self._lock:
            self._count += 1
            unfinished = os.path.join(folder, f".{name}.{os.getpid()}.{self._count}")
        try:
            with open(unfinished, "xb") as file:
                file.write(data)
            os.replace(unfinished, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(unfinished)
            raise

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name[:2], f"{name}.jpg")

    def _use(self, name: str, path: str, size: int) -> None:
        now = time.time()
        with self._lock:
            known = self._known().get(name)
            isLate = known is None or abs(now - known.used) > _HOUR
            self._enter(name, _Kept(size, now if isLate or known is None else known.used))
        if isLate:
            with contextlib.suppress(OSError):
                os.utime(path)

    def _forget(self, name: str) -> None:
        with self._lock:
            lost = self._known().pop(name, None)
            if lost is not None:
                self.size -= lost.size

    def _enter(self, name: str, kept: _Kept) -> None:
        """With the lock held."""
        known = self._known()
        former = known.pop(name, None)
        self.size += kept.size - (former.size if former is not None else 0)
        known[name] = kept

    def _shrink(self) -> None:
        """With the lock held."""
        known = self._known()
        while self.size > self.limit and known:
            name, kept = known.popitem(last=False)
            self.size -= kept.size
            with contextlib.suppress(OSError):
                os.unlink(self._path(name))

    def _known(self) -> OrderedDict[str, _Kept]:
        """With the lock held. The first time it looks at what an earlier process left."""
        if self._kept is None:
            found = sorted(self._scan(), key=lambda each: each[1].used)
            self._kept = OrderedDict(found)
            self.size = sum(kept.size for kept in self._kept.values())
        return self._kept

    def _scan(self) -> list[tuple[str, _Kept]]:
        found = []
        for entry in _entriesOf(self._folder):
            if len(entry.name) != 2 or not entry.is_dir(follow_symlinks=False):
                continue
            for each in _entriesOf(entry.path):
                with contextlib.suppress(OSError):
                    status = each.stat(follow_symlinks=False)
                    if _NAME.fullmatch(each.name) and each.name[:2] == entry.name:
                        found.append((each.name[:-4], _Kept(status.st_size, status.st_mtime)))
                    elif _UNFINISHED.fullmatch(each.name) and time.time() - status.st_mtime > _HOUR:
                        os.unlink(each.path)
        return found


def _entriesOf(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
