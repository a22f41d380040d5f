"""The head of an HTTP request (requirements TUN-1, TUN-4, SEC-23)."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtsp.httphead import HeadError, HeadReader, HTTPHead
from mediasrv.rtsp.messages import Headers

GET = b"GET /a?b HTTP/1.1\r\nHost: x\r\nX-SessionCookie: abc\r\nAccept: a\r\nAccept: b\r\n\r\n"


@pytest.mark.requirement("TUN-4")
@given(st.lists(st.integers(0, len(GET)), max_size=10))
def testAnyCut(where: list[int]) -> None:
    """The same head, and the same bytes behind it, however it is cut."""
    data = GET + b"body\r\n\r\n"
    edges = [0, *sorted(where), len(data)]
    reader, found = HeadReader(), []
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    while pieces and not found:
        head = reader.feed(pieces.pop(0))
        found += [head] if head else []
    assert found == [
        HTTPHead("GET", "/a?b", Headers([("Host", "x"), ("x-sessioncookie", "abc"), ("Accept", "a"), ("Accept", "b")]))
    ]
    assert reader.rest + b"".join(pieces) == b"body\r\n\r\n"
    assert bytes(reader.received) + b"".join(pieces) == data


def testBareLineFeeds() -> None:
    """RFC 9112 section 2.2 lets them end lines."""
    head = HeadReader().feed(b"POST / HTTP/1.0\nA: b\n\nrest")
    assert head == HTTPHead("POST", "/", Headers([("A", "b")]))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1 \r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\na: b\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\na: b\rc: d\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\na: b\0\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nX-SessionCookie: " + b"x" * (1 << 20), 431),
        (b"GET / HTTP/1.1\r\nX-SessionCookie: " + b"x" * (1 << 20) + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
    ],
)
def testRefused(data: bytes, code: int) -> None:
    with pytest.raises(HeadError) as caught:
        HeadReader().feed(data)
    assert caught.value.code == code


@given(st.binary(max_size=200), st.booleans())
def testNothingElseIsRaised(data: bytes, isWhole: bool) -> None:
    with suppress(HeadError):
        HeadReader().feed(b"GET / HTTP/1.1\r\n" + data + (b"\r\n\r\n" if isWhole else b""))


def testTheLimitIsOfTheHeadAlone() -> None:
    """What follows it in the same segment may be long."""
    reader = HeadReader(limit=50)
    assert reader.feed(b"GET / HTTP/1.1\r\n\r\n" + bytes(1000)) is not None
    assert len(reader.rest) == 1000
    with pytest.raises(HeadError):
        HeadReader(limit=50).feed(b"GET / HTTP/1.1\r\na: " + b"b" * 40 + b"\r\n\r\n")
