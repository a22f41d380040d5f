"""
C{-/metrics}: the L{figures<mediasrv.web.figures>}, for administrators.

prometheus_client's own resource for Twisted collects in a thread, where nothing of ours may be looked at.
"""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.web.api.answers import allow, answerJSON, setHeaders
from mediasrv.web.oversight import Oversight


class MetricsResource(Resource):
    """
    Answers with text; only what goes wrong is JSON.
    """

    isLeaf = True

    def __init__(self, oversight: Oversight) -> None:
        super().__init__()
        self._oversight = oversight

    def render(self, request: Request) -> int:
        """GET and HEAD."""
        return answerJSON(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes:
        setHeaders(request)
        allow(request)
        self._oversight.access.check(request)
        accept = ",".join(request.requestHeaders.getRawHeaders("Accept", []))
        body, contentType = await self._oversight.figures.written(accept)
        request.setHeader("Content-Type", contentType)
        return body
