"""
What the clients of L{test_dialogues} ask: requests of all kinds, and with which codes they may be answered.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO

from mediasrv.rtsp.replies import PUBLIC

HOSTS = ["192.0.2.7", "192.0.2.8", "2001:db8::7"]
NO_METHODS = {"ANNOUNCE": 405, "RECORD": 405, "REDIRECT": 405, "WHATEVER": 501, "play": 501, "PLAY_NOTIFY": 501}
METHODS = [*PUBLIC.split(", ")] * 3 + ["PLAY", "PLAY", "PAUSE", "SETUP"] * 3 + list(NO_METHODS)
URLS = [FILM, FILM, f"{FILM}/", VIDEO, AUDIO, SOUND, f"{SOUND}/trackID=0", f"{FILM}?x=1", "/movies/film.mkv"]
BAD_URLS = [
    "*",
    f"{FILM}/trackID=7",
    "rtsp://server/movies/nothing.mkv",
    "rtsp://server/movies/broken.mkv",
    "rtsp://%zz",
]
RANGES = [
    *("npt=0-", "npt=0.000-", "npt=3-", "npt=2-2.5", "npt=4-9", "npt=7.5-", "npt=9.99-", "npt=10.5-", "npt=6-6.02"),
    *(
        "npt=-5",
        "npt=5-3",
        "npt=now-",
        "npt=0:00:05.5-",
        "smpte=0:00:04-",
        "smpte-25=0:00:02:05-0:00:03:00",
        "npt=1-2;time=x",
    ),
    *("clock=20200913T122644.5Z-", "clock=20200913T122642Z-20200913T122643.25Z", "npt=1-;time=19970123T153600Z"),
]
MALFORMED_RANGES = ["bytes=0-5", "npt", "npt=-", "npt=nan-", "clock=20210230T000000Z-", "npt=1-2,3-4"]
#: of the others a PAUSE takes the first point, and nothing to object to if it has paused already
BAD_RANGES = [*MALFORMED_RANGES, "npt=99-"]
TRANSPORTS = [
    *(TCP.format(number, number + 1) for number in (0, 2, 4, 254)),
    *(UDP.format(port, port + 1) for port in (5000, 5002, 5004)),
    "RTP/AVP/TCP;unicast",
    "RTP/SAVP;unicast;client_port=7000-7001, RTP/AVP/TCP;unicast;interleaved=6",
]
BAD_TRANSPORTS = ["", "RTP/AVP;unicast;client_port=0-1", "RTP/FOO", "RTP/AVP/TCP;interleaved=0-0", "x" * 300]
NUMBERS = ["1.0", "1", "2.0", "0.5", "-1", "0", "nan", "1e9", "32"]

#: what is no request, and the answer: CSeq and code
MISTAKES = [
    (b"OPTIONS * RTSP/1.0\r\n\r\n", None, 400),
    (b"OPTIONS * RTSP/2.0\r\nCSeq: 7\r\n\r\n", "7", 505),
    (b"PLAY RTSP/1.0\r\nCSeq: x\r\n\r\n", None, 400),
]

#: that pass between two requests
SECONDS = st.sampled_from([0.01, 0.05, 0.3, 1.0, 1.5, 4.0])

#: what players do with what they have set up: method and Range
STEERING = st.one_of(
    st.sampled_from([("PLAY", wanted) for wanted in ["", "", *RANGES]]),
    st.integers(0, 999).map(lambda place: ("PLAY", f"npt={place / 100:.2f}-")),
    # ends on a picture: whether that is still sent is the question
    st.tuples(st.integers(0, 225), st.integers(1, 50)).map(
        lambda span: ("PLAY", f"npt={span[0] / 25:.2f}-{sum(span) / 25:.2f}")
    ),
    st.just(("PAUSE", "")),
    st.integers(0, 999).map(lambda point: ("PAUSE", f"npt={point / 100:.2f}")),
)

#: what each method may be answered with, if all else is in order
CODES: dict[str, set[int]] = {
    "OPTIONS": {200, 454},
    "DESCRIBE": {200, 304, 400, 404, 406, 415},
    "SETUP": {200, 400, 404, 412, 415, 416, 454, 455, 459, 461},
    # 453 and 503 for a queue that is full
    "PLAY": {200, 400, 404, 453, 454, 455, 457, 460, 501, 503},
    "PAUSE": {200, 400, 404, 454, 455, 457, 460, 501},
    "TEARDOWN": {200, 400, 404, 454, 455, 460},
    "GET_PARAMETER": {200, 415, 451, 454},
    "SET_PARAMETER": {200, 415, 451, 454, 458},
}
NEEDS_A_RESOURCE = {"DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "ANNOUNCE", "RECORD", "REDIRECT"}
NEEDS_A_SESSION = {"PLAY", "PAUSE", "TEARDOWN"}


@dataclass(frozen=True)
class Ask:
    """
    One request.

    @ivar session: which of the sessions that there are; or C{"none"}, or another that there is not.
    """

    method: str
    url: str
    session: int | str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


def headers(method: str) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Those that mean something to the method, and now and then one that means something everywhere."""
    choices: dict[str, st.SearchStrategy[str]] = {}
    if method in ("PLAY", "PAUSE"):
        choices["Range"] = st.sampled_from(RANGES * 2 + BAD_RANGES)
    if method == "PLAY":
        choices |= {"Scale": st.sampled_from(NUMBERS), "Speed": st.sampled_from(NUMBERS)}
        choices["Seek-Style"] = st.sampled_from(["RAP", "CoRAP", "First-Prior", "Next", "Never"])
        choices["Immediate"] = st.just("yes")
    if method == "SETUP":
        choices |= {"Blocksize": st.sampled_from(["400", "1000", "0", "x"]), "If-Match": st.sampled_from(["*", '"x"'])}
    if method == "DESCRIBE":
        choices["Accept"] = st.sampled_from(["application/sdp", "*/*", "text/html"])
    everywhere = {
        "Require": st.just("funky"),
        "Timestamp": st.just("4.5"),
        "Connection": st.sampled_from(["x", "close"]),
    }
    some = st.fixed_dictionaries({}, optional=choices) if choices else st.just({})
    rare = st.integers(0, 19).flatmap(
        lambda n: st.fixed_dictionaries({}, optional=everywhere) if n == 7 else st.just({})
    )
    transport = st.sampled_from(TRANSPORTS * 3 + BAD_TRANSPORTS).map(lambda value: {"Transport": value})
    always = transport if method == "SETUP" else st.just({})
    return st.tuples(always, some, rare).map(lambda found: tuple({**found[0], **found[1], **found[2]}.items()))


ASKS = st.sampled_from(METHODS).flatmap(
    lambda method: st.builds(
        Ask,
        st.just(method),
        st.sampled_from(URLS * 2 + BAD_URLS),
        st.sampled_from([*[0] * 12, 1, 1, 1, 2, "none", "none", "stranger", "not one"]),
        headers(method),
        st.sampled_from(["", "", "position\r\n", "nonsense: 1\r\n"]) if "PARAMETER" in method else st.just(""),
    )
)
