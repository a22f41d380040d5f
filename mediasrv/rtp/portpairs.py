"""
Pairs of UDP ports: an even one for RTP and the next for RTCP (RFC 3550 section 11).
"""

from __future__ import annotations

import errno
import socket

#: the kernel's names for larger buffers than an unprivileged process may ask for
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33

#: bytes that the socket takes before it says that it is full
_BUFFER = 8 << 20

_PORTS_TRIED = 50


class PortsTaken(OSError):
    """No pair of an even and the next odd UDP port is to be had."""


def bindPair(family: int, port: int) -> tuple[socket.socket, socket.socket]:
    """
    Binds to all addresses of a family.

    @param port: the even one; 0 lets the system choose.
    @return: the sockets for RTP and RTCP.
    @raise PortsTaken: if they are not free.
    """
    why = ""
    for _ in range(_PORTS_TRIED):
        try:
            media = _bind(family, port)
        except OSError as error:
            why = _reason(error)
        else:
            number = media.getsockname()[1]
            if number % 2 == 0 and number < 65535:
                try:
                    return media, _bind(family, number + 1)
                except OSError as error:
                    why = _reason(error)
            media.close()
        if port:
            break
    what = f"UDP ports {port} and {port + 1} are not both free" if port else "no two UDP ports are free"
    raise PortsTaken(what + why)


def _reason(error: OSError) -> str:
    """What is wrong, where that is not that somebody else has the port."""
    return "" if error.errno == errno.EADDRINUSE else f": {error.strerror}"


def _bind(family: int, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.setblocking(False)
    for forced, polite in ((_SO_SNDBUFFORCE, socket.SO_SNDBUF), (_SO_RCVBUFFORCE, socket.SO_RCVBUF)):
        try:
            bound.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
        except OSError:
            bound.setsockopt(socket.SOL_SOCKET, polite, _BUFFER)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    except OSError:
        bound.close()
        raise
    return bound
