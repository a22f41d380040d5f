"""
Where paths lead: asked of the library, and remembered for a moment.

To follow a path takes a reader thread, since each of its folders may have to come from a disk. A player that fetches a
film range by range asks for the same one many times a second: then one look at the file itself tells as much.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred

from mediasrv.media.files import FileVersion
from mediasrv.media.library import Library, Located

#: seconds for which it is taken for granted that a path still leads to the same file
_MOMENT = 1.0
#: paths that are remembered
_MOST = 1000


class FileLookup:
    """
    A library's L{Library.locate} with a short memory for files. What a file is like is looked at each time.
    """

    def __init__(self, library: Library, clock: Callable[[], float]) -> None:
        """
        @param clock: monotonic seconds.
        """
        self._library = library
        self._clock = clock
        self._known: OrderedDict[tuple[str, ...], tuple[str, float]] = OrderedDict()

    def locate(self, segments: Sequence[str]) -> Located | Deferred[Located]:
        """
        What a path names: at once if that was asked a moment ago, else later as L{Library.locate} has it.
        """
        key = tuple(segments)
        known = self._known.get(key)
        if known is not None:
            path, until = known
            if self._clock() < until:
                try:
                    return Located(path, FileVersion.of(path))
                except OSError:
                    pass  # it is gone: the library knows best what to say
            del self._known[key]
        return self._library.locate(key).addCallback(self._found, key)

    def _found(self, located: Located, key: tuple[str, ...]) -> Located:
        if not located.isFolder:
            self._known[key] = located.path, self._clock() + _MOMENT
            self._known.move_to_end(key)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return located
