"""
The top of the web door's resources: from the path of a URL to the one resource that answers.

Everything below it is one leaf: where a path leads is looked up in the library, in a thread, before a resource is made;
but for what was asked for a moment ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from twisted.web.error import UnsupportedMethod
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from mediasrv.media.library import NotFound
from mediasrv.web.answering import answerLater
from mediasrv.web.door import WebDoor
from mediasrv.web.metafiles.formats import FORMATS
from mediasrv.web.pages.refused import RefusalPage
from mediasrv.web.places import placeOf, segmentsOf
from mediasrv.web.refusals import IRefusalPage, Refusal, refuse
from mediasrv.web.websocket import WebSocketResource, isWebSocket

_REFUSALS = RefusalPage()


class Root(Resource):
    """
    What L{mediasrv.service.MediaService.webResource} gives to a site, as its root or as somebody's child.
    """

    isLeaf = True

    def __init__(self, door: WebDoor, webSocket: WebSocketResource) -> None:
        super().__init__()
        self._door = door
        self._webSocket = webSocket
        self._server = door.context.settings.serverName.encode()

    def render(self, request: Request) -> bytes | int:
        """Finds the resource, and has it answer. A WebSocket names what it plays inside: its own path means nothing."""
        if isWebSocket(request):
            rendered: bytes | int = self._webSocket.render(request)
            return rendered
        request.responseHeaders.setRawHeaders(b"Server", [self._server])
        request.setComponent(IRefusalPage, _REFUSALS)
        try:
            segments, slash = segmentsOf(request.postpath or [])
            resource = None if slash else self._door.early(segments)
            if resource is not None:
                return _render(resource, request)
        except NotFound:
            refuse(request, Refusal(404, "There is nothing here."))
            return NOT_DONE_YET
        except Refusal as refusal:
            refuse(request, refusal)
            return NOT_DONE_YET
        return answerLater(request, self._answer(request, segments, slash))

    async def _answer(self, request: Request, segments: tuple[str, ...], slash: bool) -> bytes | None:
        if not request.postpath:
            # it is somebody's child, and was named without a slash: relative links would miss it
            raise _slash(request)
        place = await placeOf(segments, slash, self._door.context.library.reach, FORMATS)
        if place.kind == "slash":
            raise _slash(request)
        body = _render(self._door.resource(place), request)
        return body if isinstance(body, bytes) else None


def _render(resource: IResource, request: Request) -> bytes | int:
    """
    @raise Refusal: for a method that the resource does not have.
    """
    try:
        rendered: bytes | int = resource.render(request)
    except UnsupportedMethod as error:
        methods: Iterable[bytes] = error.allowedMethods
        allowed = b", ".join(sorted(set(methods))).decode()
        raise Refusal(405, f"Here only {allowed} can be done.", {"Allow": allowed}) from None
    return rendered


def _slash(request: Request) -> Refusal:
    """Sends the client to the same path with a slash at its end, by a reference that is right behind any proxy."""
    name = [*(request.prepath or []), *(request.postpath or [])][-1]
    query = request.uri.partition(b"?")[2]
    location = f"./{quote(name, safe='')}/" + (f"?{query.decode('ascii', 'replace')}" if query else "")
    return Refusal(301, "It has a slash at its end.", {"Location": location})
