"""Names to save under (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.disposition import disposition


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.mp4", 'attachment; filename="film.mp4"'),
        ("a film; yes.mp4", 'attachment; filename="a film; yes.mp4"'),
        ("", "attachment"),
        ("..", "attachment"),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("C:\\film.mp4", 'attachment; filename="film.mp4"'),
        ("a\r\nSet-Cookie: b\0.mp4", 'attachment; filename="aSet-Cookie: b.mp4"'),
        ('say "hi".mp4', "attachment; filename=\"say _hi_.mp4\"; filename*=UTF-8''say%20%22hi%22.mp4"),
        ("100%.mp4", "attachment; filename=\"100_.mp4\"; filename*=UTF-8''100%25.mp4"),
        ("Zürich €.mp4", "attachment; filename=\"Z_rich _.mp4\"; filename*=UTF-8''Z%C3%BCrich%20%E2%82%AC.mp4"),
        ("\u202egpj.mp4", 'attachment; filename="gpj.mp4"'),
        ("\udcff.mp4", "attachment; filename=\"_.mp4\"; filename*=UTF-8''%3F.mp4"),
    ],
)
def testNames(name: str, expected: str) -> None:
    assert disposition(name, "attachment") == expected


def testInline() -> None:
    """What a browser may open, or hand to a player."""
    assert disposition("film.m3u") == 'inline; filename="film.m3u"'
    assert disposition("") == "inline"


def testALongName() -> None:
    assert len(disposition("x" * 10_000)) < 300
    assert disposition("ü" * 200).endswith("%C3%BC")


@pytest.mark.requirement("SEC-26")
@given(st.text(max_size=40))
def testAnyName(name: str) -> None:
    """It is one header, of ASCII, and others read the same name out of it."""
    value = disposition(name, "attachment")
    assert re.fullmatch(r"[ -~]+", value)
    message = Message()
    message["Content-Disposition"] = value
    assert message.get_content_disposition() == "attachment"
    found = message.get_filename()
    if found is not None and "filename*" in value:
        assert found in name.replace("\\", "/") or not name.isprintable() or found == found.strip()
