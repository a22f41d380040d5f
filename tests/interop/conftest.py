"""
A real server in the test's own reactor, and media for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import clips
import namespaces
import pytest
import pytest_twisted
from rtspclient import Opener, RTSPClient
from serving import Serve, Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString

from mediasrv.service import MediaService
from mediasrv.settings import Settings


@pytest.fixture(scope="session")
def clipFolder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Where the clips are; with pytest-xdist the same for all processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "clips"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def clip(clipFolder: Path) -> Callable[[str], Path]:
    """Gives the path of a clip, which is made when it is first asked for."""
    return lambda name: clips.make(clipFolder, name)


@pytest.fixture
def ownNetwork(cleanReactor: None) -> Iterator[None]:
    """A network of the test's own, where multicast has a route whatever the machine's other interfaces are."""
    with namespaces.ownNetwork():
        yield


@pytest_twisted.async_yield_fixture
async def serve(clipFolder: Path, cleanReactor: None) -> AsyncIterator[Serve]:
    """Starts servers of the clips, with more settings if need be, on ports that the system chose."""
    port = "tcp:0:interface=127.0.0.1"
    started: list[tuple[MediaService, Any]] = []

    async def start(**settings: Any) -> Server:
        service = MediaService(Settings(**{"media": {"clips": str(clipFolder)}, "rtpPort": 0} | settings))
        service.privilegedStartService()
        service.startService()
        listening: Any = await serverFromString(reactor, port).listen(service.rtspFactory())
        started.append((service, listening))
        return Server(service, listening.getHost().port)

    yield start
    for service, listening in started:
        await listening.stopListening()
        await service.stopService()
    # connections that the server closed have gone in the next turn of the reactor
    turned: Deferred[None] = Deferred()
    reactor.callLater(0, turned.callback, None)
    await turned


@pytest_twisted.async_yield_fixture
async def listen(serve: Serve) -> AsyncIterator[Callable[[Any], Awaitable[int]]]:
    """Has a factory listen on a port that the system chose, and gives its number."""
    ports: list[Any] = []

    async def start(factory: Any) -> int:
        port: Any = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
        ports.append(port)
        number: int = port.getHost().port
        return number

    yield start
    for port in ports:
        await port.stopListening()


@pytest_twisted.async_fixture
async def multicaster(ownNetwork: None, serve: Serve) -> Server:
    """One with multicast, in a network of its own."""
    return await serve(multicast=namespaces.GROUPS, multicastInterface="127.0.0.1")


@pytest_twisted.async_fixture
async def server(serve: Serve) -> Server:
    """One server."""
    return await serve()


@pytest_twisted.async_yield_fixture
async def opened(server: Server) -> AsyncIterator[Opener]:
    """Gives clients that have a presentation set up."""
    clients: list[RTSPClient] = []

    async def open(name: str, transport: str) -> RTSPClient:
        client = await RTSPClient.connect(server.port)
        clients.append(client)
        await client.setUp(server.url(name), transport)
        return client

    yield open
    for client in clients:
        await client.close()
