"""
Behind nginx, as the documentation has it: links are those that are right in front of it, clients cannot lie about
themselves, and what passes through is the same.
"""

from __future__ import annotations

import http.client
import random
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from nginxpeer import Nginx
from pages import Pages, site
from serving import Server
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol
from twisted.internet.threads import deferToThread
from twisted.web.server import Site

from mediasrv.settings import Settings
from mediasrv.web.addresses import Addresses, RTSPPort
from tests.certificatemaker import makeCertificate

#: of the client: another than that of nginx, which is trusted
_CLIENT = "127.0.0.9"

_CLIP = "mp3.mp3"

Listen = Callable[[object], Awaitable[int]]
Front = Callable[..., Awaitable[Nginx]]


@pytest_twisted.async_yield_fixture
async def front(tmp_path: Path, cleanReactor: None) -> AsyncIterator[Front]:
    """Puts an nginx in front of a port."""
    started: list[Nginx] = []

    async def start(upstream: int, **more: str) -> Nginx:
        folder = tmp_path / f"nginx{len(started)}"
        folder.mkdir()
        started.append(Nginx())
        await started[-1].start(folder, upstream, **more)
        return started[-1]

    yield start
    for each in started:
        await each.stop()


def trusting(**settings: Any) -> Addresses:
    """Addresses that take nginx's word."""
    return Addresses.of(Settings(trustedProxies=("127.0.0.1",), **settings), lambda: RTSPPort("rtsp", 8554))


def get(port: int, path: str, headers: dict[str, str] | None = None, secure: bool = False) -> tuple[int, str]:
    """In a thread: what a client is answered."""
    client: http.client.HTTPConnection
    if secure:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = http.client.HTTPSConnection("127.0.0.1", port, context=context, source_address=(_CLIENT, 0))
    else:
        client = http.client.HTTPConnection("127.0.0.1", port, source_address=(_CLIENT, 0))
    try:
        client.request("GET", path, headers=headers or {})
        response = client.getresponse()
        return response.status, response.read().decode("latin-1")
    finally:
        client.close()


@pytest.mark.deadline(60)
@pytest.mark.parametrize(
    ("via", "url"),
    [
        ("http", f"http://tv.example:81/media/clips/{_CLIP}"),
        ("hls", f"http://tv.example:81/media/clips/{_CLIP}/index.m3u8"),
        ("rtsp", f"rtsp://tv.example:8554/clips/{_CLIP}"),
    ],
)
async def test_links(
    server: Server, clip: Callable[[str], Path], listen: Listen, front: Front, via: str, url: str
) -> None:
    clip(_CLIP)
    pages = Pages(server.service, trusting())
    nginx = await front(await listen(site(pages)))
    path = f"/media/clips/{_CLIP}.ram?via={via}"
    assert await deferToThread(get, nginx.port, path, {"Host": "tv.example:81"}) == (200, f"{url}\n")
    assert pages.clients == [_CLIENT]


@pytest.mark.deadline(60)
@pytest.mark.requirement("SEC-25")
async def test_lies(server: Server, clip: Callable[[str], Path], listen: Listen, front: Front) -> None:
    """Whatever the client says of proxies, nginx has the last word."""
    clip(_CLIP)
    pages = Pages(server.service, trusting())
    nginx = await front(await listen(site(pages)))
    lies = {
        "Host": "tv.example",
        "X-Forwarded-For": "127.0.0.1, 192.0.2.99",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "666",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=192.0.2.99;host=evil.example",
    }
    answer = await deferToThread(get, nginx.port, f"/media/clips/{_CLIP}.ram?via=http", lies)
    assert answer == (200, f"http://tv.example/media/clips/{_CLIP}\n")
    assert pages.clients == [_CLIENT]


@pytest.mark.deadline(60)
async def test_linksLeadThere(
    serve: Callable[..., Awaitable[Server]],
    clip: Callable[[str], Path],
    listen: Listen,
    front: Front,
    tmp_path: Path,
) -> None:
    """All those of a folder, whatever the names, also when nginx speaks TLS."""
    songs = tmp_path / "songs"
    songs.mkdir()
    names = ["a b.mp3", "100%.mp3", "a+b;c,d=é?#&.mp3", "%41.mp3", "'x' [1].mp3"]
    for name in names:
        (songs / name).write_bytes(clip(_CLIP).read_bytes() + name.encode())
    server = await serve(media={"songs": str(songs)})
    upstream = await listen(site(Pages(server.service, trusting())))
    makeCertificate(tmp_path / "certificate.pem", 1)
    certificate = f"ssl_certificate {tmp_path}/certificate.pem; ssl_certificate_key {tmp_path}/certificate.pem;"
    for isSecure in (False, True):
        nginx = await front(upstream, **({"listen": " ssl", "more": certificate} if isSecure else {}))
        _, text = await deferToThread(get, nginx.port, "/media/songs.m3u?via=http", secure=isSecure)
        urls = [line for line in text.splitlines() if not line.startswith("#")]
        start = f"{'https' if isSecure else 'http'}://127.0.0.1:{nginx.port}/media/songs/"
        assert all(url.startswith(start) for url in urls)
        found = set()
        for url in urls:
            code, body = await deferToThread(get, nginx.port, urlsplit(url).path, secure=isSecure)
            assert code == 200
            found.add(body)
        assert found == {(songs / name).read_bytes().decode("latin-1") for name in names}


@pytest.mark.deadline(60)
async def test_publicURL(server: Server, clip: Callable[[str], Path], listen: Listen, front: Front) -> None:
    clip(_CLIP)
    addresses = Addresses.of(Settings(publicURL="https://media.example/tv"))
    nginx = await front(await listen(site(Pages(server.service, addresses))))
    answer = await deferToThread(get, nginx.port, f"/media/clips/{_CLIP}.ram?via=http")
    assert answer == (200, f"https://media.example/tv/clips/{_CLIP}\n")


class Counting(Site):
    """
    @ivar connections: how many came.
    """

    noisy = False
    connections = 0

    def buildProtocol(self, addr: IAddress) -> Protocol | None:
        self.connections += 1
        protocol: Protocol | None = super().buildProtocol(addr)
        return protocol


def ranges(port: int, path: str, size: int, count: int) -> list[tuple[str, int, str | None, bytes]]:
    """In a thread: random ranges over one connection; of each what was asked, the code, Content-Range and the bytes."""
    chance = random.Random(1)
    client = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    try:
        for _ in range(count):
            first = chance.randrange(size)
            last = chance.randrange(first, size)
            asked = chance.choice([f"{first}-{last}", f"{first}-", f"-{size - first}"])
            client.request("GET", path, headers={"Range": f"bytes={asked}"})
            response = client.getresponse()
            found.append((asked, response.status, response.getheader("Content-Range"), response.read()))
    finally:
        client.close()
    return found


@pytest.mark.deadline(60)
async def test_ranges(server: Server, clip: Callable[[str], Path], listen: Listen, front: Front) -> None:
    """They are the bytes of the file, over connections that are kept alive on both sides."""
    content = clip(_CLIP).read_bytes()
    counting = Counting(Pages(server.service, trusting()), timeout=60)
    nginx = await front(await listen(counting))
    size = len(content)
    answers = await deferToThread(ranges, nginx.port, f"/media/clips/{_CLIP}", size, 100)
    for asked, code, header, body in answers:
        match = re.fullmatch(r"([0-9]*)-([0-9]*)", asked)
        assert match is not None
        start = int(match[1]) if match[1] else size - int(match[2])
        end = int(match[2]) + 1 if match[1] and match[2] else size
        assert (code, header) == (206, f"bytes {start}-{end - 1}/{size}")
        assert body == content[start:end]
    assert counting.connections == 1


def upgraded(port: int, path: str) -> tuple[int, str | None]:
    """In a thread: what a request for a WebSocket is answered."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    fields = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    fields |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "rtsp.onvif.org"}
    fields |= {"Host": "tv.example", "Origin": "http://tv.example"}
    try:
        client.request("GET", path, headers=fields)
        response = client.getresponse()
        return response.status, response.getheader("Sec-WebSocket-Protocol")
    finally:
        client.close()


@pytest.mark.deadline(60)
@pytest.mark.requirement("WS-1")
async def test_webSocket(server: Server, listen: Listen, front: Front) -> None:
    """RTSP over WebSocket passes, also for pages of the host that the client sees."""
    nginx = await front(await listen(server.service.webFactory()))
    assert await deferToThread(upgraded, nginx.port, "/media/") == (101, "rtsp.onvif.org")
