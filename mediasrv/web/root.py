"""
The top of the web door's resources: from the path of a URL to the one resource that answers.

Everything below it is one leaf: where a path leads is looked up in the library, in a thread, before a resource is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from twisted.web.error import UnsupportedMethod
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from mediasrv.media.library import NotFound
from mediasrv.web.answering import answerLater
from mediasrv.web.context import WebContext
from mediasrv.web.places import Place, placeOf, segmentsOf
from mediasrv.web.refusals import Refusal
from mediasrv.web.websocket import WebSocketResource, isWebSocket


class Root(Resource):
    """
    What L{mediasrv.service.MediaService.webResource} gives to a site, as its root or as somebody's child.
    """

    isLeaf = True

    def __init__(self, context: WebContext, webSocket: WebSocketResource) -> None:
        super().__init__()
        self._context = context
        self._webSocket = webSocket

    def render(self, request: Request) -> bytes | int:
        """Finds the resource, and has it answer. A WebSocket names what it plays inside: its own path means nothing."""
        if isWebSocket(request):
            rendered: bytes | int = self._webSocket.render(request)
            return rendered
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes | None:
        segments, slash = segmentsOf(request.postpath or [])
        if not request.postpath:
            # it is somebody's child, and was named without a slash: relative links would miss it
            raise _slash(request)
        place = await placeOf(segments, slash, self._context.library.reach, ())
        if place.kind == "slash":
            raise _slash(request)
        try:
            body: bytes | int = self._resource(place).render(request)
        except UnsupportedMethod as error:
            methods: Iterable[bytes] = error.allowedMethods
            allowed = b", ".join(sorted(set(methods))).decode()
            raise Refusal(405, f"Here only {allowed} can be done.", {"Allow": allowed}) from None
        return body if isinstance(body, bytes) else None

    def _resource(self, place: Place) -> IResource:
        """What answers for a place."""
        raise NotFound("/".join(place.segments))


def _slash(request: Request) -> Refusal:
    """Sends the client to the same path with a slash at its end, by a reference that is right behind any proxy."""
    name = [*(request.prepath or []), *(request.postpath or [])][-1]
    query = request.uri.partition(b"?")[2]
    location = f"./{quote(name, safe='')}/" + (f"?{query.decode('ascii', 'replace')}" if query else "")
    return Refusal(301, "It has a slash at its end.", {"Location": location})
