"""
Answers out of memory: bytes that are there as a whole, with what HTTP asks for (RFC 9110): HEAD, validators, one range.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.internet import tcp
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from mediasrv.web.refusals import Refusal, refuse

#: For what never changes under its URL.
IMMUTABLE = b"public, max-age=31536000, immutable"

#: bytes written at a stroke if that is all, and else in a piece: what a slow client has waiting here at most
_SMALL, _PIECE = 256 << 10, 128 << 10

_RANGE = re.compile(rb"bytes=[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*", re.IGNORECASE)
_TAG = re.compile(rb'"[^"]*"')


def sendBytes(
    request: Request,
    data: bytes,
    contentType: bytes,
    tag: bytes,
    cacheControl: bytes = IMMUTABLE,
    sent: Callable[[int], None] | None = None,
) -> int:
    """
    Answers a GET or HEAD, at once, and finishes it when all is written.

    @param tag: what identifies these bytes, without quotation marks.
    @param sent: told how many bytes of them were written, at the end or when the client goes away; not for a HEAD.
    @return: for C{render} to return.
    """
    headers = request.responseHeaders
    quoted = b'"%b"' % tag
    headers.setRawHeaders(b"etag", (quoted,))
    headers.setRawHeaders(b"cache-control", (cacheControl,))
    headers.setRawHeaders(b"access-control-allow-origin", (b"*",))
    asked = request.getHeader(b"if-none-match")
    if asked is not None and (asked.strip() == b"*" or quoted in _TAG.findall(asked)):
        request.setResponseCode(304)
        request.finish()
        return NOT_DONE_YET
    headers.setRawHeaders(b"content-type", (contentType,))
    headers.setRawHeaders(b"accept-ranges", (b"bytes",))
    wanted = request.getHeader(b"range")
    start, end = 0, len(data)
    if wanted is not None and request.getHeader(b"if-range") in (None, quoted):
        span = _span(wanted, len(data))
        if span is None:
            refuse(request, Refusal(416, "It is not that long.", {"Content-Range": f"bytes */{len(data)}"}))
            return NOT_DONE_YET
        start, end, isPart = span
        if isPart:
            request.setResponseCode(206)
            headers.setRawHeaders(b"content-range", (b"bytes %d-%d/%d" % (start, end - 1, len(data)),))
    headers.setRawHeaders(b"content-length", (b"%d" % (end - start),))
    if request.method == b"HEAD":
        request.finish()
    else:
        _write(request, data, start, end, sent)
    return NOT_DONE_YET


def _span(wanted: bytes, size: int) -> tuple[int, int, bool] | None:
    """
    The bytes that a C{Range} asks for, and whether it is a part: several ranges, and what is no range, are answered
    with everything, as RFC 9110 section 14.2 lets a server. None if there are no such bytes.
    """
    found = _RANGE.fullmatch(wanted)
    if found is None or found[0].endswith(b"=-"):
        return 0, size, False
    first, last = found[1], found[2]
    if not first:
        length = min(int(last or b"0"), size)
        return (size - length, size, True) if length and last else None
    start, end = int(first), min(int(last) + 1 if last else size, size)
    if last and int(last) < start:
        return 0, size, False
    return (start, end, True) if start < size else None


def _write(request: Request, data: bytes, start: int, end: int, sent: Callable[[int], None] | None) -> None:
    if end - start > _SMALL:
        _Sender(request, data, start, end, sent).begin()
        return
    request.write(data if end - start == len(data) else data[start:end])
    request.finish()
    if sent is not None:
        sent(end - start)


@implementer(IPushProducer)
class _Sender:
    """
    Writes piece after piece, as the client takes them: all who are sent the same share the bytes that are in memory.

    What the kernel takes at once is handed to it as it is. Twisted would copy all of it into a buffer first, and send
    128 KB of that in each turn of the reactor: it costs twice as much.
    """

    def __init__(self, request: Request, data: bytes, start: int, end: int, sent: Callable[[int], None] | None) -> None:
        self._request: Request | None = request
        self._data = memoryview(data)
        self._start = self._at = start
        self._end = end
        self._sent = sent
        self._isPaused = False

    def begin(self) -> None:
        if self._request is not None:
            self._request.registerProducer(self, True)
            # with the headers, behind which nothing can be sent directly
            self._write(self._request)
            self._go()

    def resumeProducing(self) -> None:
        """The client has taken what there was."""
        self._isPaused = False
        self._go()

    def pauseProducing(self) -> None:
        """There is enough on its way."""
        self._isPaused = True

    def stopProducing(self) -> None:
        """The client has gone."""
        self._over()

    def _go(self) -> None:
        while (request := self._request) is not None and not self._isPaused:
            if self._at < self._end:
                self._at += _sendNow(getattr(request.channel, "transport", None), self._data[self._at : self._end])
            if self._at < self._end:
                self._write(request)
            else:
                request.unregisterProducer()
                request.finish()
                self._over()

    def _write(self, request: Request) -> None:
        at, self._at = self._at, min(self._at + _PIECE, self._end)
        request.write(bytes(self._data[at : self._at]))

    def _over(self) -> None:
        if self._request is not None:
            self._request = None
            if self._sent is not None:
                self._sent(self._at - self._start)


def _sendNow(transport: object, data: memoryview) -> int:
    """
    Hands data to the kernel, where nothing is waiting in front of it and the connection is plain TCP.

    @return: bytes that it took.
    """
    if not isinstance(transport, tcp.Connection) or transport.TLS or not transport.connected:
        return 0
    if transport.dataBuffer or transport._tempDataBuffer:
        return 0
    try:
        return transport.socket.send(data)
    except OSError:
        return 0  # full, or gone: the reactor finds out which
