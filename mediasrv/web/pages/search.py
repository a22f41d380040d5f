"""
Search: everything below the mounts whose path has all the words that were asked for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from twisted.web.iweb import IRequest
from twisted.web.server import Request
from twisted.web.template import Element, Tag, renderer

from mediasrv.media.library import Entry, Library, NotFound
from mediasrv.web.context import WebContext
from mediasrv.web.pages.cards import card, paced
from mediasrv.web.pages.frame import Content, template
from mediasrv.web.pages.page import Page, rootOf
from mediasrv.web.pages.wording import counted, isNameable, linked, shown

#: what is found at most, and what is looked at for it: entries, and seconds
_FOUND, _LOOKED_AT, _SECONDS = 500, 100_000, 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """
    @ivar found: folders' segments, and what is in them.
    @ivar isWhole: whether all was looked at.
    """

    found: list[tuple[tuple[str, ...], Entry]]
    isWhole: bool


async def find(library: Library, text: str, seconds: float, reactor: object) -> Finding:
    """
    Looks through the library, a folder at a time, those near the top first.

    @param seconds: after which it gives back what it has.
    """
    words = text.casefold().split()
    found: list[tuple[tuple[str, ...], Entry]] = []
    waiting: deque[tuple[str, ...]] = deque([()])
    seen: set[str] = set()
    looked, started = 0, reactor.seconds()  # type: ignore[attr-defined]
    while waiting and words:
        segments = waiting.popleft()
        try:
            # a symbolic link may lead to a folder above it
            if segments and await _isKnown(library, segments, seen):
                continue
            entries = [entry for entry in await library.listing(segments) if isNameable(entry.name)]
        except (NotFound, OSError):
            continue
        looked += len(entries)
        for entry in entries:
            path = "/".join((*segments, entry.name)).casefold()
            if all(word in path for word in words) and any(word in entry.name.casefold() for word in words):
                found.append((segments, entry))
            if entry.isFolder:
                waiting.append((*segments, entry.name))
        isOver = reactor.seconds() - started > seconds  # type: ignore[attr-defined]
        if len(found) >= _FOUND or looked > _LOOKED_AT or isOver:
            return Finding(found[:_FOUND], False)
    return Finding(found, True)


async def _isKnown(library: Library, segments: tuple[str, ...], seen: set[str]) -> bool:
    path = (await library.locate(segments)).path
    if path in seen:
        return True
    seen.add(path)
    return False


class SearchPage(Page):
    """
    What was found.
    """

    async def content(self, request: Request) -> Content:
        """C{?q=} says what for."""
        query = (request.args or {}).get(b"q", [b""])[0].decode("utf-8", "replace").strip()[:200]
        finding = await find(self.context.library, query, _SECONDS, self.context.reactor)
        root = rootOf(request)
        body = _Found(self.context, query, finding, root)
        title = f"Search: {shown(query)}" if query else "Search"
        return Content(title, body, scripts=["browse.js"], query=query)


class _Found(Element):
    loader = template("search.xml")

    def __init__(self, context: WebContext, query: str, finding: Finding, root: str) -> None:
        super().__init__()
        self._context = context
        self._query = query
        self._finding = finding
        self._root = root

    @renderer
    def search(self, request: IRequest, tag: Tag) -> Tag:
        """All of it."""
        found = len(self._finding.found)
        summary = counted(found, "thing", "things") + " found"
        if not self._finding.isWhole:
            summary += "; there may be more, so try another word"
        return tag.fillSlots(
            query=shown(self._query) if self._query else "Search",
            summary=summary if self._query else "Type a word of a name; several words all have to be in it.",
            api=f"{self._root}-/api/presentation",
        )

    @renderer
    def cards(self, request: IRequest, tag: Tag) -> Tag:
        """One for each that was found."""
        return tag(paced(self._finding.found, self._card, self._context.reactor))

    @renderer
    def nothing(self, request: IRequest, tag: Tag) -> Tag | str:
        """What to do if nothing was."""
        return tag if self._query and not self._finding.found else ""

    def _card(self, found: tuple[tuple[str, ...], Entry]) -> Tag:
        segments, entry = found
        href = self._root + "".join(f"{linked([segment])}/" for segment in segments)
        return card(entry, href, "in " + shown("/".join(segments)) if segments else "")
