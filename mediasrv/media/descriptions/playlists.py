"""
M3U: one file in each line, one after the other; the lines with C{#} are remarks.

The names are what people and their players write there: paths with any characters, or percent-encoded as in URLs.
A playlist of HLS looks alike, but lists the segments of one film: it is none of ours.
"""

from __future__ import annotations

from contextlib import suppress

from mediasrv.media.descriptions import references
from mediasrv.media.descriptions.tree import Clip, Description, DescriptionError, Node, Room, Segments, Seq

#: the title of the whole, as VLC and others write it
_TITLE = "#PLAYLIST:"
_INFO = "#EXTINF:"
#: what lines of HLS begin with (RFC 8216)
_HLS = "#EXT-X-"


def parseM3U(data: bytes, folder: Segments) -> Description:
    """
    @param folder: of the file, in the library.
    @raise DescriptionError: if it is no M3U that we play.
    """
    text = _text(data)
    room = Room()
    title = name = ""
    clips: list[Node] = []
    for number, written in enumerate(text.split("\n"), 1):
        line = written.strip()
        if line.startswith(_HLS):
            raise DescriptionError(f"line {number}: a playlist of HLS, which describes no files")
        if line.startswith(_TITLE):
            title = line[len(_TITLE) :].strip()
        elif line.startswith(_INFO):
            name = line[len(_INFO) :].partition(",")[2].strip()
        elif line and not line.startswith("#"):
            room.takeClip()
            clips.append(Clip(_paths(line, folder, number), f"line {number}", title=name))
            name = ""
    if not clips:
        raise DescriptionError("it names no clips")
    return Description(Seq(tuple(clips)), title)


def _text(data: bytes) -> str:
    """UTF-8, or the Latin-1 that the format comes from."""
    if b"\0" in data:
        raise DescriptionError("no text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _paths(line: str, folder: Segments, number: int) -> tuple[Segments, ...]:
    """As it is written, and decoded: a name may have C{%} and C{#} in it."""
    place = f"line {number}"
    paths = [references.ofPath(line, folder, place)]
    if "%" in line:
        with suppress(DescriptionError):
            paths.append(references.ofURL(line, folder, place))
    return tuple(paths)
