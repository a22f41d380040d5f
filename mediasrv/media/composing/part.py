"""
Parts of a composition: a clip, several clips in turn, several at the same time. Each has a timeline of its own that
starts at 0, and is read by fragments as a presentation is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

from mediasrv.media.fragments import Cut
from mediasrv.media.presentation import Presentation, Section
from mediasrv.media.tracks import Fragment, Track, Unit

#: Whether a stream that begins as one track may go on as another one: the parameters of the latter are told to nobody.
Continues = Callable[[Track, Track], bool]

#: seconds by which rounding may move a time
ROUNDING = 1e-6


class Part(ABC):
    """
    @ivar tracks: video, then audio.
    @ivar duration: seconds.
    @ivar cuts: where its fragments start; the first is at 0.
    @ivar sections: as of L{Presentation.sections}.
    @ivar lead: seconds before 0 at which its first units are: what primes a decoder of sound.
    @ivar tail: seconds after its end for which its last frame of sound goes on: a file is as long as what is to be
        heard of it, and a decoder makes more.
    @ivar early: seconds by which it begins earlier than the description says, for there is a key frame.
    @ivar omitted: a sentence for each thing that is not played.
    """

    tracks: list[Track]
    duration: float
    cuts: list[Cut]
    sections: list[Section]
    lead: float = 0.0
    tail: float = 0.0
    early: float = 0.0
    omitted: list[str]

    @abstractmethod
    def read(self, number: int) -> Fragment:
        """
        Reads a fragment; blocks.

        @raise mediasrv.media.presentation.PresentationChanged: as L{Presentation.read}.
        """

    @abstractmethod
    def sources(self, number: int) -> Sequence[Presentation]:
        """Whose files have a fragment."""

    @abstractmethod
    def shownAt(self, time: float) -> tuple[Presentation, float]:
        """Whose file has what is to be seen at a time (seconds), and at which of its own."""

    @property
    @abstractmethod
    def holds(self) -> bool:
        """Whether it holds media that L{release} gives back."""

    @abstractmethod
    def release(self) -> None:
        """Holds no media any more."""

    @cached_property
    def _starts(self) -> list[float]:
        return [cut.pts for cut in self.cuts]

    def fragmentAt(self, time: float) -> int:
        """The number of the fragment that holds a time (seconds)."""
        return max(0, bisect_right(self._starts, time + ROUNDING) - 1)

    def sectionAt(self, number: int) -> Section:
        """The section that has a fragment."""
        return self.sections[bisect_right(self.sections, number, key=lambda section: section.first) - 1]


def numbered(tracks: Sequence[Track]) -> list[Track]:
    """Tracks with their places in the list as indices."""
    return [replace(track, index=index) for index, track in enumerate(tracks)]


def parametersOf(track: Track) -> Track:
    """A track without what may change from clip to clip of the same encoding."""
    return replace(track, index=0, bitRate=0, frameRate=Fraction(0), language="", title="", timescale=0)


def move(units: Sequence[Unit], seconds: float) -> None:
    """Makes units be later."""
    if seconds:
        for unit in units:
            unit.dts += seconds
            unit.pts += seconds


def moved(cut: Cut, seconds: float) -> Cut:
    """A cut that is later; nothing is known of where it is in a file any more."""
    return Cut(cut.dts + seconds, cut.pts + seconds, cut.key)
