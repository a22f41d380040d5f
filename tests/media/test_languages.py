"""Languages by the names of the web."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.languages import languageName, languageTag


@pytest.mark.parametrize(
    ("language", "tag", "name"),
    [
        ("eng", "en", "English"),
        ("ger", "de", "Deutsch"),
        ("deu", "de", "Deutsch"),
        ("en-GB", "en-GB", "English"),
        ("por-BR", "pt-BR", "Português"),
        ("DE", "de", "Deutsch"),
        ("gsw", "gsw", "gsw"),
        ("und", "", ""),
        ("mul", "", ""),
        ("", "", ""),
        ("no language", "", ""),
        ('e"n', "", ""),
    ],
)
def testTagsAndNames(language: str, tag: str, name: str) -> None:
    assert languageTag(language) == tag
    assert languageName(tag) == name


@given(st.text())
def testWhatever(language: str) -> None:
    assert re.fullmatch("([a-z]{2,8}(-[A-Za-z0-9]{1,8})*)?", languageTag(language))
