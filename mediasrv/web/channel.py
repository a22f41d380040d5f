"""
C{twisted.web}'s side of a connection, for many small requests: it says the same with less to do.
"""

from __future__ import annotations

from typing import Any

from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers


class MediaChannel(HTTPChannel):
    """
    One connection that speaks HTTP/1.1.
    """

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """The head of an answer in one piece; Twisted's own is one of four pieces for each header."""
        lines = [b"%b %b %b" % (version, code, reason)]
        for name, values in headers.getAllRawHeaders():
            for value in values:
                lines.append(b"%b: %b" % (name, value))
        lines.append(b"\r\n")
        transport: Any = self.transport
        transport.write(b"\r\n".join(lines))
