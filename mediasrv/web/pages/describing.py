"""
A presentation in words for the reader, and as data for the player's script.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mediasrv.media.presentation import Presentation
from mediasrv.media.subtitles import Subtitle
from mediasrv.media.tracks import Track
from mediasrv.web.contenttypes import typeOf
from mediasrv.web.pages.wording import bitRate, clock, language, linked
from mediasrv.web.subtitles import forPage

#: FFmpeg's names of codecs, and what people call them
_CODECS = {
    "aac": "AAC",
    "ac3": "AC-3",
    "av1": "AV1",
    "eac3": "E-AC-3",
    "flac": "FLAC",
    "h264": "H.264",
    "hevc": "H.265",
    "mjpeg": "Motion JPEG",
    "mp2": "MP2",
    "mp3": "MP3",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4",
    "opus": "Opus",
    "theora": "Theora",
    "vorbis": "Vorbis",
    "vp8": "VP8",
    "vp9": "VP9",
}
_CHANNELS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}

#: types that browsers play as they are, some of them at least: the script asks whether this one does
_PLAYED = re.compile("audio/(?:aac|flac|mp4|mpeg|ogg|wav|webm|x-matroska)|video/(?:mp4|ogg|quicktime|webm|x-matroska)")


def playsAsFile(name: str) -> bool:
    """Whether there are browsers that play a file of this name without HLS."""
    return _PLAYED.fullmatch(typeOf(name) or "") is not None


def isVideo(presentation: Presentation) -> bool:
    """Whether there is something to see."""
    return any(track.kind == "video" for track in presentation.tracks)


def summaryOf(presentation: Presentation) -> list[str]:
    """Duration, picture and sound, a few words each."""
    parts = [clock(presentation.duration)]
    videos = [track for track in presentation.tracks if track.kind == "video"]
    sounds = [track for track in presentation.tracks if track.kind == "audio"]
    if videos:
        width, height = videos[0].shownSize
        parts.append(f"{width} × {height}")
    parts += [_codecOf(track) for track in (*videos[:1], *sounds[:1])]
    return parts


def trackLines(presentation: Presentation) -> list[tuple[str, str, str]]:
    """For each track what it is, its codec and language, and its figures."""
    return [
        (
            track.kind.capitalize(),
            " · ".join(filter(None, (_codecOf(track), _labelOf(track)))),
            " · ".join(_figures(track)),
        )
        for track in presentation.tracks
    ]


def _codecOf(track: Track) -> str:
    return _CODECS.get(track.codec) or ("PCM" if track.codec.startswith("pcm_") else track.codec.upper())


def _labelOf(track: Track) -> str:
    return " – ".join(filter(None, (language(track.language), track.title)))


def _figures(track: Track) -> list[str]:
    figures = []
    if track.width:
        figures.append(f"{track.width} × {track.height}")
    if track.frameRate:
        figures.append(f"{float(track.frameRate):.3f}".rstrip("0").rstrip(".") + " fps")
    if track.channels:
        figures.append(_CHANNELS.get(track.channels, f"{track.channels} channels"))
    if track.sampleRate:
        figures.append(f"{track.sampleRate / 1000:g} kHz")
    if track.bitRate:
        figures.append(bitRate(track.bitRate))
    return figures


def described(
    segments: Sequence[str], presentation: Presentation, subtitles: Sequence[Subtitle] = ()
) -> dict[str, Any]:
    """
    What the player's script has to know; references are relative to the page.

    C{hls}, C{poster} and C{stills} are None for what is not to be had; C{whole} tells whether nothing is missing from
    HLS, C{plain} whether there are browsers that play the file, and not all of these admit it. C{version} changes with
    the file: a position that was remembered is of one version.
    """
    isSeen = isVideo(presentation)
    isHLS = presentation.view == "web"
    file = linked(segments[-1:])
    sounds = [track for track in presentation.tracks if track.kind == "audio"]
    return {
        "title": presentation.title,
        "kind": "video" if isSeen else "audio",
        "file": f"../{file}",
        "type": typeOf(segments[-1]) or "",
        "plain": playsAsFile(segments[-1]),
        "hls": "index.m3u8" if isHLS else None,
        "whole": isHLS and not presentation.omitted,
        "poster": "poster.jpg" if isSeen else None,
        "stills": "still/" if isSeen else None,
        "duration": round(presentation.duration, 3),
        "version": presentation.version.etag,
        "sounds": [
            {"number": each.index, "label": _labelOf(each), "language": each.language, "codec": each.codec}
            for each in sounds
        ],
        "subtitles": forPage(subtitles),
    }
