"""
Opening files for FFmpeg without letting a file decide what else is opened (SEC-6, SEC-7).

FFmpeg gets an open descriptor and may open nothing by itself: a playlist, a C{concat} script or a session description
that names other files comes to nothing, whatever its name and its content. What is opened is looked at after it was
opened, so nobody can put something else in its place in between, and opening never waits (a FIFO would).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from functools import cache

import av
import av.logging
from av.container import InputContainer

# What is wrong with a file is said once, by us, where it is asked for; FFmpeg would write it to stderr.
av.logging.set_level(None)

#: what FFmpeg calls formats that are no media: scripts that name other files, text, devices, single pictures
_REFUSED = frozenset(
    {"concat", "dash", "ffmetadata", "hls", "image2", "image2pipe", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "tty"}
)

#: formats that nothing in the file tells, by the ending of its name
_NAMED = {
    "722": "g722",
    "al": "alaw",
    "alaw": "alaw",
    "g722": "g722",
    "mjpeg": "mjpeg",
    "mjpg": "mjpeg",
    "sln": "sln",
    "ul": "mulaw",
    "ulaw": "mulaw",
}


class NotMedia(Exception):
    """The file cannot be read as media; the text says why."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What tells one content of a path from another."""

    device: int
    inode: int
    size: int
    modified: int  # nanoseconds since 1970

    @classmethod
    def of(cls, path: str) -> FileVersion:
        """
        @raise OSError: if the path names nothing that can be looked at, or no regular file.
        """
        return cls._from(os.stat(path), path)

    @classmethod
    def ofOpen(cls, descriptor: int, path: str) -> FileVersion:
        """
        The same of an open file.

        @raise OSError: if it is no regular file.
        """
        return cls._from(os.fstat(descriptor), path)

    @classmethod
    def _from(cls, status: os.stat_result, path: str) -> FileVersion:
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, "no regular file", path)
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    @property
    def etag(self) -> str:
        """An opaque name of this version, for C{a=etag} and HTTP."""
        return f"{self.inode:x}-{self.size:x}-{self.modified:x}"

    def isSameFile(self, other: FileVersion) -> bool:
        """Whether it is the same file, however much was written to it in between."""
        return (self.device, self.inode) == (other.device, other.inode)


@dataclass(frozen=True, slots=True)
class CompositionVersion:
    """
    What tells one content of a description file from another: its own, that of its clips, and what was chosen of it.

    @ivar own: of the file.
    @ivar clips: of each clip; None for one that is not there.
    @ivar choice: as L{mediasrv.media.descriptions.choosing.Chosen} has it.
    """

    own: FileVersion
    clips: tuple[FileVersion | None, ...]
    choice: tuple[int, ...]

    @property
    def inode(self) -> int:
        """A number that belongs to it."""
        return self.own.inode

    @property
    def size(self) -> int:
        """Bytes of all files, each counted once."""
        return sum(each.size for each in {self.own, *self.clips} if each is not None)

    @property
    def modified(self) -> int:
        """When one of the files was written to last, in nanoseconds since 1970."""
        return max(each.modified for each in (self.own, *self.clips) if each is not None)

    @property
    def etag(self) -> str:
        """As L{FileVersion.etag}."""
        named = [str(self.choice), *("" if each is None else each.etag for each in (self.own, *self.clips))]
        return hashlib.blake2s("\n".join(named).encode(), digest_size=12).hexdigest()


#: of anything that can be played
Version = FileVersion | CompositionVersion


def openFile(path: str) -> int:
    """
    Opens a regular file for reading, and for nothing that this process starts.

    @return: a descriptor.
    @raise OSError: if that is not to be had.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        FileVersion.ofOpen(descriptor, path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def openContainer(path: str) -> tuple[InputContainer, FileVersion]:
    """
    Opens a media file.

    @raise OSError: if the file cannot be opened.
    @raise NotMedia: if FFmpeg does not know what it is, or it is of a kind that is not played.
    """
    descriptor = openFile(path)
    try:
        version = FileVersion.ofOpen(descriptor, path)
        if not version.size:
            raise NotMedia("it is empty")
        ending = os.path.splitext(path)[1][1:].lower()
        try:
            return _demux(descriptor, None), version
        except NotMedia:
            if ending not in _NAMED:
                raise
        return _demux(descriptor, _NAMED[ending]), version
    finally:
        os.close(descriptor)


def _demux(descriptor: int, format: str | None) -> InputContainer:
    os.lseek(descriptor, 0, os.SEEK_SET)
    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "format_whitelist": _playedFormats()}
    try:
        # FFmpeg duplicates the descriptor; a title in Latin-1 is no reason not to play
        return av.open("fd:", format=format, options=options, metadata_errors="replace")
    except av.error.ArgumentError:
        raise NotMedia("it is of a type that is not played") from None
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        raise NotMedia(getattr(error, "strerror", None) or str(error)) from None


@cache
def _playedFormats() -> str:
    names = sorted(av.formats_available)
    return ",".join(name for name in names if name not in _REFUSED and not name.endswith("_pipe"))
