"""
What the log says of media files: each thing once, as long as the file is the same.

Who asks for a file that is not played gets the same answer each time, as often as wanted; without this the log would
have a line for each.
"""

from __future__ import annotations

from collections import OrderedDict

from twisted.logger import Logger

from mediasrv.media.files import FileVersion

#: remarks that are known to have been made
_REMEMBERED = 1000


class Remarks:
    """
    Writes the lines. Paths are quoted: whoever names a file may put characters into its name that move the cursor.
    """

    _log = Logger()

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        """
        @param remembered: how many remarks are not made again; beyond that the oldest may be.
        """
        self._remembered = remembered
        self._made: OrderedDict[tuple[str, FileVersion, str], None] = OrderedDict()

    def notPlayed(self, path: str, version: FileVersion, reason: str) -> None:
        """A file is not played at all."""
        if self._isNew(path, version, reason):
            self._log.info("{path!r} is not played: {reason}", path=path, reason=reason)

    def omitted(self, path: str, version: FileVersion, sentence: str) -> None:
        """Something of a file is left out."""
        if self._isNew(path, version, sentence):
            self._log.warn("{path!r}: {sentence}", path=path, sentence=sentence)

    def _isNew(self, path: str, version: FileVersion, text: str) -> bool:
        remark = path, version, text
        isNew = remark not in self._made
        self._made[remark] = None
        self._made.move_to_end(remark)
        if len(self._made) > self._remembered:
            self._made.popitem(last=False)
        return isNew
