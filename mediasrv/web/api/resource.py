"""
C{-/api/}: from what follows it to what answers.
"""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv import __version__
from mediasrv.web.api.answers import allow, answerJSON, encoded, setHeaders
from mediasrv.web.api.description import description
from mediasrv.web.api.library import answerFolder
from mediasrv.web.api.presentations import answerPresentation
from mediasrv.web.api.sessions import answerSessions
from mediasrv.web.context import WebContext
from mediasrv.web.oversight import Oversight
from mediasrv.web.refusals import Refusal


class APIResource(Resource):
    """
    Answers for all of the API.
    """

    isLeaf = True

    def __init__(self, context: WebContext, rest: tuple[str, ...], oversight: Oversight) -> None:
        """
        @param rest: the decoded segments after C{-/api/}; an empty last one for a slash at the end.
        """
        super().__init__()
        self._context = context
        self._rest = rest
        self._oversight = oversight

    def render(self, request: Request) -> int:
        """Any method: also what cannot be done is answered in JSON."""
        return answerJSON(request, self._answer(request))

    async def _answer(self, request: Request) -> bytes | None:
        context, oversight = self._context, self._oversight
        setHeaders(request)
        top = "../" * (len(self._rest) + 1)
        name, *path = tuple(segment for segment in self._rest if segment) or ("",)
        segments = tuple(path)
        if name == "sessions":
            return await answerSessions(oversight, request, segments)
        if name == "library":
            return await answerFolder(context, oversight, request, segments, top)
        if name == "presentation" and segments:
            return await answerPresentation(context, oversight, request, segments, top)
        if name in ("", "openapi.json") and not segments:
            setHeaders(request, shared=True)
            allow(request)
            return encoded(description() if name else _index(top))
        raise Refusal(404, "There is nothing here. The index of the API says what there is.")


def _index(top: str) -> dict[str, object]:
    """The schema C{Index} of C{openapi.json}."""
    urls = {
        "description": f"{top}-/api/openapi.json",
        "library": f"{top}-/api/library",
        "sessions": f"{top}-/api/sessions",
        "events": f"{top}-/api/sessions/events",
        "health": f"{top}-/health",
        "metrics": f"{top}-/metrics",
    }
    return {"name": "mediasrv", "version": __version__, "urls": urls}
