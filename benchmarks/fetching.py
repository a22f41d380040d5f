"""
A client that fetches a file over HTTP as fast as it comes: all of it again and again, or ranges over many connections.

It takes the bytes and throws them away; that they are the right ones is for the tests to say.
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n", re.I)
_PIECE = 1 << 20
_HEAD = 64 << 10


class FetchError(Exception):
    """An answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """
    What to fetch.

    @ivar size: bytes of the file.
    @ivar range: bytes of each range, at random places; 0 for the whole file.
    @ivar seconds: how long.
    @ivar core: where; None for anywhere.
    """

    url: str
    size: int
    connections: int = 1
    range: int = 0
    seconds: float = 2.0
    core: int | None = None


@dataclass(slots=True)
class Fetched:
    """
    @ivar octets: of bodies.
    @ivar answers: how many were complete.
    @ivar seconds: how long it took.
    """

    octets: int = 0
    answers: int = 0
    seconds: float = 0.0


class _Connection:
    def __init__(self, fetching: Fetching, choose: random.Random) -> None:
        target = urlsplit(fetching.url)
        self._fetching = fetching
        self._choose = choose
        self._request = f"GET {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\n".encode()
        self._head = b""
        self._left = 0
        self.socket = socket.create_connection((target.hostname or "", target.port or 80), 10)
        self.socket.setblocking(False)
        self.ask()

    def ask(self) -> None:
        """One more."""
        length = self._fetching.range
        line = b""
        if length:
            start = self._choose.randrange(self._fetching.size - length + 1)
            line = b"Range: bytes=%d-%d\r\n" % (start, start + length - 1)
        self.socket.send(self._request + line + b"\r\n")

    def read(self, buffer: bytearray, fetched: Fetched) -> None:
        """
        Takes what has come.

        @raise FetchError: if the connection was closed, or something else is announced.
        """
        if self._left:
            count = self._came(self.socket.recv_into(buffer))
        else:
            data = self.socket.recv(_HEAD)
            self._came(len(data))
            head, end, body = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._head = b""
            self._left = self._announced(head)
            count = len(body)
        self._left -= count
        fetched.octets += count
        if not self._left:
            fetched.answers += 1
            self.ask()

    def _came(self, count: int) -> int:
        if not count:
            raise FetchError("the server closed the connection")
        return count

    def _announced(self, head: bytes) -> int:
        expected = self._fetching.range or self._fetching.size
        length = _LENGTH.search(head + b"\r\n")
        code = b"206" if self._fetching.range else b"200"
        if not head.startswith(b"HTTP/1.1 " + code) or length is None or int(length[1]) != expected:
            raise FetchError(f"unexpected answer: {head.decode('latin-1')}")
        return expected


def fetch(fetching: Fetching) -> Fetched:
    """
    Fetches for so long.

    @raise FetchError: if something else comes.
    """
    choose = random.Random(1)
    connections: dict[int, _Connection] = {}
    fetched = Fetched()
    with select.epoll() as poll:
        try:
            for _ in range(fetching.connections):
                connection = _Connection(fetching, choose)
                connections[connection.socket.fileno()] = connection
                poll.register(connection.socket, select.EPOLLIN)
            _run(fetching.seconds, poll, connections, fetched)
        finally:
            for connection in connections.values():
                connection.socket.close()
    return fetched


def _run(seconds: float, poll: select.epoll, connections: dict[int, _Connection], fetched: Fetched) -> None:
    buffer = bytearray(_PIECE)
    begin = time.monotonic()
    while (now := time.monotonic()) - begin < seconds:
        for descriptor, _ in poll.poll(1.0):
            connections[descriptor].read(buffer, fetched)
    fetched.seconds = now - begin


def runFetching(fetching: Fetching, pipe: Pipe) -> None:
    """In a process of its own; what comes of it goes through the pipe: L{Fetched}, or the text of an error."""
    if fetching.core is not None:
        os.sched_setaffinity(0, {fetching.core})
    try:
        pipe.send(fetch(fetching))
    except (FetchError, OSError) as error:
        pipe.send(str(error))
