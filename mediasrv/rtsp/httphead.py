"""
The head of an HTTP request: bytes in, request line and headers out (RFC 9112 sections 2 to 5).

As much of HTTP as a tunnel needs. What is no tunnel is answered in one line here, or handed to C{twisted.web}, byte for
byte as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mediasrv.rtsp.messages import TOKEN, Headers

#: bytes of a head; C{twisted.web} takes as many
_LIMIT = 16384
_MOST_HEADERS = 100

_END = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(rf"({TOKEN}) ([^\0-\x20\x7f]+) HTTP/([0-9])\.([0-9])")


class HeadError(Exception):
    """
    No head that could be understood.

    @ivar code: the HTTP status to answer with.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class HTTPHead:
    """
    Request line and headers.

    @ivar target: the Request-URI, as received.
    @ivar headers: text is Latin-1, so that no byte is lost.
    """

    method: str
    target: str
    headers: Headers


class HeadReader:
    """
    Takes one head off a connection. Holds what came of it so far, and never more than the limit and one read.

    @ivar received: every byte so far.
    @ivar rest: what came behind the head, once that is complete.
    """

    __slots__ = ("_limit", "_scanned", "received", "rest")

    def __init__(self, limit: int = _LIMIT) -> None:
        """
        @param limit: bytes that a head may have.
        """
        self._limit = limit
        self._scanned = 0
        self.received = bytearray()
        self.rest = b""

    def feed(self, data: bytes) -> HTTPHead | None:
        """
        Takes what the connection received.

        @return: the head as soon as all of it is there.
        @raise HeadError: 400 for what is none, 431 if it is too long, 505 for another version than 1.0 and 1.1.
        """
        self.received += data
        end = _END.search(self.received, self._scanned)
        if (end.start() if end else len(self.received)) > self._limit:
            raise HeadError(431, "the head is too long")
        if end is None:
            self._scanned = max(0, len(self.received) - 3)
            return None
        self.rest = bytes(self.received[end.end() :])
        return _parse(self.received[: end.start()].decode("latin-1"))


def _parse(text: str) -> HTTPHead:
    line, *lines = text.replace("\r\n", "\n").split("\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HeadError(400, "no request line")
    method, target, major, minor = match.groups()
    if (major, minor) not in (("1", "0"), ("1", "1")):
        raise HeadError(505, "another version of HTTP")
    headers = Headers()
    if len(lines) > _MOST_HEADERS:
        raise HeadError(431, "too many headers")
    # a folded line has no name, or one with white space in front: section 5.2 has it refused
    if not headers.parseLines(lines) or "\r" in text.replace("\r\n", "") or "\0" in text:
        raise HeadError(400, "malformed header")
    return HTTPHead(method, target, headers)
