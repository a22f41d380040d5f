"""
The sessions in the API: all of them, one, live, and the end of one. For administrators.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger
from twisted.web.server import Request

from mediasrv.sessions import Session
from mediasrv.web.api.answers import allow, encoded, setHeaders
from mediasrv.web.api.events import EventStream
from mediasrv.web.api.views import sessionView
from mediasrv.web.oversight import Oversight
from mediasrv.web.refusals import Refusal
from mediasrv.web.spreading import inTurns

_log = Logger()

_REASON = "ended by an administrator"


async def answerSessions(oversight: Oversight, request: Request, rest: Sequence[str]) -> bytes | None:
    """
    @param rest: what follows C{sessions/}: nothing, C{events}, or the public name of one.
    """
    setHeaders(request)
    oversight.access.check(request, changes=request.method not in (b"GET", b"HEAD"))
    if len(rest) > 1:
        raise Refusal(404, "There is nothing here.")
    if not rest:
        allow(request)
        return await _list(oversight)
    if rest[0] == "events":
        allow(request)
        EventStream(request, oversight.feed).begin()
        return None
    return _one(oversight, request, rest[0])


async def _list(oversight: Oversight) -> bytes:
    parts: list[bytes] = []
    async for piece in inTurns(oversight.reactor, oversight.feed.listed()):
        parts.append(b",".join(encoded(sessionView(name, session)) for name, session in piece))
    return b"[" + b",".join(parts) + b"]"


def _one(oversight: Oversight, request: Request, name: str) -> bytes | None:
    allow(request, "DELETE")
    session = oversight.feed.find(name)
    if session is None:
        raise Refusal(404, "There is no such session; it may have ended.")
    if request.method != b"DELETE":
        return encoded(sessionView(name, session))
    _end(oversight, request, session)
    request.setResponseCode(204)
    request.responseHeaders.removeHeader("Content-Type")
    request.finish()
    return None


def _end(oversight: Oversight, request: Request, session: Session) -> None:
    _log.info(
        "{address} ends the session of {peer} with {path!r}",
        address=oversight.access.addressOf(request),
        peer=session.peer,
        path=session.path,
    )
    oversight.registry.end(session.id, _REASON)
