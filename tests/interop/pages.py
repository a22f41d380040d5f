"""
What of the web pages the tests of meta files need: these, and files, under one resource that notes who asks.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from twisted.web.static import File

from mediasrv.service import MediaService
from mediasrv.web.addresses import Addresses
from mediasrv.web.answering import answerLater
from mediasrv.web.context import WebContext
from mediasrv.web.metafiles.formats import FORMATS
from mediasrv.web.metafiles.resource import MetaFileResource
from mediasrv.web.places import placeOf, segmentsOf


class Pages(Resource):
    """
    @ivar asked: the URLs of files that were asked for, as the requests had them.
    @ivar clients: who asked for anything, by the addresses that the pages know.
    """

    isLeaf = True

    def __init__(self, service: MediaService, addresses: Addresses) -> None:
        super().__init__()
        made: Any = service
        self._context = WebContext(
            reactor,
            service.settings,
            service.library,
            service.registry,
            made._readers,
            addresses,
            made._onDemand.describe,
        )
        self.asked: list[str] = []
        self.clients: list[str] = []

    def render(self, request: Request) -> int:
        self.clients.append(self._context.addresses.clientAddress(request))
        return answerLater(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes | None:
        segments, slash = segmentsOf(request.postpath or [])
        place = await placeOf(segments, slash, self._context.library.reach, FORMATS)
        resource: Any
        if place.kind == "meta":
            resource = MetaFileResource(self._context, place.segments, place.rest[0])
        else:
            assert place.kind == "file"
            assert place.located is not None
            self.asked.append(f"http://{request.getHeader('host')}{request.uri.decode()}")
            resource = File(place.located.path)
        body = resource.render(request)
        return body if isinstance(body, bytes) else None


def site(pages: Pages) -> Site:
    """For the pages, of connections that are not kept for long."""
    made = Site(pages, timeout=5)
    made.noisy = False
    return made
