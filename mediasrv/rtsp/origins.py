"""
Which web pages may use the server (RFC 6454; the Origin check of RFC 6455 section 10.2; Fetch's CORS for the tunnel).

A browser carries out what any page wants, from inside of the network that its user is in. So a page may stream only if
it comes from this very host, whatever the port, or if a setting allows it. Players send no Origin and are no browsers.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_ORIGIN = re.compile(r"(?:https?|wss?)://(\[[0-9a-f:.]+\]|[^/?#@:\s]+)(?::[0-9]{1,5})?", re.I)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^/?#@:\s]+)(?::[0-9]{1,5})?", re.I)


class Origins:
    """
    The pages that are allowed.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        """
        @param allowed: origins such as C{https://example.org}, or C{*} for all, besides those of the server's own host.
        """
        self._allowed = {each.lower() for each in allowed}

    def allows(self, origin: str | None, host: str | None) -> bool:
        """
        Whether a request may be served.

        @param origin: its Origin header, None where it has none.
        @param host: its Host header.
        """
        if origin is None or "*" in self._allowed or origin.lower() in self._allowed:
            return True
        page, server = _ORIGIN.fullmatch(origin), _HOST.fullmatch(host or "")
        return page is not None and server is not None and page[1].lower() == server[1].lower()
