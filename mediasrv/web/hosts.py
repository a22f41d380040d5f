"""
Hosts and ports as clients and proxies write them: in C{Host}, and in what proxies add (RFC 9110 section 7.2, RFC 3986
section 3.2.2).

What is read here ends up in URLs that others are sent, so that only names and addresses get through that can mean
nothing else: letters, digits, C{-}, C{.}, C{_} and C{~}, or an IP address. The RFC would allow more in a name; no host
is called so.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

#: the ports that URLs leave out
DEFAULT_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}

_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._~-]{1,255}))(?::([0-9]{0,5}))?")
_NODE = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?|([0-9.]{7,15})(?::[0-9]{1,5})?|([0-9A-Fa-f:.]{2,45})")

Address = IPv4Address | IPv6Address


def parseAuthority(text: str) -> tuple[str, int | None] | None:
    """
    The host, IPv6 in its brackets, and the port if there is one; None for anything that is neither name nor address.
    """
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    port = int(match[3]) if match[3] else None
    if port is not None and not 1 <= port <= 65535:
        return None
    if match[1] is None:
        return match[2].lower(), port
    try:
        return bracketed(str(IPv6Address(match[1]))), port
    except ValueError:
        return None


def parseNode(text: str) -> Address | None:
    """
    An IP address with or without a port, as proxies name their clients; None for anything else, such as C{unknown}.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    return parseAddress(match[1] or match[2] or match[3])


def parseAddress(text: str) -> Address | None:
    """An IP address; one of IPv4 that came in over IPv6 is one of IPv4. None for anything else."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def bracketed(host: str) -> str:
    """A host as URLs have it."""
    return f"[{host}]" if ":" in host else host


def origin(scheme: str, host: str, port: int | None) -> str:
    """
    The beginning of a URL.

    @param port: left out if it is None or the scheme's own.
    """
    return f"{scheme}://{host}" if port in (None, DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"
