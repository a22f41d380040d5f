"""
Refusals: what a request is told that gets nothing, from the status code to what the reader can do about it.
"""

from __future__ import annotations

from twisted.python.failure import Failure
from twisted.web.http import RESPONSES
from twisted.web.server import Request
from zope.interface import Interface

from mediasrv.media.containers import NotMedia
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import PresentationChanged


class Refusal(Exception):
    """
    Ends the answering of a request.

    @ivar code: the status (RFC 9110 section 15).
    @ivar message: one sentence that says what is the matter, and where it helps what to do; no names of files of this
        machine, nothing of the request.
    @ivar headers: more headers of the answer.
    """

    def __init__(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers or {}


def refusalFor(failure: Failure) -> Refusal | None:
    """What an error of the library means for a request; None if it is no error of a request."""
    error = failure.value
    if isinstance(error, Refusal):
        return error
    if isinstance(error, NotFound | FileNotFoundError | NotADirectoryError):
        return Refusal(404, "There is nothing here.")
    if isinstance(error, PermissionError):
        return Refusal(403, "The server may not read this.")
    if isinstance(error, NotMedia):
        return Refusal(415, "This is nothing that can be played.")
    if isinstance(error, PresentationChanged):
        return Refusal(409, "The file is being changed. Load the page again.")
    return None


class IRefusalPage(Interface):
    """
    How refusals look to people: a component of requests (L{twisted.python.components.Componentized}), where there is.
    """

    def page(request: Request, refusal: Refusal) -> bytes | None:
        """
        A page that says it, with its own headers set; None for who wants plain text.
        """


def refuse(request: Request, refusal: Refusal) -> None:
    """Answers a request whose headers have not been sent, and finishes it."""
    request.setResponseCode(refusal.code, RESPONSES.get(refusal.code, b""))
    for name in ("Content-Encoding", "ETag", "Last-Modified", "Content-Disposition"):
        request.responseHeaders.removeHeader(name)
    pages = IRefusalPage(request, None)
    body = pages.page(request, refusal) if pages is not None else None
    if body is None:
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        body = f"{refusal.message}\n".encode()
    request.setHeader("Cache-Control", "no-store")
    for name, value in refusal.headers.items():
        request.setHeader(name, value)
    request.setHeader("Content-Length", str(len(body)))
    if request.method != b"HEAD":
        request.write(body)
    request.finish()
