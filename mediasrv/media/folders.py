"""
Folders mounted under names: the way from a path to a file, with no way out of the folder.

Everything here blocks, for a folder may be on a disk that sleeps, and belongs into a reader thread.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mediasrv.media.files import FileVersion


class NotFound(Exception):
    """Nothing is there that may be seen under this path."""


@dataclass(frozen=True, slots=True)
class Located:
    """
    What a path names.

    @ivar path: of the file system.
    @ivar version: of a file; None for a folder.
    """

    path: str
    version: FileVersion | None

    @property
    def isFolder(self) -> bool:
        return self.version is None


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What a folder holds.

    @ivar name: the path segment that names it.
    @ivar size: bytes of a file; 0 for a folder.
    @ivar modified: Unix seconds.
    @ivar duration: NPT seconds of a file that was opened for browsers already, and has not changed since.
    """

    name: str
    isFolder: bool
    size: int
    modified: float
    duration: float | None = None


def resolve(root: str, segments: Sequence[str], hidden: bool = False) -> str:
    """
    The file or folder that path segments name inside a folder (SEC-6).

    Symbolic links are followed as long as they stay inside; names that begin with a dot are seen only if C{hidden}.

    @raise NotFound: for everything that is no regular file and no folder in there.
    """
    for segment in segments:
        if segment in ("", ".", "..") or "/" in segment or "\0" in segment or (os.sep != "/" and os.sep in segment):
            raise NotFound("/".join(segments))
        if segment.startswith(".") and not hidden:
            raise NotFound("/".join(segments))
    base = os.path.realpath(root)
    try:
        path = os.path.realpath(os.path.join(base, *segments), strict=True)
        inside = os.path.commonpath((base, path)) == base
        # realpath has followed the links, so this looks at the file itself; opening a FIFO would wait for its writer
        isOrdinary = os.path.isfile(path) or os.path.isdir(path)
    except (OSError, ValueError, UnicodeError):
        raise NotFound("/".join(segments)) from None
    if not inside or not isOrdinary:
        raise NotFound("/".join(segments))
    return path


class Folders:
    """
    @ivar mounts: name (the first path segment) to folder.
    """

    def __init__(
        self, mounts: Mapping[str, str], hidden: bool, durationOf: Callable[[str, FileVersion], float | None]
    ) -> None:
        """
        @param hidden: whether names that begin with a dot are seen.
        @param durationOf: NPT seconds of a file, if they are known.
        """
        self.mounts = mounts
        self._hidden = hidden
        self._durationOf = durationOf

    def locate(self, segments: tuple[str, ...]) -> Located:
        """
        The file or folder that a path names.

        @raise NotFound: if there is none.
        @raise PermissionError: if it may not be read.
        """
        if not segments or segments[0] not in self.mounts:
            raise NotFound("/".join(segments))
        path = resolve(self.mounts[segments[0]], segments[1:], self._hidden)
        if not os.access(path, os.R_OK):
            raise PermissionError(path)
        try:
            return Located(path, None if os.path.isdir(path) else FileVersion.of(path))
        except OSError:
            raise NotFound("/".join(segments)) from None

    def reach(self, segments: tuple[str, ...]) -> tuple[Located | None, int]:
        """
        The longest beginning of a path that names something, and of how many segments that is; (None, 0) if not even a
        mount is named. From the left: a long path costs no more than the folders that it goes through.

        @raise PermissionError: as L{locate}.
        """
        found: tuple[Located | None, int] = None, 0
        for length in range(1, len(segments) + 1):
            try:
                found = self.locate(segments[:length]), length
            except NotFound:
                break
            if found[0] is not None and not found[0].isFolder:
                break
        return found

    def listing(self, segments: tuple[str, ...]) -> list[Entry]:
        """
        What a folder holds and may be seen, and a URL can name, folders first, by name; without segments the mounts.

        @raise NotFound: as L{locate}, and for what is no folder.
        @raise PermissionError: as L{locate}.
        """
        if not segments:
            return [Entry(name, True, 0, _modified(folder)) for name, folder in sorted(self.mounts.items())]
        located = self.locate(segments)
        if not located.isFolder:
            raise NotFound("/".join(segments))
        root = self.mounts[segments[0]]
        entries: list[Entry] = []
        for name in filter(canBeNamed, os.listdir(located.path)):
            with contextlib.suppress(NotFound, OSError):
                # by way of resolve, so that nothing is shown that could not be asked for
                path = resolve(root, (*segments[1:], name), self._hidden)
                status = os.stat(path)
                if stat.S_ISDIR(status.st_mode):
                    entries.append(Entry(name, True, 0, status.st_mtime))
                else:
                    version = FileVersion(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
                    duration = self._durationOf(path, version)
                    entries.append(Entry(name, False, status.st_size, status.st_mtime, duration))
        entries.sort(key=lambda entry: (not entry.isFolder, inOrder(entry.name)))
        return entries


def _modified(folder: str) -> float:
    try:
        return os.stat(folder).st_mtime
    except OSError:
        return 0.0


def canBeNamed(name: str) -> bool:
    """Whether a URL here can have this name: text without control characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not any(ord(character) < 0x20 for character in name)


def inOrder(name: str) -> list[tuple[bool, int, str]]:
    """
    A key that sorts names as people do: case does not count, C{part 2} comes before C{part 10}, and numbers before
    letters.
    """
    parts = re.findall(r"([0-9]*)([^0-9]*)", name)
    return [(not digits, int(digits or 0), text.casefold()) for digits, text in parts]
