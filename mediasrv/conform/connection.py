"""
An RTSP connection that says anything and keeps everything: raw bytes out, replies and frames in, each with its time and
place.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from mediasrv.conform.grading import Failed, Gone, Silence
from mediasrv.conform.network import Network, Receiver
from mediasrv.rtsp.messages import Headers, InterleavedFrame, MessageError, Request, Response
from mediasrv.rtsp.parser import MessageParser

#: bytes of a connection that are kept as they came, for checks of the syntax
_KEPT = 65536
_READ = 262144


@dataclass(slots=True)
class Reply:
    """
    A response that came.

    @ivar time: monotonic seconds when it came.
    @ivar order: its place among all that came on all sockets.
    """

    response: Response
    time: float
    order: int

    @property
    def code(self) -> int:
        return self.response.code

    @property
    def headers(self) -> Headers:
        return self.response.headers

    @property
    def body(self) -> bytes:
        return self.response.body

    def summary(self) -> str:
        """One line: the status, and the headers that checks judge."""
        shown = ("Session", "Transport", "Range", "RTP-Info", "Scale", "Speed", "Public", "Allow", "Unsupported")
        parts = [f"{self.code} {self.response.reason}"]
        parts += [f"{name}: {self.headers.get(name)}" for name in shown if name in self.headers]
        return " | ".join(parts)


def connect(network: Network, host: str, port: int) -> Connection:
    """
    @raise Gone: if nobody accepts the connection.
    """
    try:
        made = socket.create_connection((host, port), network.timeout)
    except OSError as error:
        raise Gone("a connection", f"{error.strerror or error}", f"a connection to port {port}") from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(network, made)


class Connection:
    """
    One RTSP connection.

    @ivar replies: all that came and nobody has taken.
    @ivar raw: the first bytes that came, as they came.
    @ivar isOpen: whether the server has not closed it.
    @ivar garbage: what came that is neither a message nor a frame; C{""} if nothing.
    @ivar frames: how many interleaved frames came.
    @ivar unclaimed: channels on which something came that nobody had set up.
    """

    def __init__(self, network: Network, made: socket.socket) -> None:
        self.network = network
        self.replies: list[Reply] = []
        self.raw = bytearray()
        self.isOpen = True
        self.garbage = ""
        self.frames = 0
        self.unclaimed: set[int] = set()
        self.smallestFrame: int | None = None
        self._socket = made
        self._parser = MessageParser()
        self._channels: dict[int, Receiver] = {}
        self._number = 0
        network.watch(made, self._read)

    @property
    def address(self) -> str:
        """Ours."""
        return str(self._socket.getsockname()[0])

    @property
    def peer(self) -> str:
        """The server's address."""
        return str(self._socket.getpeername()[0])

    def claim(self, channel: int, receiver: Receiver) -> None:
        """Gives what comes on a channel to somebody."""
        self._channels[channel] = receiver

    # Sending

    def send(self, data: bytes) -> None:
        """Any bytes. That the server may have closed the connection shows when an answer is waited for."""
        line = data[:160].decode("utf-8", "backslashreplace").replace("\r", "\\r").replace("\n", "\\n")
        if not data.startswith(b"$"):
            self.network.note(">", line)
        with suppress(OSError):
            self._socket.sendall(data)

    def sendQuietly(self, data: bytes) -> None:
        """Bytes that are no line of the dialogue: a piece of a message."""
        with suppress(OSError):
            self._socket.sendall(data)

    def format(self, method: str, uri: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> bytes:
        """A request with the next CSeq; a CSeq among the headers takes its place."""
        given = list(headers)
        names = {name.lower() for name, _ in given}
        lines = [f"{method} {uri} RTSP/1.0"]
        if "cseq" not in names:
            self._number += 1
            lines.append(f"CSeq: {self._number}")
        lines += [f"{name}: {value}" for name, value in given]
        if body and "content-length" not in names:
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    # Asking

    def ask(
        self,
        method: str,
        uri: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        seconds: float | None = None,
    ) -> Reply:
        """
        A request, and its answer.

        @raise Failed: see L{answer}.
        """
        given = list(headers)
        self.sendQuietly(self.format(method, uri, given, body))
        shown = "".join(f" | {name}: {value}" for name, value in given if len(value) < 200)
        self.network.note(">", f"{method} {uri[:200]}{shown}")
        return self.answer(seconds)

    def askRaw(self, data: bytes, seconds: float | None = None) -> Reply:
        """
        Any bytes, and the answer to them.

        @raise Failed: see L{answer}.
        """
        self.send(data)
        return self.answer(seconds)

    def answer(self, seconds: float | None = None) -> Reply:
        """
        The next reply.

        @raise Failed: if none comes in time, or the connection closes, or what comes is no RTSP.
        """
        limit = self.network.timeout if seconds is None else seconds
        self.network.listen(limit, lambda: bool(self.replies or self.garbage) or not self.isOpen)
        if self.replies:
            return self.replies.pop(0)
        if self.garbage:
            raise Failed("an answer", f"no RTSP: {self.garbage}")
        if not self.isOpen:
            raise Failed("an answer", "the connection was closed without one")
        raise Silence("an answer", f"{limit:g} s of silence")

    def waitForClose(self, seconds: float | None = None) -> bool:
        """Whether the server closes the connection in time."""
        return self.network.listen(self.network.timeout if seconds is None else seconds, lambda: not self.isOpen)

    def close(self) -> None:
        """Hangs up."""
        self.isOpen = False
        self.network.forget(self._socket)

    # Receiving

    def _read(self, now: float) -> None:
        try:
            data = self._socket.recv(_READ)
        except OSError as error:
            data = b""
            self.network.note("<", f"({error.strerror or error})")
        if not data:
            self.isOpen = False
            self.network.forget(self._socket)
            self.network.note("<", "(connection closed)")
            return
        if len(self.raw) < _KEPT:
            self.raw += data
        for message in self._parser.feed(data):
            order = self.network.nextOrder()
            if isinstance(message, InterleavedFrame):
                self._frameReceived(message, now, order)
            elif isinstance(message, Response):
                reply = Reply(message, now, order)
                self.replies.append(reply)
                self.network.note("<", reply.summary())
            elif isinstance(message, MessageError):
                self.garbage = self.garbage or f"{message}: {bytes(data[:60])!r}"
                self.network.note("<", f"(no RTSP: {data[:60]!r})")
            else:
                self._requestReceived(message)

    def _frameReceived(self, frame: InterleavedFrame, now: float, order: int) -> None:
        self.frames += 1
        size = len(frame.payload)
        self.smallestFrame = size if self.smallestFrame is None else min(size, self.smallestFrame)
        receiver = self._channels.get(frame.channel)
        if receiver is None:
            self.unclaimed.add(frame.channel)
        else:
            receiver(frame.payload, now, order)

    def _requestReceived(self, request: Request) -> None:
        """Servers may ask, too (CON-6); whatever it is, we are there."""
        self.network.note("<", f"{request.method} {request.uri}")
        self.sendQuietly(f"RTSP/1.0 200 OK\r\nCSeq: {request.headers.get('CSeq', '')}\r\n\r\n".encode())
