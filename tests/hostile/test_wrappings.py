"""Abuse of what RTSP can be wrapped in: HTTP, WebSocket, TLS (requirements SEC-23, SEC-24, SEC-28)."""

from __future__ import annotations

import base64
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from attack import Caller, Canary, Target, census, settled, sleep, until
from certificatemaker import makeCertificate
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from mediasrv.certificates import serverEndpoint

TYPE = "application/x-rtsp-tunnelled"

#: what a flood may take of memory, bytes: buffers of both ends, which are in this process
_ROOM = 40 << 20


def half(method: str, cookie: str, **headers: str) -> bytes:
    about = f"Accept: {TYPE}" if method == "GET" else f"Content-Type: {TYPE}\r\nContent-Length: 32767"
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{method} / HTTP/1.1\r\nx-sessioncookie: {cookie}\r\n{about}\r\n{more}\r\n".encode()


def ports(target: Target) -> tuple[int, int]:
    return target.port, target.webPort


async def flood(caller: Caller, data: bytes, seconds: float = 5.0) -> int:
    """
    Says the same again and again, as fast as it is read, until the server has enough, or for some seconds.

    @return: bytes.
    """
    sent = 0
    transport = caller.transport
    end = reactor.seconds() + seconds
    while caller.isConnected and reactor.seconds() < end:
        if len(transport.dataBuffer) + transport._tempDataLen < 1 << 20:
            caller.write(data)
            sent += len(data)
        await sleep(0)
    return sent


@pytest.fixture
def memory() -> Iterator[None]:
    """The test takes no more memory than a few buffers."""
    process = psutil.Process()
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss - before < _ROOM


@pytest.mark.requirement("SEC-23", "TUN-5")
@pytest.mark.deadline(40)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def testThousandHalves(target: Target, canary: Canary, method: str) -> None:
    """Few of one address wait, all others are told so; after a moment nothing is left."""
    before = await settled(census)
    callers: list[Caller] = []
    for number in range(1000):
        caller = await target.dial(ports(target)[number % 2], half(method, f"cookie{number}"))
        callers.append(caller)
    await until(lambda: not any(caller.isConnected for caller in callers))
    said = {bytes(caller.words[:12]) for caller in callers}
    assert said == {b"HTTP/1.0 503", b"HTTP/1.0 200" if method == "GET" else b""}
    await until(lambda: census() <= before)
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-23", "TUN-6")
async def testCookieOfAnother(target: Target, canary: Canary) -> None:
    """Whoever knows it, at another address, reaches nothing with it."""
    get = await target.dial(target.port, half("GET", "secret"), "127.0.0.2")
    post = await target.dial(target.webPort, half("POST", "secret"), "127.0.0.2")
    thief = await target.dial(target.port, half("POST", "secret"), "127.0.0.3")
    spy = await target.dial(target.port, half("GET", "secret"), "127.0.0.4")
    request = base64.b64encode(b"OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n")
    thief.write(request)
    await sleep(0.2)
    assert b"RTSP" not in get.words
    post.write(request)
    await until(lambda: b"CSeq: 77" in get.words)
    assert b"RTSP" not in spy.words
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-23")
@pytest.mark.deadline(30)
async def testBodyWithoutEnd(target: Target, canary: Canary, memory: None) -> None:
    """As much as fits in two seconds of data for nobody: read, dropped, and no reason to stay."""
    get = await target.dial(target.port, half("GET", "a"))
    post = await target.dial(target.port, half("POST", "a"))
    sent = await flood(post, base64.b64encode(b"$\x07\xff\xff" + bytes(65535)))
    assert sent > 1 << 20
    await get.closed()
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-23")
@pytest.mark.deadline(30)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def testBodyWithoutPartner(target: Target, canary: Canary, memory: None, method: str) -> None:
    """What comes in a POST without its GET is not read; what comes in a GET is dropped."""
    caller = await target.dial(target.webPort, half(method, "a"))
    await flood(caller, base64.b64encode(random.Random(3).randbytes(48 << 10)))
    await caller.closed()
    await canary.noticedNothing()


REFUSED = {
    "long cookie": (half("GET", "x" * (1 << 20)), 431),
    "no cookie at all": (half("GET", ""), 400),
    "two cookies": (half("GET", "a", x_sessioncookie="b"), 400),
    "chunks": (half("POST", "a", Transfer_Encoding="chunked") + b"5\r\nabcde\r\n", 501),
    "other page": (half("GET", "a", Origin="http://evil.example", Host="127.0.0.1"), 403),
}


@pytest.mark.requirement("SEC-23")
@pytest.mark.parametrize("name", REFUSED)
async def testRefused(target: Target, canary: Canary, name: str) -> None:
    first, code = REFUSED[name]
    for port in ports(target):
        caller = await target.dial(port, first)
        await caller.closed()
        # a reset may overtake what is said to somebody who still speaks; twisted.web has its own words for a long head
        said = bytes(caller.words[:12])
        assert said in (b"HTTP/1.0 %d" % code, b"") or (port == target.webPort and said == b"HTTP/1.1 400")
    await canary.noticedNothing()


NONSENSE = {
    "both ways on one connection": half("GET", "n") + half("POST", "n") + half("GET", "n"),
    "pipelined": half("GET", "p") + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000,
    "no head": b"GET / HTTP/1.1\r\n" + b"x" * (1 << 20),
    "many headers": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100_000,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100),
    "random": random.Random(5).randbytes(1 << 18),
    "ClientHello": bytes.fromhex("16030102000100") + random.Random(8).randbytes(500),
}


@pytest.mark.requirement("SEC-23", "SEC-28", "TLS-1")
@pytest.mark.parametrize("name", NONSENSE)
async def testNonsense(target: Target, canary: Canary, name: str) -> None:
    """It ends soon, without a traceback for anybody."""
    callers = [await target.dial(port, NONSENSE[name]) for port in ports(target)]
    for caller in callers[:1] if name == "random" else callers:
        await caller.closed()
        assert b"Traceback" not in caller.words
    await canary.noticedNothing()


@pytest.mark.requirement("TUN-12")
async def testOrdinaryRequest(target: Target, canary: Canary) -> None:
    for port in ports(target):
        caller = await target.dial(port, b"GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await caller.closed()
        assert b" 404 " in caller.words[:20]
    await canary.noticedNothing()


# WebSocket

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n"
)
MASK = b"\0\0\0\0"


async def upgraded(target: Target) -> Caller:
    caller = await target.dial(target.webPort, UPGRADE)
    await until(lambda: caller.words.endswith(b"\r\n\r\n"))
    assert caller.words.startswith(b"HTTP/1.1 101 ")
    caller.words.clear()
    return caller


CLOSED = {
    "not masked": (b"\x82\x05hello", 1002),
    "2^63 bytes": (b"\x82\xff" + b"\xff" * 8 + MASK, 1002),
    "text": (b"\x81\x80" + MASK, 1003),
    "a long ping": (b"\x89\xfe\0\x7e" + MASK + bytes(126), 1002),
    "no such frame": (b"\x87\x80" + MASK, 1002),
}


@pytest.mark.requirement("SEC-24", "WS-1")
@pytest.mark.parametrize("name", CLOSED)
async def testFramesThatAreNone(target: Target, canary: Canary, name: str) -> None:
    data, code = CLOSED[name]
    caller = await upgraded(target)
    caller.write(data)
    await caller.closed()
    assert bytes(caller.words) == b"\x88\x02" + code.to_bytes(2, "big")
    await canary.noticedNothing()


FLOODS = {
    "fragments without end": b"\x00\x81" + MASK + b"$",
    "empty fragments": b"\x00\x80" + MASK,
    "pings": b"\x89\xfd" + MASK + bytes(125),
    "one message that is very long": b"$\x07\xff\xff" + bytes(65535),
}


@pytest.mark.requirement("SEC-24")
@pytest.mark.deadline(30)
@pytest.mark.parametrize("name", FLOODS)
async def testFramesWithoutEnd(target: Target, canary: Canary, memory: None, name: str) -> None:
    """By somebody who reads nothing: memory stays what it was, and the connection has no reason to stay."""
    caller = await upgraded(target)
    caller.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.transport.pauseProducing()
    if "fragment" in name:
        caller.write(b"\x02\x80" + MASK)
    elif "long" in name:
        caller.write(b"\x82\xff" + (1 << 62).to_bytes(8, "big") + MASK)
    piece = FLOODS[name]
    assert await flood(caller, piece * (65536 // len(piece) + 1), 3.0) > 1 << 16
    # what the kernel has for somebody who does not read keeps it from telling him of the end
    if caller.isConnected:
        caller.transport.resumeProducing()
    await caller.closed()
    await canary.noticedNothing()


# TLS


@pytest.fixture
def secure(target: Target, tmp_path: Path) -> Callable[[], Any]:
    """Opens a port with TLS; remember to close it."""
    makeCertificate(tmp_path / "server.pem", 1)

    async def listen() -> Any:
        endpoint = serverEndpoint(reactor, f"tls:{tmp_path}:port=0:interface=127.0.0.1")
        return await endpoint.listen(target.service.rtspFactory())

    return listen


def clientHello(name: bytes) -> bytes:
    """A TLS 1.2 handshake that asks for a server of this name, in as many records as it takes."""
    entry = b"\0" + struct.pack("!H", len(name)) + name
    extension = struct.pack("!HHH", 0, len(entry) + 2, len(entry)) + entry
    body = b"\3\3" + os.urandom(32) + b"\0" + b"\0\2\xc0\x2b" + b"\1\0" + struct.pack("!H", len(extension)) + extension
    message = b"\1" + len(body).to_bytes(3, "big") + body
    pieces = (message[start : start + 16384] for start in range(0, len(message), 16384))
    return b"".join(b"\x16\3\1" + struct.pack("!H", len(piece)) + piece for piece in pieces)


GREETINGS = {
    "silence": b"",
    "half a record": b"\x16\3\1\2\0\1",
    "RTSP": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "random": random.Random(9).randbytes(1 << 16),
    "a long name": clientHello(b"x" * 65000),
    "a name that is no text": clientHello(b"\xff\0\xfe"),
    "a stalled handshake": clientHello(b"localhost"),
}


@pytest.mark.requirement("SEC-28", "TLS-1", "TMO-6")
@pytest.mark.parametrize("name", GREETINGS)
async def testGreetings(
    folder: Path, serve: Callable[..., Target], tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """They end in time, by the server; what it says is TLS, if anything."""
    target = serve(folder, handshakeTimeout=0.5)
    canary = await Canary.start(target)
    makeCertificate(tmp_path / "server.pem", 1)
    endpoint = serverEndpoint(reactor, f"tls:{tmp_path}:port=0:interface=127.0.0.1")
    port: Any = await endpoint.listen(target.service.rtspFactory())
    caller = await target.dial(port.getHost().port, GREETINGS[name])
    await caller.closed()
    assert caller.words[:1] in (b"", b"\x15", b"\x16")
    await port.stopListening()
    await canary.noticedNothing()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.requirement("SEC-28")
async def testRenegotiation(target: Target, canary: Canary, secure: Callable[[], Any]) -> None:
    """A client that wants to agree again and again is not followed: the connection goes on or ends, no more."""
    port = await secure()
    number = port.getHost().port

    def renegotiate() -> str:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        with socket.create_connection(("127.0.0.1", number), timeout=5) as plain:
            connection = SSL.Connection(context, plain)
            plain.settimeout(None)
            connection.set_connect_state()
            connection.do_handshake()
            connection.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            assert connection.recv(1000).startswith(b"RTSP/1.0 200 OK")
            connection.renegotiate()
            try:
                connection.do_handshake()
            except SSL.Error as error:
                return f"{error}"
            return "done"

    assert "no renegotiation" in await deferToThread(renegotiate)
    await port.stopListening()
    await canary.noticedNothing()
