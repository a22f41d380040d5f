"""
What a file's name promises: a folder is listed without opening what is in it, which would take seconds.
"""

from __future__ import annotations

from typing import Literal

from mediasrv.media.descriptions.reading import isDescription
from mediasrv.web.contenttypes import typeOf

FileKind = Literal["video", "audio", "list", "picture", "text", "other"]

#: those among the types that do not say it with their first half
_VIDEO = frozenset({"application/mxf", "application/vnd.rn-realmedia"})
_AUDIO = frozenset({"application/ogg"})
_LISTS = frozenset({"application/smil+xml", "application/vnd.apple.mpegurl", "audio/x-mpegurl"})
#: types of media that are none: they name others
_POINTERS = frozenset({"audio/x-pn-realaudio", "audio/x-scpls", "video/x-ms-asx"})
_TEXT = frozenset({"application/x-subrip", "application/x-subtitle", "application/ttml+xml"})
#: notes, and what turns them into sound
_UNPLAYED = frozenset({"audio/midi", "audio/mod"})


def kindOf(name: str) -> FileKind:
    """The kind of a file, by the ending of its name."""
    type = (typeOf(name) or "").partition(";")[0]
    major = type.partition("/")[0]
    if type in _LISTS or isDescription(name):
        return "list"
    if type in _POINTERS or type in _UNPLAYED:
        return "other"
    if major == "video" or type in _VIDEO:
        return "video"
    if major == "audio" or type in _AUDIO:
        return "audio"
    if major == "image":
        return "picture"
    return "text" if major == "text" or type in _TEXT else "other"


def isMedia(name: str) -> bool:
    """Whether there is a page that plays it, as far as the name tells."""
    return kindOf(name) in ("video", "audio", "list")
