"""
What a file's name promises: a folder is listed without opening what is in it, which would take seconds.
"""

from __future__ import annotations

import mimetypes
import os
from typing import Literal

FileKind = Literal["video", "audio", "list", "picture", "text", "other"]

#: containers that Python's table has not, or under names that say nothing
_VIDEO = frozenset(
    "3g2 3gp asf avi divx flv h264 h265 hevc ivf m1v m2t m2ts m2v m4v mj2 mjpeg mjpg mkv mov mp4 mpe mpeg mpg mts mxf "
    "nut obu ogm ogv qt rm rmvb ts vob webm wmv y4m".split()
)
_AUDIO = frozenset(
    "aac ac3 adts aif aifc aiff alaw amr ape au caf dts eac3 flac g722 gsm m4a m4b mka mp1 mp2 mp3 mulaw oga ogg opus "
    "ra snd spx tta w64 wav wma wv".split()
)
_LISTS = frozenset({"m3u", "m3u8", "smil", "smi"})
_TEXT = frozenset({"ass", "nfo", "srt", "ssa", "sub", "vtt"})


def kindOf(name: str) -> FileKind:
    """The kind of a file, by the ending of its name."""
    ending = os.path.splitext(name)[1][1:].lower()
    if ending in _VIDEO:
        return "video"
    if ending in _AUDIO:
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
