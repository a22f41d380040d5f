"""
The names of what is below C{hls/VERSION/}: no state is needed to know what one of them is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from mediasrv.media.descriptions.choosing import ANY, Preferences

Kind = Literal["playlist", "init", "segment", "keyFrames", "keyFrame", "captions", "caption"]

#: the first segment of the URLs below a file's
FOLDER = "hls"

_FORMS: dict[Kind, str] = {
    "playlist": "t{track}.m3u8",
    "init": "t{track}-init{number}.mp4",
    "segment": "t{track}-{number}.m4s",
    "keyFrames": "t{track}-key.m3u8",
    "keyFrame": "t{track}-key{number}.m4s",
    "captions": "s{track}.m3u8",
    "caption": "s{track}-{number}.vtt",
}

_NUMBER = "(0|[1-9][0-9]{0,8})"
_PATTERN = re.compile(
    "|".join(
        f"(?P<{kind}>{form.replace('.', '[.]').format(track=_NUMBER, number=_NUMBER)})" for kind, form in _FORMS.items()
    )
)


@dataclass(frozen=True, slots=True)
class Label:
    """
    What stands for VERSION: C{0f12…}, or C{0f12…~de.en} where a description had alternatives to choose from.

    @ivar version: of what was chosen, as its package has it.
    @ivar token: of the preferences by which it was; empty if there were no alternatives.
    """

    version: str
    token: str = ""

    def __str__(self) -> str:
        return f"{self.version}~{self.token}" if self.token else self.version

    @classmethod
    def parse(cls, text: str) -> Label:
        """The label that a path segment is; one that is none has a version that nothing has."""
        version, _, token = text.partition("~")
        return cls(version, token)

    @property
    def preferences(self) -> Preferences:
        """Those of who got it first."""
        return Preferences.ofToken(self.token) if self.token else ANY


@dataclass(frozen=True, slots=True)
class Name:
    """
    @ivar kind: what it is: the media playlist of a track, an init segment of a section, a segment; the playlist of a
        track's key frames, the key frame of a fragment; the playlist of a track of subtitles, a segment of it.
    @ivar track: the number of the track, or of the track of subtitles.
    @ivar number: of the section, the segment or the fragment.
    """

    kind: Kind
    track: int
    number: int = 0

    def __str__(self) -> str:
        return _FORMS[self.kind].format(track=self.track, number=self.number)


def parseName(text: str) -> Name | None:
    """The name that a path segment is, or None if it is none."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        return None
    _, *numbers = (group for group in found.groups() if group is not None)
    return Name(cast(Kind, found.lastgroup), *map(int, numbers))
