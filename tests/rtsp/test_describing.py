"""OPTIONS and DESCRIBE (requirements OPT, DES, SEC-6, SEC-26)."""

from __future__ import annotations

import pytest
from rtsprig import CREATED, FILM, TCP, VIDEO, Client, Rig

from mediasrv.rtsp.headers import formatDate

PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"


@pytest.mark.requirement("OPT-1")
@pytest.mark.parametrize("url", ["*", FILM, "rtsp://server", "rtsp://server/", "rtsp://@server/x", "/nothing"])
def testOptions(client: Client, url: str) -> None:
    """OPT-1: at any time, for any URL; one header, comma and space."""
    answer = client.ask("OPTIONS", url)
    assert answer.code == 200
    assert answer.headers.getAll("Public") == [PUBLIC]
    assert answer.body == b""


@pytest.mark.requirement("OPT-2")
def testOptionsWithASession(client: Client) -> None:
    """OPT-2."""
    assert client.ask("OPTIONS", Session="unknown").code == 454
    client.setUp(VIDEO, TCP.format(0, 1))
    answer = client.ask("OPTIONS", "*")
    assert answer.code == 200
    assert answer.headers.get("Session", "").startswith(client.session)


@pytest.mark.requirement("DES-1", "DES-3", "SDP-1", "SDP-2", "SDP-3", "COD-200")
def testDescribe(client: Client) -> None:
    """DES-1, DES-3, SDP-1, SDP-2."""
    answer = client.ask("DESCRIBE")
    assert answer.code == 200
    assert answer.headers.get("Content-Type") == "application/sdp"
    assert answer.headers.get("Content-Base") == FILM + "/"
    assert answer.headers.get("Last-Modified") == formatDate(CREATED)
    lines = answer.body.decode().split("\r\n")
    for line in ("v=0", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*", "a=range:npt=0-10.000"):
        assert line in lines
    assert [line for line in lines if line.startswith("a=control:trackID")] == [
        "a=control:trackID=0",
        "a=control:trackID=1",
    ]


@pytest.mark.requirement("DES-1", "Q-2")
@pytest.mark.parametrize(
    ("url", "base"),
    [
        (FILM, FILM + "/"),
        (FILM + "/", FILM + "/"),
        (FILM + "?user=a", FILM + "/"),
        (f"{FILM}/trackID=0", FILM + "/"),
        ("rtsp://other:1234/movies/film.mkv", "rtsp://other:1234/movies/film.mkv/"),
        ("rtsp://server/movies/fil%6D.mkv", "rtsp://server/movies/fil%6D.mkv/"),
    ],
)
def testContentBase(client: Client, url: str, base: str) -> None:
    """DES-1, Q-2: ends in a slash, has no query, is otherwise to the letter what was asked for."""
    answer = client.ask("DESCRIBE", url)
    assert answer.code == 200
    assert answer.headers.get("Content-Base") == base


@pytest.mark.requirement("DES-2", "DES-6", "COD-406")
@pytest.mark.parametrize(
    ("accept", "code"),
    [
        (None, 200),
        ("", 200),
        ("application/sdp", 200),
        ("text/html, application/*;q=0.5", 200),
        ("*/*", 200),
        ("text/html", 406),
        ("application/sdp;q=0, */*", 406),
    ],
)
def testAccept(client: Client, accept: str | None, code: int) -> None:
    """DES-2, DES-6."""
    assert client.ask("DESCRIBE", Accept=accept, Accept_Language="xx;;q", Accept_Encoding="gzip").code == code


@pytest.mark.requirement("DES-3", "COD-304")
@pytest.mark.parametrize(("since", "code"), [(CREATED, 304), (CREATED + 5, 304), (CREATED - 1, 200), (None, 200)])
def testIfModifiedSince(client: Client, since: float | None, code: int) -> None:
    """DES-3: 304 has no body."""
    date = "yesterday" if since is None else formatDate(since)
    answer = client.ask("DESCRIBE", If_Modified_Since=date)
    assert answer.code == code
    assert bool(answer.body) == (code == 200)


URLS = [
    ("rtsp://server/movies/nothing.mkv", 404),
    ("rtsp://server/movies", 404),
    ("rtsp://server", 404),
    ("rtsp://server/", 404),
    ("/", 404),
    ("//", 404),
    ("rtsp://server//movies//film.mkv", 200),
    ("/movies/film.mkv", 200),
    ("RTSP://user:secret@[2001:db8::1]:554/movies/film.mkv", 200),
    ("rtspu://server/movies/film.mkv", 200),
    ("rtsp://server/movies/broken.mkv", 415),
    ("rtsp://server/movies/secret.mkv", 403),
    # SEC-6: ways out of the folder
    ("rtsp://server/..", 404),
    ("rtsp://server/../../etc/passwd", 404),
    ("rtsp://server/movies/../movies/film.mkv", 404),
    ("rtsp://server/movies/%2e%2e/movies/film.mkv", 404),
    ("rtsp://server/movies/..%2f..%2fetc%2fpasswd", 404),
    ("rtsp://server/movies/..%5c..%5cetc", 404),
    ("rtsp://server/movies/%2Fetc%2Fpasswd", 404),
    ("rtsp://server/movies/film.mkv%00.txt", 400),
    ("rtsp://server/movies/film.mkv%0d%0aX-Injected:%201", 400),
    ("rtsp://server/movies/%c0%ae%c0%ae/etc", 400),
    ("rtsp://server/movies/%", 400),
    ("rtsp://server/movies/%zz", 400),
    ("rtsp://server/" + "a/" * 4000, 404),
    ("rtsp://server/movies/|id", 404),
    ("rtsp://server/movies/-i", 404),
    ("rtsp://server/movies/concat:a|b", 404),
    ("file:///etc/passwd", 400),
    ("http://server/movies/film.mkv", 400),
    ("rtsp://", 400),
    ("rtsp:///movies/film.mkv", 400),
    ("rtsp://server:99999/movies/film.mkv", 400),
    ("movies/film.mkv", 400),
    ("*", 400),
]


@pytest.mark.requirement(
    "SYN-5", "SYN-6", "SYN-7", "DES-1", "DES-5", "SEC-6", "COD-403", "COD-404", "COD-415", "COD-400"
)
@pytest.mark.parametrize(("url", "code"), URLS)
def testURLs(client: Client, url: str, code: int) -> None:
    """DES-1, DES-5, SYN-5 to SYN-7, SEC-6: the right answer, and the connection stays usable."""
    answer = client.ask("DESCRIBE", url)
    assert answer.code == code
    assert "X-Injected" not in answer.headers
    assert client.ask("OPTIONS").code == 200


@pytest.mark.requirement("DES-5", "COD-500")
def testADescribeThatFailsInside(client: Client, loggedFailures: list[object]) -> None:
    """DES-5: 500 without a trace of what went wrong; the log has it, and the connection stays usable."""
    answer = client.ask("DESCRIBE", "rtsp://server/movies/bug.mkv")
    assert (answer.code, answer.body) == (500, b"")
    assert len(loggedFailures) == 1
    loggedFailures.clear()
    assert client.ask("OPTIONS").code == 200


@pytest.mark.requirement("DES-4")
def testDescribeInAnyState(client: Client, rig: Rig) -> None:
    """DES-4."""
    client.setUpFilm()
    client.play()
    for _ in range(3):
        assert client.ask("DESCRIBE").code == 200
    rig.wait(0.5)
    assert len(client.pictures()) > 10


@pytest.mark.requirement("RTCP-9", "SDP-1")
@pytest.mark.parametrize("groups", [None, "239.255.42.0/24"])
def testOnePortIsOffered(groups: str | None) -> None:
    """For each track, unless there is multicast: live555 would apply it to that. A multicast address is never in it."""
    body = Rig(groups=groups).connect().ask("DESCRIBE").body.decode()
    assert body.count("a=rtcp-mux\r\n") == (2 if groups is None else 0)
    assert "c=IN IP4 0.0.0.0\r\n" in body
    assert "239." not in body
