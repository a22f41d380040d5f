"""
What every page does: it answers GET and HEAD, tells the browser to fetch nothing from elsewhere, and puts its content
into the frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from twisted.web.resource import Resource
from twisted.web.server import Request
from twisted.web.template import flattenString

from mediasrv.web.answering import answerLater
from mediasrv.web.context import WebContext
from mediasrv.web.pages.frame import Content, Frame, Prefixes
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

    L{mediasrv.web.root.Root} takes all segments below itself at once, so there are as many slashes between the top and
    here as C{postpath} has segments, less one.
    """
    return "../" * (len(request.postpath or ()) - 1) or "./"


def prefixesOf(request: Request) -> Prefixes:
    """Where the page is that is asked for."""
    root = rootOf(request)
    return Prefixes(root, f"{root}-/static/{STATIC.version}/")


def setHeaders(request: Request) -> None:
    """What all pages tell the browser."""
    request.setHeader("Content-Type", "text/html; charset=utf-8")
    request.setHeader("Content-Security-Policy", POLICY)
    request.setHeader("X-Content-Type-Options", "nosniff")
    request.setHeader("Referrer-Policy", "same-origin")
    request.setHeader("Cache-Control", "no-cache")


class Page(Resource, ABC):
    """
    A page. Those that there are say what is on them.
    """

    isLeaf = True

    def __init__(self, context: WebContext) -> None:
        super().__init__()
        self.context = context

    @abstractmethod
    async def content(self, request: Request) -> Content:
        """
        What is on the page. It may set headers and the status, and raise what L{answerLater} knows.
        """

    def render_GET(self, request: Request) -> int:
        """HEAD is the same."""
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes:
        content = await self.content(request)
        setHeaders(request)
        body: bytes = await flattenString(request, Frame(prefixesOf(request), content))
        return b"<!DOCTYPE html>\n" + body
