"""
One listener of the sessions: an answer of server-sent events that does not end (WHATWG HTML section 9.2).

There is no queue. Who reads too slowly is sent nothing until what was written has gone, and then all sessions anew.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from mediasrv.web.api.answers import setHeaders
from mediasrv.web.api.feed import SessionFeed
from mediasrv.web.refusals import Refusal

#: listeners at a time
_MOST = 200

#: two-second ticks that somebody may read nothing
_PATIENCE = 30

#: milliseconds after which a browser comes again
_RETRY = b"retry: 3000\n\n"


@implementer(IPushProducer)
class EventStream:
    """
    Writes what a feed tells to a request.
    """

    def __init__(self, request: Request, feed: SessionFeed) -> None:
        self._request = request
        self._feed = feed
        self._isOpen = True
        self._isPaused = False
        self._hasMissed = False
        self._stuck = 0

    def begin(self) -> None:
        """
        Answers.

        @raise Refusal: if there are too many already.
        """
        if len(self._feed) >= _MOST:
            raise Refusal(503, f"{_MOST} listeners are the limit.", {"Retry-After": "10"})
        request = self._request
        setHeaders(request, "text/event-stream")
        request.setHeader("X-Accel-Buffering", "no")  # for nginx, which would wait for more
        if request.method == b"HEAD":
            request.finish()
            return
        request.notifyFinish().addBoth(self._gone)
        request.registerProducer(self, True)
        request.write(_RETRY)
        self._feed.listen(self)

    def send(self, data: bytes) -> None:
        if self._isPaused:
            self._hasMissed = True
        elif self._isOpen:
            self._request.write(data)

    def tick(self) -> None:
        """Gives up who has read nothing for a minute."""
        self._stuck = self._stuck + 1 if self._isPaused else 0
        if self._stuck >= _PATIENCE:
            self._gone(None)
            cast(Any, self._request.transport).abortConnection()

    def close(self) -> None:
        if self._isOpen:
            self._isOpen = False
            self._request.unregisterProducer()
            self._request.finish()

    def _gone(self, _: Failure | None) -> None:
        self._isOpen = False
        self._feed.leave(self)

    def pauseProducing(self) -> None:
        """More is written than the client reads."""
        self._isPaused = True

    def resumeProducing(self) -> None:
        """All that was written has gone."""
        self._isPaused = False
        if self._hasMissed and self._isOpen:
            self._hasMissed = False
            self._feed.listen(self)

    def stopProducing(self) -> None:
        """The connection is gone, of which the request tells as well."""
