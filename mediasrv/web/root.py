"""
The top of the web door's resources. It has no pages yet: a WebSocket may be opened at any path, all else is not found.
"""

from __future__ import annotations

from twisted.web import pages
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from mediasrv.web.websocket import WebSocketResource, isWebSocket


class Root(Resource):
    """
    What L{mediasrv.service.MediaService.webResource} gives to a site, as its root or as somebody's child.
    """

    def __init__(self, webSocket: WebSocketResource) -> None:
        super().__init__()
        self._webSocket = webSocket

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """A WebSocket names what it plays inside, in RTSP: its own path means nothing."""
        if isWebSocket(request):
            return self._webSocket
        child: IResource = super().getChildWithDefault(path, request)
        return child

    def getChild(self, path: bytes, request: Request) -> IResource:
        return pages.notFound(message="There is nothing here.")

    def render(self, request: Request) -> bytes | int:
        """The top itself, where it is somebody's child."""
        resource = self._webSocket if isWebSocket(request) else self.getChild(b"", request)
        rendered: bytes | int = resource.render(request)
        return rendered
