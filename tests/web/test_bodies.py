"""What clients send is not kept: neither memory nor the disk is theirs (requirements SEC-3, SEC-25)."""

from __future__ import annotations

import tempfile

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.web.bodies import LONGEST
from mediasrv.web.front import WebSite


class _Echo(Resource):
    isLeaf = True

    def render_POST(self, request: Request) -> bytes:
        return b"%d" % len(request.content.read())


def _chunks(size: int, count: int) -> bytes:
    return (b"%x\r\n" % size + bytes(size) + b"\r\n") * count


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> StringTransport:
    monkeypatch.setattr(tempfile, "TemporaryFile", None)  # nothing goes there
    transport = StringTransport()
    channel = WebSite(_Echo(), reactor=Clock()).buildProtocol(None)
    assert channel is not None
    channel.makeConnection(transport)
    transport.protocol = channel
    return transport


@pytest.mark.requirement("SEC-25")
@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        (b"Content-Length: 0", b"", b"0"),
        (b"Content-Length: 5", b"abcde", b"5"),
        (b"Content-Length: %d" % LONGEST, bytes(LONGEST), b"%d" % LONGEST),
        (b"Transfer-Encoding: chunked", _chunks(LONGEST // 16, 16) + b"0\r\n\r\n", b"%d" % LONGEST),
    ],
)
def testSmall(transport: StringTransport, headers: bytes, body: bytes, answer: bytes) -> None:
    """Also one request after the other."""
    for _ in range(2):
        transport.clear()
        transport.protocol.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n")
        for start in range(0, len(body), 5000):
            transport.protocol.dataReceived(body[start : start + 5000])
        assert transport.value().startswith(b"HTTP/1.1 200 OK\r\n")
        assert transport.value().endswith(b"\r\n\r\n" + answer)
    assert not transport.disconnecting


@pytest.mark.requirement("SEC-3", "SEC-25")
@pytest.mark.parametrize("method", [b"POST", b"GET"])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: %d" % (LONGEST + 1), b""),
        (b"Content-Length: 99999999999999", bytes(1 << 20)),
        (b"Transfer-Encoding: chunked", _chunks(LONGEST // 16, 17)),
        (b"Transfer-Encoding: chunked", _chunks(1 << 20, 1) + b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", _chunks(LONGEST // 16, 200) + b"0\r\n\r\n" + b"GET / HTTP/1.1\r\n\r\n"),
    ],
)
def testLarge(transport: StringTransport, method: bytes, headers: bytes, body: bytes) -> None:
    """It is answered once, at once, and the connection ends."""
    transport.protocol.dataReceived(method + b" / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n" + body)
    assert transport.value().startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert transport.value().count(b"HTTP/1.1") == 1
    assert transport.disconnecting
