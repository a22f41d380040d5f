"""
How a client reaches us: the beginnings of absolute URLs, and who the client is.

Inside of pages and playlists all links are relative. What leaves the browser needs absolute ones: meta files, C{rtsp:}.
They say what the client itself said (C{Host}), what a trusted proxy says that it said, or what a setting says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal
from urllib.parse import quote, urlsplit

from twisted.web.server import Request

from mediasrv.greeting import urlOf
from mediasrv.rtsp.addresses import hostOf
from mediasrv.settings import Settings
from mediasrv.web.forwarding import Hop, forwarded, outermost, xForwarded
from mediasrv.web.hosts import Address, bracketed, origin, parseAddress, parseAuthority

ProxyHeaders = Literal["x-forwarded", "forwarded"]

#: what is left of a path as it is (RFC 3986 section 3.3)
_SEGMENT = "!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class RTSPPort:
    """
    A port for RTSP that clients can be told.

    @ivar scheme: C{rtsp} or C{rtsps}.
    """

    scheme: str
    number: int


def settledPort(settings: Settings) -> RTSPPort | None:
    """
    The first port for RTSP that the settings have, one without TLS before one with it; None where none has a number:
    the system is to choose it, or it is a socket of another kind.
    """
    urls = [urlsplit(url) for url in map(urlOf, settings.ports) if url.startswith("rtsp")]
    ports = [RTSPPort(url.scheme, url.port) for url in urls if url.port is not None]
    return min(ports, key=lambda port: port.scheme == "rtsps", default=None)


class Addresses:
    """
    The site's addresses, as clients know them.
    """

    def __init__(
        self,
        trustedProxies: Collection[str] = (),
        proxyHeaders: ProxyHeaders = "x-forwarded",
        publicURL: str = "",
        publicRTSP: str = "",
        rtspPort: Callable[[], RTSPPort | None] = lambda: None,
    ) -> None:
        """
        @param trustedProxies: IP addresses and networks whose word is taken; C{unix} for what comes over Unix sockets.
        @param proxyHeaders: which headers these proxies write. They pass others on as they came.
        @param publicURL: of the top of our resources, whatever requests say; empty if they decide.
        @param publicRTSP: of RTSP, in place of the host that the client used and C{rtspPort}; empty for these.
        @param rtspPort: tells the port; None if clients cannot be told one.
        """
        self._networks = [ip_network(each) for each in trustedProxies if each != "unix"]
        self._trustsUnix = "unix" in trustedProxies
        self._read = forwarded if proxyHeaders == "forwarded" else xForwarded
        self._publicURL = publicURL.rstrip("/")
        self._publicRTSP = publicRTSP.rstrip("/")
        self._rtspPort = rtspPort

    @classmethod
    def of(cls, settings: Settings, rtspPort: Callable[[], RTSPPort | None] | None = None) -> Addresses:
        """
        As the settings say.

        @param rtspPort: if not by L{settledPort}.
        """
        headers: ProxyHeaders = "forwarded" if settings.proxyHeaders == "forwarded" else "x-forwarded"
        return cls(
            settings.trustedProxies,
            headers,
            settings.publicURL,
            settings.publicRTSP,
            rtspPort or (lambda: settledPort(settings)),
        )

    def web(self, request: Request) -> str:
        """
        The URL of the top of our resources, without a slash at its end.

        @param request: as our topmost resource got it: what was passed on the way there are C{prepath}.
        """
        if self._publicURL:
            return self._publicURL
        asked = self._asked(request)
        mount = "".join(f"/{quote(segment, safe=_SEGMENT)}" for segment in request.prepath or []).rstrip("/")
        return origin(asked.scheme or "http", asked.host or "localhost", asked.port) + (asked.prefix or "") + mount

    def rtsp(self, request: Request) -> str | None:
        """The same for RTSP; None if there is no port that clients could be told."""
        if self._publicRTSP:
            return self._publicRTSP
        port = self._rtspPort()
        return None if port is None else origin(port.scheme, self.host(request), port.number)

    def host(self, request: Request) -> str:
        """The name or address under which clients know this machine, IPv6 in its brackets."""
        if self._publicURL:
            return bracketed(urlsplit(self._publicURL).hostname or "localhost")
        return self._asked(request).host or "localhost"

    def clientAddress(self, request: Request) -> str:
        """The IP address of the client, behind the proxies that are trusted; C{""} for who has none."""
        client = self._asked(request).client
        return "" if client is None else str(client)

    def _asked(self, request: Request) -> Hop:
        """The request as the client sent it."""
        lines = _header(request, "Host")
        host, port = (parseAuthority(lines[0]) if len(lines) == 1 else None) or _connectedTo(request)
        client = parseAddress(hostOf(request.getClientAddress()))
        seen = Hop(client, "https" if request.isSecure() else "http", host, port)
        if not self._isTrusted(seen.client):
            return seen
        return outermost(seen, self._read(lambda name: _header(request, name)), self._isTrusted)

    def _isTrusted(self, address: Address | None) -> bool:
        if address is None:
            return self._trustsUnix
        return any(address in network for network in self._networks)


def _connectedTo(request: Request) -> tuple[str | None, int | None]:
    """Where the connection leads, for who names no host, or a broken one."""
    ours = request.getHost()
    address = parseAddress(hostOf(ours))
    return (None, None) if address is None else (bracketed(str(address)), ours.port)


def _header(request: Request, name: str) -> list[str]:
    return [value.decode("latin-1") for value in request.requestHeaders.getRawHeaders(name.encode()) or ()]
