"""
Files that are sent: opened once, however many clients read them, and kept open a moment for the next range.

What is sent comes from the descriptor that was opened and looked at: a file that takes the path's place meanwhile is
another one, and those who got the beginning of the old one get its end too.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass, field

from twisted.web.http_headers import Headers

from mediasrv.media.files import FileVersion, openFile
from mediasrv.media.sniffing import SAMPLE, sniff
from mediasrv.web.conditions import Validators
from mediasrv.web.contenttypes import MediaType, typeOf

_Key = tuple[str, FileVersion]


@dataclass(eq=False, slots=True)
class OpenFile:
    """
    One version of a file, open for reading.

    @ivar type: what it is, by its name or else by its first bytes.
    @ivar users: how many read it.
    @ivar idleSince: monotonic seconds when the last of them had enough.
    @ivar prepared: what is said of it in each answer, by entity tag.
    """

    path: str
    descriptor: int
    version: FileVersion
    type: MediaType
    users: int = 0
    idleSince: float = 0.0
    prepared: dict[str, tuple[Validators, Headers]] = field(default_factory=dict)

    @property
    def key(self) -> _Key:
        """What it is found by."""
        return self.path, self.version

    def hasChanged(self) -> bool:
        """
        Whether what was promised of it may not be so any more: it was written to without becoming longer. What is
        appended changes nothing of what there was.
        """
        status = os.fstat(self.descriptor)
        version = self.version
        return status.st_mtime_ns != version.modified and status.st_size <= version.size

    def close(self) -> None:
        """Gives the descriptor back."""
        os.close(self.descriptor)


def openForSending(path: str) -> OpenFile:
    """
    Opens a file; for a reader thread.

    @raise OSError: if it cannot be opened, or is no regular file.
    """
    descriptor = openFile(path)
    try:
        version = FileVersion.ofOpen(descriptor, path)
        found = typeOf(path) or sniff(os.pread(descriptor, SAMPLE, 0))
        return OpenFile(path, descriptor, version, MediaType.of(found))
    except BaseException:
        os.close(descriptor)
        raise


class OpenFiles:
    """
    The open files by path and version. Those that nobody reads any more stay for a while, within limits.
    """

    def __init__(self, mostIdle: int = 32) -> None:
        """
        @param mostIdle: how many that nobody reads stay open.
        """
        self._mostIdle = mostIdle
        self._used: dict[_Key, OpenFile] = {}
        #: the one that was used last comes last
        self._idle: OrderedDict[_Key, OpenFile] = OrderedDict()

    def take(self, path: str, version: FileVersion) -> OpenFile | None:
        """A file that is open already, for one more reader who will L{release} it."""
        key = path, version
        file = self._used.get(key)
        if file is None:
            file = self._idle.pop(key, None)
            if file is None:
                return None
            self._used[key] = file
        file.users += 1
        return file

    def add(self, file: OpenFile) -> OpenFile:
        """
        A file was opened. If another reader's was faster, that one is used.

        @return: the file to read, and to L{release}.
        """
        known = self.take(file.path, file.version)
        if known is not None:
            file.close()
            return known
        self._used[file.key] = file
        file.users = 1
        return file

    def release(self, file: OpenFile, now: float) -> None:
        """
        A reader has what it wanted.

        @param now: monotonic seconds.
        """
        file.users -= 1
        if file.users:
            return
        del self._used[file.key]
        file.idleSince = now
        self._idle[file.key] = file
        if len(self._idle) > self._mostIdle:
            self._idle.popitem(last=False)[1].close()

    def closeIdle(self, before: float) -> None:
        """
        Closes files that nobody reads: the disk cannot free what was deleted until then.

        @param before: monotonic seconds; those that are idle since then or earlier.
        """
        while self._idle:
            file = next(iter(self._idle.values()))
            if file.idleSince > before:
                return
            del self._idle[file.key]
            file.close()

    @property
    def isEmpty(self) -> bool:
        """Whether none is open without being read."""
        return not self._idle
