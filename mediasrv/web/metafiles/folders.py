"""
What of a folder is in its meta files: the media in it, in the order in which people count.

What is media is told by the name's ending, for a folder may have ten thousand files. Only the first few are opened for
their durations, one after the other and only for a while: what plays needs the threads that open files too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mediasrv.media.containers import NotMedia
from mediasrv.media.library import Entry as Listed
from mediasrv.media.library import Library, NotFound
from mediasrv.media.presentation import Presentation
from mediasrv.media.tracks import View
from mediasrv.web.kinds import kindOf
from mediasrv.web.metafiles.entries import Kind

#: files of a folder that are opened for one meta file, and the seconds that this may take
_OPENED, _PATIENCE = 100, 1.0

#: files of a folder that are named in a meta file
_LONGEST = 10_000


def playedKind(name: str) -> Kind | None:
    """What a file is by its name; None if that says nothing of media, or it only names other files."""
    kind = kindOf(name)
    return kind if kind in ("video", "audio") else None


async def mediaOf(
    library: Library, segments: Sequence[str], view: View | None, reactor: Any, readers: ThreadPool
) -> dict[str, Presentation | None]:
    """
    The names of a folder's media, with as many of the presentations as there was time for.

    @param view: for whom these are opened; None if nobody asks for more than the names.
    """
    names = await deferToThreadPool(reactor, readers, _mediaAmong, await library.listing(segments))
    found: dict[str, Presentation | None] = dict.fromkeys(names)
    end = reactor.seconds() + _PATIENCE
    for name in names[:_OPENED] if view is not None else ():
        left = end - reactor.seconds()
        if left <= 0:
            break
        try:
            found[name] = await library.presentation((*segments, name), view or "rtp").addTimeout(left, reactor)
        except DeferredTimeout:
            break  # opening goes on: it is known the next time
        except (NotMedia, NotFound, OSError):
            del found[name]
    return found


def _mediaAmong(entries: Sequence[Listed]) -> list[str]:
    """In a thread."""
    names = [entry.name for entry in entries if not entry.isFolder and playedKind(entry.name) is not None]
    return names[:_LONGEST]
