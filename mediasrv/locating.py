"""
Presentations that are elsewhere: URLs of other servers, the table of the setting C{redirects}, and asking locators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from inspect import isawaitable
from urllib.parse import quote, urlsplit

from zope.interface import implementer

from mediasrv.interfaces import Elsewhere, Gone, IMediaLocator

Location = Elsewhere | Gone

_SCHEMES = ("rtsp", "rtsps", "rtspu")
#: all that may stand in a URL (RFC 3986); a fragment means nothing to a server
_URL = re.compile("[!$%-;=?-Z_a-z~@\\[\\]]+")
#: what a segment of a path has as it is (RFC 3986 section 3.3)
_SEGMENT = "!$&'()*+,;=:@"


def checkedURL(url: object) -> str:
    """
    A URL to which a client may be sent.

    @raise ValueError: for anything that is none, in one line.
    """
    problem = ValueError(f"{url!r} is not a URL such as rtsp://HOST:8554/PATH")
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise problem
    try:
        parts = urlsplit(url)
        known = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        known = False
    if not known:
        raise problem
    return url


def below(url: str, segments: Iterable[str]) -> str:
    """
    A URL that goes on.

    @param url: its query, if it has one, stays at the end.
    @param segments: of a path, decoded.
    """
    rest = "/".join(quote(segment, safe=_SEGMENT) for segment in segments)
    base, mark, query = url.partition("?")
    return f"{base.removesuffix('/')}/{rest}{mark}{query}" if rest else url


def pathOf(text: str) -> tuple[str, ...]:
    """The segments of a path; slashes at its ends and doubled ones do not matter, as in a Request-URI."""
    return tuple(segment for segment in text.split("/") if segment)


def locationOf(answer: object) -> Location | None:
    """
    What a locator means by its answer.

    @raise ValueError: if it is none of those that L{IMediaLocator.locate} allows.
    """
    if answer is None or isinstance(answer, Gone):
        return answer
    if isinstance(answer, Elsewhere):
        checkedURL(answer.url)
        return answer
    return Elsewhere(checkedURL(answer))


async def locate(locators: Sequence[object], path: str, peer: str) -> Location | None:
    """
    Asks one locator after the other.

    @param locators: L{IMediaLocator} providers.
    @return: the first answer that is one; None if all of them leave the presentation to this server.
    """
    for locator in locators:
        answer = IMediaLocator(locator).locate(path, peer)
        found = locationOf(await answer if isawaitable(answer) else answer)
        if found is not None:
            return found
    return None


@implementer(IMediaLocator)
class RedirectTable:
    """
    Paths, and where what is at or below them has gone. The longest path decides; what follows it is appended to the
    URL.
    """

    def __init__(self, entries: Mapping[str, str | Location]) -> None:
        """
        @param entries: by path; the empty one is that of everything.
        @raise ValueError: for what is no URL.
        """
        self._entries = {pathOf(path): locationOf(entry) for path, entry in entries.items()}
        self._deepest = max(map(len, self._entries), default=0)

    def locate(self, path: str, peer: str) -> Location | None:
        segments = pathOf(path)
        for length in range(min(len(segments), self._deepest), -1, -1):
            entry = self._entries.get(segments[:length])
            if isinstance(entry, Elsewhere):
                return Elsewhere(below(entry.url, segments[length:]), entry.permanent)
            if entry is not None:
                return entry
        return None
