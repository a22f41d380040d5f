"""
C{twisted.web}'s site and connection, for many small requests: they do the same with less to do.
"""

from __future__ import annotations

from typing import Any

from twisted.web.http import HTTPChannel, Request
from twisted.web.http_headers import Headers
from twisted.web.server import Site


class MediaChannel(HTTPChannel):
    """
    One connection.
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


class MediaSite(Site):
    """
    What answers on our own web ports. It speaks HTTP/1.1 only: connections may become something else (L{WebFront}).
    """

    protocol = MediaChannel  # type: ignore[assignment]  # which need not choose between versions of HTTP

    def log(self, request: Request) -> None:
        """Not one line for each range of each film in the log of the server."""
