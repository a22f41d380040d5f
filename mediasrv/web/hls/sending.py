"""
Answers out of memory: bytes that are there as a whole, with what HTTP asks for (RFC 9110): HEAD, validators, one range.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet import tcp
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from mediasrv.web.conditions import Validators, isSame, preconditions, valueOf
from mediasrv.web.ranges import ByteRange, Unsatisfiable, parseRange
from mediasrv.web.refusals import Refusal, refuse

#: For what never changes under its URL.
IMMUTABLE = b"public, max-age=31536000, immutable"

#: bytes written at a stroke if that is all, and else in a piece: what a slow client has waiting here at most
_SMALL, _PIECE = 256 << 10, 128 << 10


def sendBytes(
    request: Request,
    data: bytes,
    contentType: bytes,
    tag: str,
    cacheControl: bytes = IMMUTABLE,
    sent: Callable[[int], None] | None = None,
) -> int:
    """
    Answers a GET or HEAD, at once, and finishes it when all is written. Several ranges are answered with everything.

    @param tag: what identifies these bytes, without quotation marks.
    @param sent: told how many bytes of them were written, at the end or when the client goes away; not for a HEAD.
    @return: for C{render} to return.
    """
    headers = request.responseHeaders
    headers.setRawHeaders(b"ETag", (f'"{tag}"'.encode(),))
    headers.setRawHeaders(b"Cache-Control", (cacheControl,))
    headers.setRawHeaders(b"Access-Control-Allow-Origin", (b"*",))
    said, validators = dict(request.requestHeaders.getAllRawHeaders()), Validators(tag, None)
    code = preconditions(said, validators)
    if code is not None:
        request.setResponseCode(code)
        request.finish()
        return NOT_DONE_YET
    headers.setRawHeaders(b"Content-Type", (contentType,))
    headers.setRawHeaders(b"Accept-Ranges", (b"bytes",))
    part = ByteRange(0, len(data))
    wanted = valueOf(said, b"Range")
    if wanted is not None and isSame(said, validators):
        try:
            ranges = parseRange(wanted, len(data)) or []
        except Unsatisfiable:
            refuse(request, Refusal(416, "It is not that long.", {"Content-Range": f"bytes */{len(data)}"}))
            return NOT_DONE_YET
        if len(ranges) == 1:
            part = ranges[0]
            request.setResponseCode(206)
            headers.setRawHeaders(b"Content-Range", (part.contentRange(len(data)).encode(),))
    headers.setRawHeaders(b"Content-Length", (b"%d" % (part.stop - part.start),))
    if request.method == b"HEAD":
        request.finish()
    else:
        _write(request, data, part.start, part.stop, sent)
    return NOT_DONE_YET


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
