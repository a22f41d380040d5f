"""
References from a description to other files of the library: never to anything else.

A reference is relative to the folder of the description, or begins with a slash and the name of a mount, as in the URL
of a presentation. It is worked out by its text alone; where links lead is looked at when the file is opened.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from mediasrv.media.descriptions.tree import DescriptionError, Segments, quoted

#: characters of a reference
_LONGEST = 4096

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: what no file name is meant to begin with, though it could
_FOREIGN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|//|(?:data|file|urn):|[A-Za-z]:[\\/]", re.I)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def ofURL(text: str, folder: Segments, place: str) -> Segments:
    """
    What a reference as in a page names (RFC 3986 section 4.2), percent-encoded.

    @param folder: of the description, in the library.
    @param place: where it stands, for the message.
    @raise DescriptionError: if that is not inside of the library, or no path at all.
    """
    if _SCHEME.match(text) or text.startswith("//"):
        raise _outside(text, place)
    if "?" in text or "#" in text:
        raise DescriptionError(f"{place}: {quoted(text)} has a query or a fragment; a file has none")
    return _resolved([_decoded(segment, place) for segment in text.split("/")], text, folder, place)


def ofPath(text: str, folder: Segments, place: str) -> Segments:
    """
    What a path as people write it names; for the rest as L{ofURL}.
    """
    if _FOREIGN.match(text):
        raise _outside(text, place)
    return _resolved(text.split("/"), text, folder, place)


def _decoded(segment: str, place: str) -> str:
    if _BAD_ESCAPE.search(segment):
        raise DescriptionError(f"{place}: {quoted(segment)} has a % that begins no escape")
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise DescriptionError(f"{place}: {quoted(segment)} is no UTF-8 once it is decoded") from None


def _resolved(parts: list[str], text: str, folder: Segments, place: str) -> Segments:
    if not text or len(text) > _LONGEST:
        raise DescriptionError(f"{place}: it names no file")
    segments = [] if not parts[0] else list(folder)
    for part in parts:
        if "/" in part or "\0" in part:
            raise _outside(text, place)
        if part == "..":
            if not segments:
                raise _outside(text, place)
            segments.pop()
        elif part not in ("", "."):
            segments.append(part)
    if not segments:
        raise DescriptionError(f"{place}: {quoted(text)} names no file")
    return tuple(segments)


def _outside(text: str, place: str) -> DescriptionError:
    return DescriptionError(f"{place}: {quoted(text)} is not in the library")
