"""
Requests that go the other way, from the server to its client (RFC 2326 section 1.3, CON-6).

They share the connection with the client's own requests and have sequence numbers of their own (section 12.17). Few
clients know any of them, but all answer: ffmpeg with 501, live555 and ExoPlayer with 405, GStreamer with 200 to
whatever it is. So any answer is one, and what it says is for whoever asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall

from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.ranges import formatRange

#: requests that may wait for an answer on one connection
_MOST = 100

_CSEQ = re.compile("[0-9]{1,10}")

#: seconds that a client has to answer
_PATIENCE = 10.0


class NotAnswered(Exception):
    """A request to the client came to nothing; the text says why."""


@dataclass(slots=True)
class _Question:
    answer: Deferred[Response]
    timer: IDelayedCall


class Questions:
    """
    The requests to one client that are not answered yet.
    """

    def __init__(
        self, write: Callable[[bytes], None], later: Callable[[float, Callable[[], None]], IDelayedCall]
    ) -> None:
        """
        @param write: sends a message.
        @param later: calls after so many seconds.
        """
        self._write = write
        self._later = later
        self._last = 0
        self._open: dict[int, _Question] = {}

    def ask(self, request: Request) -> Deferred[Response]:
        """
        Sends a request, with a CSeq.

        @return: fires with the answer, whatever its code, or fails with L{NotAnswered}. To cancel it ends the waiting.
        """
        if len(self._open) >= _MOST:
            return fail(NotAnswered("too much is unanswered already"))
        self._last += 1
        number = self._last
        asked = replace(request, headers=Headers([("CSeq", str(number)), *request.headers.items()]))
        data = asked.toBytes()
        timer = self._later(_PATIENCE, lambda: self._fail(number, f"no answer in {_PATIENCE:.0f} seconds"))
        deferred: Deferred[Response] = Deferred(lambda _: self._forget(number))
        self._open[number] = _Question(deferred, timer)
        self._write(data)
        return deferred

    def answered(self, response: Response) -> None:
        """
        The client answered something. Without a CSeq, as ffmpeg 5 does it, it answers what was asked first; what nobody
        asked, or asked too long ago, is no matter.
        """
        number = next(iter(self._open), 0)
        cseq = response.headers.get("CSeq")
        if cseq is not None:
            number = int(cseq) if _CSEQ.fullmatch(cseq) else 0
        question = self._take(number)
        if question is not None:
            question.answer.callback(response)

    def close(self) -> None:
        """The connection is gone, and with it all answers."""
        for number in list(self._open):
            self._fail(number, "the connection is gone")

    def _forget(self, number: int) -> None:
        self._take(number)

    def _fail(self, number: int, reason: str) -> None:
        question = self._take(number)
        if question is not None:
            question.answer.errback(NotAnswered(reason))

    def _take(self, number: int) -> _Question | None:
        question = self._open.pop(number, None)
        if question is not None and question.timer.active():
            question.timer.cancel()
        return question


def redirection(uri: str, session: str, location: str, at: float | None = None) -> Request:
    """
    A REDIRECT of one session (section 10.10). Its Location is a whole URL, never just a host: RFC 7826 section 13.10
    says so where there is a Session.

    @param uri: of the presentation, as the client knows it.
    @param at: when it takes effect, seconds since 1970; None for at once.
    """
    headers = Headers([("Session", session), ("Location", location)])
    if at is not None:
        headers.set("Range", formatRange("clock", at, None))
    return Request("REDIRECT", uri, headers)
