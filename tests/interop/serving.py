"""
What the tests know of the server that they play from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mediasrv.service import MediaService


@dataclass(frozen=True)
class Server:
    """
    @ivar port: of RTSP, on 127.0.0.1.
    @ivar scheme: that clients are told.
    """

    service: MediaService
    port: int
    scheme: str = "rtsp"

    def url(self, name: str) -> str:
        """Of a clip."""
        return f"{self.scheme}://127.0.0.1:{self.port}/clips/{name}"


#: starts a server with such settings
Serve = Callable[..., Awaitable[Server]]
