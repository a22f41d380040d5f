"""
C{-/health}: whether the server takes new sessions, for load balancers.
"""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv import __version__
from mediasrv.web.api.answers import allow, answerJSON, encoded, setHeaders
from mediasrv.web.oversight import Oversight


class HealthResource(Resource):
    """
    200, or 503 while the server is being emptied.
    """

    isLeaf = True

    def __init__(self, oversight: Oversight) -> None:
        super().__init__()
        self._oversight = oversight

    def render(self, request: Request) -> int:
        """GET and HEAD."""
        return answerJSON(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes:
        setHeaders(request, shared=True)
        allow(request)
        isDraining = self._oversight.registry.isDraining
        if isDraining:
            request.setResponseCode(503)
        status, uptime = "draining" if isDraining else "ok", round(self._oversight.figures.uptime, 3)
        return encoded({"status": status, "version": __version__, "uptime": uptime})
