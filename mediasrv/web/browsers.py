"""
What browsers decode: the codecs that they take in fragmented MP4, through Media Source Extensions or natively.

A track is carried if one of Chromium, Firefox and Safari decodes it; C{CODECS} tells the others that they do not, and
they can still play the file. That is so with MP3, which Chromium wants as a file of its own, with H.265, for which it
wants hardware, and with H.264 of more than eight bits, which Firefox lacks. AC-3 and E-AC-3 are left out: only Apple's
browsers decode them, and the others would not play the pictures either. So is what has no place in MP4 (Vorbis, VP8),
and uncompressed sound.
"""

from __future__ import annotations

from mediasrv.media.tracks import Track
from mediasrv.streaming.fmp4.formats import NotPackaged
from mediasrv.streaming.fmp4.registry import packages, sampleFormatFor

#: AAC that is decoded: LC, HE, HE version 2 and xHE; not Main, SSR, LTP and those with low delay
_AAC = frozenset({"mp4a.40.2", "mp4a.40.5", "mp4a.40.29", "mp4a.40.42"})


def carriedByBrowsers(track: Track, unit: bytes | None) -> bool:
    """
    Whether browsers decode a track: the L{mediasrv.media.containers.Carries} of the view "web".
    """
    if not packages(track.codec):
        return False
    if not track.extradata and track.codec in ("h264", "hevc"):
        return True  # its pictures will say what it is
    try:
        name = sampleFormatFor(track).codecString
    except NotPackaged:
        return False
    return track.codec != "aac" or name in _AAC
