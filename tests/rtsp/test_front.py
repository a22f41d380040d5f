"""The first words on the port for RTSP (requirements TUN-1, TUN-12, TLS-1, TMO-6)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rtsprig import Rig, Wire
from tunnelrig import Connection, head
from twisted.internet.interfaces import ISSLTransport
from zope.interface import implementer

from mediasrv.rtsp.front import Language, languageOf
from mediasrv.rtsp.server import RTSPServer

OPTIONS = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"


@pytest.mark.requirement("TUN-1")
@pytest.mark.parametrize(
    ("start", "language"),
    [
        (b"OPTIONS * RTSP/1.0\r", "RTSP"),
        (b"OPTIONS * RTSP/1.0\n", "RTSP"),
        (b"OPTIONS * HTTP/1.1\r\n", "HTTP"),
        (b"GET /a HTTP/1.0\n", "HTTP"),
        (b"GET_PARAMETER rtsp://a/ RTSP/1.0\r\n", "RTSP"),
        (b"POST /a HTTP/1.1\r\nx", "HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\n", "HTTP"),
        (b"GET / RTSP/1.0\r\nA: HTTP/1.1\r\n", "RTSP"),
        (b"GET /\r\n", "RTSP"),
        (b"RTSP/1.0 200 OK\r\n", "RTSP"),
        (b"$\0\0\1a", "RTSP"),
        (b"\r\n", "RTSP"),
        (b"\x16\x03\x01", "TLS"),
        (b"\x16", "TLS"),
        (b"\x80", "RTSP"),
        (b"O" * 101, "RTSP"),
        (b"O" * 100, None),
        (b"GET / HTTP/1.1", None),
        (b"", None),
    ],
)
def testLanguages(start: bytes, language: Language | None) -> None:
    assert languageOf(start, 100) == language


@given(st.binary(min_size=1, max_size=80))
def testWhatWasToldIsNeverTakenBack(data: bytes) -> None:
    """However many bytes come first."""
    told = {languageOf(data[:length], 60) for length in range(1, len(data) + 1)}
    assert len(told - {None}) <= 1


def testAfterTheFirstWordsNobodyIsInTheWay(rig: Rig) -> None:
    """The transport calls the RTSP connection itself."""
    connection = Connection(rig)
    for number in range(len(OPTIONS)):
        connection.write(OPTIONS[number : number + 1])
    assert connection.heard().startswith(b"RTSP/1.0 200 OK")
    assert isinstance(connection.protocol.dataReceived.__self__, RTSPServer)
    assert rig.site._connections == {connection.protocol.dataReceived.__self__}
    connection.transport.lose()
    assert rig.site._connections == set()


@pytest.mark.requirement("TUN-12")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx-sessioncookie: a\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: a\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n", 404),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", 405),
        (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
)
def testOrdinaryHTTP(rig: Rig, request_: bytes, code: int) -> None:
    """A short answer as HTTP has it, and the end; the length is right."""
    connection = Connection(rig, request_)
    answer = connection.heard()
    assert answer.startswith(b"HTTP/1.0 %d " % code)
    about, _, text = answer.partition(b"\r\n\r\n")
    length = next(int(line.partition(b":")[2]) for line in about.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert len(text) == (0 if request_.startswith(b"HEAD") else length)
    assert (b"\r\nAllow: " in about) == (code in (200, 405))
    assert not connection.isConnected


@pytest.mark.requirement("TLS-1", "SEC-28")
def testTLSOnAPlainPort(rig: Rig) -> None:
    """Closed without a word, which would be no TLS."""
    connection = Connection(rig, bytes.fromhex("16030102000100"))
    assert connection.heard() == b""
    assert not connection.isConnected


@pytest.mark.requirement("TMO-6", "SEC-1")
@pytest.mark.parametrize(
    ("first", "word"),
    [
        (b"", b""),
        (b"OPTI", b"RTSP/1.0 408 "),
        (b"OPTIONS * RTSP/1.0\r\nCS", b"RTSP/1.0 408 "),
        (b"GET / HTTP/1.1\r\n", b"HTTP/1.0 408 "),
    ],
)
def testWhoDoesNotSpeakUp(rig: Rig, first: bytes, word: bytes) -> None:
    """A minute, a byte now and then or not."""
    connection = Connection(rig, first)
    rig.wait(59, step=1.0)
    assert connection.isConnected
    rig.wait(3, step=1.0)
    assert not connection.isConnected
    assert connection.heard().startswith(word)


@implementer(ISSLTransport)
class SecureWire(Wire):
    def getPeerCertificate(self) -> None:
        """There is none."""


@pytest.mark.requirement("TLS-1", "TMO-6", "SEC-28")
@pytest.mark.parametrize("isDone", [False, True])
def testHandshakes(rig: Rig, isDone: bool) -> None:
    """They have ten seconds; from their end on a client has as long as any."""
    transport = SecureWire("192.0.2.7", 1)
    front: Any = rig.factory.buildProtocol(None)
    transport.protocol = front
    front.makeConnection(transport)
    rig.wait(9, step=1.0)
    assert transport.connected
    if isDone:
        front.handshakeCompleted()
    rig.wait(3, step=1.0)
    assert transport.connected == isDone
    rig.wait(54, step=1.0)
    assert transport.connected == isDone
    rig.wait(10, step=1.0)
    assert not transport.connected


@pytest.mark.requirement("TLS-2")
@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
@pytest.mark.parametrize("isSecure", [False, True])
def testTheSchemeIsTheClients(rig: Rig, scheme: str, isSecure: bool) -> None:
    """
    It says "rtsp" in a tunnel through TLS, and "rtsps" if a proxy takes TLS away: nobody is sent elsewhere, as live555
    does it, and the description stays where the client is.
    """
    transport = (SecureWire if isSecure else Wire)("192.0.2.7", 1)
    front: Any = rig.factory.buildProtocol(None)
    transport.protocol = front
    front.makeConnection(transport)
    front.dataReceived(f"DESCRIBE {scheme}://server/movies/film.mkv RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
    answer = transport.value().decode()
    assert answer.startswith("RTSP/1.0 200 OK\r\n")
    assert f"\r\nContent-Base: {scheme}://server/movies/film.mkv/\r\n" in answer
    transport.lose()


def testAFirstWordThatIsTooLong(rig: Rig) -> None:
    """It is for the RTSP parser to say so."""
    connection = Connection(rig)
    for _ in range(10):
        connection.write(b"O" * 1000)
    assert connection.heard().startswith(b"RTSP/1.0 414 ")
    assert not connection.isConnected


@pytest.mark.parametrize("first", [b"\x16\3", b"GET / HTTP/1.1\r\n\r\n"], ids=["TLS", "HTTP"])
def testWhatComesAfterTheLastWordsIsDropped(rig: Rig, first: bytes) -> None:
    """A connection may take a while to close."""
    connection = Connection(rig)
    connection.transport.stuck = True
    connection.write(first)
    connection.heard()
    front: Any = connection.protocol

    def kept() -> int:
        return len(front._start) + len(front.reader.received)

    before = kept()
    for _ in range(100):
        connection.write(b"a" * 10_000)
    assert kept() == before
    assert connection.heard() == b""
    connection.transport.lose()


def testHalfAHeadIsBounded(rig: Rig) -> None:
    connection = Connection(rig, head("GET")[:-2])
    while connection.isConnected:
        connection.write(b"a: b\r\n" * 100)
    assert connection.code() == 431
