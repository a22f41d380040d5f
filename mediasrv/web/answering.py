"""
Answers that take a while: a coroutine answers a request, and whatever becomes of it the request gets a proper end.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from mediasrv.web.refusals import Refusal, refusalFor, refuse

_log = Logger()


def answerLater(request: Request, answering: Coroutine[Any, Any, bytes | None]) -> int:
    """
    Has a coroutine answer a request. It is cancelled when the client goes away.

    @param answering: comes to the body, which is sent with its length (and left out for HEAD); or to None if it has
        written and finished the answer itself. It may raise L{Refusal}, and what L{refusalFor} knows; any other error
        is logged and answered with 500, or by closing the connection if the headers have been sent.
    @return: for C{render} to return.
    """
    deferred = Deferred.fromCoroutine(answering)
    isThere = True

    def gone(_: Failure) -> None:
        nonlocal isThere
        isThere = False
        deferred.cancel()

    def answered(body: bytes | None) -> None:
        if body is not None and isThere:
            request.setHeader("Content-Length", str(len(body)))
            if request.method != b"HEAD":
                request.write(body)
            request.finish()

    def failed(failure: Failure) -> None:
        if not isThere:
            failure.trap(CancelledError)
            return
        refusal = refusalFor(failure)
        if refusal is None:
            _log.failure("{method} {path} failed", failure, method=request.method, path=request.path)
            refusal = Refusal(500, "Something went wrong here; the server's log says what.")
        if request.startedWriting:
            request.loseConnection()
        else:
            refuse(request, refusal)

    request.notifyFinish().addErrback(gone)
    deferred.addCallback(answered).addErrback(failed)
    return NOT_DONE_YET
