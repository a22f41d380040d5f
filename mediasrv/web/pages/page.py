"""
What every page does: it answers GET and HEAD, tells the browser to fetch nothing from elsewhere, and puts its content
into the frame.
"""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from twisted.web.template import flattenString

from mediasrv.web.answering import answerLater
from mediasrv.web.context import WebContext
from mediasrv.web.pages.frame import Content, Frame, Place
from mediasrv.web.refusals import Refusal, refuse
from mediasrv.web.staticfiles import STATIC

#: Content-Security-Policy (CSP 3): all comes from here, no script or style stands in a page; blob: is for Media Source
#: Extensions, whose media come from a script
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)


def rootOf(request: Request) -> str:
    """
    The relative reference from what is asked for to the top of the mount.

    What L{mediasrv.web.root.Root} gave as a child has all path segments after the first one left in C{postpath}, so
    these are the slashes between the top and here.
    """
    return "../" * len(request.postpath or ()) or "./"


def placeOf(request: Request) -> Place:
    """Where the page is that is asked for."""
    root = rootOf(request)
    return Place(root, f"{root}-/static/{STATIC.version}/")


def setHeaders(request: Request) -> None:
    """What all pages tell the browser."""
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    request.setHeader("Content-Security-Policy", POLICY)
    request.setHeader("X-Content-Type-Options", "nosniff")
    request.setHeader("Referrer-Policy", "same-origin")
    request.setHeader("Cache-Control", "no-cache")


class Page(Resource):
    """
    A page. Those that there are say what is on them.
    """

    isLeaf = True

    def __init__(self, context: WebContext) -> None:
        super().__init__()
        self.context = context

    async def content(self, request: Request) -> Content:
        """
        What is on the page. It may set headers and the status, and raise what L{answerLater} knows.
        """
        raise NotImplementedError

    def render(self, request: Request) -> bytes | int:
        """GET and HEAD are the same; there is nothing else."""
        if request.method not in (b"GET", b"HEAD"):
            refuse(request, Refusal(405, "A page can only be looked at.", {"Allow": "GET, HEAD"}))
            return NOT_DONE_YET
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes:
        content = await self.content(request)
        setHeaders(request)
        body: bytes = await flattenString(request, Frame(placeOf(request), content))
        return b"<!DOCTYPE html>\n" + body
