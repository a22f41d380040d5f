"""
Files as they are, over HTTP (RFC 9110): ranges, conditions, types, names to save under, for scripts of any site.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from twisted.web.http import RESPONSES, datetimeToString
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from mediasrv.media.library import Located
from mediasrv.media.pieces import Extent, Piece, cut, lengthOf
from mediasrv.web.answering import answerLater
from mediasrv.web.channel import MediaChannel, Repetition
from mediasrv.web.conditions import Said, Validators, formatTime, isSame, preconditions, validatorsOf, valueOf
from mediasrv.web.contenttypes import MediaType
from mediasrv.web.disposition import disposition
from mediasrv.web.downloads import Downloads
from mediasrv.web.openfiles import OpenFile
from mediasrv.web.ranges import ByteRange, Unsatisfiable, parseRange
from mediasrv.web.refusals import Refusal, refuse
from mediasrv.web.sending import DirectSending

#: what a script of another site may read of an answer, besides what it always may
_EXPOSED = b"Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag"
#: what it may say in a request
_ALLOWED = b"If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Range"
_METHODS = b"GET, HEAD, OPTIONS"

#: no rights at all for what a browser may take for a document
_SANDBOX = b"sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class FileResource(Resource):
    """
    One file of the library.

    The query C{download} asks to have it saved, under the file's name or the one that is given; C{faststart} for an MP4
    with its index in front.
    """

    isLeaf = True

    def __init__(
        self, downloads: Downloads, located: Located, locateNow: Callable[[], Located | None] | None = None
    ) -> None:
        """
        @param located: a file, not a folder.
        @param locateNow: tells where the same path leads for the same client in a moment, or None if that takes longer
            to know. Without it no request is answered but after a look at all of it.
        """
        super().__init__()
        self._downloads = downloads
        self._located = located
        self._locateNow = locateNow
        self._query: dict[str, str] = {}

    def render(self, request: Request) -> int:
        """At once if the file is open already, which it is for all but the first of many ranges."""
        if request.method not in (b"GET", b"HEAD"):
            self._answerOther(request)
            return NOT_DONE_YET
        self._query = _queryOf(request.uri)
        file = None if "faststart" in self._query else self._downloads.openNow(self._located)
        if file is None:
            return answerLater(request, self._answer(request))
        self._send(request, file, [Extent(0, file.version.size)], file.version.size, file.version.etag)
        return NOT_DONE_YET

    def _answerOther(self, request: Request) -> None:
        """OPTIONS, also before a request from another site (Fetch, CORS preflight), and what is not to be had."""
        if request.method != b"OPTIONS":
            refuse(request, Refusal(405, "This can be read only.", {"Allow": _METHODS.decode()}))
            return
        request.setResponseCode(204)
        for name, value in (
            (b"Allow", _METHODS),
            (b"Access-Control-Allow-Origin", b"*"),
            (b"Access-Control-Allow-Methods", _METHODS),
            (b"Access-Control-Allow-Headers", _ALLOWED),
            (b"Access-Control-Max-Age", b"86400"),
        ):
            request.responseHeaders.setRawHeaders(name, [value])
        request.finish()

    async def _answer(self, request: Request) -> None:
        file = await self._downloads.open(self._located)
        try:
            pieces: list[Piece] = [Extent(0, file.version.size)]
            etag = file.version.etag
            if "faststart" in self._query:
                fast = await self._downloads.fastStart(file)
                if fast.pieces is not None:
                    pieces, etag = fast.pieces, f"{etag}-faststart"
        except BaseException:
            self._downloads.release(file)
            raise
        self._send(request, file, pieces, lengthOf(pieces), etag)

    def _send(self, request: Request, file: OpenFile, pieces: list[Piece], size: int, etag: str) -> None:
        """
        Answers with a file, or what is left to say of it.

        @param pieces: the whole of it.
        """
        isSending = False
        try:
            validators = self._describe(request, file, etag)
            # all names come in the same spelling from twisted.web, however the client writes them
            said = dict(request.requestHeaders.getAllRawHeaders())
            code = preconditions(said, validators)
            if code is None:
                body = _select(request, said, file, pieces, size, validators)
                if request.method == b"GET" and body:
                    self._repeat(request, size, pieces)
                    self._downloads.send(request, self._located, file, body)
                    isSending = True
            elif code == 412:
                raise Refusal(412, "The file is not the one that you mean.")
            else:
                request.setResponseCode(code, RESPONSES[code])
        except Refusal as refusal:
            request.responseHeaders.removeHeader(b"Content-Range")
            refuse(request, refusal)
        else:
            if not isSending:
                request.finish()
        finally:
            if not isSending:
                self._downloads.release(file)

    def _repeat(self, request: Request, size: int, pieces: list[Piece]) -> None:
        """Has requests for other ranges in the same words answered in the same way."""
        channel, locateNow = request.channel, self._locateNow
        if locateNow is not None and isinstance(channel, MediaChannel) and (head := _headOf(request)):
            again = _RangeAgain(self._downloads, request, self._located, locateNow, head, size, pieces)
            channel.repeat(request, again)

    def _describe(self, request: Request, file: OpenFile, etag: str) -> Validators:
        """Sets the headers that do not depend on what is asked for, which are made once for all requests."""
        prepared = file.prepared.get(etag)
        if prepared is None or prepared[0].modified is None:
            validators = validatorsOf(etag, file.version.modified / 1e9, time.time())
            file.prepared[etag] = prepared = validators, headersOf(file.type, validators)
        validators, headers = prepared
        share(headers, request.responseHeaders)
        name = self._query.get("download")
        if name is not None:
            name = name or os.path.basename(self._located.path)
            request.responseHeaders.setRawHeaders(b"Content-Disposition", [disposition(name, "attachment").encode()])
        return validators


class _RangeAgain:
    """
    Other ranges of the same version of a file, asked for in the same words over the same connection.
    """

    def __init__(
        self,
        downloads: Downloads,
        request: Request,
        located: Located,
        locateNow: Callable[[], Located | None],
        head: bytes,
        size: int,
        pieces: list[Piece],
    ) -> None:
        """
        @param request: the one that is repeated.
        @param head: of the answer, as L{_headOf} has it.
        @param size: of the whole, which is what C{pieces} make.
        """
        self._downloads = downloads
        self._request = request
        self._located = located
        self._locateNow = locateNow
        self._head = head
        self._size = size
        self._pieces = pieces

    def answer(self, repetition: Repetition, first: int, last: int) -> bool:
        """As long as the path leads to the same file, and that has not changed."""
        size = self._size
        if not first <= last or first >= size or self._locateNow() != self._located:
            return False
        file = self._downloads.openNow(self._located)
        if file is None:
            return False
        stop = min(last + 1, size)
        repetition.head = b"%bDate: %b\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n" % (
            self._head, datetimeToString(), first, stop - 1, size, stop - first
        )  # fmt: skip
        try:
            self._downloads.send(repetition, self._located, file, cut(self._pieces, first, stop), self._request)
        except Refusal:  # which the ordinary way knows how to say
            self._downloads.release(file)
            return False
        return True


def _headOf(request: Request) -> bytes:
    """The head of an answer with one range, without what differs in the next one; empty if it cannot be repeated."""
    isOneRange = request.code == 206 and request.responseHeaders.hasHeader(b"Content-Range")
    if not isOneRange or request.cookies or not DirectSending.suits(request):
        return b""
    lines = [b"HTTP/1.1 206 Partial Content\r\n"]
    for name, values in request.responseHeaders.getAllRawHeaders():
        if name not in (b"Date", b"Content-Range", b"Content-Length"):
            lines += [b"%b: %b\r\n" % (name, value) for value in values]
    return b"".join(lines)


def headersOf(type: MediaType, validators: Validators) -> Headers:
    """What is said of a file in each answer."""
    headers = Headers()
    headers.setRawHeaders(b"Content-Type", [type.name.encode()])
    headers.setRawHeaders(b"Accept-Ranges", [b"bytes"])
    headers.setRawHeaders(b"ETag", [f'"{validators.etag}"'.encode()])
    headers.setRawHeaders(b"X-Content-Type-Options", [b"nosniff"])
    headers.setRawHeaders(b"Access-Control-Allow-Origin", [b"*"])
    headers.setRawHeaders(b"Access-Control-Expose-Headers", [_EXPOSED])
    headers.setRawHeaders(b"Cross-Origin-Resource-Policy", [b"cross-origin"])
    if validators.modified is not None:
        headers.setRawHeaders(b"Last-Modified", [formatTime(validators.modified).encode()])
    if not type.isInert:
        headers.setRawHeaders(b"Content-Security-Policy", [_SANDBOX])
    return headers


def share(headers: Headers, others: Headers) -> None:
    """
    Sets headers that were checked before. C{Headers} has no way to do so but one by one, which takes as long as all the
    rest of an answer, so this goes to its one private attribute.
    """
    others._rawHeaders.update(headers._rawHeaders)


def _queryOf(uri: bytes) -> dict[str, str]:
    """What stands behind the question mark, also names without a value, which C{twisted.web} leaves out."""
    _, mark, query = uri.partition(b"?")
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")) if mark else {}


def _select(
    request: Request, said: Said, file: OpenFile, pieces: list[Piece], size: int, validators: Validators
) -> list[Piece]:
    """
    What of the whole is to be sent; sets the code and the headers that say so.

    @param said: the headers of the request.
    @raise Refusal: if that is nothing.
    """
    ranges = None
    asked = valueOf(said, b"Range")
    # Range means nothing to other methods (RFC 9110 section 14.2)
    if asked is not None and request.method == b"GET" and isSame(said, validators):
        try:
            ranges = parseRange(asked, size)
        except Unsatisfiable:
            raise Refusal(
                416, "The file has no such bytes.", {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
            ) from None
    if ranges is None:
        body = pieces
    else:
        request.setResponseCode(206, RESPONSES[206])
        if len(ranges) > 1:
            body = _multipart(request, file.type.name, pieces, size, ranges)
        else:
            request.responseHeaders.setRawHeaders(b"Content-Range", [ranges[0].contentRange(size).encode()])
            body = cut(pieces, ranges[0].start, ranges[0].stop)
    request.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % lengthOf(body)])
    return body if lengthOf(body) else []


def _multipart(request: Request, type: str, pieces: list[Piece], size: int, ranges: list[ByteRange]) -> list[Piece]:
    """Several ranges in one answer (RFC 9110 section 14.6)."""
    boundary = secrets.token_hex(12)
    request.responseHeaders.setRawHeaders(b"Content-Type", [f"multipart/byteranges; boundary={boundary}".encode()])
    body: list[Piece] = []
    for each in ranges:
        head = f"\r\n--{boundary}\r\nContent-Type: {type}\r\nContent-Range: {each.contentRange(size)}\r\n\r\n"
        body.append(head.encode())
        body += cut(pieces, each.start, each.stop)
    body.append(f"\r\n--{boundary}--\r\n".encode())
    return body
