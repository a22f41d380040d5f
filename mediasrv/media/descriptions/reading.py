"""
Which files are descriptions, and in which language each is written.
"""

from __future__ import annotations

import os

from mediasrv.media.descriptions.playlists import parseM3U
from mediasrv.media.descriptions.smil import parseSMIL
from mediasrv.media.descriptions.tomlfile import parseTOML
from mediasrv.media.descriptions.tree import Description, DescriptionError, Segments
from mediasrv.media.files import FileVersion, openFile

#: bytes of a description at most
LARGEST = 256 << 10

_PARSERS = {
    "smil": parseSMIL,
    "smi": parseSMIL,
    "toml": parseTOML,
    "m3u": parseM3U,
    "m3u8": parseM3U,
}

#: the endings of their names, in lower case
ENDINGS = frozenset(_PARSERS)


def isDescription(path: str) -> bool:
    """Whether a file is a description, by its name."""
    return _ending(path) in ENDINGS


def parse(data: bytes, ending: str, folder: Segments) -> Description:
    """
    @param ending: one of L{ENDINGS}.
    @param folder: of the file, in the library.
    @raise DescriptionError: if nothing can be played.
    """
    if len(data) > LARGEST:
        raise DescriptionError(f"a description has {LARGEST} bytes at most")
    return _PARSERS[ending](data, folder)


def read(path: str, version: FileVersion, folder: Segments) -> Description:
    """
    Reads a description; blocks.

    @param version: that it is to have.
    @raise DescriptionError: if nothing can be played.
    @raise OSError: if it cannot be read.
    """
    with open(openFile(path), "rb") as file:
        if FileVersion.ofOpen(file.fileno(), path) != version:
            raise DescriptionError("it is being written")
        return parse(file.read(LARGEST + 1), _ending(path), folder)


def _ending(path: str) -> str:
    return os.path.splitext(path)[1][1:].lower()
