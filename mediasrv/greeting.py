"""
What the log says once all ports are open: what is served where.
"""

from __future__ import annotations

import re

from mediasrv.settings import Settings

_INTERNET = re.compile(r"(?:tcp6?|tls|ssl):")
_PORT = re.compile(r":(?:port=)?([0-9]+)(?=:|\Z)")
_INTERFACE = re.compile(r":interface=((?:\\.|[^:\\])+)")


def greeting(settings: Settings) -> list[str]:
    """Two lines: the URLs, and what is below them."""
    below = (f"/{name}/ is {folder}" for name, folder in settings.media.items())
    urls = [*map(urlOf, settings.ports), *(urlOf(each, "http") for each in settings.webPorts)]
    return ["serving " + ", ".join(urls), ", ".join(below)]


def urlOf(description: str, scheme: str = "rtsp") -> str:
    """
    The URL at which a client on this machine reaches an endpoint; the endpoint's own description if that does not tell,
    because the system chooses the port, or it has none.
    """
    port = _PORT.search(description)
    if not _INTERNET.match(description) or port is None or int(port[1]) == 0:
        return description
    interface = _INTERFACE.search(description)
    host = re.sub(r"\\(.)", r"\1", interface[1]) if interface else ""
    if host in ("", "0.0.0.0", "::"):
        host = "localhost"
    if description.startswith(("tls:", "ssl:")):
        scheme += "s"
    return f"{scheme}://[{host}]:{port[1]}/" if ":" in host else f"{scheme}://{host}:{port[1]}/"
