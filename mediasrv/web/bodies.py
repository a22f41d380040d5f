"""
Bodies of requests. None of our resources reads one, but C{twisted.web} keeps whatever a client sends, in a file of the
temporary folder until that is full. So a request may bring little more than forms do.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.web.server import Request

#: bytes of a body
LONGEST = 64 << 10


class BoundedRequest(Request):
    """
    A request whose body ends at a limit, and the connection with it.
    """

    _isRefused = False

    def gotLength(self, length: int | None) -> None:
        """
        @param length: bytes of the body; None if nobody knows them yet.
        """
        self.content = self._body = BytesIO()
        if length is not None and length > LONGEST:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        """Takes a part of the body."""
        if self._body.tell() + len(data) > LONGEST:
            self._refuse()
        elif not self._isRefused:
            self._body.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """All of it is there."""
        if not self._isRefused:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        """Says so, as C{twisted.web} does with what is no request: nobody reads the rest of it."""
        if self._isRefused:
            return
        self._isRefused = True
        channel: Any = self.channel
        channel.transport.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        channel.loseConnection()
