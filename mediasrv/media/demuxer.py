"""
The demuxer of one file: FFmpeg's, as PyAV gives it. Its packets, and the ways to a place in it, of which each container
has its own.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator
from typing import Any

import av.error

from mediasrv.media.files import openContainer

#: errors of reading in a row after which the rest of a file is given up
_PATIENCE = 100

#: packets looked at in search of the first one of a stream
_SEARCHED = 1000

#: containers whose index grows while they are read: opening them again would lose it
_RESEEKABLE = frozenset({"aac", "ac3", "eac3", "flac", "flv", "mp3", "ogg"})

#: containers in which FFmpeg goes to "the start" of one stream, which is not that of the file if another begins earlier
_MULTIPLEXES = frozenset({"mpeg", "mpegts"})


class Demuxer:
    """
    Everything here blocks. Streams go by FFmpeg's index, for the objects change when the file is opened again.

    @ivar container: PyAV's; another one after that.
    @ivar version: of the file.
    @ivar names: FFmpeg's for the container's format.
    @ivar reopening: is given the streams of a container that is to take the place of this one; whether it may.
    """

    def __init__(self, path: str) -> None:
        """
        @raise mediasrv.media.files.NotMedia: if FFmpeg does not know what it is, or it is of a kind that is not played.
        @raise OSError: if the file cannot be opened.
        """
        self._path = path
        self._isPristine = True
        self._isSpent = False  # FFmpeg has failed to read on, and may do so wherever it is sent
        self.reopening: Callable[[Any], bool] = lambda streams: True
        self.container, self.version = openContainer(path)
        self.names = frozenset(self.container.format.name.split(","))

    @property
    def isMultiplex(self) -> bool:
        """Whether its streams have no index, and what is at one moment lies together."""
        return bool(_MULTIPLEXES & self.names)

    def packets(self, indexes: Collection[int]) -> Iterator[Any]:
        """
        What comes next of some streams. Damaged places are stepped over; a file that is cut off just ends.
        """
        container = self.container
        streams = [container.streams[index] for index in indexes]
        failures = 0
        self._isPristine = False
        while failures < _PATIENCE:
            try:
                for packet in container.demux(streams):
                    failures = 0
                    if packet.size:
                        yield packet
                return
            except (av.error.EOFError, IndexError):
                # PyAV raises the latter at the end, where streams came to light that were not there at the start
                return
            except (av.error.FFmpegError, OSError):
                failures += 1
                self._isSpent = True

    def firstPacket(self, index: int) -> Any:
        """The next packet of one stream, or None if there is none soon."""
        self._isPristine = False
        try:
            for count, packet in enumerate(self.container.demux(self.container.streams[index])):
                if packet.size:
                    return packet
                if count == _SEARCHED:
                    break
        except (av.error.FFmpegError, OSError, IndexError):
            pass
        return None

    def seek(self, index: int, ticks: int) -> None:
        """
        Goes to the last place at or before a time of one stream where decoding can start. How well a container keeps to
        that differs.
        """
        self._go(lambda container: container.seek(ticks, stream=container.streams[index]))

    def seekByte(self, position: int) -> None:
        """Goes to the first packet that begins so many bytes into the file."""
        self._go(lambda container: container.seek(position, unsupported_byte_offset=True))

    def _go(self, seek: Callable[[Any], object]) -> None:
        if self._isSpent:
            self._reopen()
        self._isPristine = False
        if not self._hasGone(seek):
            self._reopen()

    def _hasGone(self, seek: Callable[[Any], object]) -> bool:
        try:
            seek(self.container)
        except av.error.FFmpegError:
            return False
        return True

    def rewind(self, indexes: Collection[int], isSeekable: bool = True) -> None:
        """
        Goes to the very first packet of the file, which may lie before its first seek point.

        @param indexes: of the streams that are wanted.
        @param isSeekable: False has the file opened again in any case.
        """
        if self._isPristine:
            return
        isThere = isSeekable and not self._isSpent
        if "mov" in self.names:
            isThere = isThere and self._goToFirstSample(indexes)
        elif self.isMultiplex:
            isThere = isThere and self._hasGone(lambda container: container.seek(0, unsupported_byte_offset=True))
        else:
            isThere = isThere and bool(_RESEEKABLE & self.names) and self._goToStart()
        if not isThere:
            self._reopen()

    def _goToStart(self) -> bool:
        return self._hasGone(lambda container: container.seek(-(1 << 62))) or self._hasGone(
            lambda container: container.seek(0)
        )

    def _goToFirstSample(self, indexes: Collection[int]) -> bool:
        """MP4 seeks by one track and takes the others along, so it has to be the one that starts first."""
        every: list[Any] = [self.container.streams[index] for index in indexes]
        streams = [stream for stream in every if len(stream.index_entries)]
        if not streams:
            return False
        first = min(streams, key=lambda stream: stream.index_entries[0].timestamp * stream.time_base)
        return self._hasGone(lambda container: container.seek(first.index_entries[0].timestamp, stream=first))

    def _reopen(self) -> None:
        """
        @raise OSError: if the file is not there any more, or is another one.
        """
        container, version = openContainer(self._path)
        if not version.isSameFile(self.version) or not self.reopening(container.streams):
            container.close()
            raise OSError(errno.ESTALE, "the file was replaced", self._path)
        self.container.close()
        self.container = container
        self._isPristine = True
        self._isSpent = False

    def close(self) -> None:
        """Gives the file back; the demuxer is of no more use."""
        self.container.close()
