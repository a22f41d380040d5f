"""
Clients that are sent from one server to another: they play there what they asked for here, to the last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import essence
import peers
import pytest
import test_ffmpeg
import test_gstreamer
from serving import Serve, Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from mediasrv.registry import Event, Registry

#: what ffmpeg plays, and what GStreamer: a clip of one track, so that gst-launch-1.0 has nothing to mix up
_COPIED, _TAKEN = "h264.mp4", "silent-h264.mp4"

_TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])


async def both(server: Server, clip: Callable[[str], Path], transport: str, folder: Path) -> list[str]:
    """Has ffmpeg and GStreamer play at the same time, and returns what is wrong with what they got."""
    copied, taken = clip(_COPIED), clip(_TAKEN)
    stream = essence.readFile(taken)[0]
    clients: list[Coroutine[Any, Any, Any]] = [
        test_ffmpeg.copy(server, _COPIED, transport, folder),
        test_gstreamer.take(server, taken, stream, f"protocols={transport}", folder),
    ]
    copy, take = await peers.together(clients)
    return test_ffmpeg.complaints(copy, copied) + test_gstreamer.complaints(take)


class Visitors:
    """
    Counts who begins to play.
    """

    def __init__(self, server: Server) -> None:
        self.playing: set[str] = set()
        server.service.registry.subscribe(self._observe)

    def _observe(self, event: Event) -> None:
        if event.session.state == "playing":
            self.playing.add(event.session.id)


async def playing(registry: Registry, count: int) -> None:
    """Waits until so many sessions play; the deadline of the test bounds it."""
    while sum(session.state == "playing" for session in registry) < count:
        await deferLater(reactor, 0.05)


@pytest.mark.requirement("DES-1", "RED-1")
@pytest.mark.deadline(60)
@_TRANSPORTS
@pytest.mark.parametrize("permanent", [False, True])
async def test_clientsFollow(
    serve: Serve, clip: Callable[[str], Path], tmp_path: Path, transport: str, permanent: bool
) -> None:
    """301 and 302 of DESCRIBE: ffmpeg and GStreamer play from the other server, and leave nothing at the first."""
    second = await serve()
    first = await serve(redirects={"clips": {"url": second.url("").rstrip("/"), "permanent": permanent}})
    here, there = Visitors(first), Visitors(second)
    assert await both(first, clip, transport, tmp_path) == []
    assert (len(here.playing), len(there.playing)) == (0, 2)


@pytest.mark.requirement("CON-6", "RED-1")
@pytest.mark.deadline(60)
@_TRANSPORTS
async def test_whoDoesNotFollowPlaysOn(
    serve: Serve, clip: Callable[[str], Path], tmp_path: Path, transport: str
) -> None:
    """
    A server that is emptied sends REDIRECT: neither ffmpeg nor GStreamer goes elsewhere by it, but both see the clip to
    its end, without a byte missing; who comes meanwhile plays from the other server; then this one is empty.
    """
    first, second = await serve(), await serve()
    there = Visitors(second)
    registry = first.service.registry
    early = Deferred.fromCoroutine(both(first, clip, transport, tmp_path))
    await playing(registry, 2)
    empty = registry.drain(f"rtsp://127.0.0.1:{second.port}")
    assert not empty.called
    folder = tmp_path / "late"
    folder.mkdir()
    late = await test_ffmpeg.copy(first, _COPIED, transport, folder)
    assert await early + test_ffmpeg.complaints(late, clip(_COPIED)) == []
    assert await empty
    assert len(there.playing) == 1
