"""Which URL names what (DESIGN, URLs)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.files import FileVersion
from mediasrv.media.library import Located, NotFound
from mediasrv.web.places import Place, placeOf, segmentsOf

FILES = {("movies", "bbb.mp4"), ("movies", "real.mp4"), ("movies", "real.mp4.m3u"), ("movies", "sub", "x.mkv")}
FOLDERS = {("movies",), ("movies", "sub"), ("movies", "a.b")}
META = {"m3u", "pls"}


async def reach(segments: Sequence[str]) -> tuple[Located | None, int]:
    for length in range(len(segments), 0, -1):
        path = tuple(segments[:length])
        if path in FILES or path in FOLDERS:
            return located(path), length
    return None, 0


def located(path: tuple[str, ...]) -> Located:
    return Located("/".join(path), FileVersion(1, 2, 3, 4) if path in FILES else None)


def place(kind: str, path: str = "", *rest: str) -> Place:
    segments = tuple(path.split("/")) if path else ()
    return Place(kind, segments, rest, located(segments) if path else None)  # type: ignore[arg-type]  # a Kind


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"", place("top")),
        (b"movies", place("slash", "movies")),
        (b"movies/", place("folder", "movies")),
        (b"movies/a.b/", place("folder", "movies/a.b")),
        (b"movies/bbb.mp4", place("file", "movies/bbb.mp4")),
        (b"movies/bbb.mp4/", place("page", "movies/bbb.mp4")),
        (b"movies/bbb.mp4/index.m3u8", place("part", "movies/bbb.mp4", "index.m3u8")),
        (b"movies/sub/x.mkv/still/12.5.jpg", place("part", "movies/sub/x.mkv", "still", "12.5.jpg")),
        (b"movies/bbb.mp4.m3u", place("meta", "movies/bbb.mp4", "m3u")),
        (b"movies/bbb.mp4.PLS", place("meta", "movies/bbb.mp4", "pls")),
        (b"movies/sub.m3u", place("meta", "movies/sub", "m3u")),
        (b"movies.m3u", place("meta", "movies", "m3u")),
        (b"movies/real.mp4.m3u", place("file", "movies/real.mp4.m3u")),
        (b"movies/real.mp4.m3u/", place("page", "movies/real.mp4.m3u")),
        (b"movies/real.mp4.m3u.pls", place("meta", "movies/real.mp4.m3u", "pls")),
        (b"-", place("internal")),
        (b"-/", place("internal")),
        (b"-/api/sessions", place("internal", "", "api", "sessions")),
        (b"-/api/library/", place("internal", "", "api", "library", "")),
    ],
)
async def test_places(path: bytes, expected: Place) -> None:
    assert await placeOf(*segmentsOf(path.split(b"/")), reach, META) == expected


@pytest.mark.parametrize(
    "path",
    [
        b"none",
        b"none/",
        b"none.m3u",
        b"movies/none.mp4",
        b"movies/none.mp4.m3u",
        b"movies/bbb.mp4.xyz",
        b"movies/bbb.mp4.m3u/",
        b"movies/.m3u",
        b"movies/sub/none/x.m3u",
        b"movies/bbb.mp4/index.m3u8/",
        b"movies/../movies/",
        b"./movies/",
        b"movies//",
        b"/movies",
        b"movies/a\0b",
        b"movies/\xff.mp4",
    ],
)
async def test_nothing(path: bytes) -> None:
    with pytest.raises(NotFound):
        await placeOf(*segmentsOf(path.split(b"/")), reach, META)


@given(st.lists(st.binary(max_size=20)))
def test_anyPath(path: list[bytes]) -> None:
    try:
        segments, slash = segmentsOf(path)
    except NotFound:
        return
    assert [segment.encode() for segment in segments] + [b""] * slash == (path or [b""])
