"""
The page of the sessions: who watches what. The script fills it and keeps it up to date by server-sent events.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.web.iweb import IRequest
from twisted.web.server import Request
from twisted.web.template import Element, Tag, renderer, tags

from mediasrv.sessions import Session
from mediasrv.web.access import Access
from mediasrv.web.context import WebContext
from mediasrv.web.pages.cards import paced
from mediasrv.web.pages.frame import Content, template
from mediasrv.web.pages.page import Page, rootOf
from mediasrv.web.pages.wording import clock, moment, shown, size

#: rows that are made on the server; the script shows all
_ROWS = 200


class SessionsPage(Page):
    """
    All sessions, of every protocol, for administrators.
    """

    def __init__(self, context: WebContext, access: Access) -> None:
        super().__init__(context)
        self._access = access

    async def content(self, request: Request) -> Content:
        """What there is at this moment, for who has no script."""
        self._access.check(request)
        sessions = list(self.context.registry)
        return Content("Sessions", _Sessions(self.context, sessions, rootOf(request)), scripts=["sessions.js"])


class _Sessions(Element):
    loader = template("sessions.xml")

    def __init__(self, context: WebContext, sessions: Sequence[Session], root: str) -> None:
        super().__init__()
        self._context = context
        self._sessions = sessions
        self._root = root

    @renderer
    def sessions(self, request: IRequest, tag: Tag) -> Tag:
        """All of it."""
        return tag.fillSlots(api=f"{self._root}-/api/sessions", root=self._root, count=str(len(self._sessions)))

    @renderer
    def rows(self, request: IRequest, tag: Tag) -> Tag:
        """One for each session."""
        return tag(paced(self._sessions[:_ROWS], _row, self._context.reactor))

    @renderer
    def nobody(self, request: IRequest, tag: Tag) -> Tag:
        """What stands there if there is none."""
        return tag(hidden="") if self._sessions else tag


def _row(session: Session) -> Tag:
    path = session.path.strip("/")
    return tags.tr(
        tags.td(tags.span(session.state, class_=f"state {session.state}")),
        tags.td(shown(session.title or path), tags.span(", ".join(session.tracks), class_="detail")),
        tags.td(session.peer, tags.span(session.transport, class_="detail")),
        tags.td(tags.time(moment(session.startedAt), datetime=moment(session.startedAt))),
        tags.td(clock(session.position()), class_="number"),
        tags.td(size(session.octetsSent), class_="number"),
        tags.td(f"{session.fractionLost:.1%}", class_="number"),
        tags.td(),
    )
