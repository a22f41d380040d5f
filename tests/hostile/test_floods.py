"""Too much, too slow, and nonsense (requirements SEC-1 to SEC-5, SEC-15 to SEC-18)."""

from __future__ import annotations

import random
import socket
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from attack import TCP, Canary, Peer, Target, makeWave, sleep, until


def shrinkBuffers(peer: Peer) -> None:
    """Lets the kernel take little on behalf of a client that does not read."""
    peer.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.transport.pauseProducing()


@pytest.mark.requirement("SEC-1")
async def testSlowloris(target: Target, canary: Canary) -> None:
    """SEC-1: many connections, each with a byte now and then: all are closed in time, with a word."""
    request = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: " + b"y" * 1000
    slow = [await target.connect() for _ in range(100)]
    silent = [await target.connect() for _ in range(100)]
    at = 0
    while any(peer.isConnected for peer in slow + silent):
        for peer in slow:
            peer.write(request[at : at + 1])
        at += 1
        await sleep(0.05)
    assert {tuple(answer.code for answer in peer.answers) for peer in slow} == {(408,)}
    assert {len(peer.answers) for peer in silent} == {0}
    await canary.noticedNothing()


NONSENSE = {
    "random": random.Random(7).randbytes(1 << 20),
    "zeros": bytes(1 << 20),
    "one line": b"OPTIONS " + b"x" * (10 << 20),
    "one header": b"OPTIONS * RTSP/1.0\r\nX: " + b"y" * (1 << 20),
    "many headers": b"OPTIONS * RTSP/1.0\r\n" + b"a: b\r\n" * 100_000,
    "folded": b"OPTIONS * RTSP/1.0\r\na: b\r\n" + b" c\r\n" * 100_000,
    "large body": b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n" + bytes(1 << 20),
    "TLS": bytes.fromhex("16030102000100") + random.Random(8).randbytes(500),
    "compressed": zlib.compress(b"OPTIONS * RTSP/1.0\r\n" * 1000),
}


@pytest.mark.requirement("SEC-2", "SEC-3", "SEC-5")
@pytest.mark.parametrize("name", NONSENSE)
async def testNonsense(target: Target, canary: Canary, name: str) -> None:
    """SEC-2, SEC-3, SEC-5: closed; what is said before that is one error."""
    peer = await target.connect()
    peer.write(NONSENSE[name])
    await peer.closed()
    assert len(peer.answers) <= 1  # a reset may overtake it
    assert all(400 <= answer.code < 500 for answer in peer.answers)
    assert peer.errors == []
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-16")
@pytest.mark.deadline(40)
async def testPipeliningFlood(target: Target, canary: Canary) -> None:
    """SEC-16: all are answered, in order, and the canary is served in between."""
    peer = await target.connect()
    count = 20_000
    peer.write(b"".join(peer.request("OPTIONS", "*") for _ in range(count)))
    before = canary.peer.packets
    await peer.heard(count)
    assert [answer.headers.get("CSeq") for answer in peer.answers] == [str(number + 1) for number in range(count)]
    assert canary.peer.packets > before
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-16", "SEC-17")
async def testFloodThatIsNotRead(target: Target, canary: Canary) -> None:
    """SEC-16, SEC-17: what nobody reads is not written without end; the connection is closed some time."""
    peer = await target.connect()
    shrinkBuffers(peer)
    flood = peer.request("DESCRIBE") * 2000
    before = sys.getallocatedblocks()
    for _ in range(30):
        peer.write(flood[: 1 << 20])
    await sleep(0.5)
    # the client's own buffer is one block; replies and requests waiting would be a hundred thousand
    assert sys.getallocatedblocks() - before < 30_000
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-17", "INT-5")
@pytest.mark.deadline(30)
async def testNeverReadingViewers(target: Target, canary: Canary) -> None:
    """SEC-17, INT-5: ten who ask for a lot and read nothing are played to no further than their buffers reach."""
    viewers = []
    for _ in range(10):
        viewer = await target.connect()
        await viewer.setUp(TCP, target.url("loud.wav"))
        assert (await viewer.ask("PLAY", target.url("loud.wav"))).code == 200
        shrinkBuffers(viewer)
        viewers.append(viewer)
    sessions = [session for session in target.service.registry if session.path.endswith("loud.wav")]
    assert len(sessions) == 10
    seen = 0
    while True:
        await sleep(0.3)
        sent = sum(session.octetsSent for session in sessions)
        if sent == seen:
            break
        seen = sent
    assert max(session.octetsSent for session in sessions) < 8 << 20
    assert len(target.service.registry) == 11  # they are slow, not dead
    await canary.noticedNothing()
    viewers[0].transport.resumeProducing()
    packets = viewers[0].packets
    await until(lambda: viewers[0].packets > packets + 100)
    assert viewers[0].gaps == 0
    for viewer in viewers:
        await viewer.kill()
    await until(lambda: len(target.service.registry) == 1)


@pytest.mark.requirement("SEC-15")
async def testFramesWithoutEnd(target: Target, canary: Canary) -> None:
    """SEC-15: megabytes of data for no session are dropped as they come, and keep no connection alive."""
    peer = await target.connect()
    frames = (b"$\x07\xff\xff" + bytes(65535)) * 16
    for _ in range(20):
        peer.write(frames)
        await sleep(0)
    await peer.closed()
    # with a word if the last frame had come only in part
    assert [answer.code for answer in peer.answers] in ([], [408])
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-18", "COD-503", "SET-17")
@pytest.mark.deadline(30)
async def testManySessions(folder: Path, serve: Callable[..., Target]) -> None:
    """SEC-18: ten times more than are allowed: 503, and it recovers; the canary has its place."""
    target = serve(folder, maxSessionsPerPeer=50, sessionTimeout=60)
    canary = await Canary.start(target)
    peer = await target.connect()
    for number in range(500):
        peer.write(peer.request("SETUP", Transport=f"RTP/AVP;unicast;client_port={20000 + 2 * number}"))
    await peer.heard(500)
    assert [answer.code for answer in peer.answers] == [200] * 50 + [503] * 450
    assert all(answer.headers.get("Retry-After") for answer in peer.answers[50:])
    await canary.noticedNothing()
    ended = (peer.answers[0].headers.get("Session") or "").partition(";")[0]
    assert (await peer.ask("TEARDOWN", Session=ended)).code == 200
    await peer.setUp("RTP/AVP;unicast;client_port=20000-20001")
    assert len(target.service.registry) == 1 + 50


@pytest.mark.requirement("SEC-18")
@pytest.mark.deadline(30)
async def testManyFilesAtOnce(tmp_path: Path, serve: Callable[..., Target]) -> None:
    """SEC-18: two hundred descriptions of different files in parallel, with few files open at a time."""
    makeWave(tmp_path / "quiet.wav")
    for number in range(200):
        makeWave(tmp_path / f"{number}.wav", seconds=1)
    target = serve(tmp_path, openFiles=8)
    canary = await Canary.start(target)
    peers = [await target.connect() for _ in range(20)]
    for number in range(200):
        peer = peers[number % 20]
        peer.write(peer.request("DESCRIBE", target.url(f"{number}.wav")))
    for peer in peers:
        await peer.heard(10)
        assert [answer.code for answer in peer.answers] == [200] * 10
    await canary.noticedNothing()
