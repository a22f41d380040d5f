"""One request of HTTP to one resource, as it goes over the wire, and the answer."""

from __future__ import annotations

from urllib.parse import urlencode

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site


class Answer:
    """
    What a client got.

    @ivar code: the status.
    """

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        self.code = int(line.split(" ")[1])
        self._fields = [field.partition(": ")[::2] for field in fields]

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        values = [value for field, value in self._fields if field.lower() == name.lower()]
        return ", ".join(values) if values else None


async def ask(
    resource: IResource, method: str = "GET", headers: dict[str, str] | None = None, **arguments: str
) -> Answer:
    """
    Asks a resource, whatever the path.

    @param arguments: of the query.
    """
    top = Resource()
    top.putChild(b"x", resource)
    channel = Site(top, timeout=None).buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    closed: Deferred[None] = Deferred()
    transport.loseConnection = lambda: None if closed.called else closed.callback(None)
    fields = {"Host": "media.example", "Connection": "close"} | (headers or {})
    lines = [f"{method} /x?{urlencode(arguments)} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    channel.dataReceived("\r\n".join([*lines, "", ""]).encode())
    await closed
    return Answer(transport.value())
