"""
Request-URIs: what they name, and which track (RFC 2326 sections 3.2 and 6.1, RFC 3986).

Clients find a track's URL from the presentation's in three ways, all of them answered here (Q-2): they append
C{trackID=1} to Content-Base (ffmpeg, live555), to the URL as it was (behind a query, if there is one: IPTV boxes, which
put everything they know into it, Q-12), or they resolve it as RFC 3986 says and keep the query at the end (GStreamer).

What a client prefers, where that decides which presentation it gets, is in the base of its URLs as C{prefer=…}: as a
part of the path it stays in all of them, however they are made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from mediasrv.rtsp.messages import HeaderError

_ABSOLUTE = re.compile(r"(rtsp|rtspu|rtsps)://([^/?#]*)(.*)", re.I | re.S)
_AUTHORITY = re.compile(
    r"(?:[^\s]*@)?(\[[0-9A-Fa-f:.]{2,45}(?:%[0-9A-Za-z._~%-]{1,32})?\]|[^\[\]:@\\\s]{1,255})(?::([0-9]{0,5}))?"
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_TRACK = re.compile(r"/trackID(?:=|%3D)([0-9]{1,4})/*\Z", re.I)
_PREFERENCE = re.compile(r"/prefer(?:=|%3D)([A-Za-z0-9.-]{1,200})/*\Z")


@dataclass(frozen=True, slots=True)
class MediaURL:
    """
    A Request-URI taken apart.

    @ivar segments: of the path, percent-decoded once; empty ones are left out, so C{/a} and C{/a/} name the same.
    @ivar query: after the first C{?}, as written.
    @ivar literal: the whole URI, as received: what RTP-Info echoes.
    @ivar host: as written, IPv6 in its brackets; C{""} for C{/abs/path}.
    @ivar port: None where it is the scheme's.
    @ivar preference: what follows C{prefer=} in it, as L{contentBase} put it there; None if it has no such part.
    """

    segments: tuple[str, ...]
    query: str
    literal: str
    host: str = ""
    port: int | None = None
    preference: str | None = None

    @property
    def escapes(self) -> bool:
        """Whether a segment could lead out of the folder: C{.}, C{..}, or a slash that was percent-encoded."""
        return any("/" in segment or not {".", ".."}.isdisjoint(segment.split("\\")) for segment in self.segments)


def parseURI(uri: str) -> MediaURL:
    """
    Takes an absolute RTSP URI apart, or C{/abs/path}, which is not allowed but in use (SYN-5 to SYN-7).

    @raise HeaderError: for other schemes, no host, a port that is none, C{%zz}, and for paths that are not UTF-8 or
        contain control characters once decoded.
    """
    host, port, rest = "", None, uri
    if not uri.startswith("/"):
        match = _ABSOLUTE.fullmatch(uri)
        if match is None:
            raise HeaderError("not an RTSP URI")
        host, port = _parseAuthority(match[2])
        rest = match[3]
    path, _, query = rest.partition("?")
    if _CONTROL.search(rest):
        raise HeaderError("control characters in the URI")
    segments = tuple(_decode(segment) for segment in path.split("/") if segment)
    return MediaURL(segments, query, uri, host, port)


def splitTrack(url: MediaURL) -> tuple[MediaURL, int | None]:
    """
    The presentation's URL, and the number of the track if this names one: C{base/trackID=n}, C{path?query/trackID=n},
    C{path/trackID=n?query} (Q-2). A slash at the end of the query, which Content-Base gave it, is dropped, and so is
    the preference.
    """
    url, number = _splitNumber(url)
    path, mark, query = url.literal.partition("?")
    if url.segments and (match := _PREFERENCE.search(path)):
        literal = path[: match.start()].rstrip("/") + mark + query
        url = replace(url, segments=url.segments[:-1], literal=literal or "/", preference=match[1])
    return url, number


def _splitNumber(url: MediaURL) -> tuple[MediaURL, int | None]:
    path, mark, query = url.literal.partition("?")
    if mark and (match := _TRACK.search(query)):
        query = query[: match.start()].rstrip("/")
        return replace(url, query=query, literal=f"{path}?{query}"), int(match[1])
    if query.endswith("/"):
        query = query[:-1]
        url = replace(url, query=query, literal=f"{path}?{query}")
    if url.segments and (match := _TRACK.search(path)):
        literal = path[: match.start()].rstrip("/") + mark + query
        return replace(url, segments=url.segments[:-1], literal=literal or "/"), int(match[1])
    return url, None


def contentBase(uri: str, preference: str | None = None) -> str:
    """
    The Content-Base of a presentation: its URI without the query and with a slash at the end (DES-1).

    @param preference: by which it was chosen; None if there was no choice.
    """
    path = uri.partition("?")[0]
    base = path if path.endswith("/") else f"{path}/"
    return base if preference is None else f"{base}prefer={preference}/"


def _parseAuthority(authority: str) -> tuple[str, int | None]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise HeaderError("no host in the URI")
    port = int(match[2]) if match[2] else None
    if port is not None and not 1 <= port <= 65535:
        raise HeaderError("no such port")
    return match[1], port


def _decode(segment: str) -> str:
    if "%" not in segment:
        return segment
    if _BAD_ESCAPE.search(segment):
        raise HeaderError("malformed percent encoding")
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise HeaderError("the path is not UTF-8") from None
    if _CONTROL.search(text):
        raise HeaderError("control characters in the path")
    return text
