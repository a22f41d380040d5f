"""
Meta files of lines: M3U, PLS, RAM and STRM.

All of them are UTF-8 without byte order mark. C{.m3u} was Latin-1 once; players of today look whether it is UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.web.metafiles.entries import Entry, wholeSeconds


def m3u(title: str, entries: Sequence[Entry]) -> bytes:
    """Extended M3U, as a playlist: it is no HLS, although both begin alike."""
    lines = ["#EXTM3U"]
    for entry in entries:
        lines += [f"#EXTINF:{wholeSeconds(entry.duration)},{entry.title}", entry.url]
    return _joined(lines)


def pls(title: str, entries: Sequence[Entry]) -> bytes:
    """The playlist of Winamp and SHOUTcast, which looks like an INI file."""
    lines = ["[playlist]"]
    for number, entry in enumerate(entries, 1):
        lines += [
            f"File{number}={entry.url}",
            f"Title{number}={entry.title}",
            f"Length{number}={wholeSeconds(entry.duration)}",
        ]
    return _joined([*lines, f"NumberOfEntries={len(entries)}", "Version=2"])


def urls(title: str, entries: Sequence[Entry]) -> bytes:
    """One URL a line, and nothing else: RealPlayer's RAM, and the STRM of Kodi, Jellyfin and Emby."""
    return _joined([entry.url for entry in entries])


def _joined(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
