#!/usr/bin/env python3
"""
What it costs to wrap interleaved RTSP: in nothing, in an HTTP tunnel, in WebSocket, and in TLS with a tunnel in it.

    python benchmarks/wrapping.py --viewers 100 --seconds 5 [--pem FILE]

Each way gets a fresh server and as many viewers, who count bytes and judge nothing. TLS needs a file with a key and a
certificate: C{openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout a.pem -out b.pem; cat a.pem b.pem}.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import select
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import media
from observing import usageOf
from report import table
from server import ServerError, demandFree, freePort, pinTo, running

_TYPE = "application/x-rtsp-tunnelled"
_MASK = b"\0\0\0\0"
#: seconds
_PATIENCE = 10.0

Say = Callable[[bytes], None]
#: opens connections, of which the first is read, and says what is to be said through one of them
Way = Callable[[str, int], tuple[list[socket.socket], Say]]


def plain(host: str, port: int) -> tuple[list[socket.socket], Say]:
    """RTSP as it is."""
    connection = socket.create_connection((host, port), _PATIENCE)
    return [connection], connection.sendall


def tunnel(
    host: str, port: int, wrap: Callable[[socket.socket], socket.socket] = lambda each: each
) -> tuple[list[socket.socket], Say]:
    """The two halves of an HTTP tunnel."""
    halves = []
    cookie = os.urandom(12).hex()
    for method, header in (("GET", "Accept"), ("POST", "Content-Type")):
        half = wrap(socket.create_connection((host, port), _PATIENCE))
        half.sendall(f"{method} / HTTP/1.0\r\nx-sessioncookie: {cookie}\r\n{header}: {_TYPE}\r\n\r\n".encode())
        halves.append(half)
    hear(halves[0], b"\r\n\r\n")
    return halves, lambda data: halves[1].sendall(base64.b64encode(data))


def webSocket(host: str, port: int) -> tuple[list[socket.socket], Say]:
    """A WebSocket; requests are short, and masked with zeros."""
    connection = socket.create_connection((host, port), _PATIENCE)
    fields = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Host: localhost")
    key = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET / HTTP/1.1", *fields, f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Protocol: rtsp.onvif.org", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    hear(connection, b"\r\n\r\n")

    def say(data: bytes) -> None:
        size = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        connection.sendall(b"\x82" + size + _MASK + data)

    return [connection], say


def secureTunnel(host: str, port: int) -> tuple[list[socket.socket], Say]:
    """An HTTP tunnel in TLS."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return tunnel(host, port, context.wrap_socket)


def hear(connection: socket.socket, end: bytes) -> bytes:
    """
    What comes up to some bytes, and a little more.

    @raise ConnectionError: if the connection ends before.
    """
    heard = b""
    while end not in heard:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError(f"the server hung up: {heard[:200]!r}")
        heard += data
    return heard


def play(url: str, way: Way, port: int) -> list[socket.socket]:
    """
    Sets the first two tracks up, and plays.

    @return: the connections; the first is to be read.
    @raise ConnectionError: if the server does not want to.
    """
    connections, say = way(urlsplit(url).hostname or "", port)
    session = ""
    requests = [
        ("SETUP", f"{url}/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"),
        ("SETUP", f"{url}/trackID=1", "Transport: RTP/AVP/TCP;unicast;interleaved=2-3"),
        ("PLAY", url, "Range: npt=0-"),
    ]
    for number, (method, target, header) in enumerate(requests, 1):
        lines = [f"{method} {target} RTSP/1.0", f"CSeq: {number}", header, *([session] if session else []), "", ""]
        say("\r\n".join(lines).encode())
        answer = hear(connections[0], b"\r\n\r\n").decode("latin-1")
        if "RTSP/1.0 200" not in answer:
            raise ConnectionError(f"{method}: {answer[:200]!r}")
        session = next(line for line in answer.split("\r\n") if line.startswith("Session: ")).partition(";")[0]
    connections[0].setblocking(False)
    return connections


def drain(connections: list[socket.socket], seconds: float) -> int:
    """
    Reads what comes for so long.

    @return: bytes.
    """
    poll = select.epoll()
    known = {each.fileno(): each for each in connections}
    for descriptor in known:
        poll.register(descriptor, select.EPOLLIN)
    buffer, total, end = bytearray(1 << 20), 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(0.005, left))  # what piles up meanwhile costs one call
        for descriptor, _ in poll.poll(0.01):
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                while got := known[descriptor].recv_into(buffer):
                    total += got
    poll.close()
    return total


def measure(folder: str, name: str, ways: dict[str, tuple[Way, str]], options: argparse.Namespace) -> Iterator[Any]:
    """
    @param ways: by name, and the setting C{http} that each needs; empty for the port of RTSP.
    @return: for each C{way}, C{megabytes}, C{cpuSecondsPerGB}, and that as C{times} of the first.
    """
    first = 0.0
    for way, (begin, endpoint) in ways.items():
        if endpoint:
            demandFree(options.web_port)
        with running(folder, options.server_core, f'http = "{endpoint or "none"}"\n') as server:
            port = options.web_port if endpoint else urlsplit(server.url).port or 554
            viewers = [play(f"{server.url}/{name}", begin, port) for _ in range(options.viewers)]
            readable = [connections[0] for connections in viewers]
            drain(readable, 1.0)
            before = usageOf(server.pid).cpu
            got = drain(readable, options.seconds)
            cost = (usageOf(server.pid).cpu - before) / (got / 1e9)
            for connection in chain.from_iterable(viewers):
                connection.close()
        first = first or cost
        yield {"way": way, "megabytes": got / 1e6, "cpuSecondsPerGB": cost, "times": cost / first}


def waysOf(options: argparse.Namespace) -> dict[str, tuple[Way, str]]:
    """What L{measure} is to measure."""
    web = f"{options.web_port}:interface=127.0.0.1:backlog=1024"
    ways: dict[str, tuple[Way, str]] = {
        "interleaved": (plain, ""),
        "HTTP tunnel": (tunnel, ""),
        "WebSocket": (webSocket, f"tcp:{web}"),
    }
    if options.pem:
        ways["HTTP tunnel in TLS"] = (secureTunnel, f"ssl:{web}:privateKey={os.path.abspath(options.pem)}")
    return ways


def main(arguments: list[str]) -> int:
    """
    @return: 0, or 1 if it came to nothing.
    """
    parser = argparse.ArgumentParser(description="What it costs to wrap interleaved RTSP.")
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to measure each way")
    parser.add_argument("--pem", help="a file with a key and a certificate, to measure TLS as well")
    parser.add_argument("--web-port", type=int, default=freePort(), help="a port that is free; any if left out")
    parser.add_argument("--server-core", type=int, default=None, help="where the servers run")
    parser.add_argument("--client-core", type=int, default=None, help="where the viewers run")
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table")
    options = parser.parse_args(arguments)
    pinTo(options.client_core)
    folder = os.path.expanduser("~/.cache/mediasrv/benchmarks")
    clip = media.CLIPS[0]
    try:
        media.make(folder, clip)
        found = list(measure(folder, clip.name, waysOf(options), options))
    except (ServerError, OSError) as error:
        print(f"wrapping.py: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        columns = ("way", "megabytes", "cpuSecondsPerGB", "times")
        rows = [(each["way"], *(f"{each[name]:.2f}" for name in columns[1:])) for each in found]
        print(table(rows, columns))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
