"""
The presentation that a description is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mediasrv.media.composing.excerpt import Excerpt
from mediasrv.media.composing.parallel import Parallel
from mediasrv.media.composing.part import Continues, Part
from mediasrv.media.composing.sequence import Sequence as PartSequence
from mediasrv.media.descriptions.tree import Clip, DescriptionError, Node, Par, Seq, Switch, clipsOf, quoted
from mediasrv.media.files import CompositionVersion
from mediasrv.media.presentation import Presentation, PresentationChanged, Section
from mediasrv.media.tracks import Fragment, View

#: sentences that are kept of what is not played
_MOST_OMITTED = 50

#: presentations whose files count as being read
_RECENT = 4


class Composition(Presentation):
    """
    One version of a description, as somebody has chosen to see it, with one version of each of its clips.
    """

    def __init__(
        self,
        path: str,
        title: str,
        version: CompositionVersion,
        part: Part,
        view: View,
        created: float,
        omitted: Sequence[str],
        isChosen: bool,
    ) -> None:
        self.path = path
        self.title = title
        self.version = version
        self.view = view
        self.created = created
        self.isChosen = isChosen
        self.tracks = part.tracks
        self.duration = part.duration
        self.cuts = part.cuts
        self.omitted = [*omitted, *part.omitted][:_MOST_OMITTED]
        self._part = part
        self._recent: tuple[Presentation, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of memory, about, without its clips."""
        return 2000 + 200 * len(self.cuts) + (500 + 500 * len(self.tracks)) * len(self.sections)

    @property
    def sections(self) -> list[Section]:
        """One for each clip of a sequence."""
        return self._part.sections

    def read(self, number: int) -> Fragment:
        sources = self._part.sources(number)
        self._recent = tuple(dict.fromkeys((*sources, *self._recent)))[: max(_RECENT, len(sources))]
        return self._part.read(number)

    def shownAt(self, time: float) -> tuple[Presentation, float]:
        return self._part.shownAt(time)

    @property
    def files(self) -> Sequence[Presentation]:
        return self._recent

    @property
    def isOpen(self) -> bool:
        """It holds no descriptor, its clips do; but media that were read ahead."""
        return self._part.holds

    def close(self) -> None:
        self._part.release()


class Clips(NamedTuple):
    """
    What became of the clips of a description.

    @ivar found: those that can be played.
    @ivar missing: a sentence for each of the others, that says why not.
    """

    found: Mapping[Clip, Excerpt]
    missing: Mapping[Clip, str]


def compose(root: Node, clips: Clips, continues: Continues, fragmentDuration: float) -> Part:
    """
    Puts clips together as a description says; may read where some begin, and block.

    @param root: without any switch.
    @raise DescriptionError: if nothing of it can be played.
    """
    part = _Composer(clips, continues, fragmentDuration).part(root)
    if isinstance(part, str):
        raise DescriptionError(part)
    return part


class _Composer:
    def __init__(self, clips: Clips, continues: Continues, fragmentDuration: float) -> None:
        self._clips = clips
        self._continues = continues
        self._fragmentDuration = fragmentDuration

    def part(self, node: Node, earlier: float = 0.0) -> Part | str:
        """
        What a node is, or a sentence that says why it is nothing.

        @param earlier: seconds by which it is to begin earlier, if it can.
        """
        try:
            if isinstance(node, Clip):
                return self._clip(node, earlier)
            if isinstance(node, Seq):
                return self._sequence(node, earlier)
            assert isinstance(node, Par)
            return self._parallel(node, earlier)
        except DescriptionError as error:
            return str(error)

    def _clip(self, clip: Clip, earlier: float) -> Part:
        excerpt = self._clips.found.get(clip)
        if excerpt is None:
            raise DescriptionError(self._clips.missing[clip])
        if not earlier or excerpt.tracks[0].kind == "video":
            return excerpt
        try:
            return Excerpt(excerpt.presentation, clip, earlier)
        except PresentationChanged as error:
            raise DescriptionError(f"{nameOf(clip)}: {error}") from None
        finally:
            # nobody counts what is opened here
            excerpt.presentation.close()

    def _sequence(self, node: Seq, earlier: float) -> Part:
        parts: list[Part] = []
        names: list[str] = []
        missing: list[str] = []
        for item in node.items:
            part = self.part(item, 0.0 if parts else earlier)
            if isinstance(part, str):
                missing.append(part)
            else:
                parts.append(part)
                names.append(nameOf(item))
        return self._told(PartSequence(parts, names, self._continues), missing) if parts else self._nothing(missing)

    def _parallel(self, node: Par, earlier: float) -> Part:
        made = [self.part(item, earlier) for item in node.items]
        # those with pictures may begin early, at a key frame; the sound of the others comes along
        early = max((part.early for part in made if isinstance(part, Part)), default=0.0)
        for at, part in enumerate(made):
            if isinstance(part, Part) and part.early < early and part.tracks[0].kind != "video":
                made[at] = self.part(node.items[at], early)
        missing = [part for part in made if isinstance(part, str)]
        pairs = [(part, nameOf(item)) for part, item in zip(made, node.items, strict=True) if isinstance(part, Part)]
        if not pairs:
            return self._nothing(missing)
        parts, names = zip(*pairs, strict=True)
        return self._told(Parallel(parts, names, self._fragmentDuration), missing)

    @staticmethod
    def _told(part: Part, missing: Sequence[str]) -> Part:
        part.omitted[:0] = missing[:_MOST_OMITTED]
        return part

    @staticmethod
    def _nothing(missing: Sequence[str]) -> Part:
        more = f"; and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise DescriptionError("; ".join(missing[:3]) + more)


def nameOf(node: Node) -> str:
    """What messages call a part: the place and the name of its first clip."""
    if isinstance(node, Switch):
        return nameOf(node.alternatives[0].node)
    clip = next(clipsOf(node))
    return f"{clip.place}: {quoted('/'.join(clip.paths[0]))}"
