"""A web port for the rig, and a client of WebSocket on it."""

from __future__ import annotations

from collections.abc import Collection

from rtsprig import Client, Rig
from tunnelrig import Connection
from twisted.web.resource import Resource
from twisted.web.server import Site
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Pong

from mediasrv.rtsp.origins import Origins
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.tunnel import Tunnels
from mediasrv.settings import Settings
from mediasrv.web.context import WebContext
from mediasrv.web.door import WebDoor
from mediasrv.web.front import WebFactory
from mediasrv.web.root import Root
from mediasrv.web.websocket import WebSocketResource

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of RFC 6455 section 1.3


def rootOf(rig: Rig, origins: Origins | None = None) -> Root:
    """The top of our resources."""
    context = WebContext(rig.clock, Settings(), rig.library, rig.registry, rig.pool)
    return Root(WebDoor(context, {}, rig.pool), WebSocketResource(rig.site, origins or Origins()))


def webFactory(rig: Rig, allowed: Collection[str] = (), below: bytes = b"") -> WebFactory:
    """
    @param below: where somebody else's site has our resources; the root if left out.
    """
    origins = Origins(allowed)
    root: Resource = rootOf(rig, origins)
    if below:
        other = Resource()
        other.putChild(below, root)
        root = other
    return WebFactory(Site(root, reactor=rig.clock), rig.site, Tunnels(rig.site, origins))


def upgrade(path: str = "/", without: str = "", **headers: str) -> bytes:
    """A request for a WebSocket."""
    fields = {
        "Host": "media.example:8080",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "other, rtsp.onvif.org",
        "Origin": "http://media.example",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if name != without]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


class WebSocketClient(Client):
    """
    The client of the rig, in a WebSocket.

    @ivar answer: to the request for it.
    @ivar events: what came besides data, in order.
    @ivar count: how many messages came.
    """

    def __init__(self, rig: Rig, path: str = "/", factory: WebFactory | None = None, host: str = "192.0.2.7") -> None:
        self.connection = Connection(rig, upgrade(path), host, factory or webFactory(rig))
        self.transport = self.connection.transport
        self.answer = self.connection.heard()
        self.ws = Frames(ConnectionType.CLIENT)
        self.events: list[Event] = []
        self.count = 0
        self._parser = MessageParser()
        self.messages = []
        self.session = ""
        self._cseq = 0

    def write(self, data: bytes) -> None:
        self.connection.write(self.ws.send(BytesMessage(data=data)))

    def receive(self) -> list:
        data = b""
        self.ws.receive_data(self.connection.heard())
        for event in self.ws.events():
            if isinstance(event, BytesMessage):
                data += bytes(event.data)
                self.count += event.message_finished
            else:
                assert isinstance(event, Pong | CloseConnection)
                self.events.append(event)
        self.transport.write(data) if self.transport.connected else self.transport.io.write(data)
        return super().receive()
