"""
From a description file to its presentation: read, chosen from, its clips looked for and opened one after the other, and
put together once for all who want the same.

What is known is good for as long as the description and all of its clips are what they were; each is looked at
whenever somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mediasrv.media.cache import Cache
from mediasrv.media.composing.composition import Clips, Composition, compose, nameOf
from mediasrv.media.composing.excerpt import Excerpt
from mediasrv.media.composing.part import Continues
from mediasrv.media.descriptions import reading
from mediasrv.media.descriptions.choosing import Chosen, Preferences, choose
from mediasrv.media.descriptions.tree import Clip, Description, DescriptionError, Segments, clipsOf
from mediasrv.media.files import CompositionVersion, FileVersion, NotMedia
from mediasrv.media.folders import Folders, NotFound
from mediasrv.media.presentation import Presentation, PresentationChanged, titleOf
from mediasrv.media.remarks import Remarks
from mediasrv.media.tracks import View

#: bytes of descriptions that are kept, and of what was made of them, clips not counted
_DESCRIPTIONS = 16 << 20
_COMPOSITIONS = 32 << 20

#: what became of looking for a clip: its file, or why there is none
_Found = tuple[str, FileVersion] | str


class Compositions:
    """Opens descriptions, and remembers them."""

    def __init__(
        self,
        folders: Folders,
        openClip: Callable[[str, FileVersion, View], Deferred[Presentation]],
        used: Callable[[Presentation], None],
        reactor: IReactorFromThreads,
        readers: ThreadPool,
        openers: ThreadPool,
        continues: Mapping[View, Continues],
        fragmentDuration: float,
        remarks: Remarks,
    ) -> None:
        """
        @param openClip: gives the presentation that a file is.
        @param used: is told of each that is about to be read.
        @param openers: threads that may take their time.
        """
        self._folders = folders
        self._openClip = openClip
        self._used = used
        self._reactor = reactor
        self._readers = readers
        self._openers = openers
        self._continues = continues
        self._fragmentDuration = fragmentDuration
        self._remarks = remarks
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
                (segments, version), lambda: self._inThread(self._readers, reading.read, path, version, segments[:-1])
            )
            chosen = choose(description.root, preferences)
            clips = list(clipsOf(chosen.root))
            found: list[_Found] = await self._inThread(self._readers, self._findAll, clips)
            clipVersions = tuple(None if isinstance(each, str) else each[1] for each in found)
            ours = CompositionVersion(version, clipVersions, chosen.choice)

            def make() -> Deferred[Composition]:
                making = self._make(path, description, chosen, dict(zip(clips, found, strict=True)), ours, view)
                return Deferred.fromCoroutine(making)

            return await self._known.get((path, segments, view, ours), make)
        except NotMedia as error:
            self._remarks.notPlayed(path, version, str(error))
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
            except (NotMedia, NotFound, PresentationChanged, OSError) as error:
                missing[clip] = _sentence(clip, error)
        clips = Clips(excerpts, missing)
        continues, duration = self._continues[view], self._fragmentDuration
        part = await self._inThread(self._openers, compose, chosen.root, clips, continues, duration)
        created = next(iter(excerpts.values())).presentation.created
        title = description.title or titleOf(path)
        isChosen = bool(chosen.choice)
        made = Composition(path, title, version, part, view, created, description.omitted, isChosen)
        for sentence in made.omitted:
            self._remarks.omitted(path, version.own, sentence)
        return made

    async def _excerpt(self, clip: Clip, found: _Found, view: View) -> Excerpt:
        if isinstance(found, str):
            raise NotMedia(found)
        presentation = await self._openClip(*found, view)
        self._used(presentation)
        excerpt: Excerpt = await self._inThread(self._openers, Excerpt, presentation, clip)
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
            found = self._folders.locate(segments)
        except PermissionError:
            return "may not be read"
        except NotFound:
            return "is not there"
        if found.version is None:
            return "is a folder"
        if reading.isDescription(found.path):
            return "is a description itself"
        return found.path, found.version

    def _inThread(self, pool: ThreadPool, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, pool, function, *arguments)

    def close(self) -> None:
        """Forgets everything."""
        self._descriptions.clear()
        self._known.clear()


def _sentence(clip: Clip, error: Exception) -> str:
    """Why a clip is not played, with the place where it is named."""
    if isinstance(error, DescriptionError):
        return str(error)
    return f"{nameOf(clip)}: {getattr(error, 'strerror', None) or error}"
