"""What a file is, by its first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.sniffing import SAMPLE, sniff
from mediasrv.web.contenttypes import typeOf
from tests.media.films import Film

FILMS = [
    Film("a.mp4", seconds=0.5),
    Film("a.mov", seconds=0.5),
    Film("a.mkv", seconds=0.5),
    Film("a.webm", video=("libvpx",), audio=("libopus",), seconds=0.5),
    Film("a.ts", seconds=0.5),
    Film("a.mpg", format="vob", video=("mpeg2video",), audio=("mp2",), seconds=0.5, rate=25),
    Film("a.avi", seconds=0.5),
    Film("a.flv", video=("flv",), seconds=0.5),
    Film("a.wmv", format="asf", seconds=0.5),
    Film("a.3gp", seconds=0.5),
    Film("a.m4a", format="ipod", video=(), seconds=0.5),
    Film("a.aac", format="adts", video=(), seconds=0.5),
    Film("a.mp3", video=(), audio=("libmp3lame",), seconds=0.5),
    Film("a.flac", video=(), audio=("flac",), seconds=0.5),
    Film("a.wav", video=(), audio=("pcm_s16le",), seconds=0.5),
    Film("a.opus", video=(), audio=("libopus",), seconds=0.5),
    Film("a.ac3", video=(), audio=("ac3",), seconds=0.5),
    Film("a.nut", seconds=0.5),
]


@pytest.mark.parametrize("film", FILMS, ids=lambda film: film.name)
def testFilms(film: Film, tmp_path: Path) -> None:
    """The same as the ending says."""
    path = Path(film.make(tmp_path))
    expected = "video/x-ms-asf" if film.name == "a.wmv" else typeOf(film.name)
    assert sniff(path.read_bytes()[:SAMPLE]) == expected


@pytest.mark.parametrize(
    ("data", "type"),
    [
        (b"", "application/octet-stream"),
        (b"\0" * 100, "application/octet-stream"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0NONE", "application/octet-stream"),
        (b"\0\0\0\x18ftypavif", "image/avif"),
        (b"\0\0\0\x08wide", "video/quicktime"),
        (b"\0\0\0\1\x67\x42", "video/h264"),
        (b"\0\0\0\1\x40\1", "video/h265"),
        (b"OggS" + bytes(24) + b"\x80theora", "video/ogg"),
        ((bytes(4) + b"\x47" + bytes(187)) * 5, "video/mp2t"),
        ((b"\x47" + bytes(187)) * 2, "application/octet-stream"),
        (b"#EXTM3U\n", "audio/x-mpegurl"),
        (b"WEBVTT\n", "text/vtt; charset=utf-8"),
        (b"Just words\n", "text/plain; charset=utf-8"),
        ("Wörter".encode(), "text/plain; charset=utf-8"),
        (("x" * (SAMPLE - 1) + "ü").encode()[:SAMPLE], "text/plain; charset=utf-8"),
        ("Wörter".encode("latin-1"), "application/octet-stream"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "text/plain; charset=utf-8"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain; charset=utf-8"),
        (b"\xff\xff\xff\xff", "application/octet-stream"),
    ],
)
def testBeginnings(data: bytes, type: str) -> None:
    assert sniff(data) == type


@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))))
def testGarbage(data: bytes) -> None:
    """Something comes of it, and no page."""
    assert "html" not in sniff(data)
