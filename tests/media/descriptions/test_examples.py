"""The examples of descriptions.rst are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path

from mediasrv.media.descriptions.reading import parse
from mediasrv.media.descriptions.tree import clipsOf

PAGE = (Path(__file__).parents[3] / "docs" / "descriptions.rst").read_text()

_BLOCK = re.compile(r"^\.\. code-block:: (toml|xml|text)\n\n((?:    .*\n|\n)+)", re.M)
_ENDINGS = {"toml": "toml", "xml": "smil", "text": "m3u"}


def test_examples():
    found = []
    for language, block in _BLOCK.findall(PAGE):
        text = "".join(line.removeprefix("    ") for line in block.splitlines(keepends=True))
        description = parse(text.encode(), _ENDINGS[language], ("movies",))
        found.append((description.title, ["/".join(clip.paths[-1]) for clip in clipsOf(description.root)]))
    assert found == [
        ("Saturday evening", ["movies/opening.mp4", "movies/film.mkv", "movies/credits.mp4"]),
        ("", ["movies/talk.mp4", "movies/film.mp4", "movies/film-de.m4a"]),
        ("", ["movies/talk-en.mp4", "movies/talk-de.mp4"]),
        ("", ["movies/opening.mp4", "archive/1998/film.mkv"]),
        (
            "Saturday evening",
            ["movies/opening.mp4", "movies/talk.mp4", "movies/talk de.m4a", "movies/talk en.m4a"],
        ),
        ("Saturday evening", ["movies/songs/first.mp3", "movies/songs/100% second.mp3"]),
    ]
