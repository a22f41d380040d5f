"""
What a description says, whatever the language it is written in: clips, one after the other or together, and the choice
between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from mediasrv.media.files import NotMedia
from mediasrv.media.tracks import Kind

#: clips of a description at most, and how deep they may be inside of each other
MOST_CLIPS = 1000
DEEPEST = 16

#: characters of what a message quotes
_QUOTED = 80

#: A path in the library: the mount's name first.
Segments = tuple[str, ...]


class DescriptionError(NotMedia):
    """A description that cannot be played; the text says what is wrong with it, and where."""


@dataclass(frozen=True, slots=True)
class Clip:
    """
    A file, or a part of it.

    @ivar paths: where it may be; the first that is there counts.
    @ivar place: where in the description it stands, for people.
    @ivar begin: seconds of its own timeline where it begins.
    @ivar end: seconds of its own timeline where it ends; None for its end.
    @ivar only: the kind of tracks that are wanted of it; None for all.
    @ivar language: of its sound, BCP 47; C{""} for what the file says.
    @ivar title: of its tracks; C{""} for what the file says.
    """

    paths: tuple[Segments, ...]
    place: str
    begin: float = 0.0
    end: float | None = None
    only: Kind | None = None
    language: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Seq:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Par:
    """Together, from the same moment on; as long as the longest."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """
    One of several things to choose from.

    @ivar languages: that it is for, BCP 47; none at all if that is no matter.
    @ivar bitRate: bits per second that it takes; 0 if that is no matter.
    """

    node: Node
    languages: tuple[str, ...] = ()
    bitRate: int = 0


@dataclass(frozen=True, slots=True)
class Switch:
    """One of its alternatives, of which there is one at least."""

    alternatives: tuple[Alternative, ...]


Node = Clip | Seq | Par | Switch


@dataclass(frozen=True, slots=True)
class Description:
    """
    @ivar title: of the whole; C{""} if it does not say.
    @ivar omitted: a sentence for each thing in it that is not played.
    """

    root: Node
    title: str = ""
    omitted: tuple[str, ...] = field(default=())

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return 1000 + 1000 * sum(1 for _ in clipsOf(self.root))


def clipsOf(node: Node) -> Iterator[Clip]:
    """All clips, in their order."""
    if isinstance(node, Clip):
        yield node
    elif isinstance(node, Switch):
        for alternative in node.alternatives:
            yield from clipsOf(alternative.node)
    else:
        for item in node.items:
            yield from clipsOf(item)


def excerpt(clip: Clip, begin: float | None, end: float | None) -> Clip:
    """
    A part of a clip.

    @param begin: seconds; None for its beginning.
    @param end: seconds; None for its end.
    @raise DescriptionError: if there is nothing in between.
    """
    if end is not None and end <= (begin or 0.0):
        raise DescriptionError(f"{clip.place}: it ends before it begins")
    return replace(clip, begin=begin or 0.0, end=end)


def quoted(text: object) -> str:
    """A piece of a description as a message may show it."""
    shown = "".join(character if character.isprintable() else "?" for character in str(text)[:_QUOTED])
    return f"{shown}…" if len(str(text)) > _QUOTED else shown


class Room:
    """What a description may still have."""

    def __init__(self) -> None:
        self._clips = MOST_CLIPS

    def takeClip(self) -> None:
        """
        @raise DescriptionError: if there are too many.
        """
        self._clips -= 1
        if self._clips < 0:
            raise DescriptionError(f"it has more than {MOST_CLIPS} clips")

    @staticmethod
    def checkDepth(depth: int) -> None:
        """
        @raise DescriptionError: if something is too deep inside of other things.
        """
        if depth > DEEPEST:
            raise DescriptionError(f"it is nested more than {DEEPEST} deep")
