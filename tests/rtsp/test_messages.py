"""L{mediasrv.rtsp.messages} and L{mediasrv.rtsp.status}."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtsp.messages import Headers, InterleavedFrame, Request, Response
from mediasrv.rtsp.status import Status, reasonPhrase


@pytest.mark.requirement("SYN-3")
def test_headersIgnoreCase() -> None:
    """SYN-3: names without regard to case; duplicates are a comma list; order of first appearance."""
    headers = Headers([("cseq", "1"), ("Accept", "a"), ("ACCEPT", "b"), ("x-dynamic-rate", "")])
    assert headers.get("CSEQ") == "1"
    assert headers.get("accept") == "a, b"
    assert headers.getAll("Accept") == ["a", "b"]
    assert headers.get("X-Dynamic-Rate", "none") == ""
    assert headers.get("Range") is None
    assert headers.get("Range", "none") == "none"
    assert headers.getAll("Range") == []
    assert "aCCept" in headers
    assert "Range" not in headers
    assert list(headers.items()) == [("CSeq", "1"), ("Accept", "a"), ("Accept", "b"), ("X-Dynamic-Rate", "")]
    assert len(headers) == 3


def test_headersChange() -> None:
    headers = Headers([("Accept", "a"), ("Accept", "b")])
    other = headers.copy()
    assert other == headers
    other.set("accept", "c")
    assert other.getAll("Accept") == ["c"]
    assert headers.getAll("Accept") == ["a", "b"]
    assert other != headers
    other.remove("ACCEPT")
    assert "Accept" not in other
    headers.getAll("Accept").append("mine")
    assert headers.getAll("Accept") == ["a", "b"]


@pytest.mark.requirement("SEC-26")
@pytest.mark.parametrize("value", ["a\r\nSet: b", "a\nb", "a\rb", "a\0"])
def test_headersCannotBeSplit(value: str) -> None:
    """SEC-26: a line break cannot get into a value, a name, a URI, a method or a reason."""
    headers = Headers()
    with pytest.raises(ValueError, match="line break"):
        headers.set("Location", value)
    with pytest.raises(ValueError, match="line break"):
        headers.add("Location", value)
    with pytest.raises(ValueError, match="not a header name"):
        headers.add(value, "x")
    with pytest.raises(ValueError, match="not a request"):
        Request("OPTIONS " + value, "*").toBytes()
    with pytest.raises(ValueError, match=r"not a request|line break"):
        Request("OPTIONS", value).toBytes()
    with pytest.raises(ValueError, match="line break"):
        Response(200, reason=value).toBytes()
    assert len(headers) == 0


@pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "$x"])
def test_headerNamesAreTokens(name: str) -> None:
    with pytest.raises(ValueError, match="not a header name"):
        Headers([(name, "x")])


def test_requestToBytes() -> None:
    request = Request("SET_PARAMETER", "rtsp://h/é", Headers([("cseq", "3")]), b"a: b\r\n")
    assert request.toBytes() == (
        "SET_PARAMETER rtsp://h/é RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 6\r\n\r\na: b\r\n".encode()
    )
    assert "Content-Length" not in request.headers


@pytest.mark.parametrize("uri", ["", " ", "a b", " a", "a\t"])
def test_requestNeedsOneURI(uri: str) -> None:
    with pytest.raises(ValueError, match="not a request"):
        Request("PLAY", uri).toBytes()


@pytest.mark.requirement("SYN-14")
def test_responseToBytes() -> None:
    """SYN-14, and Content-Length is always the body's."""
    assert Response(200).toBytes() == b"RTSP/1.0 200 OK\r\n\r\n"
    assert Response(Status.NOT_FOUND).toBytes() == b"RTSP/1.0 404 Not Found\r\n\r\n"
    headers = Headers([("Content-Length", "99"), ("CSeq", "1")])
    assert Response(200, headers).toBytes() == b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n"
    assert Response(200, headers, b"xy").toBytes() == b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nxy"
    assert Response(200, Headers([("X", "\udcff")])).toBytes().endswith(b"X: ?\r\n\r\n")


@pytest.mark.requirement("INT-1")
def test_frameToBytes() -> None:
    """INT-1."""
    assert InterleavedFrame(255, b"abc").toBytes() == b"$\xff\x00\x03abc"
    assert InterleavedFrame(0, b"").toBytes() == b"$\0\0\0"
    with pytest.raises(OverflowError):
        InterleavedFrame(0, bytes(65536)).toBytes()


@pytest.mark.requirement("SYN-14")
@given(st.integers(-1000, 100000))
def test_everyCodeHasAPhrase(code: int) -> None:
    """SYN-14."""
    assert reasonPhrase(code).strip()


def test_statusTable() -> None:
    """RFC 2326 section 7.1.1: all the codes, and no others that are not explained."""
    codes = {100, 200, 201, 250, *range(300, 306), *range(400, 409), *range(410, 416), *range(451, 462)}
    codes |= {*range(500, 506), 551}
    assert {int(status) for status in Status} == codes | {416, 462, 463}
    assert Status.SESSION_NOT_FOUND.phrase == reasonPhrase(454) == "Session Not Found"
    assert reasonPhrase(299) == "Success"
