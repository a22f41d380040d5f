"""
The frames of one WebSocket connection, on the server's side (RFC 6455 sections 5 to 7): bytes in and out, no I/O.

The messages carry a stream of bytes, so that what has come of a message is handed on at once: a message that is
fragmented for ever, or says that it has 2^63 bytes, fills no memory. All the same there is a largest one, for no client
sends more than a request at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason

#: bytes of a message from a client
_LARGEST = 1 << 20


@dataclass(slots=True)
class Heard:
    """
    What came.

    @ivar data: of binary messages.
    @ivar pong: the answer to the last ping, if there was one; it may be left out.
    @ivar close: the frame that has to be sent, if any.
    @ivar isOver: whether nothing more will come, and nothing may be sent but C{close}.
    """

    data: bytes = b""
    pong: bytes = b""
    close: bytes = b""
    isOver: bool = False


class Frames:
    """
    @ivar isOpen: whether messages may be sent.
    """

    def __init__(self, largest: int = _LARGEST) -> None:
        """
        @param largest: bytes of a message.
        """
        self._connection = Connection(ConnectionType.SERVER)
        self._largest = largest
        self._size = 0  # of the message so far
        self._isOver = False  # nothing that comes is looked at

    @property
    def isOpen(self) -> bool:
        return self._connection.state is ConnectionState.OPEN

    def receive(self, data: bytes) -> Heard:
        """
        Takes what the connection received. Raises nothing: what is not allowed closes, with the code that says why.
        """
        heard = Heard()
        if self._isOver:
            return heard
        self._connection.receive_data(data)
        pieces: list[bytes] = []
        for event in self._connection.events():
            self._take(event, pieces, heard)
            if heard.isOver:
                break
        heard.data = b"".join(pieces)
        return heard

    def _take(self, event: Event, pieces: list[bytes], heard: Heard) -> None:
        if isinstance(event, BytesMessage):
            self._size += len(event.data)
            if self._size > self._largest:
                self._end(heard, CloseReason.MESSAGE_TOO_BIG)
                return
            pieces.append(bytes(event.data))
            if event.message_finished:
                self._size = 0
        elif isinstance(event, TextMessage):
            self._end(heard, CloseReason.UNSUPPORTED_DATA)
        elif isinstance(event, Ping) and self.isOpen:
            # one is enough for all that came at a time (section 5.5.3)
            heard.pong = self._connection.send(Pong(payload=bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            self._end(heard, CloseReason(event.code) if self.isOpen else CloseReason.NORMAL_CLOSURE)

    def _end(self, heard: Heard, code: CloseReason) -> None:
        heard.close = self.close(code)
        heard.isOver = self._isOver = True

    def message(self, data: bytes) -> bytes:
        """A binary message with this data; nothing if the connection is closing."""
        return self._connection.send(BytesMessage(data=data)) if self.isOpen else b""

    def close(self, code: CloseReason = CloseReason.GOING_AWAY) -> bytes:
        """The frame that closes, or answers one that did; nothing if it was sent already."""
        if self._connection.state not in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            return b""
        return self._connection.send(CloseConnection(code=code))
