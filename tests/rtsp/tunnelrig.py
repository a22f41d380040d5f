"""Tunnels for the rig: the two halves as connections, and a client inside of them."""

from __future__ import annotations

import base64
import re
from typing import Any

from rtsprig import Client, Rig, Wire

from mediasrv.rtsp.parser import MessageParser

TYPE = "application/x-rtsp-tunnelled"
COOKIE = "0123456789abcdef"


def head(method: str, cookie: str = COOKIE, **headers: str) -> bytes:
    """The first words of a half, as QuickTime writes them."""
    lines = [f"{method} /movies/film.mkv HTTP/1.0", f"x-sessioncookie: {cookie}"]
    lines.append(f"Accept: {TYPE}" if method == "GET" else f"Content-Type: {TYPE}")
    lines += ["Pragma: no-cache", "Cache-Control: no-cache"]
    if method == "POST":
        lines += ["Content-Length: 32767", "Expires: Sun, 9 Jan 1972 00:00:00 GMT"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Connection:
    """A connection of which the server knows nothing yet."""

    def __init__(self, rig: Rig, first: bytes = b"", host: str = "192.0.2.7", factory: Any = None) -> None:
        self.transport = Wire(host, 40000)
        self.protocol = (factory or rig.factory).buildProtocol(self.transport.getPeer())
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)
        if first:
            self.write(first)

    @property
    def isConnected(self) -> bool:
        return self.transport.connected

    @property
    def isRead(self) -> bool:
        """Whether the server reads what is sent here."""
        return self.transport.producerState == "producing"

    def write(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def heard(self) -> bytes:
        """What the server said since last time."""
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def code(self) -> int:
        """The status of the HTTP answer that came."""
        match = re.match(rb"HTTP/1\.[01] ([0-9]{3}) ", self.heard())
        assert match is not None
        return int(match[1])


class TunnelClient(Client):
    """
    The client of the rig, in a tunnel.

    @ivar get: the half that is written to.
    @ivar post: the half that is read from.
    """

    def __init__(self, rig: Rig, host: str = "192.0.2.7", cookie: str = COOKIE, factory: Any = None) -> None:
        self.get = Connection(rig, head("GET", cookie), host, factory)
        self.answer = self.get.heard()
        self.post = Connection(rig, head("POST", cookie), host, factory)
        self.transport = self.get.transport
        self._parser = MessageParser()
        self.messages = []
        self.session = ""
        self._cseq = 0

    def write(self, data: bytes) -> None:
        self.post.write(base64.b64encode(data))
