"""
Search: everything below the mounts whose path has all the words that were asked for.
"""

from __future__ import annotations

from twisted.internet.threads import deferToThreadPool
from twisted.web.iweb import IRequest
from twisted.web.server import Request
from twisted.web.template import Element, Tag, renderer

from mediasrv.media.searching import Finding, Found, Search, TooManySearches
from mediasrv.web.context import WebContext
from mediasrv.web.kinds import isMedia
from mediasrv.web.pages.cards import card, paced
from mediasrv.web.pages.frame import Content, template
from mediasrv.web.pages.page import Page, rootOf
from mediasrv.web.pages.wording import counted, linked, shown
from mediasrv.web.refusals import Refusal

#: what is shown at most
_FOUND = 500


class SearchPage(Page):
    """
    What was found.
    """

    def __init__(self, context: WebContext, search: Search) -> None:
        super().__init__(context)
        self._search = search

    async def content(self, request: Request) -> Content:
        """C{?q=} says what for."""
        query = (request.args or {}).get(b"q", [b""])[0].decode("utf-8", "replace").strip()[:200]
        finding = Finding(isComplete=True)
        if query:
            try:
                finding = await self._search.find((), query, _FOUND)
            except TooManySearches:
                raise Refusal(503, "Too many are searching. Try again in a moment.", {"Retry-After": "5"}) from None
        root = rootOf(request)
        # to look at hundreds of names takes longer than others may wait for the reactor
        body = await deferToThreadPool(
            self.context.reactor, self.context.readers, _Found, self.context, query, finding, root
        )
        title = f"Search: {shown(query)}" if query else "Search"
        return Content(title, body, scripts=["browse.js"], query=query)


class _Found(Element):
    loader = template("search.xml")

    def __init__(self, context: WebContext, query: str, finding: Finding, root: str) -> None:
        super().__init__()
        self._context = context
        self._query = query
        self._finding = finding
        self._cards = [each for each in finding.found if _isCard(each)]
        self._files = [each for each in finding.found if not _isCard(each)]
        self._root = root

    @renderer
    def search(self, request: IRequest, tag: Tag) -> Tag:
        """All of it."""
        found = len(self._finding.found)
        summary = counted(found, "thing", "things") + " found"
        if not self._finding.isComplete:
            summary += "; there may be more, so try another word"
        return tag.fillSlots(
            query=shown(self._query) if self._query else "Search",
            summary=summary if self._query else "Type a word of a name; several words all have to be in it.",
            api=f"{self._root}-/api/presentation",
        )

    @renderer
    def cards(self, request: IRequest, tag: Tag) -> Tag:
        """One for each that was found."""
        return tag(paced(self._cards, self._card, self._context.reactor))

    @renderer
    def files(self, request: IRequest, tag: Tag) -> Tag | str:
        """What is no media, in lines."""
        return tag(paced(self._files, self._card, self._context.reactor)) if self._files else ""

    @renderer
    def nothing(self, request: IRequest, tag: Tag) -> Tag | str:
        """What to do if nothing was."""
        return tag if self._query and not self._finding.found else ""

    def _card(self, found: Found) -> Tag:
        segments, entry = found.folder, found.entry
        href = self._root + "".join(f"{linked([segment])}/" for segment in segments)
        return card(entry, href, "in " + shown("/".join(segments)) if segments else "")


def _isCard(found: Found) -> bool:
    return found.entry.isFolder or isMedia(found.entry.name)
