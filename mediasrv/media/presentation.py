"""
On-demand presentations: what everybody who plays them knows, and the ordinary one, which is a file.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from mediasrv.media.containers import Carries, Container, NotMedia
from mediasrv.media.files import FileVersion, Version, openFile
from mediasrv.media.fragments import Cut, FragmentReader, planCuts
from mediasrv.media.subtitles import TextStreams
from mediasrv.media.tracks import Fragment, Track, View

#: bytes of a file that a second of it takes at least; who states a longer duration lies
LEAST_RATE = 10

#: seconds by which a time that was told to somebody with six decimals may be early when it comes back
_ROUNDING = 1e-6

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
    @ivar silent: the indices of those of which there is nothing here.
    """

    first: int
    tracks: Sequence[Track]
    silent: frozenset[int] = frozenset()

    @property
    def reference(self) -> int:
        """The index of the track that says where playing can start: the first one of which there is something."""
        return next((track.index for track in self.tracks if track.index not in self.silent), 0)


class Presentation(ABC):
    """
    One version of something that can be played. Made and read in reader threads only; everything else about it never
    changes.

    @ivar path: the file that it is, or that describes it.
    @ivar title: what to call it.
    @ivar tracks: in the order of the SDP: video, then audio.
    @ivar omitted: a sentence for each thing that is not played though it is there.
    @ivar duration: NPT seconds of the end.
    @ivar created: Unix seconds that NPT 0 stands for.
    @ivar cuts: where its fragments start.
    @ivar view: for whom it was opened.
    @ivar texts: the text tracks in the file; None if nobody has looked.
    @ivar isChosen: whether others get something else under the same path, by what they prefer.
    """

    view: View
    isChosen: bool = False
    texts: TextStreams | None = None
    path: str
    title: str
    version: Version
    tracks: list[Track]
    omitted: list[str]
    duration: float
    created: float
    cuts: list[Cut]

    @property
    def sections(self) -> list[Section]:
        """Its parts one after the other, each with its own parameters of the same tracks: the one that a file is."""
        return [Section(0, self.tracks)]

    def sectionAt(self, number: int) -> Section:
        """The section that has a fragment."""
        sections = self.sections
        return sections[bisect_right(sections, number, key=lambda section: section.first) - 1]

    @cached_property
    def randomAccess(self) -> float:
        """Seconds from one point where it can be entered to the next, at most."""
        points = [0.0, *(cut.pts for cut in self.cuts if cut.key), self.duration]
        return max(later - former for former, later in pairwise(points))

    @cached_property
    def _starts(self) -> list[float]:
        return [cut.pts for cut in self.cuts]

    def fragmentAt(self, time: float) -> int:
        """The number of the fragment that holds NPT C{time} (seconds)."""
        return max(0, bisect_right(self._starts, time + _ROUNDING) - 1)

    @abstractmethod
    def read(self, number: int) -> Fragment:
        """
        Reads a fragment; blocks. Its units are the caller's to change.

        @raise PresentationChanged: if a file was replaced, truncated or removed.
        """

    def shownAt(self, time: float) -> tuple[Presentation, float]:
        """The one whose file has what is to be seen at NPT C{time} (seconds), and when in there. Reads nothing."""
        return self, time

    @property
    def files(self) -> Sequence[Presentation]:
        """Other presentations whose files were read for this one a moment ago, the last one first."""
        return ()

    @property
    @abstractmethod
    def isOpen(self) -> bool:
        """Whether it holds something that L{close} gives back."""

    @abstractmethod
    def close(self) -> None:
        """
        Gives back what it holds, at once or when the fragment that is being read is there. The next read takes it
        again.
        """


class FilePresentation(Presentation):
    """
    One version of one file.

    @ivar created: what the file says of its making, else its modification.
    """

    version: FileVersion

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
            self.version = container.version
            self._seen = container.version
            self._tail = self._readTail()
            self.tracks = container.tracks
            self.omitted = container.omitted
            self.texts = container.texts
            self.created = container.created if container.created is not None else self.version.modified / 1e9
            points, end = container.seekPoints()
            self.duration = max(0.0, min(end, self.version.size / LEAST_RATE))
            self._breaks = container.reader.breaks
            self.cuts = planCuts(points, self.duration, fragmentDuration)
        except BaseException:
            container.close()
            raise
        self._lock = threading.Lock()
        self._wanted = True
        self._container: Container | None = None
        self._adopt(container)

    def _adopt(self, container: Container) -> FragmentReader:
        self._container = container
        self._reader: FragmentReader | None = FragmentReader(container.reader, self.tracks, self.cuts, self.duration)
        return self._reader

    def read(self, number: int) -> Fragment:
        """As L{Presentation.read}."""
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
            return (self._reader or self._open()).read(number)
        except (OSError, NotMedia) as error:
            # FFmpeg's errors are of this class too
            self._release()
            raise PresentationChanged(f"{self.path}: {getattr(error, 'strerror', None) or error}") from None

    def _open(self) -> FragmentReader:
        container = Container(self.path, self._carries, self.view)
        if not container.version.isSameFile(self.version) or _essence(container.tracks) != _essence(self.tracks):
            container.close()
            raise PresentationChanged(f"{self.path} has other tracks now")
        container.reader.breaks = self._breaks
        return self._adopt(container)

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
        """As L{Presentation.close}: gives the file descriptor back."""
        self._wanted = False
        # who reads looks at _wanted afterwards; waiting for them would hold a reader thread
        if self._lock.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._lock.release()

    def _release(self) -> None:
        # a decoder is gone, with its threads, once nobody knows it any more
        container, self._container, self._reader = self._container, None, None
        if container is not None:
            container.close()


def titleOf(path: str) -> str:
    """A file's name without its ending, as text that can be shown: a name may hold any bytes."""
    name = os.fsencode(os.path.splitext(os.path.basename(path))[0]).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in name)


def _essence(tracks: list[Track]) -> list[Track]:
    """The tracks without what FFmpeg estimates, which changes while a file grows."""
    return [replace(track, bitRate=0, frameRate=Fraction(0)) for track in tracks]
