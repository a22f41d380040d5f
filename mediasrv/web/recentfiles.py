"""
Where paths led a moment ago.

To follow a path takes a reader thread, since each of its folders may have to come from a disk. A player that fetches a
film range by range asks for the same one many times a second: then one look at the file itself tells as much.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from mediasrv.media.files import FileVersion
from mediasrv.media.library import Located

#: seconds for which it is taken for granted that a path still leads to the same file
MOMENT = 1.0
#: paths that are remembered
_MOST = 1000


class RecentFiles:
    """
    A short memory for files. What a file is like is looked at each time.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """
        @param clock: monotonic seconds.
        """
        self._clock = clock
        self._known: OrderedDict[Hashable, tuple[str, float]] = OrderedDict()

    def remember(self, key: Hashable, located: Located) -> None:
        """
        Something was found.

        @param key: what was asked for.
        @param located: a file, or a folder, which is not remembered.
        """
        if located.isFolder:
            return
        self._known[key] = located.path, self._clock() + MOMENT
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def find(self, key: Hashable) -> Located | None:
        """The file, as it is now; None if it has to be looked for."""
        known = self._known.get(key)
        if known is None:
            return None
        path, until = known
        if self._clock() < until:
            try:
                return Located(path, FileVersion.of(path))
            except OSError:
                pass  # it is gone: the library knows best what to say
        del self._known[key]
        return None
