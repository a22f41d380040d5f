"""Names below a version: each says what it is, and nothing else is a name."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.descriptions.choosing import ANY, Preferences
from mediasrv.web.hls.naming import Kind, Label, Name, parseName


@given(st.sampled_from(get_args(Kind)), st.integers(0, 999_999_999), st.integers(0, 999_999_999))
def testThereAndBack(kind: Kind, track: int, number: int) -> None:
    name = Name(kind, track, 0 if kind in ("playlist", "keyFrames", "captions") else number)
    assert parseName(str(name)) == name


@given(st.from_regex(r"[0-9a-f]{1,16}", fullmatch=True), st.sampled_from(["", "-", "de.en", "de-at.800000"]))
def testLabels(version: str, token: str) -> None:
    label = Label(version, token)
    assert Label.parse(str(label)) == label
    assert label.preferences == (Preferences.ofToken(token) if token else ANY)


@given(st.text() | st.from_regex(r"[ts]\d*(-|-key|-init)?\d*\.(m3u8|m4s|mp4|vtt)\n?"))
def testWhatever(text: str) -> None:
    """What is read is written the same way: no content has two URLs."""
    name = parseName(text)
    assert name is None or str(name) == text


@pytest.mark.parametrize("text", ["", "t01.m3u8", "t0-1.m4s\n", "t-1.m4s", "t0-٣.m4s", "t0-1234567890.m4s", "T0.m3u8"])
def testNoNames(text: str) -> None:
    assert parseName(text) is None
