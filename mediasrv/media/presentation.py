"""
An on-demand presentation: one file, its tracks, its duration, and its fragments.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from mediasrv.media.containers import Carries, Container, NotMedia
from mediasrv.media.files import FileVersion, openFile
from mediasrv.media.fragments import Cut, FragmentReader, planCuts
from mediasrv.media.tracks import Fragment, Track, View

#: bytes of a file that a second of it takes at least; who states a longer duration lies
LEAST_RATE = 10

#: bytes at the end of a file that tell whether it was appended to or written anew
_TAIL = 4096


class PresentationChanged(Exception):
    """The file is not the one any more that was described; the text says what became of it."""


@dataclass(frozen=True, slots=True)
class Section:
    """
    A part of a presentation whose tracks keep their parameters.

    @ivar first: the number of its first fragment.
    @ivar tracks: as the presentation's, with the parameters that hold here.
    """

    first: int
    tracks: Sequence[Track]


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
    @ivar view: for whom it was opened.
    """

    view: View

    def __init__(self, path: str, carries: Carries, fragmentDuration: float, view: View = "rtp") -> None:
        """
        Opens the file; for containers without an index reads it once.

        @raise mediasrv.media.containers.NotMedia: if nothing in it can be played.
        @raise OSError: if it cannot be opened.
        """
        self.path = path
        self.title = titleOf(path)
        self.view = view
        self._carries = carries
        container = Container(path, carries, view)
        try:
            self.version: FileVersion = container.version
            self._seen = container.version
            self._tail = self._readTail()
            self.tracks: list[Track] = container.tracks
            self.omitted: list[str] = container.omitted
            self.created: float = container.created if container.created is not None else self.version.modified / 1e9
            points, end = container.seekPoints()
            self.duration = max(0.0, min(end, self.version.size / LEAST_RATE))
            self.cuts: list[Cut] = planCuts(points, self.duration, fragmentDuration)
        except BaseException:
            container.close()
            raise
        self._starts = [cut.pts for cut in self.cuts]
        self._lock = threading.Lock()
        self._wanted = True
        self._container: Container | None = container
        self._reader = FragmentReader(container, self.tracks, self.cuts, self.duration)

    @property
    def sections(self) -> list[Section]:
        """Its parts one after the other, each with its own parameters of the same tracks: the one that a file is."""
        return [Section(0, self.tracks)]

    @cached_property
    def randomAccess(self) -> float:
        """Seconds from one point where it can be entered to the next, at most."""
        points = [0.0, *(cut.pts for cut in self.cuts if cut.key), self.duration]
        return max(later - former for former, later in pairwise(points))

    def fragmentAt(self, time: float) -> int:
        """The number of the fragment that holds NPT C{time} (seconds)."""
        return max(0, bisect_right(self._starts, time + 1e-9) - 1)

    def read(self, number: int) -> Fragment:
        """
        Reads a fragment; blocks.

        @raise PresentationChanged: if the file was replaced, truncated or removed.
        """
        self._wanted = True
        try:
            with self._lock:
                return self._read(number)
        finally:
            # close() leaves it to who reads
            if not self._wanted:
                self.close()

    def _read(self, number: int) -> Fragment:
        try:
            self._verify()
            if self._container is None:
                self._open()
            return self._reader.read(number)
        except (OSError, NotMedia) as error:
            # FFmpeg's errors are of this class too
            self._release()
            raise PresentationChanged(f"{self.path}: {getattr(error, 'strerror', None) or error}") from None

    def _open(self) -> None:
        container = Container(self.path, self._carries, self.view)
        if not container.version.isSameFile(self.version) or _essence(container.tracks) != _essence(self.tracks):
            container.close()
            raise PresentationChanged(f"{self.path} has other tracks now")
        self._container = container
        self._reader = FragmentReader(container, self.tracks, self.cuts, self.duration)

    def _verify(self) -> None:
        now = FileVersion.of(self.path)
        if now == self._seen:
            return
        if not now.isSameFile(self.version):
            raise PresentationChanged(f"{self.path} was replaced")
        if now.size < self.version.size:
            raise PresentationChanged(f"{self.path} was truncated")
        # One that grows, because somebody still writes it, plays on.
        if self._readTail() != self._tail:
            raise PresentationChanged(f"{self.path} was written anew")
        self._seen = now

    def _readTail(self) -> bytes:
        """What stands where the file ended when it was opened."""
        with open(openFile(self.path), "rb") as file:
            file.seek(max(0, self.version.size - _TAIL))
            return file.read(min(_TAIL, self.version.size))

    @property
    def isOpen(self) -> bool:
        """Whether it holds a file descriptor."""
        return self._container is not None

    def close(self) -> None:
        """
        Gives the file descriptor back, at once or when the fragment that is being read is there. The next read opens
        the file again.
        """
        self._wanted = False
        # who reads looks at _wanted afterwards; waiting for them would hold a reader thread
        if self._lock.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._lock.release()

    def _release(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.close()


def titleOf(path: str) -> str:
    """A file's name without its ending, as text that can be shown: a name may hold any bytes."""
    name = os.fsencode(os.path.splitext(os.path.basename(path))[0]).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in name)


def _essence(tracks: list[Track]) -> list[Track]:
    """The tracks without what FFmpeg estimates, which changes while a file grows."""
    return [replace(track, bitRate=0, frameRate=Fraction(0)) for track in tracks]
