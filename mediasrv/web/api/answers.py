"""
How the API answers: JSON, problem details for what cannot be done (RFC 9457), and nothing that is kept by caches.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES
from twisted.web.server import Request

from mediasrv.web.answering import answerLater
from mediasrv.web.refusals import Refusal, refusalFor

_log = Logger()


def encoded(value: object) -> bytes:
    """JSON in UTF-8, on one line. Names of files may hold what is no text; a question mark stands for it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def setHeaders(request: Request, contentType: str = "application/json", shared: bool = False) -> None:
    """
    What all answers have.

    @param shared: whether pages of other sites may read it.
    """
    request.setHeader("Content-Type", contentType)
    request.setHeader("Cache-Control", "no-store")
    request.setHeader("X-Content-Type-Options", "nosniff")
    request.setHeader("Cross-Origin-Resource-Policy", "cross-origin" if shared else "same-origin")
    if shared:
        request.setHeader("Access-Control-Allow-Origin", "*")


def allow(request: Request, *methods: str) -> None:
    """
    @param methods: besides GET and HEAD.
    @raise Refusal: 405 for every other.
    """
    allowed = ("GET", "HEAD", *methods)
    if request.method.decode("ascii", "replace") not in allowed:
        names = ", ".join(allowed)
        raise Refusal(405, f"Here only {names} can be done.", {"Allow": names})


def answerJSON(request: Request, answering: Coroutine[Any, Any, bytes | None]) -> int:
    """
    As L{answerLater}; what goes wrong is told as problem details.

    @return: for C{render} to return.
    """
    return answerLater(request, _answered(request, answering))


async def _answered(request: Request, answering: Coroutine[Any, Any, bytes | None]) -> bytes | None:
    try:
        return await answering
    except CancelledError:
        raise  # the client has gone
    except Exception:
        failure = Failure()
        if request.startedWriting:
            raise
        refusal = refusalFor(failure)
        if refusal is None:
            _log.failure("{method} {path} failed", failure, method=request.method, path=request.path)
            refusal = Refusal(500, "Something went wrong here; the server's log says what.")
        return problem(request, refusal)


def problem(request: Request, refusal: Refusal) -> bytes:
    """Makes the answer a problem, and gives its body."""
    title = RESPONSES.get(refusal.code, b"Error")
    request.setResponseCode(refusal.code, title)
    request.setHeader("Content-Type", "application/problem+json")
    request.setHeader("Cache-Control", "no-store")
    for name, value in refusal.headers.items():
        request.setHeader(name, value)
    return encoded({"type": "about:blank", "title": title.decode(), "status": refusal.code, "detail": refusal.message})
