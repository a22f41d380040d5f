"""
A presentation in words for the reader, and as data for the player's script.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from typing import Any

from mediasrv.media.presentation import Presentation
from mediasrv.media.subtitles import Subtitle
from mediasrv.media.tracks import Track
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

#: what Python's table has not, or has otherwise than browsers ask for it
_TYPES = {
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mka": "audio/x-matroska",
    "mkv": "video/x-matroska",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "ts": "video/mp2t",
    "wav": "audio/wav",
}


def isVideo(presentation: Presentation) -> bool:
    """Whether there is something to see."""
    return any(track.kind == "video" for track in presentation.tracks)


def typeOf(name: str) -> str:
    """The media type of a file, by its name."""
    ending = os.path.splitext(name)[1][1:].lower()
    return _TYPES.get(ending) or mimetypes.guess_type(f"x.{ending}")[0] or "application/octet-stream"


def summaryOf(presentation: Presentation) -> list[str]:
    """Duration, picture and sound, a few words each."""
    parts = [clock(presentation.duration)]
    videos = [track for track in presentation.tracks if track.kind == "video"]
    sounds = [track for track in presentation.tracks if track.kind == "audio"]
    if videos:
        parts.append(f"{videos[0].width} × {videos[0].height}")
    parts += [_codecOf(track) for track in (*videos[:1], *sounds[:1])]
    return parts


def trackLines(presentation: Presentation) -> list[tuple[str, str, str, str]]:
    """For each track what it is, its codec, its language, and its figures."""
    return [
        (track.kind.capitalize(), _codecOf(track), _labelOf(track), " · ".join(_figures(track)))
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

    C{version} changes with the file: a position that was remembered is of one version.
    """
    file = linked(segments[-1:])
    sounds = [track for track in presentation.tracks if track.kind == "audio"]
    return {
        "title": presentation.title,
        "kind": "video" if isVideo(presentation) else "audio",
        "file": f"../{file}",
        "type": typeOf(segments[-1]),
        "hls": "index.m3u8",
        "whole": not presentation.omitted,
        "poster": "poster.jpg",
        "stills": "still/",
        "duration": round(presentation.duration, 3),
        "version": presentation.version.etag,
        "sounds": [{"number": each.index, "label": _labelOf(each), "language": each.language} for each in sounds],
        "subtitles": forPage(subtitles),
    }
