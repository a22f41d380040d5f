"""
What a file's name promises: a folder is listed without opening what is in it, which would take seconds.
"""

from __future__ import annotations

import mimetypes
import os
import re
from typing import Literal

FileKind = Literal["video", "audio", "list", "picture", "text", "other"]

#: containers of films; Python's own table lacks most of them
_VIDEO = re.compile(
    "3g[2p]|asf|avi|divx|flv|h26[45]|hevc|ivf|m[12]v|m2ts?|m4v|mj2|mjpe?g|mkv|mov|mp4|mpe?g?|mts|mxf|nut|obu|og[mv]|qt"
    "|rm|rmvb|ts|vob|webm|wmv|y4m"
)
#: the same of sound
_AUDIO = re.compile(
    "aac|ac3|adts|aif[cf]?|aiff|alaw|amr|ape|au|caf|dts|eac3|flac|g722|gsm|m4[ab]|mka|mp[123]|mulaw|og[ag]|opus|ra|snd"
    "|spx|tta|w64|wav|wma|wv"
)
_LISTS = frozenset({"m3u", "m3u8", "smil", "smi"})
_TEXT = frozenset({"ass", "nfo", "srt", "ssa", "sub", "vtt"})


def kindOf(name: str) -> FileKind:
    """The kind of a file, by the ending of its name."""
    ending = os.path.splitext(name)[1][1:].lower()
    if _VIDEO.fullmatch(ending):
        return "video"
    if _AUDIO.fullmatch(ending):
        return "audio"
    if ending in _LISTS:
        return "list"
    if ending in _TEXT:
        return "text"
    major = (mimetypes.guess_type(f"x.{ending}", strict=False)[0] or "").partition("/")[0]
    return "picture" if major == "image" else "text" if major == "text" else "other"


def isMedia(name: str) -> bool:
    """Whether there is a page that plays it, as far as the name tells."""
    return kindOf(name) in ("video", "audio", "list")
