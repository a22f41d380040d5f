"""
Who may see and end sessions, and read the metrics: administrators, known by their address.

An address alone would not do. A browser carries out what any page wants, from inside of the network that its user is
in, and a proxy lends its own address to everybody:

  - A page that makes its own name mean this machine (DNS rebinding) would be of the same origin. So the Host has to be
    an IP address, C{localhost}, or a name that the operator knows: no page of somebody else has such a name.
  - A page of somebody else may send requests without reading the answers. What changes something is refused if the
    browser says that it comes from elsewhere: by Sec-Fetch-Site (Fetch Metadata), else by Origin (RFC 6454). Clients
    that say neither are no browsers.
  - A request that came through a proxy is nobody's, unless a proxy that is trusted says for whom it is. (A client on
    the proxy's own machine looks like one for whom nothing was said.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from ipaddress import ip_address, ip_network

from twisted.web.server import Request

from mediasrv.rtsp.addresses import hostOf
from mediasrv.web.refusals import Refusal

#: the IP address of a client; C{""} if it has none
ClientAddress = Callable[[Request], str]

#: what proxies add. nginx adds nothing unless it is told to, and asks in HTTP/1.0, which no browser has spoken for long
_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")

_HOST = re.compile(r"(\[[0-9a-f:.%]+\]|[a-z0-9._-]+)(?::[0-9]{0,5})?", re.I)
_ORIGIN = re.compile(r"https?://([^/?#@\s]+)", re.I)


def peerOf(request: Request) -> str:
    """The address at the other end of the connection, whoever that is."""
    return hostOf(request.getClientAddress())


def isForwarded(request: Request) -> bool:
    """Whether a proxy has passed this request on."""
    headers = request.requestHeaders
    return request.clientproto == b"HTTP/1.0" or any(headers.hasHeader(name) for name in _FORWARDED)


class Access:
    """
    The rules.

    @ivar addressOf: whom a request is from.
    """

    def __init__(
        self,
        administrators: Collection[str],
        clientAddress: ClientAddress = peerOf,
        names: Collection[str] = (),
    ) -> None:
        """
        @param administrators: networks, such as C{127.0.0.0/8}.
        @param clientAddress: as C{addressOf}.
        @param names: under which this server is known, without ports.
        """
        self._networks = [ip_network(each) for each in administrators]
        self.addressOf = clientAddress
        self._names = {"localhost", *(each.lower() for each in names)}

    def check(self, request: Request, changes: bool = False) -> None:
        """
        Lets administrators pass.

        @param changes: whether something is to be changed.
        @raise Refusal: 403 for everybody else; it says why.
        """
        address = self.addressOf(request)
        if isForwarded(request) and address == peerOf(request):
            raise Refusal(
                403,
                "This is for administrators, and a proxy between us does not say who asks, or is not in the setting "
                "trusted-proxies.",
            )
        if not self._isAdministrator(address):
            raise Refusal(403, "This is for administrators: addresses of the setting administrators.")
        host = _only(request, "Host")
        if not self._isOurs(host):
            raise Refusal(
                403,
                "Under this name a page of somebody else could ask. Use the server's IP address, localhost, or the "
                "name of the setting public-url.",
            )
        if changes and not _isFromHere(request, host):
            raise Refusal(403, "A page of another site may not do this.")

    def _isAdministrator(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:  # a UNIX socket has none
            return False
        return any(ip in network for network in self._networks)

    def _isOurs(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found[1].lower()
        try:
            ip_address(name.strip("[]"))
        except ValueError:
            return name in self._names
        return True


def _isFromHere(request: Request, host: str) -> bool:
    site, origin = _only(request, "Sec-Fetch-Site"), _only(request, "Origin")
    if site:
        return site == "same-origin"
    page = _ORIGIN.fullmatch(origin)
    return not origin or (page is not None and page[1].lower() == host.lower())


def _only(request: Request, name: str) -> str:
    """The value of a header; of several, all of them, which together mean nothing good."""
    return ",".join(request.requestHeaders.getRawHeaders(name, []))
