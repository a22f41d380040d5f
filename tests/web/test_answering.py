"""Answers that take a while, and their ends (SEC-22: no traceback leaves the process)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.web.test.requesthelper import DummyRequest

from mediasrv.media.files import NotMedia
from mediasrv.media.library import NotFound
from mediasrv.media.presentation import PresentationChanged
from mediasrv.web.answering import answerLater
from mediasrv.web.refusals import Refusal

Answering = Callable[[], Coroutine[Any, Any, bytes | None]]


def requestOf(method: bytes = b"GET") -> DummyRequest:
    request = DummyRequest([b"x"])
    request.method = method
    request.path = b"/x"
    request.startedWriting = False
    return request


def headerOf(request: DummyRequest, name: str) -> str | None:
    values = request.responseHeaders.getRawHeaders(name)
    return None if values is None else ", ".join(values)


async def body() -> bytes:
    return b"body"


@pytest.mark.parametrize(("method", "written"), [(b"GET", b"body"), (b"HEAD", b"")])
def test_body(method: bytes, written: bytes) -> None:
    request = requestOf(method)
    answerLater(request, body())
    assert (b"".join(request.written), request.finished) == (written, 1)
    assert headerOf(request, "Content-Length") == "4"


def test_answeredByItself() -> None:
    """Whoever comes to None has said all, or will."""
    request = requestOf()

    async def answer() -> None:
        request.write(b"all")

    answerLater(request, answer())
    assert (request.written, request.finished) == ([b"all"], 0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("secret/path"), 404),
        (FileNotFoundError(2, "no such file", "/secret/path"), 404),
        (PermissionError(13, "no", "/secret/path"), 403),
        (NotMedia("secret/path"), 415),
        (PresentationChanged("/secret/path was replaced"), 409),
        (Refusal(418, "Tea.", {"Retry-After": "3"}), 418),
    ],
)
def test_refusals(error: Exception, code: int) -> None:
    request = requestOf()
    request.setHeader("ETag", '"of the thing itself"')

    async def answer() -> None:
        raise error

    answerLater(request, answer())
    text = b"".join(request.written)
    assert (request.responseCode, request.finished) == (code, 1)
    assert headerOf(request, "Content-Length") == str(len(text))
    assert text.endswith(b".\n")
    assert b"secret" not in text
    assert headerOf(request, "ETag") is None
    assert headerOf(request, "Retry-After") == ("3" if code == 418 else None)


def test_bug(loggedFailures: list[Failure]) -> None:
    request = requestOf()

    async def answer() -> None:
        raise RuntimeError("secret")

    answerLater(request, answer())
    assert (request.responseCode, request.finished) == (500, 1)
    assert b"secret" not in b"".join(request.written)
    assert [str(failure.value) for failure in loggedFailures] == ["secret"]
    loggedFailures.clear()


def test_bugInTheMiddle(loggedFailures: list[Failure]) -> None:
    """What was begun cannot become an error: the connection ends, so that nobody takes it for the whole."""
    request = requestOf()
    lost: list[bool] = []
    request.loseConnection = lambda: lost.append(True)

    async def answer() -> None:
        request.startedWriting = True
        raise RuntimeError("secret")

    answerLater(request, answer())
    assert (lost, request.finished) == ([True], 0)
    loggedFailures.clear()


def test_gone() -> None:
    """Who went away is not worked for any more, and hears nothing."""
    request = requestOf()
    waiting: Deferred[bytes] = Deferred()
    cancelled: list[bool] = []

    async def answer() -> bytes:
        try:
            return await waiting
        except CancelledError:
            cancelled.append(True)
            raise

    answerLater(request, answer())
    request.processingFailed(Failure(ConnectionDone()))
    assert (cancelled, request.written, request.finished) == ([True], [], 0)
