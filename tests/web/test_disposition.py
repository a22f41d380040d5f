"""Names of downloads (RFC 6266, SEC-26)."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.disposition import disposition


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("film.mp4.m3u", 'inline; filename="film.mp4.m3u"'),
        ("a b;c.m3u", 'inline; filename="a b;c.m3u"'),
        ("Über.m3u", "inline; filename=\"_ber.m3u\"; filename*=UTF-8''%C3%9Cber.m3u"),
        ('a"b\\.m3u', "inline; filename=\"a_b_.m3u\"; filename*=UTF-8''a%22b%5C.m3u"),
        ("a%41.m3u", "inline; filename=\"a_41.m3u\"; filename*=UTF-8''a%2541.m3u"),
        ("a\r\nb", "inline; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert disposition(name) == expected


@pytest.mark.requirement("SEC-26")
@given(st.text())
def test_anyName(name: str) -> None:
    value = disposition(name, "attachment")
    match = re.fullmatch(
        r"""attachment; filename="([^"\\\x00-\x1f\x7f-\xff%]*)"(?:; filename\*=UTF-8''([!-~]*))?""", value
    )
    assert match is not None
    assert unquote(match[2] or match[1]) == name.encode(errors="replace").decode()
