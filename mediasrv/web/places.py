"""
Places: what the path of a URL names (DESIGN, URLs). One path for every protocol: below a file lies what is made of it,
beside it lie the meta files that point to it, and what is no media has C{-} for a first segment.

A path of the library wins over what it could mean otherwise: a real C{film.mp4.m3u} is that file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from mediasrv.media.library import Located, NotFound

#: the first segment of what is no media
INTERNAL = "-"

Kind = Literal["internal", "top", "folder", "file", "page", "part", "meta", "slash"]

#: The longest beginning of some segments that names something, and of how many segments it is; (None, 0) for the top.
Reach = Callable[[Sequence[str]], Awaitable[tuple[Located | None, int]]]


@dataclass(frozen=True, slots=True)
class Place:
    """
    @ivar kind: C{internal}: C{rest} below C{-}; C{top}: the list of mounts; C{folder}, C{file}: themselves; C{page}:
        what plays a file; C{part}: C{rest} below a file; C{meta}: a meta file of C{rest[0]} for a file or a folder;
        C{slash}: a folder that was named without its slash.
    @ivar segments: of the library.
    @ivar located: what they name.
    """

    kind: Kind
    segments: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    located: Located | None = None


def segmentsOf(path: Sequence[bytes]) -> tuple[tuple[str, ...], bool]:
    """
    The segments of a path and whether it ends with a slash.

    @param path: as C{postpath} of a request: percent-decoded once, with an empty last segment for the slash.
    @raise NotFound: for what can be no path here: no UTF-8, empty segments, control characters, C{.} and C{..}.
    """
    *names, last = path or [b""]
    named = [*names, last] if last else names
    try:
        segments = tuple(segment.decode() for segment in named)
    except UnicodeDecodeError:
        raise NotFound("no UTF-8") from None
    for segment in segments:
        if segment in ("", ".", "..") or "/" in segment or any(ord(character) < 0x20 for character in segment):
            raise NotFound("/".join(segments))
    return segments, not last


async def placeOf(segments: tuple[str, ...], slash: bool, reach: Reach, metaFiles: Collection[str]) -> Place:
    """
    What segments name.

    @param slash: whether a slash follows the last of them.
    @param metaFiles: the extensions of meta files, without the dot.
    @raise NotFound: if it is nothing.
    """
    if segments[:1] == (INTERNAL,):
        return Place("internal", rest=(*segments[1:], "") if slash and len(segments) > 1 else segments[1:])
    if not segments:
        return Place("top")
    located, length = await reach(segments)
    if length == len(segments) and located is not None:
        if located.isFolder:
            return Place("folder" if slash else "slash", segments, (), located)
        return Place("page" if slash else "file", segments, (), located)
    if located is not None and not located.isFolder:
        if slash:
            raise NotFound("/".join(segments))
        return Place("part", segments[:length], segments[length:], located)
    return await _metaFile(segments, slash, length, reach, metaFiles)


async def _metaFile(
    segments: tuple[str, ...], slash: bool, length: int, reach: Reach, metaFiles: Collection[str]
) -> Place:
    name, dot, extension = segments[-1].rpartition(".")
    if slash or length != len(segments) - 1 or not name or not dot or extension.lower() not in metaFiles:
        raise NotFound("/".join(segments))
    of = (*segments[:-1], name)
    located, length = await reach(of)
    if located is None or length != len(of):
        raise NotFound("/".join(segments))
    return Place("meta", of, (extension.lower(),), located)
