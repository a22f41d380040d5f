"""
Real clients through HTTP and TLS: to the last byte what is in the file, whatever is around the RTSP.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import essence
import peers
import pytest
import pytest_twisted
import test_ffmpeg
import test_gstreamer
import test_pyav
from certificatemaker import makeCertificate
from serving import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from mediasrv.certificates import serverEndpoint
from mediasrv.service import MediaService
from mediasrv.settings import Settings

#: what the ports are called below: for RTSP and for HTTP, plain and with TLS
_PORTS = ("rtsp", "web", "rtsps", "https")


@dataclass(frozen=True)
class Way:
    """
    How a client comes.

    @ivar port: one of those above.
    @ivar scheme: of the URL that the client is given.
    @ivar transport: as the client calls it.
    """

    port: str
    scheme: str
    transport: str


@pytest_twisted.async_yield_fixture
async def ways(clipFolder: Path, tmp_path: Path, cleanReactor: None) -> AsyncIterator[Callable[[Way], Server]]:
    """The server as it is reached on a way."""
    makeCertificate(tmp_path / "server.pem", 1)
    service = MediaService(Settings(media={"clips": str(clipFolder)}, rtpPort=0))
    service.startService()
    listening: dict[str, Any] = {}
    for name, description, factory in (
        ("rtsp", "tcp:0", service.rtspFactory()),
        ("web", "tcp:0", service.webFactory()),
        ("rtsps", f"tls:{tmp_path}:port=0", service.rtspFactory()),
        ("https", f"ssl:0:privateKey={tmp_path}/server.pem", service.webFactory()),
    ):
        listening[name] = await serverEndpoint(reactor, f"{description}:interface=127.0.0.1").listen(factory)
    yield lambda way: Server(service, listening[way.port].getHost().port, way.scheme)
    for port in listening.values():
        await port.stopListening()
    await service.stopService()
    # connections that the server closed have gone after some turns of the reactor: TLS says goodbye
    turned: Deferred[None] = Deferred()
    reactor.callLater(0.2, turned.callback, None)
    await turned


def made(ways: list[Way], folder: Path) -> list[Path]:
    """A folder for each way."""
    folders = [folder / f"{way.port}-{way.scheme}-{way.transport}" for way in ways]
    for each in folders:
        each.mkdir()
    return folders


_FFMPEG = [
    *(Way(port, "rtsp", "http") for port in ("rtsp", "web")),
    *(Way(port, "rtsp", "https") for port in ("rtsps", "https")),
    Way("rtsps", "rtsps", "tcp"),
]


@pytest.mark.requirement("TUN-1", "TUN-3", "TUN-11", "TLS-1")
@pytest.mark.deadline(60)
async def test_copiesOfFFmpeg(ways: Callable[[Way], Server], clip: Callable[[str], Path], tmp_path: Path) -> None:
    path = clip("h264.mp4")
    folders = made(_FFMPEG, tmp_path)
    copies = await peers.together(
        test_ffmpeg.copy(ways(way), path.name, way.transport, folder)
        for way, folder in zip(_FFMPEG, folders, strict=True)
    )
    wrong = {
        way: complaints
        for way, copy in zip(_FFMPEG, copies, strict=True)
        if (complaints := test_ffmpeg.complaints(copy, path))
    }
    assert not wrong


# here in the place of the transport are properties; rtspsrc takes that of a tunnel from the scheme alone
_GSTREAMER = [
    *(Way(port, "rtsph", "") for port in ("rtsp", "web")),
    *(Way(port, "rtspsh", "tls-validation-flags=0") for port in ("rtsps", "https")),
    Way("rtsps", "rtspst", "tls-validation-flags=0"),
]


@pytest.mark.requirement("TUN-1", "TUN-3", "TUN-10", "TUN-11", "TLS-1")
@pytest.mark.deadline(60)
async def test_streamsOfGStreamer(ways: Callable[[Way], Server], clip: Callable[[str], Path], tmp_path: Path) -> None:
    path = clip("silent-h264.mp4")
    (stream,) = essence.readFile(path)
    folders = made(_GSTREAMER, tmp_path)
    taken = await peers.together(
        test_gstreamer.take(ways(way), path, stream, way.transport, folder)
        for way, folder in zip(_GSTREAMER, folders, strict=True)
    )
    wrong = {
        way: complaints
        for way, one in zip(_GSTREAMER, taken, strict=True)
        if (complaints := test_gstreamer.complaints(one))
    }
    assert not wrong


_PYAV = [Way("rtsp", "rtsp", "http"), Way("web", "rtsp", "http"), Way("rtsps", "rtsps", "tcp")]


@pytest.mark.requirement("TUN-1", "TLS-1")
@pytest.mark.deadline(60)
async def test_libavformatOfToday(ways: Callable[[Way], Server], clip: Callable[[str], Path], tmp_path: Path) -> None:
    path = clip("h264.mp4")
    folders = made(_PYAV, tmp_path)
    got = await peers.together(
        test_pyav.received(ways(way), path.name, way.transport, folder)
        for way, folder in zip(_PYAV, folders, strict=True)
    )
    wrong = {
        way: complaints
        for way, packets in zip(_PYAV, got, strict=True)
        if (complaints := test_pyav.complaints(path, packets))
    }
    assert not wrong


@pytest.mark.requirement("TUN-8")
@pytest.mark.deadline(60)
async def test_seekInATunnel(ways: Callable[[Way], Server], clip: Callable[[str], Path], tmp_path: Path) -> None:
    """The requests that a seek needs go through the POST that has been silent meanwhile."""
    path = clip("seek.mp4")
    server = ways(Way("web", "rtsp", "http"))
    packets = await test_pyav.received(server, path.name, "http", tmp_path, 9.7, 1.0)
    wanted = max(
        unit.pts
        for stream in essence.readFile(path)
        if stream.kind == "video"
        for unit in stream.units
        if unit.key and unit.pts <= 9.7
    )
    after = [time for kind, time, _ in packets if kind == "video" and time is not None and time > 3.0]
    assert len(after) > 20
    assert abs(after[0] - wanted) < 0.05


@pytest.mark.requirement("TUN-11", "TUN-12")
@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["http/1.1"], []])
async def test_browsersChooseAVersion(ways: Callable[[Way], Server], offered: list[str]) -> None:
    """They offer some in the handshake, HTTP/2 among them (ALPN), and get an answer in the one that there is."""

    def get(port: int) -> tuple[str | None, bytes]:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if offered:
            context.set_alpn_protocols(offered)
        with (
            socket.create_connection(("127.0.0.1", port), 5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.sendall(b"GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return secure.selected_alpn_protocol(), secure.recv(12)

    for name in ("rtsps", "https"):
        chosen, answer = await deferToThread(get, ways(Way(name, "https", "")).port)
        assert chosen == ("http/1.1" if offered else None)
        assert answer in (b"HTTP/1.0 404", b"HTTP/1.1 404")
