"""Conditional requests (RFC 9110 section 13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.conditions import (
    Validators,
    formatTime,
    isSame,
    parseETags,
    parseTime,
    preconditions,
    validatorsOf,
    valueOf,
)

TIME, BEFORE, AFTER = (
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:36 GMT",
    "Sun, 06 Nov 1994 08:49:38 GMT",
)
SECONDS = 784111777
FILE = Validators("abc", SECONDS)


def said(*lines: str) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers.setdefault(name.encode(), []).append(value.encode("latin-1"))
    return headers


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], None),
        (['If-None-Match: "abc"'], 304),
        (['If-None-Match: W/"abc"'], 304),
        (["If-None-Match: *"], 304),
        (['If-None-Match: "x", W/"y" ,"abc"'], 304),
        (['If-None-Match: "x"', 'If-None-Match: "abc"'], 304),
        (['If-None-Match: "ab,c", "ABC"'], None),
        (["If-None-Match: abc"], None),
        (["If-None-Match: "], None),
        ([f"If-Modified-Since: {TIME}"], 304),
        ([f"If-Modified-Since: {AFTER}"], 304),
        ([f"If-Modified-Since: {BEFORE}"], None),
        (["If-Modified-Since: yesterday"], None),
        # who names a tag means it
        (['If-None-Match: "x"', f"If-Modified-Since: {TIME}"], None),
        (['If-None-Match: "abc"', f"If-Modified-Since: {BEFORE}"], 304),
        (['If-Match: "abc"'], None),
        (['If-Match: "x", "abc"'], None),
        (["If-Match: *"], None),
        (['If-Match: W/"abc"'], 412),
        (['If-Match: "x"'], 412),
        ([f"If-Unmodified-Since: {TIME}"], None),
        ([f"If-Unmodified-Since: {BEFORE}"], 412),
        (["If-Unmodified-Since: never"], None),
        (['If-Match: "abc"', f"If-Unmodified-Since: {BEFORE}"], None),
        (['If-Match: "abc"', 'If-None-Match: "abc"'], 304),
        (['If-Match: "x"', 'If-None-Match: "abc"'], 412),
    ],
)
def testPreconditions(lines: list[str], code: int | None) -> None:
    assert preconditions(said(*lines), FILE) == code


@pytest.mark.parametrize(
    ("lines", "code"),
    [([f"If-Modified-Since: {AFTER}"], None), ([f"If-Unmodified-Since: {AFTER}"], 412)],
)
def testWithoutATime(lines: list[str], code: int | None) -> None:
    """Nobody can say that it has not changed."""
    assert preconditions(said(*lines), Validators("abc", None)) == code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, True),
        ('"abc"', True),
        (' "abc" ', True),
        ('W/"abc"', False),
        ('"x"', False),
        ("abc", False),
        (TIME, True),
        ("Sunday, 06-Nov-94 08:49:37 GMT", True),
        (BEFORE, False),
        (AFTER, False),
        ("", False),
    ],
)
def testIfRange(value: str | None, expected: bool) -> None:
    assert isSame({} if value is None else said(f"If-Range: {value}"), FILE) is expected


def testIfRangeWithoutATime() -> None:
    assert not isSame(said("If-Range: nonsense"), Validators("abc", None))
    assert not isSame(said(f"If-Range: {TIME}"), Validators("abc", None))


@pytest.mark.parametrize(
    ("modified", "now", "expected"),
    [
        (SECONDS + 0.9, SECONDS + 1.0, SECONDS),
        (SECONDS + 0.1, SECONDS + 0.9, None),  # it may change once more within its second
        (SECONDS + 10.0, SECONDS + 1.0, None),
        (-1.0, SECONDS, None),
    ],
)
def testATimeThatTells(modified: float, now: float, expected: int | None) -> None:
    assert validatorsOf("abc", modified, now) == Validators("abc", expected)


@pytest.mark.parametrize("text", [TIME, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", f"\t{TIME} "])
def testTimes(text: str) -> None:
    assert parseTime(text) == SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT; length=1",
        "Sun, 06 Nov ١٩٩٤ 08:49:37 GMT",
    ],
)
def testNoTimes(text: str) -> None:
    assert parseTime(text) is None


@given(st.integers(0, 4_000_000_000))
def testTimesThereAndBack(seconds: int) -> None:
    assert parseTime(formatTime(seconds)) == seconds


def testTags() -> None:
    assert parseETags('"a", W/"b" , "", ,"c,d"') == [(False, "a"), (True, "b"), (False, ""), (False, "c,d")]
    assert parseETags(" * ") is None
    assert parseETags('"a" "b"') == []
    assert parseETags('"a", b') == [(False, "a")]


def testSeveralLines() -> None:
    assert valueOf(said("Range: a", "Range: b"), b"Range") == "a, b"
    assert valueOf({}, b"Range") is None


@pytest.mark.requirement("SEC-25")
@given(
    st.sampled_from(["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"]), st.binary(max_size=80)
)
def testGarbage(name: str, value: bytes) -> None:
    assert preconditions({name.encode(): [value]}, FILE) in (None, 304, 412)
    isSame({b"If-Range": [value]}, FILE)
    parseTime(value.decode("latin-1"))
