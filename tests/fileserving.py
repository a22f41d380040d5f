"""
A web server of one folder, in the test's own reactor, and a client of it that reads when it is told to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from certificatemaker import Trusting, makeCertificate
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, serverFromString, wrapClientTLS
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.media.library import Library, Located
from mediasrv.readers import Readers
from mediasrv.web.answering import answerLater
from mediasrv.web.downloads import Downloads
from mediasrv.web.files import FileResource
from mediasrv.web.front import WebSite
from mediasrv.web.recentfiles import RecentFiles


@dataclass(frozen=True)
class Answer:
    """
    @ivar headers: by their names in small letters.
    """

    code: int
    headers: dict[str, str]
    body: bytes


class _Tree(Resource):
    """Paths of the folder."""

    isLeaf = True

    def __init__(self, server: FileServer) -> None:
        super().__init__()
        self._server = server

    def render(self, request: Request) -> bytes | int:
        key = tuple(request.postpath)
        located = self._server.recent.find(key)
        if located is not None:
            return self._answer(request, key, located)
        return answerLater(request, self._later(request, key))

    async def _later(self, request: Request, key: tuple[bytes, ...]) -> None:
        located = await self._server.library.locate(("files", *(segment.decode() for segment in key)))
        self._server.recent.remember(key, located)
        self._answer(request, key, located)

    def _answer(self, request: Request, key: tuple[bytes, ...], located: Located) -> int:
        resource = FileResource(self._server.downloads, located, partial(self._server.recent.find, key))
        return resource.render(request)


class _Site(WebSite):
    """
    @ivar channels: of the connections that there are.
    """

    def __init__(self, resource: Resource, **options: Any) -> None:
        super().__init__(resource, **options)
        self.channels: set[Any] = set()

    def buildProtocol(self, addr: Any) -> Any:
        channel = super().buildProtocol(addr)
        connectionLost = channel.connectionLost

        def lost(reason: Failure) -> None:
            self.channels.remove(channel)
            connectionLost(reason)

        channel.connectionLost = lost
        self.channels.add(channel)
        return channel


class FileServer:
    """
    @ivar port: on 127.0.0.1, once it is started.
    """

    def __init__(self, folder: Path, idleTimeout: float = 60.0) -> None:
        self.folder = folder
        self.port = 0
        self.readers = Readers(0, 4)
        self.library = Library({"files": str(folder)}, lambda track, unit: True, self.readers, reactor)
        self.downloads = Downloads(reactor, self.readers, idleTimeout)
        self.recent = RecentFiles(reactor.seconds)
        self._site = _Site(_Tree(self), timeout=60, reactor=reactor)
        self._listening: Any = None
        self._isSecure = False
        self._clients: list[Client] = []

    @property
    def channels(self) -> set[Any]:
        """The server's sides of its connections."""
        return self._site.channels

    async def start(self, pem: Path | None = None) -> FileServer:
        """
        @param pem: a place for a certificate, to speak TLS.
        """
        self.readers.start()
        endpoint = "tcp:0:interface=127.0.0.1:backlog=1024"
        if pem is not None:
            makeCertificate(pem, 1)
            endpoint = f"ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}"
        self._isSecure = pem is not None
        self._listening = await serverFromString(reactor, endpoint).listen(self._site)
        self.port = self._listening.getHost().port
        return self

    async def stop(self) -> None:
        """With all of its clients."""
        await self._listening.stopListening()
        self.downloads.stop()
        for client in self._clients:
            if not client.isClosed:
                client.transport.abortConnection()
        await settled(lambda: not self.channels and not self.downloads)
        await settled(lambda: all(client.isClosed for client in self._clients))
        self.readers.stop()

    async def connect(self) -> Client:
        """A client that is connected."""
        endpoint: Any = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        if self._isSecure:
            endpoint = wrapClientTLS(Trusting(), endpoint)
        client = Client()
        await connectProtocol(endpoint, client)
        self._clients.append(client)
        return client

    async def ask(self, path: str, *lines: str, method: str = "GET") -> Answer:
        """What comes of one request on a connection of its own."""
        client = await self.connect()
        client.ask(path, *lines, method=method)
        answer = await client.answer(isHead=method == "HEAD")
        client.transport.loseConnection()
        await client.until(lambda: client.isClosed)
        return answer


class Client(Protocol):
    """
    @ivar received: what came and was not taken.
    @ivar count: bytes that came.
    """

    transport: Any

    def __init__(self) -> None:
        self.received = bytearray()
        self.count = 0
        self.isClosed = False
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self.count += len(data)
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isClosed = True
        self._look()

    def _look(self) -> None:
        for entry in list(self._waiting):
            condition, deferred = entry
            if condition():
                self._waiting.remove(entry)
                deferred.callback(None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until something is so, which only what comes can make so."""
        if not condition():
            deferred: Deferred[None] = Deferred()
            self._waiting.append((condition, deferred))
            await deferred

    def ask(self, path: str, *lines: str, method: str = "GET") -> None:
        """Sends a request."""
        self.transport.write("\r\n".join([f"{method} /{path} HTTP/1.1", "Host: x", *lines, "", ""]).encode())

    async def head(self) -> Answer:
        """The next answer's code and headers; the body is not waited for, and stays."""
        await self.until(lambda: b"\r\n\r\n" in self.received or self.isClosed)
        head, _, rest = bytes(self.received).partition(b"\r\n\r\n")
        self.received = bytearray(rest)
        first, *lines = head.decode().split("\r\n")
        match = re.fullmatch(r"HTTP/1.1 ([0-9]{3}) .+", first)
        assert match, first
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert len(headers) == len(lines)
        return Answer(int(match[1]), headers, b"")

    async def answer(self, isHead: bool = False) -> Answer:
        """The next answer; its body is as much as came of it if the connection was closed."""
        answer = await self.head()
        length = 0 if isHead or answer.code in (204, 304) else int(answer.headers["content-length"])
        await self.until(lambda: len(self.received) >= length or self.isClosed)
        body = bytes(self.received[:length])
        del self.received[:length]
        return Answer(answer.code, answer.headers, body)


async def pause(seconds: float) -> None:
    """Lets the reactor go on for a while."""
    deferred: Deferred[None] = Deferred()
    reactor.callLater(seconds, deferred.callback, None)
    await deferred


async def settled(condition: Callable[[], bool]) -> None:
    """Waits until something is so; the test's deadline ends it."""
    while not condition():
        await pause(0.005)
