"""Media types, and that nothing of the library is a page."""

from __future__ import annotations

import mimetypes

import pytest

from mediasrv.web.contenttypes import _TYPES, MediaType, typeOf


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("film.mp4", "video/mp4"),
        ("FILM.MP4", "video/mp4"),
        ("a.b.mkv", "video/x-matroska"),
        ("film.webm", "video/webm"),
        ("film.ts", "video/mp2t"),
        ("song.m4a", "audio/mp4"),
        ("song.opus", "audio/ogg"),
        ("song.mp3", "audio/mpeg"),
        ("song.flac", "audio/flac"),
        ("list.m3u8", "application/vnd.apple.mpegurl"),
        ("list.m3u", "audio/x-mpegurl"),
        ("list.smil", "application/smil+xml"),
        ("words.vtt", "text/vtt; charset=utf-8"),
        ("words.srt", "application/x-subrip; charset=utf-8"),
        ("poster.jpg", "image/jpeg"),
        ("page.html", "text/plain; charset=utf-8"),
        ("page.XHTML", "text/plain; charset=utf-8"),
        ("script.js", "text/plain; charset=utf-8"),
        ("film", None),
        (".mp4", None),
        ("film.", None),
        ("film.2024", None),
    ],
)
def testByEnding(name: str, type: str | None) -> None:
    assert typeOf(name) == type


def testEachEndingOnce() -> None:
    endings = [ending for endings in _TYPES.values() for ending in endings.split()]
    assert len(endings) == len(set(endings))


def testWhatPythonKnows() -> None:
    """No ending that Python has as sound or film is missing."""
    types = mimetypes.MimeTypes().types_map[True]  # not those of the system, which may have any
    known = {ending for ending, type in types.items() if type.startswith(("audio/", "video/"))}
    assert {ending for ending in known if typeOf(f"a{ending}") is None} <= {".loas", ".movie"}


@pytest.mark.requirement("SEC-25")
@pytest.mark.parametrize(
    ("name", "isInert"),
    [
        ("a.mp4", True),
        ("a.mp3", True),
        ("a.jpg", True),
        ("a.pdf", True),
        ("a.svg", False),
        ("a.xml", False),
        ("a.xspf", False),
        ("a.asx", False),
        ("a.smil", False),
        ("a.html", False),
        ("a.vtt", False),
        ("a.bin", False),
    ],
)
def testWhatMayDoSomething(name: str, isInert: bool) -> None:
    assert MediaType.of(typeOf(name) or "").isInert is isInert


@pytest.mark.requirement("SEC-25")
def testNoPages() -> None:
    """And no scripts, which a page may include from wherever it wants."""
    for type in _TYPES:
        assert "html" not in type
        assert "javascript" not in type
        assert "css" not in type
