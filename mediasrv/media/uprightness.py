"""
Which way up the pictures of a film are: telephones write them as the sensor has them, and beside them how it was held.

That is the matrix of a track in MP4 and QuickTime files (C{tkhd}, ISO/IEC 14496-12 section 8.3.2). PyAV tells it of
decoded pictures only, and decoding one would make every film slower to open.
"""

from __future__ import annotations

import os

from mediasrv.media.fileboxes import FileBox, FileBoxError, fileBoxes
from mediasrv.media.files import openFile

#: boxes that are looked at on the top of a file, in its index, and in a track of it
_MOST_TOP, _MOST_TRACKS, _MOST_INNER = 1000, 256, 16

#: bytes of a track's header that are read
_HEADER = 128

#: one, in the fixed-point numbers of a matrix
_ONE = 0x10000

#: the first two numbers of each of the first two rows, and the degrees by which that turns clockwise
_TURNS = {(0, _ONE, -_ONE, 0): 90, (-_ONE, 0, 0, -_ONE): 180, (0, -_ONE, _ONE, 0): 270}


def rotations(path: str) -> dict[int, int]:
    """
    By how many degrees, clockwise, the pictures of each track of a file are to be turned: 90, 180 or 270.

    @param path: of an MP4 or a QuickTime file.
    @return: by the identifier of the track. Those that are upright are left out, and so are those that are mirrored,
        or turned by other angles.
    @raise OSError: if it cannot be read.
    """
    found: dict[int, int] = {}
    descriptor = openFile(path)
    try:
        index = _first(descriptor, b"moov", 0, os.fstat(descriptor).st_size, _MOST_TOP)
        for track in fileBoxes(descriptor, index.body, index.end, _MOST_TRACKS):
            if track.kind == b"trak":
                header = _first(descriptor, b"tkhd", track.body, track.end, _MOST_INNER)
                identifier, matrix = _read(os.pread(descriptor, min(header.size, _HEADER), header.body))
                if matrix in _TURNS:
                    found[identifier] = _TURNS[matrix]
    except FileBoxError:
        pass  # what FFmpeg makes of a broken file is played
    finally:
        os.close(descriptor)
    return found


def _first(descriptor: int, kind: bytes, start: int, end: int, most: int) -> FileBox:
    for box in fileBoxes(descriptor, start, end, most):
        if box.kind == kind:
            return box
    raise FileBoxError(f"no box {kind!r}")


def _read(header: bytes) -> tuple[int, tuple[int, ...]]:
    """The identifier and the matrix that C{tkhd} has."""
    isLong = header[:1] == b"\1"
    identifier, matrix = (20, 52) if isLong else (12, 40)
    numbers = (header[matrix + place : matrix + place + 4] for place in (0, 4, 12, 16))
    return (
        int.from_bytes(header[identifier : identifier + 4], "big"),
        tuple(int.from_bytes(number, "big", signed=True) for number in numbers),
    )
