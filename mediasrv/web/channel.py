"""
C{twisted.web}'s side of a connection, for many small requests.

A player that fetches a film range by range says the same each time but for two numbers. What C{twisted.web} makes of a
request costs as much as half a megabyte costs the kernel to send, so such a request is compared with the one before and
answered by who answered that, without being taken apart again. Everything else goes the ordinary way.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from twisted.web.http import HTTPChannel, Request
from twisted.web.http_headers import Headers

_RANGE = re.compile(rb"\r\nrange:[ \t]*bytes=([0-9]{1,18}-[0-9]{1,18})\r\n", re.I)
_NUMBERS = re.compile(rb"([0-9]{1,18})-([0-9]{1,18})")
_END = b"\r\n\r\n"


class Again(Protocol):
    """
    Who can answer a request once more.
    """

    def answer(self, repetition: Repetition, first: int, last: int) -> bool:
        """
        Answers a request that is like the last one, but for a range of other bytes.

        @param first: the first byte asked for.
        @param last: the last one.
        @return: False, with nothing done, if it has to go the ordinary way.
        """


class Repetition:
    """
    A request that was not taken apart: as much of C{twisted.web}'s as who sends a body needs.

    @ivar head: of the answer, to be set before anything is written.
    """

    __slots__ = ("channel", "head")

    def __init__(self, channel: MediaChannel) -> None:
        self.channel = channel
        self.head = b""

    def write(self, data: bytes) -> None:
        """Writes the head, and then what is given."""
        transport: Any = self.channel.transport
        transport.write(self.head + data)
        self.head = b""

    def finish(self) -> None:
        """All has been written."""
        self.channel.requestDone(self)

    def loseConnection(self) -> None:
        """There will be no more."""
        self.channel.loseConnection()

    def connectionLost(self, reason: object) -> None:
        """The transport has told who sends."""


class MediaChannel(HTTPChannel):
    """
    One connection that speaks HTTP/1.1.
    """

    _heard = b""
    _again: Again | None = None
    #: a request like the last one, around the numbers of its range
    _before = b""
    _behind = b""

    def dataReceived(self, data: bytes) -> None:
        """A request, a part of one, or several."""
        # nothing is under way, and nothing of a request has come yet
        if not (self.requests or self._buffer or self._busyReceiving):
            if self._again is not None and self._repeats(data):
                return
            self._heard = data
        else:
            self._heard = b""
        self._again = None
        super().dataReceived(data)

    def repeat(self, request: Request, again: Again) -> None:
        """
        Has requests like this one answered by somebody, as long as they come one after the other on this connection.

        @param request: the one that is being answered.
        """
        data = self._heard
        isAlone = data.find(_END) == len(data) - len(_END) and data.startswith(b"GET %b HTTP/1.1\r\n" % request.uri)
        headers = request.requestHeaders
        hasBody = headers.hasHeader(b"Content-Length") or headers.hasHeader(b"Transfer-Encoding")
        ranges = list(_RANGE.finditer(data))
        if isAlone and not hasBody and len(ranges) == 1 and self.persistent:
            self._before, self._behind = data[: ranges[0].start(1)], data[ranges[0].end(1) :]
            self._again = again

    def _repeats(self, data: bytes) -> bool:
        """Answers a request if it is like the one before."""
        before, behind, again = self._before, self._behind, self._again
        if again is None or not (data.startswith(before) and data.endswith(behind)):
            return False
        numbers = _NUMBERS.fullmatch(data, len(before), max(len(before), len(data) - len(behind)))
        if numbers is None:
            return False
        repetition = Repetition(self)
        # what HTTPChannel does when a request has come: until it is done, all that comes waits
        self.requests.append(repetition)
        self._handlingRequest = True
        timeOut = self.setTimeout(None)
        self.setRawMode()
        if again.answer(repetition, int(numbers[1]), int(numbers[2])):
            self._savedTimeOut = timeOut
            return True
        self.requests.remove(repetition)
        self._handlingRequest = False
        self.setTimeout(timeOut)
        self.line_mode = 1
        return False

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """The head of an answer in one piece; Twisted's own is one of four pieces for each header."""
        lines = [b"%b %b %b" % (version, code, reason)]
        for name, values in headers.getAllRawHeaders():
            for value in values:
                lines.append(b"%b: %b" % (name, value))
        lines.append(b"\r\n")
        transport: Any = self.transport
        transport.write(b"\r\n".join(lines))
