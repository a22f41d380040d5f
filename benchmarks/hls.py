#!/usr/bin/env python3
"""
What HLS costs: the first playlist of a presentation, a segment made, and how many segments a second come from memory.

    python benchmarks/hls.py [--connections 16] [--seconds 5] [--server-core 0] [--client-core 1]
    python benchmarks/hls.py --url http://127.0.0.1:8080/movies/film.mp4/index.m3u8 --pid SERVER_PID

Without C{--url} a fresh server serves the clips of C{media.py}. Players with connections that are kept ask for the same
segments again and again, each as soon as it has the last. How many a core can do is told from the CPU time that the
server spent, so that other work on the machine does not matter much. Linux only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import media
from observing import usageOf
from report import table
from server import ServerError, demandFree, freePort, pinTo, running

#: segments that are asked for
_SEGMENTS = 4
_PATIENCE = 30.0


class HLSError(Exception):
    """What is no HLS."""


@dataclass(slots=True)
class Player:
    """
    A connection.

    @ivar missing: bytes of the answer that are still to come; negative while its head is.
    """

    connection: socket.socket
    at: int = 0
    missing: int = -1
    head: bytes = b""


def get(url: str) -> tuple[bytes, float]:
    """
    Fetches something once.

    @return: it, and the seconds from the request to its last byte, the connection being there.
    @raise HLSError: if it is not to be had.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    connection.connect()
    start = time.perf_counter()
    connection.request("GET", parts.path)
    answer = connection.getresponse()
    data = answer.read()
    took = time.perf_counter() - start
    connection.close()
    if answer.status != 200:
        raise HLSError(f"{url}: {answer.status}")
    return data, took


def uris(playlist: bytes, base: str) -> list[str]:
    """The URLs that a playlist lists, those of tags not among them."""
    return [urljoin(base, line) for line in playlist.decode().splitlines() if line and not line.startswith("#")]


def renditions(index: bytes, base: str) -> dict[str, str]:
    """The playlists of pictures and of sound that a multivariant playlist names."""
    found = {"video" if b"RESOLUTION" in index else "audio": uris(index, base)[0]}
    sound = re.search(rb'TYPE=AUDIO.*URI="([^"]+)"', index)
    if sound is not None:
        found["audio"] = urljoin(base, sound[1].decode())
    return found


def load(urls: Sequence[str], connections: int, seconds: float) -> tuple[int, int]:
    """
    Asks for some URLs of one host in turn, over connections that are kept.

    @return: how many answers came, and bytes of their bodies.
    @raise HLSError: if one is no success, or the server hangs up.
    """
    parts = urlsplit(urls[0])
    requests = [f"GET {urlsplit(url).path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode() for url in urls]
    poll = select.epoll()
    players = {}
    for number in range(connections):
        connection = socket.create_connection((parts.hostname or "", parts.port or 80), _PATIENCE)
        players[connection.fileno()] = Player(connection, number)
        poll.register(connection.fileno(), select.EPOLLIN)
        connection.sendall(requests[number % len(requests)])
    answers = octets = 0
    buffer, end = bytearray(1 << 20), time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            for descriptor, _ in poll.poll(0.1):
                player = players[descriptor]
                got = player.connection.recv_into(buffer)
                if not got:
                    raise HLSError("the server hung up")
                if _take(player, memoryview(buffer)[:got]):
                    answers += 1
                    player.at += 1
                    player.connection.sendall(requests[player.at % len(requests)])
                octets += got
    finally:
        poll.close()
        for player in players.values():
            player.connection.close()
    return answers, octets


def _take(player: Player, data: memoryview) -> bool:
    """Whether an answer is complete with this."""
    if player.missing < 0:
        player.head += bytes(data)
        head, blank, rest = player.head.partition(b"\r\n\r\n")
        if not blank:
            return False
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise HLSError(head.partition(b"\r\n")[0].decode("latin-1"))
        player.missing, player.head = int(length[1]) - len(rest), b""
    else:
        player.missing -= len(data)
    if player.missing:
        return False
    player.missing = -1
    return True


def measure(url: str, pid: int, connections: int, seconds: float) -> Iterator[dict[str, Any]]:
    """
    @param url: of a multivariant playlist that nobody has asked for yet.
    @param pid: of the server.
    @return: for each rendition C{what}, C{playlistMs}, C{firstMs} (the median of the segments that were made),
        C{kilobytes} of a segment, C{perSecond}, C{perCoreSecond} and C{megabytesPerCoreSecond}.
    """
    index, took = get(url)
    for what, playlist in renditions(index, url).items():
        segments = uris(get(playlist)[0], playlist)
        made = sorted(get(segment)[1] for segment in segments[_SEGMENTS : 3 * _SEGMENTS] or segments)
        chosen = segments[:_SEGMENTS]
        for segment in chosen:
            get(segment)
        before, start = usageOf(pid).cpu, time.monotonic()
        answers, octets = load(chosen, connections, seconds)
        cpu, passed = usageOf(pid).cpu - before, time.monotonic() - start
        yield {
            "what": what,
            "playlistMs": took * 1000,
            "firstMs": made[len(made) // 2] * 1000,
            "kilobytes": octets / max(answers, 1) / 1000,
            "perSecond": answers / passed,
            "perCoreSecond": answers / max(cpu, 1e-3),
            "megabytesPerCoreSecond": octets / 1e6 / max(cpu, 1e-3),
        }


def ours(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The clips from a server of ours; C{what} begins with the name of the clip."""
    folder = options.folder
    for clip in media.CLIPS:
        media.make(folder, clip)
        demandFree(options.web_port)
        endpoint = f"tcp:{options.web_port}:interface=127.0.0.1:backlog=1024"
        with running(folder, options.server_core, f'http = "{endpoint}"\n') as server:
            url = f"http://127.0.0.1:{options.web_port}/load/{clip.name}/index.m3u8"
            for found in measure(url, server.pid, options.connections, options.seconds):
                yield found | {"what": f"{clip.name} {found['what']}"}


def main(arguments: list[str]) -> int:
    """
    @return: 0, or 1 if it came to nothing.
    """
    parser = argparse.ArgumentParser(description="What HLS costs.")
    parser.add_argument("--url", help="a multivariant playlist on a server that runs already")
    parser.add_argument("--pid", type=int, help="the process of that server")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to ask for segments of each rendition")
    parser.add_argument("--web-port", type=int, default=freePort(), help="a port that is free; any if left out")
    parser.add_argument(
        "--folder", default=os.path.expanduser("~/.cache/mediasrv/benchmarks"), help="where clips are made"
    )
    parser.add_argument("--server-core", type=int, default=None, help="where the servers run")
    parser.add_argument("--client-core", type=int, default=None, help="where the players run")
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.url and not options.pid:
        parser.error("--url needs --pid")
    pinTo(options.client_core)
    try:
        results = (
            measure(options.url, options.pid, options.connections, options.seconds) if options.url else ours(options)
        )
        found = list(results)
    except (HLSError, ServerError, OSError) as error:
        print(f"hls.py: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    columns = list(found[0])
    print(table([(each["what"], *(f"{each[name]:.1f}" for name in columns[1:])) for each in found], columns))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
