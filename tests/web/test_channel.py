"""Our own web ports say what Twisted's say, in one piece."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from mediasrv.web.files import share
from mediasrv.web.front import WebSite


class _Page(Resource):
    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        request.setHeader("Content-Type", "text/plain")
        request.setHeader("Date", "now")
        request.responseHeaders.setRawHeaders("Via", ["a", "b\r\nc: d"])
        request.addCookie("a", "b")
        return b"body"


class _Transport(StringTransport):
    """Counts what is written."""

    count = 0

    def write(self, data: bytes) -> None:
        self.count += 1
        super().write(data)


def _talk(site: Site, requests: bytes) -> _Transport:
    transport = _Transport()
    channel = site.buildProtocol(None)
    assert channel is not None
    channel.makeConnection(transport)
    channel.dataReceived(requests)
    return transport


def testTheSame() -> None:
    requests = b"GET / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.0\r\n\r\n"
    clock = Clock()
    ours = _talk(WebSite(_Page(), reactor=clock), requests)
    assert ours.value() == _talk(Site(_Page(), reactor=clock), requests).value()
    assert ours.value().count(b"body") == 2
    assert ours.count == 5
    assert ours.disconnecting


def testShare() -> None:
    """Headers that were made once are those of an answer, and are not changed by it."""
    prepared = Headers({"ETag": ['"a"'], "Vary": ["a"]})
    answer = Headers({"Server": ["x"], "Vary": ["b"]})
    share(prepared, answer)
    assert answer == Headers({"ETag": ['"a"'], "Server": ["x"], "Vary": ["a"]})
    answer.setRawHeaders("Vary", ["c"])
    answer.removeHeader("ETag")
    assert prepared == Headers({"ETag": ['"a"'], "Vary": ["a"]})
