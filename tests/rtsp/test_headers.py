"""L{mediasrv.rtsp.headers}."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediasrv.rtsp.headers import (
    RTPInfo,
    acceptsSDP,
    formatDate,
    formatRTPInfo,
    formatScale,
    formatSession,
    notModified,
    parseBlocksize,
    parseDate,
    parseRTPInfo,
    parseScale,
    parseSession,
    parseSpeed,
    requiredFeatures,
)
from mediasrv.rtsp.messages import HeaderError, Headers


@pytest.mark.requirement("TMO-1")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abcd1234", ("abcd1234", None)),
        ("abcd1234;timeout=60", ("abcd1234", 60)),
        (" a$-_.+9 ; x=1 ; Timeout = 5 ", ("a$-_.+9", 5)),
        ("abcd1234;timeout=x", ("abcd1234", None)),
        ("abcd1234;timeout=-1;", ("abcd1234", None)),
    ],
)
def test_session(value: str, expected: tuple[str, int | None]) -> None:
    """TMO-1: the timeout may come back."""
    assert parseSession(value) == expected


@pytest.mark.requirement("SEC-8")
@pytest.mark.parametrize("value", ["", ";timeout=60", "a b", "é", "a\r\nb", "1234, 1234", "a" * 10240])
def test_badSession(value: str) -> None:
    """SEC-8: nobody has such a session."""
    with pytest.raises(HeaderError) as caught:
        parseSession(value)
    assert caught.value.code == 454


@pytest.mark.requirement("TMO-1")
def test_formatSession() -> None:
    """TMO-1: no space."""
    assert formatSession("abcd1234", 60) == "abcd1234;timeout=60"
    assert formatSession("abcd1234") == "abcd1234"


@pytest.mark.requirement("RTP-1", "SYN-7")
def test_rtpInfo() -> None:
    """RTP-1, SYN-7: URLs to the letter."""
    entries = [
        RTPInfo("rtsp://h/a%20b;c,d=%C3%A9.mp4/trackID=0", 45102, 1),
        RTPInfo("rtsp://h/,url;seq=1/", 0, 2**32 - 1),
    ]
    value = formatRTPInfo(entries)
    assert value == (
        "url=rtsp://h/a%20b;c,d=%C3%A9.mp4/trackID=0;seq=45102;rtptime=1,"
        "url=rtsp://h/,url;seq=1/;seq=0;rtptime=4294967295"
    )
    assert parseRTPInfo(value) == entries
    assert parseRTPInfo("url=rtsp://h/a; rtptime=5 ;seq = 3 ,\t URL = b") == [RTPInfo("rtsp://h/a", 3, 5), RTPInfo("b")]
    assert formatRTPInfo([RTPInfo("b")]) == "url=b"


@pytest.mark.parametrize("value", ["", "seq=1", "url=", "url=;seq=1", "x,url=a"])
def test_badRTPInfo(value: str) -> None:
    with pytest.raises(HeaderError):
        parseRTPInfo(value)


@pytest.mark.requirement("DES-2")
@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, True),
        ("", True),
        ("application/sdp", True),
        ("Application/SDP;level=2", True),
        ("application/rtsl, application/sdp;level=2", True),
        ("*/*", True),
        ("application/*;q=0.001", True),
        ("text/html", False),
        ("application/sdpx", False),
        ("application/sdp;q=0", False),
        ("application/sdp ; q = 0.000, */*", False),
        ("*/*;q=0, application/sdp", True),
        ("x" * 100000, False),
        (";", False),
    ],
)
def test_accept(accept: str | None, expected: bool) -> None:
    """DES-2."""
    assert acceptsSDP(accept) is expected


@pytest.mark.requirement("SYN-15")
def test_dates() -> None:
    """SYN-15: RFC 1123, weekday included."""
    assert formatDate(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"
    for value in ("Sun, 06 Nov 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"):
        assert parseDate(value) == 784111777
    for value in ("", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "1" * 100000):
        assert parseDate(value) is None


@pytest.mark.requirement("DES-3")
def test_notModified() -> None:
    """DES-3: the header has whole seconds, the file has not; nonsense is ignored."""
    date = formatDate(1000)
    assert notModified(date, 1000.9)
    assert not notModified(date, 1001.0)
    assert not notModified(None, 0)
    assert not notModified("nonsense", 0)


@pytest.mark.requirement("HDR-1")
def test_required() -> None:
    """HDR-1: several lines, lists, both headers."""
    headers = Headers([("Require", "a, b"), ("Proxy-Require", "c,,a"), ("require", " d")])
    assert requiredFeatures(headers) == ["a", "b", "d", "c"]
    assert requiredFeatures(Headers()) == []


@pytest.mark.requirement("HDR-2", "HDR-3")
@pytest.mark.parametrize(
    ("value", "number"), [("1", 1.0), ("2.5", 2.5), (" +0.5 ", 0.5), (".25", 0.25), ("3.", 3.0), ("0.000001", 1e-6)]
)
def test_scaleAndSpeed(value: str, number: float) -> None:
    assert parseScale(value) == parseSpeed(value) == number


@pytest.mark.requirement("HDR-2", "HDR-3")
def test_backwards() -> None:
    """HDR-2, HDR-3: a scale may be negative, a speed may not."""
    assert parseScale("-1.5") == -1.5
    with pytest.raises(HeaderError):
        parseSpeed("-1.5")


NO_NUMBERS = [
    "",
    "0",
    "-0",
    "0.0",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "1e-308",
    "abc",
    "2,5",
    "1, 2",
    "--1",
    ".",
    "٣",
    "9" * 400,
]


@pytest.mark.requirement("HDR-2", "SEC-12")
@pytest.mark.parametrize("parse", [parseScale, parseSpeed])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_badScale(parse: Callable[[str], float], value: str) -> None:
    """HDR-2, SEC-12."""
    with pytest.raises(HeaderError) as caught:
        parse(value)
    assert caught.value.code == 400


@given(st.floats(1e-6, 999999999) | st.floats(-999999999, -1e-6))
def test_scaleBack(scale: float) -> None:
    value = formatScale(scale)
    assert "e" not in value
    assert parseScale(value) == pytest.approx(scale, abs=1e-6)


@pytest.mark.requirement("HDR-2")
def test_formatScale() -> None:
    assert [formatScale(scale) for scale in (1, 2.0, -0.125, 100)] == ["1.0", "2.0", "-0.125", "100.0"]


@pytest.mark.requirement("SET-14")
def test_blocksize() -> None:
    """SET-14."""
    assert parseBlocksize(" 1400 ") == 1400
    for value in ("", "0", "-1", "1.5", "x", "1, 2", "٣", "9" * 5000):
        with pytest.raises(HeaderError) as caught:
            parseBlocksize(value)
        assert caught.value.code == 416


@given(st.text())
@example("1\x1f")
@example("a;timeout=1\x1f")
def test_garbage(value: str) -> None:
    """Nothing but L{HeaderError} comes out."""
    for parse in (parseSession, parseRTPInfo, parseScale, parseSpeed, parseBlocksize):
        try:
            result = parse(value)
        except HeaderError:
            continue
        assert not isinstance(result, float) or math.isfinite(result)
    assert acceptsSDP(value) in (True, False)
    assert parseDate(value) is None or value.strip()


@pytest.mark.requirement("RTP-1")
@given(
    st.lists(
        st.builds(RTPInfo, st.text("abc:/%20=;,?-", min_size=1), st.integers(0, 65535), st.integers(0, 2**32 - 1)),
        min_size=1,
    )
)
def test_rtpInfoIsInverse(entries: list[RTPInfo]) -> None:
    assert parseRTPInfo(formatRTPInfo(entries)) == entries
