"""
Transport streams without RTP, as set-top boxes take them: to the last byte the file, and players can start anywhere.

The RTSP part is the test's own: no client that is easily had asks for MP2T/H2221/UDP. FFmpeg takes what comes.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import clips
import essence
import peers
import pytest
import test_ffmpeg
from rtspclient import RTSPClient
from serving import Server
from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater

_PACKET = 188

pytestmark = pytest.mark.requirement("SET-4")


class Collector(DatagramProtocol):
    """
    @ivar datagrams: all that came.
    """

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []

    def datagramReceived(self, data: bytes, address: tuple[str, int]) -> None:
        self.datagrams.append(data)


async def play(server: Server, name: str, port: int, meanwhile: Callable[[], Awaitable[None]], range: str) -> float:
    """
    Has a clip sent to a port.

    @param meanwhile: what to wait for until it is over.
    @return: NPT seconds where it began.
    """
    client = await RTSPClient.connect(server.port)
    url = server.url(name)
    answer = await client.request("SETUP", url, Transport=f"MP2T/H2221/UDP;unicast;client_port={port}-{port + 1}")
    session = (answer.headers.get("Session") or "").partition(";")[0]
    answer = await client.request("PLAY", url, Session=session, Range=range)
    await meanwhile()
    await client.request("TEARDOWN", url, Session=session)
    await client.close()
    return float((answer.headers.get("Range") or "").removeprefix("npt=").partition("-")[0])


async def collected(server: Server, name: str, seconds: float, range: str = "npt=0-") -> tuple[float, list[bytes]]:
    """What comes in so many seconds."""
    collector = Collector()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as bound:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        bound.bind(("127.0.0.1", 0))
        listening = reactor.adoptDatagramPort(bound.fileno(), socket.AF_INET, collector, 65536)
    port = listening.getHost().port

    async def pass_() -> None:
        await deferLater(reactor, seconds)

    start = await play(server, name, port, pass_, range)
    await listening.stopListening()
    return start, collector.datagrams


@pytest.mark.deadline(30)
async def test_theWholeFile(server: Server, clip: Callable[[str], Path]) -> None:
    names = ["h264.ts", "mpeg2.ts"]
    contents = [clip(name).read_bytes() for name in names]
    found = await peers.together(collected(server, name, clips.CLIPS[name].seconds + 2.0) for name in names)
    for wanted, (start, datagrams) in zip(contents, found, strict=True):
        assert start == 0.0
        assert b"".join(datagrams) == wanted
        assert max(map(len, datagrams)) == 7 * _PACKET


@pytest.mark.deadline(30)
async def test_fromTheMiddle(server: Server, clip: Callable[[str], Path], tmp_path: Path) -> None:
    """It begins with the tables and a key frame, and goes on to the end."""
    whole = clip("mpeg2.ts").read_bytes()
    start, datagrams = await collected(server, "mpeg2.ts", 4.0, "npt=1.6-")
    rest = b"".join(datagrams)
    assert 0.5 < start <= 1.6
    assert whole.endswith(rest)
    assert int.from_bytes(rest[1:3], "big") & 0x1FFF == 0  # the program association table
    (tmp_path / "rest.ts").write_bytes(rest)
    video = essence.readFile(tmp_path / "rest.ts")[0]
    assert video.units[0].key
    assert video.essence() == essence.readFile(clip("mpeg2.ts"))[0].essence(-len(video.units))


@pytest.mark.deadline(60)
async def test_ffmpegTakesIt(server: Server, clip: Callable[[str], Path], tmp_path: Path) -> None:
    path = clip("mpeg2.ts")
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    files = {kind: tmp_path / kind for kind in ("video", "audio")}
    arguments = [peers.require("ffmpeg"), "-v", "error", "-f", "mpegts"]
    # without RTCP only silence tells that this is the end
    arguments += ["-i", f"udp://127.0.0.1:{port}?timeout=2000000&buffer_size=4000000"]
    for kind, file in files.items():
        arguments += ["-map", f"0:{kind[0]}:0", "-c", "copy", "-copyinkf", "-copypriorss", "1", "-f", "data", str(file)]
    receiving = peers.run(arguments, 30.0)
    while not _isTaken(port):
        await deferLater(reactor, 0.05)

    outcomes: list[peers.Outcome] = []

    async def received() -> None:
        outcomes.append(await receiving)

    await play(server, path.name, port, received, "npt=0-")
    made = test_ffmpeg.Copy(path.name, outcomes[0], {kind: file.read_bytes() for kind, file in files.items()})
    wrong = test_ffmpeg.complaints(made, path)
    assert not wrong, "\n".join(wrong)


def _isTaken(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
