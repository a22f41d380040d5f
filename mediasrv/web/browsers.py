"""
What browsers decode: the codecs that they take in fragmented MP4, through Media Source Extensions or natively.

A track is carried if the browsers of today decode it, or most of them do where there is hardware for it (H.265). AC-3
and E-AC-3 are left out: Apple's browsers decode them, Chromium and Firefox do not, and a film without sound in two of
three is no film. Left out as well are what has no place in MP4 (Vorbis, VP8), uncompressed sound, and profiles that no
browser decodes, such as 4:2:2 and ten bits in H.264.
"""

from __future__ import annotations

from mediasrv.media.tracks import Track
from mediasrv.streaming.fmp4.formats import NotPackaged
from mediasrv.streaming.fmp4.registry import packages, sampleFormatFor

#: C{profile_idc} of H.264: Baseline, Main, Extended (in name only), High
_H264_PROFILES = frozenset({66, 77, 88, 100})
#: C{general_profile_idc} of H.265: Main, Main 10, Main Still Picture
_H265_PROFILES = frozenset({"1", "2", "3"})
#: profiles of AAC that FFmpeg numbers 2 (SSR) and 3 (LTP): nobody decodes them
_AAC_PROFILES = frozenset({2, 3})


def carriedByBrowsers(track: Track, unit: bytes | None) -> bool:
    """
    Whether browsers decode a track: the L{mediasrv.media.containers.Carries} of the view "web".
    """
    if not packages(track.codec) or track.profile in _AAC_PROFILES:
        return False
    if not track.extradata and track.codec in ("h264", "hevc"):
        return True  # its pictures will say what it is
    try:
        name = sampleFormatFor(track).codecString
    except NotPackaged:
        return False
    codec, _, rest = name.partition(".")
    if codec == "avc1":
        return int(rest[:2], 16) in _H264_PROFILES
    if codec == "hvc1":
        return rest.partition(".")[0] in _H265_PROFILES
    return True
