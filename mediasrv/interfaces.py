"""
The few interfaces at which applications plug in, and the values that go over them.
"""

from __future__ import annotations

from dataclasses import dataclass

from zope.interface import Interface


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """
    A presentation is at another URL (RFC 2326 section 11.2).

    @ivar url: where, as C{rtsp://HOST[:PORT]/PATH}; it may also begin with C{rtsps} or C{rtspu}.
    @ivar permanent: whether it has moved there for good (301), so that clients may forget the old URL, or is there only
        this time (302).
    """

    url: str
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """
    A presentation is not there any more and never will be, and nobody knows of another place (410). Who is less sure
    leaves it to the server to find nothing: 404.
    """


class IMediaLocator(Interface):
    """
    Knows which presentations are elsewhere: on other servers of a cluster, nearer to the client, under another name.
    """

    def locate(path: str, peer: str) -> object:
        """
        Where a presentation is. Asked for every DESCRIBE and for every SETUP that begins a session, before the server
        looks for the presentation itself: be quick, or answer later.

        @param path: of the presentation, decoded, without a slash in front: C{"movies/film.mkv"}.
        @type path: L{str}
        @param peer: the client's IP address.
        @type peer: L{str}

        @return: a URL, to which the client is sent for this time; an L{Elsewhere}; a L{Gone}; or L{None} if this server
            is to serve it, as far as it is known here. Or a L{Deferred<twisted.internet.defer.Deferred>} or another
            awaitable of one of these.
        """
