"""
The formats of meta files by their extensions, and what was seen of players.

VLC reads all but SMIL. It knows C{.wvx} and C{.qtl} by the end of the URL alone, the others by their type too: so their
URLs need no query, or one that ends alike (C{?via=http&.qtl}). As C{application/vnd.apple.mpegurl} it would take an
C{.m3u8} for HLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mediasrv.web.metafiles import lists, markup
from mediasrv.web.metafiles.entries import Writer

Via = Literal["rtsp", "http", "hls"]


@dataclass(frozen=True, slots=True)
class Format:
    """
    @ivar type: its MIME type.
    @ivar write: makes one; None for a session description, which no entries tell.
    @ivar via: what its entries are URLs of if the client does not say.
    @ivar isTimed: whether it has durations.
    """

    type: str
    write: Writer | None
    via: Via = "rtsp"
    isTimed: bool = False


_M3U = Format("audio/x-mpegurl", lists.m3u, isTimed=True)
_SMIL = Format("application/smil+xml", markup.smil)

#: by extension, in lower case and without the dot
FORMATS: Mapping[str, Format] = {
    "m3u": _M3U,
    "m3u8": _M3U,
    "pls": Format("audio/x-scpls", lists.pls, isTimed=True),
    # RTSP to Windows Media Player is a dialect of its own, so that these name the file itself
    "asx": Format("video/x-ms-asf", markup.asx, "http", isTimed=True),
    "wvx": Format("video/x-ms-wvx", markup.asx, "http", isTimed=True),
    "wax": Format("audio/x-ms-wax", markup.asx, "http", isTimed=True),
    "ram": Format("audio/x-pn-realaudio", lists.urls),
    "rpm": Format("audio/x-pn-realaudio-plugin", lists.urls),
    "smil": _SMIL,
    "smi": _SMIL,
    "xspf": Format("application/xspf+xml", markup.xspf, isTimed=True),
    "qtl": Format("application/x-quicktimeplayer", markup.qtl),
    "strm": Format("text/plain; charset=utf-8", lists.urls),
    "sdp": Format("application/sdp", None),
}
