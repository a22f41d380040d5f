"""
Playlists as text (RFC 8216 section 4): values in, lines out. The URIs are relative to where a playlist is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

MIME_TYPE = "application/vnd.apple.mpegurl"

#: C{EXT-X-MAP} needs 6 where there are other pictures than key frames (section 7); nothing here needs more
_VERSION = 6

#: transfer characteristics (ITU-T H.273) of pictures with a high dynamic range; what else is known has none
_PQ, _HLG, _UNKNOWN = 16, 18, 2


@dataclass(frozen=True, slots=True)
class Subtitle:
    """
    A track of subtitles.

    @ivar number: by which it is asked for.
    @ivar language: ISO 639-2 or BCP 47, or C{""}.
    @ivar forced: whether it is shown to those who want none: what is spoken in another language than the rest.
    """

    number: int
    language: str = ""
    title: str = ""
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Rendition:
    """
    One of several tracks of sound or subtitles to choose from (C{EXT-X-MEDIA}, section 4.3.4.1).

    @ivar kind: C{AUDIO} or C{SUBTITLES}.
    @ivar language: a BCP 47 tag, or C{""}.
    @ivar isDefault: whether it is played if the user says nothing.
    @ivar channels: 0 for subtitles.
    """

    kind: str
    group: str
    uri: str
    name: str
    language: str = ""
    isDefault: bool = False
    isForced: bool = False
    channels: int = 0


@dataclass(frozen=True, slots=True)
class Variant:
    """
    What is played together (C{EXT-X-STREAM-INF}, section 4.3.4.2), or its key frames (section 4.3.4.3).

    @ivar bandwidth: bits per second that it takes at its peak.
    @ivar average: bits per second; 0 where nobody knows.
    @ivar codecs: of all its renditions, as RFC 6381 names them.
    @ivar size: width and height to be shown; zeros for sound.
    @ivar transfer: transfer characteristics as ITU-T H.273 numbers them.
    @ivar audio: the group of its sound, or C{""}.
    @ivar subtitles: the group of its subtitles, or C{""}.
    """

    uri: str
    bandwidth: int
    average: int = 0
    codecs: Sequence[str] = ()
    size: tuple[int, int] = (0, 0)
    frameRate: Fraction = Fraction(0)
    transfer: int = _UNKNOWN
    audio: str = ""
    subtitles: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A segment in a playlist.

    @ivar start: NPT seconds.
    @ivar end: NPT seconds.
    @ivar init: the URI of its init segment; none for text.
    @ivar follows: whether it goes on where the one before ended, with the same parameters.
    """

    uri: str
    start: float
    end: float
    init: str = ""
    follows: bool = True


def multivariantPlaylist(
    variants: Iterable[Variant], renditions: Iterable[Rendition] = (), keyFrames: Iterable[Variant] = ()
) -> str:
    """The playlist that names the others (section 4.3.4). Players start with the first variant."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    lines += [_rendition(each) for each in renditions]
    for variant in variants:
        frameRate = [f"FRAME-RATE={float(variant.frameRate):.3f}"] if variant.frameRate else []
        groups = [f'AUDIO="{variant.audio}"'] if variant.audio else []
        groups += [f'SUBTITLES="{variant.subtitles}"'] if variant.subtitles else []
        lines.append("#EXT-X-STREAM-INF:" + ",".join(_variant(variant) + frameRate + groups))
        lines.append(variant.uri)
    for variant in keyFrames:
        lines.append("#EXT-X-I-FRAME-STREAM-INF:" + ",".join([*_variant(variant), f'URI="{variant.uri}"']))
    return "\n".join(lines) + "\n"


def _variant(variant: Variant) -> list[str]:
    parts = [f"BANDWIDTH={variant.bandwidth}"]
    if variant.average:
        parts.append(f"AVERAGE-BANDWIDTH={min(variant.average, variant.bandwidth)}")
    if variant.codecs:
        parts.append(f'CODECS="{",".join(variant.codecs)}"')
    if all(variant.size):
        parts.append(f"RESOLUTION={variant.size[0]}x{variant.size[1]}")
    if variant.transfer != _UNKNOWN:
        parts.append(f"VIDEO-RANGE={ {_PQ: 'PQ', _HLG: 'HLG'}.get(variant.transfer, 'SDR') }")
    return parts


def _rendition(rendition: Rendition) -> str:
    parts = [f"TYPE={rendition.kind}", f'GROUP-ID="{rendition.group}"', f'NAME="{_quotable(rendition.name)}"']
    if rendition.language:
        parts.append(f'LANGUAGE="{rendition.language}"')
    if rendition.isDefault:
        parts.append("DEFAULT=YES")
    if rendition.isDefault or rendition.language:
        parts.append("AUTOSELECT=YES")
    if rendition.isForced:
        parts.append("FORCED=YES")
    if rendition.channels:
        parts.append(f'CHANNELS="{rendition.channels}"')
    return "#EXT-X-MEDIA:" + ",".join([*parts, f'URI="{rendition.uri}"'])


def _quotable(text: str) -> str:
    """What a quoted string may have in it (section 4.2): no quotation marks, no line breaks."""
    return "".join("'" if character == '"' else character if character.isprintable() else " " for character in text)


def mediaPlaylist(entries: Sequence[Entry], independent: bool = True, keyFramesOnly: bool = False) -> str:
    """
    The playlist of one rendition on demand (section 4.3.3).

    @param independent: whether decoding can start with every segment.
    @param keyFramesOnly: whether each segment is a single key frame.
    """
    longest = max((entry.end - entry.start for entry in entries), default=1.0)
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", f"#EXT-X-TARGETDURATION:{max(1, ceil(longest - 1e-6))}"]
    lines += ["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD"]
    if keyFramesOnly:
        lines.append("#EXT-X-I-FRAMES-ONLY")
    if independent:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    init = ""
    for entry in entries:
        if not entry.follows:
            lines.append("#EXT-X-DISCONTINUITY")
        if entry.init != init:
            init = entry.init
            lines.append(f'#EXT-X-MAP:URI="{init}"')
        # differences of what was rounded, so that they add up to the rounded whole
        lines += (f"#EXTINF:{round(entry.end, 6) - round(entry.start, 6):.6f},", entry.uri)
    lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
