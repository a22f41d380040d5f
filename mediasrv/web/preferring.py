"""
What a browser prefers, where a presentation has alternatives: by C{?lang=} and C{?bitrate=}, else by Accept-Language.
"""

from __future__ import annotations

from twisted.web.server import Request

from mediasrv.media.descriptions.choosing import Preferences


def preferencesOf(request: Request) -> Preferences:
    """The preferences of who sends a request."""
    languages = _argument(request, b"lang")
    if languages is None:
        languages = ",".join(request.requestHeaders.getRawHeaders("Accept-Language", []))
    return Preferences.of(languages, _argument(request, b"bitrate"))


def _argument(request: Request, name: bytes) -> str | None:
    values = (request.args or {}).get(name)
    return values[0].decode("utf-8", "replace") if values else None
