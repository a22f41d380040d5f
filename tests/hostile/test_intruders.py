"""Those who want what is not theirs (requirements SEC-6, SEC-8, SEC-10, SEC-26, SET-12)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from attack import TCP, Canary, Target, makeWave, sleep
from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol


@pytest.mark.requirement("SEC-8", "CON-3")
@pytest.mark.parametrize("transport", [TCP, "RTP/AVP;unicast;client_port=20000-20001"])
async def testHijack(target: Target, canary: Canary, transport: str) -> None:
    """SEC-8, CON-3: a stolen session id is worth nothing at another address, nor over another connection for TCP."""
    victim = await target.connect("127.0.0.2")
    await victim.setUp(transport)
    assert (await victim.ask("PLAY")).code == 200
    thieves = [await target.connect("127.0.0.3")] + ([await target.connect("127.0.0.2")] if transport == TCP else [])
    for thief in thieves:
        thief.session = victim.session
        for method in ("PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "OPTIONS", "SETUP"):
            assert (await thief.ask(method, Transport=transport)).code == 454
    session = target.service.registry.get(victim.session)
    assert session is not None
    assert session.state == "playing"
    assert (await victim.ask("TEARDOWN")).code == 200
    await canary.noticedNothing()


class Listener(DatagramProtocol):
    def __init__(self) -> None:
        self.received = 0

    def datagramReceived(self, data: bytes, address: tuple[str, int]) -> None:
        self.received += 1


@pytest.mark.requirement("SET-12", "SEC-10")
async def testNoMediaForBystanders(target: Target, canary: Canary) -> None:
    """SET-12, SEC-10: C{destination} and forged packets turn nothing on somebody who did not ask."""
    victim, own = Listener(), Listener()
    victimPort = reactor.listenUDP(0, victim, "127.0.0.5")
    ownPort = reactor.listenUDP(0, own, "127.0.0.6")
    peer = await target.connect("127.0.0.6")
    number, theirs = ownPort.getHost().port, victimPort.getHost().port
    ports = f"{number}-{number + 1}" if number < 65535 else f"{number - 1}-{number}"
    await peer.setUp(f"RTP/AVP;unicast;destination=127.0.0.5;source=127.0.0.5;client_port={ports};port={theirs}")
    punch = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    punch.bind(("127.0.0.5", 0))
    for port in (target.service.rtpPort, target.service.rtpPort + 1):
        punch.sendto(bytes(12), ("127.0.0.1", port))
    await sleep(0.05)
    assert (await peer.ask("PLAY")).code == 200
    while own.received < 10:
        await sleep(0.02)
    assert victim.received == 0
    punch.setblocking(False)
    with pytest.raises(BlockingIOError):
        punch.recv(100)
    punch.close()
    await victimPort.stopListening()
    await ownPort.stopListening()
    await canary.noticedNothing()


@pytest.fixture
def maze(tmp_path: Path) -> Path:
    """A folder with ways out, and things in it that are no media."""
    makeWave(tmp_path / "outside.wav", seconds=1)
    folder = tmp_path / "media"
    (folder / "sub").mkdir(parents=True)
    makeWave(folder / "quiet.wav")
    makeWave(folder / "sub" / "ein Fünfter, 50 %; #1?.wav", seconds=1)
    makeWave(folder / ".hidden.wav", seconds=1)
    (folder / "out.wav").symlink_to(tmp_path / "outside.wav")
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "in.wav").symlink_to(folder / "quiet.wav")
    (folder / "zero.wav").symlink_to("/dev/zero")
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("no media")
    (folder / "half.wav").write_bytes((folder / "quiet.wav").read_bytes()[:20])
    with open(folder / "sparse.wav", "wb") as file:
        file.truncate(1 << 40)
    os.mkfifo(folder / "fifo.wav")
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(folder)  # names of sockets are short
    listening.bind("socket.wav")
    os.chdir(here)
    listening.close()
    return folder


PATHS = [
    ("quiet.wav", 200),
    ("in.wav", 200),
    ("sub/ein%20F%C3%BCnfter%2C%2050%20%25%3B%20%231%3F.wav", 200),
    ("../outside.wav", 404),
    ("sub/../quiet.wav", 404),
    ("%2e%2e/outside.wav", 404),
    ("%2E%2E%2Foutside.wav", 404),
    ("..%5coutside.wav", 404),
    ("..%c0%afoutside.wav", 400),
    ("%252e%252e/outside.wav", 404),
    ("up/outside.wav", 404),
    ("out.wav", 404),
    ("loop", 404),
    ("zero.wav", 404),
    ("fifo.wav", 404),
    ("socket.wav", 404),
    (".hidden.wav", 404),
    ("sub", 404),
    ("", 404),
    ("/etc/passwd", 404),
    ("%2Fetc%2Fpasswd", 404),
    ("quiet.wav%00", 400),
    ("quiet.wav%0d%0aX-Injected:%20yes", 400),
    ("quiet.wav%0aX-Injected:%20yes", 400),
    ("C:%5cautoexec.bat", 404),
    ("con", 404),
    ("http://127.0.0.1/", 404),
    ("file:%2F%2Fquiet.wav", 404),
    ("concat:quiet.wav%7Cin.wav", 404),
    ("-i", 404),
    ("x" * 300, 404),
    ("x/" * 2000, 404),
    ("empty.wav", 415),
    ("text.wav", 415),
    ("half.wav", 415),
    ("sparse.wav", 415),
]


@pytest.mark.requirement("SEC-6", "SEC-26", "DES-5", "COD-415")
@pytest.mark.deadline(30)
async def testPaths(maze: Path, serve: Callable[..., Target]) -> None:
    """SEC-6, SEC-26, DES-5: nothing leads out; what is no media is said to be none; nobody waits for a FIFO."""
    target = serve(maze)
    canary = await Canary.start(target)
    peer = await target.connect()
    found = [(path, (await peer.ask("DESCRIBE", target.url(path))).code) for path, _ in PATHS]
    assert found == PATHS
    assert not any("X-Injected" in answer.headers for answer in peer.answers)
    for answer in peer.answers:
        if answer.code != 200:
            assert answer.body == b""
    await canary.noticedNothing()


@pytest.mark.requirement("SEC-26")
@pytest.mark.deadline(20)
async def testNamesThatBreakLines(tmp_path: Path, serve: Callable[..., Target]) -> None:
    """SEC-26: a name with line breaks in it cannot be asked for, and what its folder says of others stays whole."""
    makeWave(tmp_path / "quiet.wav")
    makeWave(tmp_path / "a\r\na=control:evil\r\n.wav", seconds=1)
    target = serve(tmp_path)
    peer = await target.connect()
    answer = await peer.ask("DESCRIBE", target.url("a%0D%0Aa=control:evil%0D%0A.wav"))
    assert answer.code == 400
    assert (await peer.ask("DESCRIBE")).code == 200
