"""How pages write what is not text."""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.kinds import isMedia, kindOf
from mediasrv.web.pages.wording import bitRate, clock, counted, language, linked, shown, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (61, "1:01"), (3599.6, "1:00:00"), (36061, "10:01:01")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (50_195_281, "50.2 MB"),
        (4_700_000_000, "4.7 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


def test_rate() -> None:
    assert [bitRate(each) for each in (900, 128_000, 1_250_000)] == ["1 kbit/s", "128 kbit/s", "1.2 Mbit/s"]


def test_count() -> None:
    assert [counted(each, "file", "files") for each in (0, 1, 2, 1234)] == [
        "0 files",
        "1 file",
        "2 files",
        "1,234 files",
    ]


@pytest.mark.parametrize(
    ("code", "name"), [("eng", "English"), ("DEU", "German"), ("und", ""), ("", ""), ("tlh", "tlh")]
)
def test_language(code: str, name: str) -> None:
    assert language(code) == name


@given(st.binary(max_size=20))
def test_anyNameCanBeShown(name: bytes) -> None:
    text = shown(os.fsdecode(name))
    assert text.isprintable()
    text.encode()


@given(st.lists(st.text(min_size=1, max_size=10).filter(lambda text: "\0" not in text), min_size=1, max_size=4))
def test_referencesAreRelative(segments: list[str]) -> None:
    """Whatever the names, no scheme, no query, no fragment; and they say the same segments."""
    try:
        expected = [os.fsencode(segment) for segment in segments]
    except UnicodeEncodeError:
        return  # half a surrogate pair: no file has such a name
    reference = linked(segments)
    assert not set(reference) & set(":?#\\\"'<> ")
    assert [unquote_to_bytes(part) for part in reference.split("/")] == expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", "video"),
        ("A.MKV", "video"),
        ("a.b.webm", "video"),
        ("a.m2ts", "video"),
        ("a.mp3", "audio"),
        ("a.opus", "audio"),
        ("a.m3u", "list"),
        ("a.smil", "list"),
        ("a.srt", "text"),
        ("a.txt", "text"),
        ("a.jpg", "picture"),
        ("a.pdf", "other"),
        ("mp4", "other"),
        ("a", "other"),
    ],
)
def test_kinds(name: str, kind: str) -> None:
    assert kindOf(name) == kind
    assert isMedia(name) == (kind in ("video", "audio", "list"))
