"""WebVTT and SubRip: what tools write and people mistype."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.cues import MOST_CUES, Cue, CueTrack
from mediasrv.media.webvtt import decode, formatCues, parseFile, parseSubRip, parseWebVTT

A, B = Cue(1.0, 2.5, "one"), Cue(3.0, 4.0, "two\nlines")


def test_format() -> None:
    """Word for word; times run on beyond a hundred hours."""
    cues = [Cue(0.0, 1.0005, "<i>a</i> &amp; b"), Cue(3599.9996, 360_000.25, "two\nlines", "align:start")]
    assert formatCues(cues).decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<i>a</i> &amp; b\n\n"
        "01:00:00.000 --> 100:00:00.250 align:start\ntwo\nlines\n\n"
    )
    assert formatCues([], timestampMap=0) == b"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n"
    assert formatCues([], timestampMap=900_000).splitlines()[1].startswith(b"X-TIMESTAMP-MAP=MPEGTS:900000,")


@pytest.mark.parametrize(
    "text",
    [
        "1\n00:00:01,000 --> 00:00:02,500\none\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\nlines\n",
        "1\r\n00:00:01,000 --> 00:00:02,500\r\none\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\ntwo\r\nlines",
        "00:00:01.000 --> 00:00:02.500\none\n00:00:03.0 --> 00:00:04\ntwo\n\n\nlines\n\n",
        "7\n00:01,0-->00:02,500   \none\n\n\n7\n0:0:3,0 -> 0:0:4,0 X1:1 X2:2 Y1:3 Y2:4\ntwo\nlines\n",
        "\n\nHallo\n\n1\n  00:00:01,000  --> 00:00:02,500\none\n\n9\n00:00:03:00 ---> 00:00:04:00\ntwo\nlines\n\n3\n",
    ],
)
def test_subRip(text: str) -> None:
    cues = list(parseSubRip(text))
    assert cues[0] == A
    assert (cues[1].start, cues[1].end) == (B.start, B.end)
    assert cues[1].text.startswith(B.text)


def test_numbersInTheText() -> None:
    """A number that is said is no number of a cue."""
    text = "1\n0:0:1,0 --> 0:0:2,0\n42\n\n2\n0:0:3,0 --> 0:0:4,0\nwe are\n7\n\n3\n0:0:5,0 --> 0:0:6,0\nx"
    assert [cue.text for cue in parseSubRip(text)] == ["42", "we are\n7", "x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.500\none\n\nid\n00:00:03.000 --> 00:00:04.000\ntwo\nlines\n", [A, B]),
        ("WEBVTT - Title\nKind: captions\n\nNOTE\n00:05.0 --> 00:06.0\nno\n\n00:01.000 --> 00:02.500\none", [A]),
        ("WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n00:01.000 --> 00:02.500 region:a\none", [A]),
        ("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n00:01.000 --> 00:02.500\none", [A]),
        (
            "WEBVTT\n\n00:01.000 --> 00:02.500 line:0 position:20%,line-left x:y align:start evil:<b>\none",
            [Cue(1.0, 2.5, "one", "line:0 position:20%,line-left align:start")],
        ),
        ("WEBVTT\n\n00:01.000 --> 00:02.500\none\n00:00:03.000 --> 00:00:04.000\ntwo\nlines", [A, B]),
        ("WEBVTT\n\n00:01.000 --> 00:02.500\nNOTE this is said", [Cue(1.0, 2.5, "NOTE this is said")]),
        ("WEBVTT\n\n00:xx --> 00:yy\nnothing\n", []),
        ("WEBVTT", []),
    ],
)
def test_webVTT(text: str, expected: list[Cue]) -> None:
    assert list(parseWebVTT(text)) == expected
    assert parseFile(text.encode()) == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Größe €".encode(), "Größe €"),
        ("Größe €".encode("utf-8-sig"), "Größe €"),
        ("\ufeffGröße 漢".encode("utf-16-le"), "Größe 漢"),
        ("\ufeffGröße 漢".encode("utf-16-be"), "Größe 漢"),
        ("Größe €".encode("cp1252"), "Größe €"),
        (b"a\x81b\xff", "a\ufffdbÿ"),
        (b"\xff\xfe\x00", "\ufffd"),
        (b"", ""),
    ],
)
def test_encodings(data: bytes, text: str) -> None:
    assert decode(data) == text


def test_whateverItsName() -> None:
    subRip = "1\n00:00:01,000 --> 00:00:02,500\none\n"
    assert parseFile(subRip.encode("utf-16")) == [A]
    assert parseFile(b"\xef\xbb\xbfWEBVTT\n\n00:01.000 --> 00:02.500\none\n") == [A]


_CUE = st.builds(
    lambda start, length, text: Cue(start / 1000, (start + length) / 1000, text),
    st.integers(0, 10**8),
    st.integers(1, 10**7),
    st.lists(st.sampled_from(["a", "b &amp; c", "<i>d</i>", "42", "&lt;x&gt;"]), min_size=1, max_size=3).map("\n".join),
)


@given(st.lists(_CUE, max_size=20))
def test_inverse(cues: list[Cue]) -> None:
    assert parseFile(formatCues(cues)) == cues


_LINES = st.sampled_from(
    ["WEBVTT", "NOTE", "", "1", "00:01.000 --> 00:02.000", "00:00:03,5 --> 9", "x", "-->", "STYLE"]
)


@given(st.binary(max_size=300) | st.lists(_LINES | st.text(max_size=12)).map(lambda lines: "\n".join(lines).encode()))
def test_anything(data: bytes) -> None:
    """Garbage gives cues or none, never an error; and what is made of them is WebVTT that says the same."""
    track = CueTrack(parseFile(data))
    assert all(cue.start < cue.end for cue in track.cues)
    again = CueTrack(parseFile(formatCues(track.cues)))
    rounded = [cue for cue in track.cues if round(cue.start * 1000) < round(cue.end * 1000)]
    assert sorted(cue.text for cue in again.cues) == sorted(cue.text for cue in rounded)


def test_bounded() -> None:
    """Neither many cues nor long lines take long."""
    started = time.process_time()
    many = b"".join(b"00:00:01,000 --> 00:00:02,000\nx\n\n" for _ in range(MOST_CUES + 10))
    assert len(parseFile(many)) == MOST_CUES
    for line in (b"0" * 1_000_000, b"00:" * 300_000, b" " * 1_000_000, b"00:01 " + b"-" * 1_000_000, b"\n" * 1_000_000):
        assert parseFile(line) == []
        assert parseFile(b"WEBVTT\n\n" + line) == []
    assert time.process_time() - started < 60


def test_between() -> None:
    """What is seen in a part: also what began before it, and what lasts longer than what comes after."""
    long, first, second, last = (
        Cue(0.0, 100.0, "long"),
        Cue(1.0, 4.0, "first"),
        Cue(4.0, 8.0, "second"),
        Cue(8.0, 9.0, "last"),
    )
    track = CueTrack([last, second, first, long])
    assert track.cues == [long, first, second, last]
    assert track.between(0, 4) == [long, first]
    assert track.between(4, 8) == [long, second]
    assert track.between(3.5, 8.5) == [long, first, second, last]
    assert track.between(9, 50) == [long]
    assert track.between(100, 200) == []
    assert CueTrack([]).between(0, 10) == []


@given(st.lists(_CUE, max_size=30), st.integers(0, 10**8), st.integers(1, 10**7))
def test_betweenIsWhatOverlaps(cues: list[Cue], start: int, length: int) -> None:
    track, since, until = CueTrack(cues), start / 1000, (start + length) / 1000
    assert track.between(since, until) == [cue for cue in track.cues if cue.start < until and cue.end > since]


def test_unseen() -> None:
    """Backwards, before the beginning, without words: nobody ever sees them."""
    unseen = [Cue(2, 1, "a"), Cue(1, 1, "b"), Cue(-5, -1, "c"), Cue(1, 2, ""), Cue(1, 1e12, "d")]
    assert CueTrack([*unseen, A, Cue(-1, 1, "e")]).cues == [Cue(-1, 1, "e"), A]
