"""
Media types by the ending of a file's name, and what a browser may do with each.

What lies in the library was put there by somebody whom this server's pages should not trust: a page with a script in
it would run as if it were one of ours. So nothing is served as a page (HTML is sent as text), browsers are told not to
guess, and what is neither sound, moving picture nor pixels is shown in a sandbox without any rights.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

#: what is nothing that anybody knows
UNKNOWN = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"

#: endings by type: containers, elementary streams, playlists and descriptions, subtitles, pictures, text
_TYPES = {
    "video/mp4": "mp4 m4v f4v mp4v cmfv m4s",
    "audio/mp4": "m4a m4b m4r cmfa f4a",
    "video/quicktime": "mov qt",
    "video/3gpp": "3gp 3gpp",
    "video/3gpp2": "3g2 3gpp2",
    "video/x-matroska": "mkv mk3d",
    "audio/x-matroska": "mka",
    "video/webm": "webm",
    "audio/webm": "weba",
    "video/ogg": "ogv ogm",
    "audio/ogg": "ogg oga opus spx",
    "application/ogg": "ogx",
    "video/mp2t": "ts m2ts mts m2t tsv tsa trp tp",
    "video/mpeg": "mpg mpeg mpe m1v m2v mpv vob m2p ps vdr evo",
    "video/x-msvideo": "avi divx",
    "video/x-ms-wmv": "wmv",
    "video/x-ms-asf": "asf",
    "audio/x-ms-wma": "wma",
    "video/x-flv": "flv",
    "video/x-ivf": "ivf",
    "video/x-nut": "nut",
    "video/x-mjpeg": "mjpeg mjpg",
    "video/dv": "dv dif",
    "video/h264": "h264 264 avc",
    "video/h265": "h265 265 hevc",
    "video/av1": "obu av1",
    "video/x-yuv4mpeg": "y4m",
    "video/vnd.rn-realvideo": "rv",
    "application/vnd.rn-realmedia": "rm rmvb",
    "application/mxf": "mxf",
    "video/x-gxf": "gxf",
    "video/x-ms-dvr": "dvr-ms wtv",
    "audio/mpeg": "mp3 mp2 mpa mp1 m2a",
    "audio/aac": "aac adts",
    "audio/ac3": "ac3",
    "audio/eac3": "eac3 ec3",
    "audio/ac4": "ac4",
    "audio/vnd.dts": "dts dtshd",
    "audio/true-hd": "thd truehd mlp",
    "audio/flac": "flac",
    "audio/wav": "wav wave w64 rf64 bwf",
    "audio/aiff": "aif aiff aifc",
    "audio/x-caf": "caf",
    "audio/basic": "au snd",
    "audio/amr": "amr",
    "audio/amr-wb": "awb",
    "audio/g722": "g722 722",
    "audio/pcma": "al alaw",
    "audio/pcmu": "ul ulaw mulaw",
    "audio/gsm": "gsm",
    "audio/ape": "ape",
    "audio/x-wavpack": "wv",
    "audio/x-tta": "tta",
    "audio/x-musepack": "mpc mpp mp+",
    "audio/x-tak": "tak",
    "audio/x-dsf": "dsf dff",
    "audio/x-voc": "voc",
    "audio/vnd.rn-realaudio": "ra",
    "audio/midi": "mid midi",
    "audio/mod": "mod xm s3m it",
    "application/vnd.apple.mpegurl": "m3u8",
    "audio/x-mpegurl": "m3u",
    "audio/x-scpls": "pls",
    "video/x-ms-asx": "asx wax wvx",
    "audio/x-pn-realaudio": "ram",
    "application/smil+xml": "smil smi",
    "application/xspf+xml": "xspf",
    "application/x-quicktimeplayer": "qtl",
    "application/sdp": "sdp",
    "application/dash+xml": "mpd",
    "application/json": "json",
    "application/xml": "xml xsl xslt rss atom",
    "text/vtt; charset=utf-8": "vtt",
    "application/x-subrip; charset=utf-8": "srt",
    "text/x-ssa; charset=utf-8": "ass ssa",
    "application/ttml+xml": "ttml dfxp",
    "application/x-subtitle": "sub idx sup",
    "image/jpeg": "jpg jpeg jpe jfif",
    "image/png": "png apng",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic heif",
    "image/jxl": "jxl",
    "image/bmp": "bmp dib",
    "image/tiff": "tif tiff",
    "image/x-icon": "ico",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "application/epub+zip": "epub",
    "application/zip": "zip",
    "application/gzip": "gz tgz",
    "application/x-tar": "tar",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/toml": "toml",
    # pages and scripts among them: whoever wants to read one can
    _TEXT: "txt text nfo log md rst cue ini conf csv html htm xhtml xht shtml mht mhtml hta js mjs css strm lrc",
    UNKNOWN: "bin iso img part tmp swf exe",
}

#: shown outside of any sandbox: browsers run nothing that is in them
_INERT = ("audio/", "video/", "image/", "application/pdf")
_ACTIVE = ("svg", "xml", "x-ms-asx")


@cache
def _byEnding() -> dict[str, str]:
    return {ending: type for type, endings in _TYPES.items() for ending in endings.split()}


def typeOf(name: str) -> str | None:
    """The media type that the ending of a name says; None where it says nothing."""
    return _byEnding().get(os.path.splitext(name)[1][1:].lower())


@dataclass(frozen=True, slots=True)
class MediaType:
    """
    @ivar name: the value of Content-Type.
    @ivar isInert: whether nothing in it can do anything in a browser.
    """

    name: str
    isInert: bool

    @classmethod
    def of(cls, name: str) -> MediaType:
        """Knows whether it is inert."""
        return cls(name, name.startswith(_INERT) and not any(word in name for word in _ACTIVE))
