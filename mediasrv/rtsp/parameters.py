"""
GET_PARAMETER and SET_PARAMETER (RFC 2326 sections 10.8 and 10.9): mostly a sign of life, sometimes a question.
"""

from __future__ import annotations

from collections.abc import Callable

from mediasrv.rtsp import properties
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.orders import PlayRules
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import RTSPSession

#: what a client may ask about its session; all of it is ours to change
_PARAMETERS: dict[str, Callable[[RTSPSession, PlayRules], str]] = {
    "position": lambda session, rules: f"{session.position():.3f}",
    "duration": lambda session, rules: f"{session.presentation.duration:.3f}",
    "state": lambda session, rules: session.state,
    "packets_sent": lambda session, rules: str(session.packetsSent),
    "octets_sent": lambda session, rules: str(session.octetsSent),
    "packets_lost": lambda session, rules: str(session.packetsLost),
    "jitter": lambda session, rules: f"{session.jitter:.6f}",
    "accept-ranges": lambda session, rules: properties.acceptRanges(),
    "media-properties": lambda session, rules: properties.mediaProperties(session.presentation, rules),
}

#: parameters asked for in one request at most
_MOST = 100


async def getParameter(dialogue: Dialogue, request: Request) -> Response:
    """
    Answers the parameters that the body names; an empty body is a ping (PAR-1).

    @raise Refused: 451 with the names that nobody knows (PAR-2).
    """
    session = _session(dialogue, request)
    names = [line.partition(":")[0].strip() for line in _lines(request)]
    if not names:
        return Response(200, _inquired(dialogue, request, session))
    if session is None:
        raise Refused(454)
    _refuseUnknown(names)
    values = [f"{name}: {_PARAMETERS[name.lower()](session, dialogue.rules)}\r\n" for name in names]
    headers = _inquired(dialogue, request, session)
    headers.set("Content-Type", "text/parameters")
    return Response(200, headers, "".join(values).encode())


async def setParameter(dialogue: Dialogue, request: Request) -> Response:
    """
    Nothing can be set; an empty body keeps the session alive (PAR-3): ONVIF clients say so that they are there (Q-13).

    @raise Refused: 451 for unknown parameters, 458 for the known ones.
    """
    session = _session(dialogue, request)
    names = [line.partition(":")[0].strip() for line in _lines(request)]
    if names:
        _refuseUnknown(names)
        raise Refused(458, ("Content-Type", "text/parameters"), body=_listed(names))
    return Response(200, _headers(dialogue, session))


def _session(dialogue: Dialogue, request: Request) -> RTSPSession | None:
    return dialogue.sessionOf(request) if "Session" in request.headers else None


def _headers(dialogue: Dialogue, session: RTSPSession | None) -> Headers:
    return Headers([("Session", dialogue.sessionHeader(session))] if session is not None else [])


def _inquired(dialogue: Dialogue, request: Request, session: RTSPSession | None) -> Headers:
    """With what the head of the request asks for, as RFC 7826 does it: by a header without a value."""
    headers = _headers(dialogue, session)
    if session is not None:
        for name, value in properties.values(session.presentation, dialogue.rules).items():
            if name in request.headers:
                headers.set(name, value)
    return headers


def _lines(request: Request) -> list[str]:
    """The lines of a body of parameters."""
    text = request.body.decode("utf-8", "replace")
    if not text.strip():
        return []
    mediaType = request.headers.get("Content-Type", "text/parameters").partition(";")[0].strip().lower()
    if mediaType != "text/parameters":
        raise Refused(415)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > _MOST:
        raise Refused(413)
    return lines


def _refuseUnknown(names: list[str]) -> None:
    unknown = [name for name in names if name.lower() not in _PARAMETERS]
    if unknown:
        raise Refused(451, ("Content-Type", "text/parameters"), body=_listed(unknown))


def _listed(names: list[str]) -> bytes:
    return "".join(f"{name[:200]}\r\n" for name in names).encode()
