"""
From a description file to its presentation: read, chosen from, its clips looked for and opened one after the other, and
put together once for all who want the same.

What is known is good for as long as the description and all of its clips are what they were; each is looked at
whenever somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mediasrv.media.cache import Cache
from mediasrv.media.composing.composition import Clips, Composition, compose, nameOf
from mediasrv.media.composing.excerpt import Excerpt
from mediasrv.media.composing.part import Continues
from mediasrv.media.descriptions import reading
from mediasrv.media.descriptions.choosing import Chosen, Preferences, choose
from mediasrv.media.descriptions.tree import Clip, Description, DescriptionError, Segments, clipsOf
from mediasrv.media.files import CompositionVersion, FileVersion, NotMedia
from mediasrv.media.presentation import Presentation, PresentationChanged, titleOf
from mediasrv.media.tracks import View

#: bytes of descriptions that are kept, and of what was made of them, clips not counted
_DESCRIPTIONS = 16 << 20
_COMPOSITIONS = 32 << 20

#: what became of looking for a clip: its file, or why there is none
_Found = tuple[str, FileVersion] | str


class Files(Protocol):
    """
    The library, as far as compositions need it.
    """

    def find(self, segments: Segments) -> tuple[str, FileVersion | None]:
        """
        The path of a file and its version, None for a folder; in a reader thread.

        @raise Exception: if there is none that may be seen.
        """

    def openClip(self, path: str, version: FileVersion, view: View) -> Deferred[Presentation]:
        """The presentation that a file is."""

    def used(self, presentation: Presentation) -> None:
        """Notes that a presentation is about to be read."""

    def inReader(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Calls in a thread that reads."""

    def inOpener(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Calls in a thread that may take its time."""


class Compositions:
    """Opens descriptions, and remembers them."""

    _log = Logger()

    def __init__(self, files: Files, continues: Mapping[View, Continues], fragmentDuration: float) -> None:
        self._files = files
        self._continues = continues
        self._fragmentDuration = fragmentDuration
        self._descriptions: Cache[Description] = Cache(_DESCRIPTIONS)
        self._known: Cache[Composition] = Cache(_COMPOSITIONS)

    async def open(
        self, segments: Segments, path: str, version: FileVersion, view: View, preferences: Preferences
    ) -> Presentation:
        """
        The presentation that a description is.

        @param segments: the description's path in the library.
        @raise NotMedia: if nothing of it can be played.
        @raise OSError: if it cannot be read.
        """
        if view == "mp2t":
            raise NotMedia("a description is no transport stream")
        try:
            description = await self._descriptions.get(
                (segments, version), lambda: self._files.inReader(reading.read, path, version, segments[:-1])
            )
            chosen = choose(description.root, preferences)
            clips = list(clipsOf(chosen.root))
            found: list[_Found] = await self._files.inReader(self._findAll, clips)
            clipVersions = tuple(None if isinstance(each, str) else each[1] for each in found)
            ours = CompositionVersion(version, clipVersions, chosen.choice)

            def make() -> Deferred[Composition]:
                making = self._make(path, description, chosen, dict(zip(clips, found, strict=True)), ours, view)
                return Deferred.fromCoroutine(making)

            return await self._known.get((path, segments, view, ours), make)
        except NotMedia as error:
            self._log.info("{path} is not played: {reason}", path=path, reason=error)
            raise

    async def _make(
        self,
        path: str,
        description: Description,
        chosen: Chosen,
        found: Mapping[Clip, _Found],
        version: CompositionVersion,
        view: View,
    ) -> Composition:
        excerpts: dict[Clip, Excerpt] = {}
        missing: dict[Clip, str] = {}
        for clip, file in found.items():
            try:
                excerpts[clip] = await self._excerpt(clip, file, view)
            except (NotMedia, PresentationChanged, OSError) as error:
                missing[clip] = _sentence(clip, error)
        clips = Clips(excerpts, missing)
        part = await self._files.inOpener(compose, chosen.root, clips, self._continues[view], self._fragmentDuration)
        created = next(iter(excerpts.values())).presentation.created
        title = description.title or titleOf(path)
        isChosen = bool(chosen.choice)
        made = Composition(path, title, version, part, view, created, description.omitted, isChosen)
        for sentence in made.omitted:
            self._log.warn("{path}: {sentence}", path=path, sentence=sentence)
        return made

    async def _excerpt(self, clip: Clip, found: _Found, view: View) -> Excerpt:
        if isinstance(found, str):
            raise NotMedia(found)
        presentation = await self._files.openClip(*found, view)
        self._files.used(presentation)
        excerpt: Excerpt = await self._files.inOpener(Excerpt, presentation, clip)
        return excerpt

    def _findAll(self, clips: list[Clip]) -> list[_Found]:
        """In a reader thread."""
        known: dict[Segments, _Found] = {}
        return [self._find(clip, known) for clip in clips]

    def _find(self, clip: Clip, known: dict[Segments, _Found]) -> _Found:
        """The first of the files that a clip may be."""
        sentence = ""
        for segments in clip.paths:
            if segments not in known:
                known[segments] = self._look(segments)
            found = known[segments]
            if not isinstance(found, str):
                return found
            sentence = sentence or found
        return sentence

    def _look(self, segments: Segments) -> _Found:
        try:
            path, version = self._files.find(segments)
        except PermissionError:
            return "may not be read"
        except Exception:
            return "is not there"
        if version is None:
            return "is a folder"
        if reading.isDescription(path):
            return "is a description itself"
        return path, version

    def close(self) -> None:
        """Forgets everything."""
        self._descriptions.clear()
        self._known.clear()


def _sentence(clip: Clip, error: Exception) -> str:
    """Why a clip is not played, with the place where it is named."""
    if isinstance(error, DescriptionError):
        return str(error)
    return f"{nameOf(clip)}: {getattr(error, 'strerror', None) or error}"
