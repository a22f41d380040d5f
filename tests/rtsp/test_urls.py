"""L{mediasrv.rtsp.urls}."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtsp.messages import HeaderError
from mediasrv.rtsp.urls import contentBase, parseURI, splitTrack


@pytest.mark.requirement("SYN-5", "SYN-6", "SYN-7")
@pytest.mark.parametrize(
    ("uri", "host", "port", "segments", "query"),
    [
        # SYN-5, SYN-6
        ("rtsp://host", "host", None, (), ""),
        ("rtsp://host/", "host", None, (), ""),
        ("rtsp://host?q", "host", None, (), "q"),
        ("RTSP://Host:554/a", "Host", 554, ("a",), ""),
        ("rtspu://host:/a", "host", None, ("a",), ""),
        ("rtsps://@host/a/b/", "host", None, ("a", "b"), ""),
        ("rtsp://user:pa@ss@host:1/a", "host", 1, ("a",), ""),
        ("rtsp://[::1]:8554/a", "[::1]", 8554, ("a",), ""),
        ("rtsp://[fe80::1%25eth0]/a", "[fe80::1%25eth0]", None, ("a",), ""),
        ("/abs/path?x=y", "", None, ("abs", "path"), "x=y"),
        ("/", "", None, (), ""),
        ("//a", "", None, ("a",), ""),
        ("rtsp://h//a//b?c?d/e", "h", None, ("a", "b"), "c?d/e"),
        # SYN-7
        ("rtsp://h/dir/a%20b;c,d=%C3%A9.mp4", "h", None, ("dir", "a b;c,d=é.mp4"), ""),
        ("rtsp://h/é%3Fx?a%20b", "h", None, ("é?x",), "a%20b"),
        ("rtsp://h/%2541", "h", None, ("%41",), ""),
    ],
)
def test_uris(uri: str, host: str, port: int | None, segments: tuple[str, ...], query: str) -> None:
    url = parseURI(uri)
    assert (url.host, url.port, url.segments, url.query, url.literal) == (host, port, segments, query, uri)
    assert not url.escapes


@pytest.mark.requirement("SEC-6", "SEC-26")
@pytest.mark.parametrize(
    "uri",
    [
        *(
            "",
            "*",
            "a",
            "rtsp:",
            "rtsp:/a",
            "rtsp://",
            "rtsp:///a",
            "rtsp://:554/a",
            "rtsp://@/a",
            "rtsp://h:x/a",
            "rtsp://h:-1/",
        ),
        *(
            "rtsp://h:0/",
            "rtsp://h:65536/",
            "rtsp://h:99999999999/",
            "rtsp://[::1/a",
            "rtsp://[x]/a",
            "rtsp://a b/",
            "rtsp://::1/a",
        ),
        *(
            "http://h/a",
            "file:///etc/passwd",
            "concat:a|b",
            "-i",
            "|x",
            "rtsp://h/%",
            "rtsp://h/%zz",
            "rtsp://h/a%2",
            "rtsp://h/%+1",
        ),
        *("rtsp://h/%00", "rtsp://h/a\0", "rtsp://h/%0d%0aX:%20y", "rtsp://h/a\nb", "rtsp://h/?a\r\nb", "rtsp://h/%7f"),
        *("rtsp://h/%ff", "rtsp://h/%c0%ae%c0%ae/", "rtsp://h/%ed%a0%80", "rtsp://h/%C3"),
    ],
)
def test_badURIs(uri: str) -> None:
    """SEC-6, SEC-26."""
    with pytest.raises(HeaderError) as caught:
        parseURI(uri)
    assert caught.value.code == 400


@pytest.mark.requirement("SEC-6")
@pytest.mark.parametrize(
    "path",
    ["..", "a/../b", ".", "%2e%2e/a", "%2E./a", "..%2fa", "a%2Fb", "%2fetc%2fpasswd", "..%5ca", "a%5c..%5cb", "..\\a"],
)
def test_escapes(path: str) -> None:
    """SEC-6: reported, not resolved."""
    assert parseURI(f"rtsp://h/{path}").escapes


@pytest.mark.parametrize("path", ["...", "..a", "a..", "a.b", "%252e%252e", ".hidden", "a%5cb"])
def test_escapesNot(path: str) -> None:
    assert not parseURI(f"rtsp://h/{path}").escapes


@pytest.mark.requirement("Q-2", "PLY-11")
@pytest.mark.parametrize(
    ("uri", "presentation", "track"),
    [
        #
        ("rtsp://h/a.mp4", "rtsp://h/a.mp4", None),
        ("rtsp://h/a.mp4/", "rtsp://h/a.mp4/", None),
        ("rtsp://h/a.mp4/trackID=1", "rtsp://h/a.mp4", 1),
        ("rtsp://h/a.mp4//trackID=1/", "rtsp://h/a.mp4", 1),
        ("rtsp://h/a.mp4/trackid%3d12", "rtsp://h/a.mp4", 12),
        ("rtsp://h/a.mp4?q=1/trackID=0", "rtsp://h/a.mp4?q=1", 0),
        ("rtsp://h/a.mp4/trackID=0?q=1", "rtsp://h/a.mp4?q=1", 0),
        ("rtsp://h/a.mp4?q=1/", "rtsp://h/a.mp4?q=1", None),
        ("rtsp://h/a.mp4/?q=1", "rtsp://h/a.mp4/?q=1", None),
        ("rtsp://h/trackID=3", "rtsp://h", 3),
        ("/a/trackID=3", "/a", 3),
        ("/trackID=3", "/", 3),
        ("rtsp://trackID=3", "rtsp://trackID=3", None),
        # no tracks
        ("rtsp://h/a?trackID=1", "rtsp://h/a?trackID=1", None),
        ("rtsp://h/atrackID=1", "rtsp://h/atrackID=1", None),
        ("rtsp://h/trackID=1/b", "rtsp://h/trackID=1/b", None),
        ("rtsp://h/a/trackID=99999", "rtsp://h/a/trackID=99999", None),
        ("rtsp://h/a/trackID=-1", "rtsp://h/a/trackID=-1", None),
        ("rtsp://h/a/trackID=", "rtsp://h/a/trackID=", None),
        ("rtsp://h/a/trackID=٣", "rtsp://h/a/trackID=٣", None),
    ],
)
def test_tracks(uri: str, presentation: str, track: int | None) -> None:
    """Q-2, PLY-11: the presentation that is split off is what its own URI means."""
    assert splitTrack(parseURI(uri)) == (parseURI(presentation), track)


@pytest.mark.requirement("DES-1", "Q-2")
@pytest.mark.parametrize(
    ("uri", "base"),
    [
        ("rtsp://h/a.mp4", "rtsp://h/a.mp4/"),
        ("rtsp://h/a.mp4/", "rtsp://h/a.mp4/"),
        ("rtsp://h/a%20b.mp4?x=/y", "rtsp://h/a%20b.mp4/"),
        ("rtsp://h", "rtsp://h/"),
    ],
)
def test_contentBase(uri: str, base: str) -> None:
    """DES-1, Q-2."""
    assert contentBase(uri) == base


names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


@pytest.mark.requirement("SYN-7")
@given(st.lists(names, max_size=4), st.integers(0, 9999))
def test_anyNameCanBeSaid(segments: list[str], track: int) -> None:
    """SYN-7: what is percent-encoded comes back once decoded, and the track beside it."""
    uri = "rtsp://h/" + "/".join(quote(segment, safe="") for segment in segments)
    url = parseURI(uri)
    assert url.segments == tuple(segments)
    presentation, number = splitTrack(parseURI(f"{contentBase(uri)}trackID={track}"))
    assert (presentation.segments, number) == (url.segments, track)


@pytest.mark.requirement("SEC-6")
@given(st.text() | st.text("/.%2efa:@[]?=trackID1").map("rtsp://h/".__add__))
def test_garbage(uri: str) -> None:
    """SEC-6: nothing but L{HeaderError} comes out, and a presentation has no control characters."""
    try:
        presentation, _ = splitTrack(parseURI(uri))
    except HeaderError:
        return
    assert parseURI(presentation.literal) == presentation
    assert not any(segment in ("", "\0") for segment in presentation.segments)


@pytest.mark.requirement("SEC-6")
def test_slashesAreCheap() -> None:
    """A path of nothing but slashes is read in linear time; squared it would take minutes."""
    url = parseURI("rtsp://h" + "/" * 1_000_000 + "trackID=1x")
    assert splitTrack(url) == (url, None)
