"""
An on-demand presentation: one file, its tracks, its duration, and its fragments.
"""

from __future__ import annotations

import os
import stat
import threading
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from mediasrv.media.containers import Container
from mediasrv.media.fragments import Cut, FragmentReader, planCuts
from mediasrv.media.tracks import Fragment, Track


class PresentationChanged(Exception):
    """The file is not the one any more that was described; the text says what became of it."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What tells one content of a path from another."""

    device: int
    inode: int
    size: int
    modified: int  # nanoseconds since 1970

    @classmethod
    def of(cls, path: str) -> FileVersion:
        """
        @raise OSError: if the path names nothing that can be looked at.
        """
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(f"{path} is no file")
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    @property
    def etag(self) -> str:
        """An opaque name of this version, for C{a=etag} and HTTP."""
        return f"{self.inode:x}-{self.size:x}-{self.modified:x}"


class Presentation:
    """
    One version of one file. Made and read in reader threads only; everything else about it never changes.

    @ivar path: the file.
    @ivar title: what to call it.
    @ivar tracks: in the order of the SDP: video, then audio.
    @ivar omitted: a sentence for each stream of the file that is not among the tracks.
    @ivar duration: NPT seconds of the end.
    @ivar created: Unix seconds that NPT 0 stands for: what the file says of its making, else its modification.
    @ivar cuts: where its fragments start.
    """

    def __init__(
        self, path: str, version: FileVersion, carries: Callable[[Track], bool], fragmentDuration: float
    ) -> None:
        """
        Opens the file; for containers without an index reads it once.

        @raise mediasrv.media.containers.NotMedia: if nothing in it can be played.
        """
        self.path = path
        self.title = os.path.splitext(os.path.basename(path))[0]
        self.version = version
        self._carries = carries
        container = Container(path, carries)
        self.tracks: list[Track] = container.tracks
        self.omitted: list[str] = container.omitted
        self.created: float = container.created if container.created is not None else version.modified / 1e9
        points, self.duration = container.seekPoints()
        self.cuts: list[Cut] = planCuts(points, self.duration, fragmentDuration)
        self._starts = [cut.pts for cut in self.cuts]
        self._lock = threading.Lock()
        self._container: Container | None = container
        self._reader = FragmentReader(container, self.tracks, self.cuts, self.duration)

    def fragmentAt(self, time: float) -> int:
        """The number of the fragment that holds NPT C{time} (seconds)."""
        return max(0, bisect_right(self._starts, time + 1e-9) - 1)

    def read(self, number: int) -> Fragment:
        """
        Reads a fragment; blocks.

        @raise PresentationChanged: if the file was replaced, truncated or removed.
        """
        with self._lock:
            self._verify()
            if self._container is None:
                self._container = Container(self.path, self._carries)
                if self._container.tracks != self.tracks:
                    raise PresentationChanged(f"{self.path} has other tracks now")
                self._reader = FragmentReader(self._container, self.tracks, self.cuts, self.duration)
            return self._reader.read(number)

    def _verify(self) -> None:
        try:
            now = FileVersion.of(self.path)
        except OSError as error:
            raise PresentationChanged(f"{self.path}: {error.strerror or error}") from None
        if (now.device, now.inode) != (self.version.device, self.version.inode):
            raise PresentationChanged(f"{self.path} was replaced")
        # One that grows, because somebody still writes it, plays on.
        if now.size < self.version.size:
            raise PresentationChanged(f"{self.path} was truncated")

    @property
    def isOpen(self) -> bool:
        """Whether it holds a file descriptor."""
        return self._container is not None

    def close(self) -> None:
        """Gives the file descriptor back; the next read opens the file again. Blocks while a fragment is read."""
        with self._lock:
            container, self._container = self._container, None
            if container is not None:
                container.close()
