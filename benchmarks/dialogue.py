"""
A connection to an RTSP server, and a conversation on it.

What is talked about is written as generators that yield requests and are resumed with the replies.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from describing import Reply, parseReply
from interleaving import ConnectionReader

if TYPE_CHECKING:
    from crowd import Crowd

#: what a viewer does: yields a request as method, URL and further headers, or a number of seconds to wait
Doing = Generator[tuple[str, str, dict[str, str]] | float, Reply | None, None]


class Failed(Exception):
    """Why a viewer could not go on."""


class Dialogue(ABC):
    """
    Connects at once, then does what L{doing} says.

    @ivar state: C{beginning}, C{ready} (all is set up, and not played if the crowd idles), C{playing}, C{failed} or
        C{done}.
    @ivar error: why it failed.
    @ivar began: when, in seconds of C{time.monotonic}.
    """

    def __init__(self, crowd: Crowd, url: str) -> None:
        self.state = "beginning"
        self.error = ""
        self.began = time.monotonic()
        self._crowd = crowd
        self._url = url
        self._session = ""
        self._sequence = 0
        self._doing: Doing | None = None
        self._awaited = 0
        self._own: list[socket.socket] = []
        self._reader = ConnectionReader(self._message, self.control)
        self._connection = socket.socket(crowd.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._connection.connect_ex((crowd.address, urlsplit(url).port or 554))
        if code not in (0, errno.EINPROGRESS):
            self.fail(os.strerror(code))
        else:
            crowd.watch(self._connection, self._connected, select.EPOLLOUT)

    @abstractmethod
    def doing(self) -> Doing:
        """What to do once connected."""

    @abstractmethod
    def control(self, data: bytes) -> None:
        """Takes RTCP that comes in the connection."""

    def _connected(self) -> None:
        code = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(os.strerror(code))
            return
        self._crowd.watch(self._connection, self._readable, select.EPOLLIN)
        self._do(self.doing())

    def _do(self, doing: Doing, reply: Reply | None = None) -> None:
        """Goes on with what is being done, or begins with something else instead."""
        self._doing = doing
        self._awaited = 0
        try:
            wanted = doing.send(reply)
        except StopIteration:
            self._doing = None
            return
        except (Failed, ValueError) as error:
            self.fail(str(error))
            return
        if isinstance(wanted, float):
            self._crowd.after(wanted, lambda: self._doing is doing and self._do(doing))
        else:
            self._awaited = self._sequence + 1
            self._request(*wanted)

    def _request(self, method: str, url: str, headers: dict[str, str]) -> None:
        self._sequence += 1
        if self._session:
            headers = {**headers, "Session": self._session}
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}", "User-Agent: load"]
        self._send("\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode())

    def _send(self, data: bytes) -> None:
        try:
            if self._connection.send(data) != len(data):
                self.fail("the server does not read")
        except OSError as error:
            self.fail(str(error.strerror))

    def _readable(self) -> None:
        try:
            self._reader.read(self._connection, time.monotonic)
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error.strerror or str(error))

    def _message(self, head: bytes, body: bytes) -> None:
        reply = parseReply(head, body)
        cseq = reply.headers.get("cseq", "0")
        if reply.code == 0:
            self._send(f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n\r\n".encode())
            return
        if self._doing is None or cseq != str(self._awaited):
            return  # of a keep-alive
        if reply.code != 200:
            self.fail(reply.line)
        else:
            self._do(self._doing, reply)

    def fail(self, reason: str) -> None:
        """Gives up."""
        if self.state not in ("failed", "done"):
            self.error = f"{self.state}: {reason}"
            self.state = "failed"
            self.close()

    def close(self) -> None:
        """Closes its sockets."""
        self._doing = None
        for each in (self._connection, *self._own):
            self._crowd.forget(each)
