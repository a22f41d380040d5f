"""
Sessions as the API shows them.

The identifier of a session is a secret: who knows it may steer the session. So the API has names of its own for them,
which say nothing of the identifier and mean nothing in any protocol.
"""

from __future__ import annotations

import hmac
from math import isfinite
from secrets import token_bytes

from mediasrv.sessions import Session


class PublicNames:
    """
    Names of sessions: the same for the same session while the process runs, for nobody to reverse.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or token_bytes(32)

    def of(self, session: Session) -> str:
        """16 hexadecimal digits."""
        return hmac.digest(self._key, session.id.encode(), "sha256").hex()[:16]


def sessionView(name: str, session: Session) -> dict[str, object]:
    """The schema C{Session} of C{openapi.json}."""
    return {
        "id": name,
        "door": session.door,
        "peer": session.peer,
        "path": session.path,
        "title": session.title,
        "tracks": list(session.tracks),
        "transport": session.transport,
        "state": session.state,
        "startedAt": session.startedAt,
        "position": _number(session.position()),
        "duration": None if session.duration is None else _number(session.duration),
        "packetsSent": session.packetsSent,
        "octetsSent": session.octetsSent,
        "fractionLost": session.fractionLost,
        "packetsLost": session.packetsLost,
        "jitter": session.jitter,
    }


def progressView(name: str, session: Session) -> dict[str, object]:
    """An item of the schema C{Progress}."""
    return {
        "id": name,
        "position": _number(session.position()),
        "octetsSent": session.octetsSent,
        "packetsSent": session.packetsSent,
        "state": session.state,
    }


def _number(seconds: float) -> float:
    """JSON has no infinity; a microsecond is enough."""
    return round(seconds, 6) if isfinite(seconds) else 0.0
