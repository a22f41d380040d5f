"""
The playlists of a package: which renditions it has, and what stands in each.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.languages import languageName, languageTag
from mediasrv.media.tracks import Track
from mediasrv.web.hls.naming import FOLDER, Name
from mediasrv.web.hls.package import Package
from mediasrv.web.hls.playlists import (
    Entry,
    Rendition,
    Subtitle,
    Variant,
    mediaPlaylist,
    multivariantPlaylist,
)
from mediasrv.web.hls.rates import rates

#: the groups
_SOUNDS, _SUBTITLES = "audio", "subtitles"


def indexOf(
    package: Package, subtitles: Sequence[Subtitle] = (), audio: int | None = None, base: str | None = None
) -> str:
    """
    The multivariant playlist. May read the file: it names codecs.

    @param audio: the number of the track of sound that is played if the user says nothing; the first if left out, or
        if it is none.
    @param base: what the URLs of everything else begin with, if not with the version.
    """
    sounds = _together(package.sounds, audio)
    base = base or f"{FOLDER}/{package.version}"
    # sound alone needs no choice where there is none
    group = _SOUNDS if sounds and (package.video is not None or len(sounds) > 1) else ""
    variant = _variant(package, base, sounds, group, _SUBTITLES if subtitles else "")
    renditions = _renditions(base, sounds) if group else []
    return multivariantPlaylist([variant], renditions + _captions(base, subtitles), _keyFrames(package, base))


def _together(sounds: Sequence[Track], audio: int | None) -> list[Track]:
    """
    The tracks of sound to choose from, the default one first.

    They have to have the same codec (RFC 8216 section 4.3.4.2.1). Those of other codecs would need variants of their
    own, and Chromium's own player, which takes any variant for another quality of the same, changes between them and
    ends with an error. So who wants one asks for a playlist with it.
    """
    if not sounds:
        return []
    default = next((track for track in sounds if track.index == audio), sounds[0])
    return [default, *(track for track in sounds if track.codec == default.codec and track is not default)]


def _variant(package: Package, base: str, sounds: Sequence[Track], group: str, subtitles: str) -> Variant:
    video = package.video
    main = video or sounds[0]
    # of the tracks of sound the one that takes most is played, for all that is known
    loudest = max(sounds, key=lambda track: track.bitRate, default=None)
    tracks = [track for track in (video, loudest) if track is not None]
    peak, average = rates(package.presentation, package.segments, tracks)
    codecs: list[str] = []
    for track in [main, *sounds]:
        codecs += [name for name in package.codecStrings(track.index) if name not in codecs]
    return Variant(
        f"{base}/{Name('playlist', main.index)}",
        peak,
        average,
        codecs,
        video.shownSize if video is not None else (0, 0),
        main.frameRate,
        main.color[1],
        group,
        subtitles,
    )


def _renditions(base: str, sounds: Sequence[Track]) -> list[Rendition]:
    names: set[str] = set()
    found = []
    for track in sorted(sounds, key=lambda track: track.index):
        tag = languageTag(track.language)
        name = _unique(track.title or languageName(tag) or f"Audio {track.index}", names)
        uri = f"{base}/{Name('playlist', track.index)}"
        found.append(Rendition("AUDIO", _SOUNDS, uri, name, tag, track is sounds[0], channels=track.channels))
    return found


def _captions(base: str, subtitles: Sequence[Subtitle]) -> list[Rendition]:
    names: set[str] = set()
    found = []
    for each in subtitles:
        tag = languageTag(each.language)
        name = _unique(each.title or languageName(tag) or f"Subtitles {each.number}", names)
        uri = f"{base}/{Name('captions', each.number)}"
        found.append(Rendition("SUBTITLES", _SUBTITLES, uri, name, tag, isForced=each.forced))
    return found


def _unique(name: str, taken: set[str]) -> str:
    """A name that no other rendition of a group has (RFC 8216 section 4.3.4.1.1)."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    taken.add(found)
    return found


def _keyFrames(package: Package, base: str) -> list[Variant]:
    video = package.video
    if video is None or not package.keyFrames:
        return []
    # a key frame is one picture of all that its segment has
    peak, _ = rates(package.presentation, package.segments, [video])
    uri = f"{base}/{Name('keyFrames', video.index)}"
    codecs = package.codecStrings(video.index)
    return [Variant(uri, peak, codecs=codecs, size=video.shownSize, transfer=video.color[1])]


def playlistOf(package: Package, name: Name) -> str:
    """
    One of the playlists that L{indexOf} names. Reads nothing.

    @raise KeyError: if the package has no such track.
    """
    if name.kind == "keyFrames":
        return _keyFramePlaylist(package, name.track)
    kind, isText = ("caption", True) if name.kind == "captions" else ("segment", False)
    if not isText and name.track not in {track.index for track in package.tracks}:
        raise KeyError(name.track)
    entries = []
    section = 0
    for number, segment in enumerate(package.segments):
        init = "" if isText else str(Name("init", name.track, segment.section))
        uri = Name("caption", name.track, number) if kind == "caption" else Name("segment", name.track, number)
        entries.append(Entry(str(uri), segment.start, segment.end, init, segment.section == section))
        section = segment.section
    independent = isText or package.video is None or all(segment.key for segment in package.segments)
    return mediaPlaylist(entries, independent)


def _keyFramePlaylist(package: Package, track: int) -> str:
    if package.video is None or package.video.index != track:
        raise KeyError(track)
    cuts, sections = package.presentation.cuts, package.presentation.sections
    entries = []
    section = 0
    for index, number in enumerate(package.keyFrames):
        at = max(place for place, each in enumerate(sections) if each.first <= number)
        start = cuts[number].pts if index else 0.0
        uri, init = str(Name("keyFrame", track, number)), str(Name("init", track, at))
        entries.append(Entry(uri, start, package.keyFrameEnd(index), init, at == section))
        section = at
    return mediaPlaylist(entries, keyFramesOnly=True)
