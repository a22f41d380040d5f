"""
The page of a folder: what is in it, as cards.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.threads import deferToThreadPool
from twisted.web.iweb import IRequest
from twisted.web.server import Request
from twisted.web.template import Element, Flattenable, Tag, renderer, tags

from mediasrv.media.library import Entry
from mediasrv.web.context import WebContext
from mediasrv.web.kinds import isMedia
from mediasrv.web.pages.cards import card, paced
from mediasrv.web.pages.frame import Content, template
from mediasrv.web.pages.page import Page, rootOf
from mediasrv.web.pages.wording import clock, counted, linked, shown

#: cards from which on a list is long
_LONG = 200


class BrowsePage(Page):
    """
    A folder, or the top, which has the mounts.
    """

    def __init__(self, context: WebContext, segments: Sequence[str]) -> None:
        super().__init__(context)
        self._segments = tuple(segments)

    async def content(self, request: Request) -> Content:
        """Folders first, then files by name; the script can sort them otherwise."""
        entries = await self.context.library.listing(self._segments)
        title = shown(self._segments[-1]) if self._segments else "Library"
        api = f"{rootOf(request)}-/api/presentation"
        # to look at thousands of names takes longer than others may wait for the reactor
        body = await deferToThreadPool(
            self.context.reactor, self.context.readers, _Folder, title, entries, api, self._segments, self.context
        )
        return Content(title, body, self._segments, scripts=["browse.js"])


class _Folder(Element):
    loader = template("browse.xml")

    def __init__(
        self, title: str, entries: list[Entry], api: str, segments: tuple[str, ...], context: WebContext
    ) -> None:
        super().__init__()
        self._title = title
        self._count = len(entries)
        self._summary = _summaryOf(entries)
        self._hasMedia = any(isMedia(entry.name) for entry in entries if not entry.isFolder)
        self._cards = [entry for entry in entries if entry.isFolder or isMedia(entry.name)]
        self._files = [entry for entry in entries if not (entry.isFolder or isMedia(entry.name))]
        self._api = api
        self._segments = segments
        self._context = context

    @renderer
    def folder(self, request: IRequest, tag: Tag) -> Tag:
        """All of it."""
        return tag.fillSlots(title=self._title, api=self._api)

    @renderer
    def summary(self, request: IRequest, tag: Tag) -> Tag:
        """How much there is."""
        return tag(self._summary)

    @renderer
    def tools(self, request: IRequest, tag: Tag) -> Tag | str:
        """Filter and order, which are worth something from a handful of files on."""
        return tag if self._count > 1 else ""

    @renderer
    def wholes(self, request: IRequest, tag: Tag) -> Tag | str:
        """The folder as one playlist, if there is something to play."""
        if not self._segments or not self._hasMedia:
            return ""
        return tag(href=f"../{linked(self._segments[-1:])}.m3u")

    @renderer
    def cards(self, request: IRequest, tag: Tag) -> Tag | str:
        """Folders and media."""
        if not self._count:
            return _empty(self._segments)
        if not self._cards:
            return ""
        # of many, browsers lay out what is seen, which lets the others move a little when they are
        kind = "cards long" if len(self._cards) > _LONG else "cards"
        return tag(self._paced(self._cards), class_=kind)

    @renderer
    def files(self, request: IRequest, tag: Tag) -> Tag | str:
        """What is no media, in lines."""
        return tag(self._paced(self._files)) if self._files else ""

    def _paced(self, entries: list[Entry]) -> Flattenable:
        return paced(entries, lambda entry: card(entry, ""), self._context.reactor)


def _summaryOf(entries: Sequence[Entry]) -> str:
    """How much there is in a folder; how long it plays, if that is known of all."""
    folders = sum(entry.isFolder for entry in entries)
    files = len(entries) - folders
    parts = [counted(folders, "folder", "folders")] if folders else []
    parts += [counted(files, "file", "files")] if files else []
    known = [entry.duration for entry in entries if entry.duration is not None]
    if files and len(known) == sum(isMedia(entry.name) for entry in entries if not entry.isFolder):
        parts += [clock(sum(known))] if known else []
    return " · ".join(parts)


def _empty(segments: tuple[str, ...]) -> Tag:
    if segments:
        return tags.div(
            tags.p("This folder is empty."),
            tags.p("What is put into it is here when the page is loaded again.", class_="quiet"),
            class_="nothing",
        )
    return tags.div(
        tags.p("Nothing is served yet."),
        tags.p("Start the server with ", tags.code("--media movies=/path/to/films"), ".", class_="quiet"),
        class_="nothing",
    )
