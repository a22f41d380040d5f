"""
Whether a part of a file is in memory, and getting it there from a disk that may have to wake up first.

The reactor reads what is in memory by itself, which is faster than to ask a thread. All else is for a thread.
"""

from __future__ import annotations

import os

#: bytes that a thread reads at least, so that a file on a slow disk does not take a thread for each step
AHEAD = 2 << 20

_NO_WAIT = getattr(os, "RWF_NOWAIT", None)
_probe = [bytearray(1)]


def isInMemory(descriptor: int, start: int, length: int) -> bool:
    """
    Whether a part of a file can be read without waiting, by its first and its last byte. Where the system or the file
    system cannot tell, it is not.
    """
    if _NO_WAIT is None:
        return False
    try:
        return bool(
            os.preadv(descriptor, _probe, start + length - 1, _NO_WAIT)
            and os.preadv(descriptor, _probe, start, _NO_WAIT)
        )
    except OSError:
        return False


def readNow(descriptor: int, start: int, length: int) -> bytes | None:
    """
    What can be read of a file without waiting; None if that is nothing, be it that the file ends before.
    """
    if _NO_WAIT is None:
        return None
    buffer = bytearray(length)
    try:
        count = os.preadv(descriptor, [buffer], start, _NO_WAIT)
    except OSError:
        return None
    return bytes(memoryview(buffer)[:count]) or None


def warm(descriptor: int, start: int, length: int) -> bool:
    """
    Gets a part of a file into the system's memory; for a reader thread.

    @return: whether there is anything.
    @raise OSError: if it cannot be read.
    """
    return bool(read(descriptor, start, length))


def read(descriptor: int, start: int, length: int) -> bytes:
    """
    Reads a part of a file, and asks for what follows it; for a reader thread.

    @return: empty if the file ends before.
    @raise OSError: if it cannot be read.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, start, length + AHEAD, os.POSIX_FADV_WILLNEED)
    return os.pread(descriptor, length, start)
