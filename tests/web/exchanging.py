"""One request of HTTP to a resource, through twisted.web without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.web.resource import IResource
from twisted.web.server import Site

OURS = IPv4Address("TCP", "192.0.2.1", 8080)
PEER = IPv4Address("TCP", "192.0.2.7", 40000)


@dataclass(frozen=True)
class Answer:
    """
    @ivar headers: names in lower case.
    """

    code: int
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """A connection with one request."""

    def __init__(
        self,
        resource: IResource,
        path: str = "/",
        *headers: str,
        method: str = "GET",
        peer: IAddress = PEER,
        ours: IAddress = OURS,
    ) -> None:
        """
        @param headers: as they are sent, C{Host: media.example} if there are none; an empty one is left out.
        """
        self._transport = StringTransport(ours, peer)
        protocol: Any = Site(resource, timeout=None).buildProtocol(peer)
        protocol.makeConnection(self._transport)
        lines = [f"{method} {path} HTTP/1.0", *(headers or ("Host: media.example",))]
        protocol.dataReceived("".join(f"{line}\r\n" for line in [*filter(None, lines), ""]).encode("latin-1"))

    @property
    def answer(self) -> Answer:
        """What has come; the connection ends with it."""
        head, _, body = self._transport.value().partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        return Answer(int(line.split(" ")[1]), headers, body)

    async def answered(self) -> Answer:
        """Waits for what takes a while."""
        while not self._transport.disconnecting:
            await deferLater(reactor, 0.005)
        return self.answer
