"""
Refusals as a page: what is the matter, and what to do about it.
"""

from __future__ import annotations

from twisted.web.http import RESPONSES
from twisted.web.server import Request
from twisted.web.template import Element, Tag, XMLFile, flatten, renderer
from zope.interface import implementer

from mediasrv.web.pages.frame import Content, Frame, template
from mediasrv.web.pages.page import prefixesOf, setHeaders
from mediasrv.web.refusals import IRefusalPage, Refusal

_HEADINGS = {
    403: "You may not see this",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "The file is being changed",
    415: "This cannot be played",
    500: "Something went wrong",
    503: "The server is busy",
}
_ADVICE = {
    403: "Ask whoever runs this server to let it read the file.",
    404: "It may have been moved, renamed or removed. Look for it in the folder above, or search for its name.",
    405: "Go back and take another way.",
    409: "Wait until it has been written, then load the page again.",
    415: "Download it and try a player of your own.",
    500: "Try it again; if it stays, tell whoever runs this server when it was.",
    503: "Wait a moment, then load the page again.",
}


def prefersHTML(accept: str) -> bool:
    """
    Whether an Accept header (RFC 9110 section 12.5.1) is a browser's that wants a page: it names HTML. What plays media
    does not, and takes anything.
    """
    return any(
        part.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml") for part in accept.split(",")
    )


@implementer(IRefusalPage)
class RefusalPage:
    """
    Makes the page for who wants one.
    """

    def page(self, request: Request, refusal: Refusal) -> bytes | None:
        """The page, and its headers; None for who wants none."""
        request.setHeader("Vary", "Accept")
        if not prefersHTML(request.getHeader("accept") or ""):
            return None
        setHeaders(request)
        heading = _HEADINGS.get(refusal.code) or RESPONSES.get(refusal.code, b"Refused").decode()
        content = Content(heading, _Refused(refusal, heading, prefixesOf(request).root))
        written: list[bytes] = [b"<!DOCTYPE html>\n"]
        # nothing in it takes time
        flatten(request, Frame(prefixesOf(request), content), written.append)
        return b"".join(written)


class _Refused(Element):
    loader: XMLFile = template("refused.xml")

    def __init__(self, refusal: Refusal, heading: str, root: str) -> None:
        super().__init__()
        self._refusal = refusal
        self._heading = heading
        self._root = root

    @renderer
    def refused(self, request: Request, tag: Tag) -> Tag:
        """All of it."""
        refusal = self._refusal
        return tag.fillSlots(
            code=str(refusal.code),
            heading=self._heading,
            message=refusal.message,
            advice=_ADVICE.get(refusal.code, ""),
            root=self._root,
        )
