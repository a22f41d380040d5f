"""
What a file is, by its first bytes: for those whose names do not say.
"""

from __future__ import annotations

from collections.abc import Callable

#: bytes to look at
SAMPLE = 4096

_UNKNOWN = "application/octet-stream"
_PACKET = 188

#: what stands at the beginning
_STARTS = (
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "video/x-ms-asf"),
    (b"caff\x00\x01", "audio/x-caf"),
    (b".snd\x00\x00\x00", "audio/basic"),
    (b"#!AMR-WB", "audio/amr-wb"),
    (b"#!AMR", "audio/amr"),
    (b"\x0b\x77", "audio/ac3"),
    (b"\x7f\xfe\x80\x01", "audio/vnd.dts"),
    (b"MThd", "audio/midi"),
    (b".RMF", "application/vnd.rn-realmedia"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "application/mxf"),
    (b"DKIF", "video/x-ivf"),
    (b"nut/multimedia container", "video/x-nut"),
    (b"YUV4MPEG2 ", "video/x-yuv4mpeg"),
    (b"wvpk", "audio/x-wavpack"),
    (b"MAC ", "audio/ape"),
    (b"TTA1", "audio/x-tta"),
    (b"MPCK", "audio/x-musepack"),
    (b"DSD ", "audio/x-dsf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xff\x0a", "image/jxl"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"#EXTM3U", "audio/x-mpegurl"),
    (b"[playlist]", "audio/x-scpls"),
    (b"WEBVTT", "text/vtt; charset=utf-8"),
    (b"v=0\r\no=", "application/sdp"),
    (b"v=0\no=", "application/sdp"),
)

#: by the kind of a RIFF file
_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp"}

#: by the major brand of an ISO base media file; all others are MP4
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"3g2a": "video/3gpp2",
}


def sniff(data: bytes) -> str:
    """
    The media type of a file.

    @param data: the first L{SAMPLE} bytes, or all if there are fewer.
    @return: C{application/octet-stream} if it is nothing known.
    """
    for start, type in _STARTS:
        if data.startswith(start):
            return type
    for look in _LOOKS:
        if (found := look(data)) is not None:
            return found
    return _UNKNOWN


def _boxes(data: bytes) -> str | None:
    kind = data[4:8]
    if kind == b"ftyp":
        brand = data[8:12]
        return _BRANDS.get(brand, "video/3gpp" if brand.startswith(b"3g") else "video/mp4")
    if kind == b"styp":
        return "video/mp4"
    # QuickTime before there were brands
    return "video/quicktime" if kind in (b"moov", b"mdat", b"wide") and data[:2] == b"\0\0" else None


def _matroska(data: bytes) -> str | None:
    if not data.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return "video/webm" if b"webm" in data[:64] else "video/x-matroska"


def _ogg(data: bytes) -> str | None:
    if not data.startswith(b"OggS"):
        return None
    moves = any(word in data for word in (b"\x80theora", b"BBCD\0", b"OVP80", b"\x01video"))
    return "video/ogg" if moves else "audio/ogg"


def _riff(data: bytes) -> str | None:
    if data.startswith((b"RIFF", b"RF64", b"BW64")):
        return _RIFF.get(data[8:12])
    if data.startswith(b"FORM") and data[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    return None


def _transportStream(data: bytes) -> str | None:
    """Also with the four bytes in front of each packet that Blu-ray has."""
    for first, distance in ((0, _PACKET), (4, _PACKET + 4)):
        places = range(first, len(data), distance)
        if len(places) >= 3 and all(data[place] == 0x47 for place in places):
            return "video/mp2t"
    return None


def _mpegAudio(data: bytes) -> str | None:
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    if data[1] & 0xF6 == 0xF0:
        return "audio/aac"
    # a version, a layer, a bit rate and a sampling rate that exist
    isHeader = data[1] & 0x18 != 0x08 and data[1] & 0x06 and data[2] & 0xF0 != 0xF0 and data[2] & 0x0C != 0x0C
    return "audio/mpeg" if isHeader else None


def _startCodes(data: bytes) -> str | None:
    """H.264 or H.265 as it comes from an encoder: a parameter set or a delimiter comes first."""
    place = 4 if data.startswith(b"\0\0\0\1") else 3 if data.startswith(b"\0\0\1") else 0
    if not place or len(data) < place + 2:
        return None
    if data[place] in (0x40, 0x42, 0x46) and data[place + 1] == 1:
        return "video/h265"
    return "video/h264" if data[place] in (0x09, 0x27, 0x47, 0x67) else None


def _text(data: bytes) -> str | None:
    """Only where it can be nothing else."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        # the last character may be cut in two
        if len(data) < SAMPLE or error.start < len(data) - 3:
            return None
        text = data[: error.start].decode()
    if not text or any(character < " " and character not in "\t\n\r\f\x1b" for character in text):
        return None
    return "text/plain; charset=utf-8"


_LOOKS: tuple[Callable[[bytes], str | None], ...] = (
    _boxes,
    _matroska,
    _ogg,
    _riff,
    _transportStream,
    _mpegAudio,
    _startCodes,
    _text,
)
