"""
The addresses of connections.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from twisted.internet.interfaces import IAddress


def hostOf(address: IAddress) -> str:
    """The IP address, without port; C{""} for what has none. One of IPv4 that came in over IPv6 is one of IPv4."""
    host: str = getattr(address, "host", "")
    if host.startswith("::ffff:"):
        mapped = IPv6Address(host.partition("%")[0]).ipv4_mapped
        return str(mapped) if mapped is not None else host
    return host
