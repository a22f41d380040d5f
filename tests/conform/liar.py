"""
A server that breaks one rule: a proxy in front of a right one, which a L{Lie} tells what to do.

It runs in a thread. What clients send goes on as it came, unless the lie wants to see it; what the server answers is
taken apart, so that the lie can change it.
"""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from dataclasses import dataclass, field

from mediasrv.rtsp.messages import Headers, InterleavedFrame, Request, Response
from mediasrv.rtsp.parser import Limits, MessageParser

_WIDE = Limits(requestLine=1 << 20, head=1 << 20, headers=10000)


@dataclass(eq=False)
class Link:
    """
    One connection of a client, and the one to the server that belongs to it.

    @ivar asked: the requests that the server has not answered yet.
    @ivar held: whatever the lie keeps for later.
    @ivar last: the last frame that came on each channel.
    @ivar played: how many PLAYs were answered.
    """

    client: socket.socket
    server: socket.socket
    fromClient: MessageParser = field(default_factory=lambda: MessageParser(_WIDE))
    fromServer: MessageParser = field(default_factory=MessageParser)
    asked: deque[Request] = field(default_factory=deque)
    held: list[bytes] = field(default_factory=list)
    last: dict[int, InterleavedFrame] = field(default_factory=dict)
    played: int = 0
    notes: dict[str, int] = field(default_factory=dict)


class Lie:
    """
    The truth, to begin with: everything goes through.

    @ivar readsRequests: whether L{request} is asked; then what is no request is lost.
    """

    readsRequests = False

    def connected(self, link: Link) -> bool:
        """Whether a new connection is kept."""
        return True

    def raw(self, link: Link, data: bytes) -> bytes:
        """What of a client's bytes goes on to the server."""
        return data

    def request(self, link: Link, request: Request) -> bytes:
        """What the server gets instead of a request."""
        return request.toBytes()

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        """What the client gets instead of an answer."""
        return response.toBytes()

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        """What the client gets instead of a frame."""
        return frame.toBytes()


class Liar:
    """
    The proxy.

    @ivar port: where it listens, on 127.0.0.1.
    """

    def __init__(self, server: int, lie: Lie) -> None:
        self._server = server
        self._lie = lie
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: dict[socket.socket, Link] = {}
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def url(self, name: str = "film.mp4") -> str:
        return f"rtsp://127.0.0.1:{self.port}/m/{name}"

    def stop(self) -> None:
        self._stop.send(b"x")
        self._thread.join(10)
        for end in [*self._ends, self._listener, self._stop, self._stopped]:
            end.close()

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._stopped, self._listener, *self._ends], [], [])
            if self._stopped in ready:
                return
            for end in ready:
                if end is self._listener:
                    self._accept()
                elif end in self._ends:
                    self._pass(end, self._ends[end])

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._server))
        link = Link(client, server)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ends[end] = link
        if not self._lie.connected(link):
            self._close(link)

    def _close(self, link: Link) -> None:
        for end in (link.client, link.server):
            self._ends.pop(end, None)
            end.close()

    def _pass(self, end: socket.socket, link: Link) -> None:
        try:
            data = end.recv(65536)
            if not data:
                raise ConnectionError
            if end is link.client:
                link.server.sendall(self._toServer(link, data))
            else:
                link.client.sendall(self._toClient(link, data))
        except OSError:
            self._close(link)

    def _toServer(self, link: Link, data: bytes) -> bytes:
        passed = self._lie.raw(link, data)
        given = b""
        for message in link.fromClient.feed(passed):
            if isinstance(message, Request):
                link.asked.append(message)
                if self._lie.readsRequests:
                    given += self._lie.request(link, message)
        return given if self._lie.readsRequests else passed

    def _toClient(self, link: Link, data: bytes) -> bytes:
        given = b""
        for message in link.fromServer.feed(data):
            if isinstance(message, InterleavedFrame):
                link.last[message.channel] = message
                given += self._lie.frame(link, message)
            elif isinstance(message, Response):
                request = link.asked.popleft() if link.asked else Request("", "*", Headers())
                link.played += request.method == "PLAY" and message.code == 200
                given += self._lie.response(link, request, message)
        return given
