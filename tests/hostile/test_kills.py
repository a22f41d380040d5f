"""Clients that vanish in every state, again and again (requirements CON-8, TDN-2, SEC-18)."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import pytest
from attack import TCP, Canary, Peer, Target, census, settled, until
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults

UDP = "RTP/AVP;unicast;client_port={}-{}"


async def connected(peer: Peer, number: int) -> None:
    """Nothing was said."""


async def amidRequest(peer: Peer, number: int) -> None:
    peer.write(peer.request("OPTIONS")[: 5 + number % 40])


async def describing(peer: Peer, number: int) -> None:
    peer.write(peer.request("DESCRIBE") * 5)


async def described(peer: Peer, number: int) -> None:
    await peer.ask("DESCRIBE")


async def setUpTCP(peer: Peer, number: int) -> None:
    await peer.setUp(TCP)


async def setUpUDP(peer: Peer, number: int) -> None:
    await peer.setUp(UDP.format(20000 + 2 * number, 20001 + 2 * number))


async def playingTCP(peer: Peer, number: int) -> None:
    await peer.setUp(TCP)
    await peer.ask("PLAY", Range=f"npt={number % 4}-")


async def playingUDP(peer: Peer, number: int) -> None:
    await setUpUDP(peer, number)
    await peer.ask("PLAY", Range=f"npt={number % 4}-")


async def seeking(peer: Peer, number: int) -> None:
    await playingTCP(peer, number)
    peer.write(b"".join(peer.request("PLAY", Range=f"npt={place}-") for place in range(5)))


async def pausedTCP(peer: Peer, number: int) -> None:
    await playingTCP(peer, number)
    await peer.ask("PAUSE")


async def pausedUDP(peer: Peer, number: int) -> None:
    await playingUDP(peer, number)
    await peer.ask("PAUSE")


async def notReading(peer: Peer, number: int) -> None:
    await playingTCP(peer, number)
    peer.transport.pauseProducing()


async def toreDown(peer: Peer, number: int) -> None:
    await playingTCP(peer, number)
    await peer.ask("TEARDOWN")


State = Callable[[Peer, int], Awaitable[None]]
STATES: list[State] = [
    connected,
    amidRequest,
    describing,
    described,
    setUpTCP,
    setUpUDP,
    playingTCP,
    playingUDP,
    seeking,
    pausedTCP,
    pausedUDP,
    notReading,
    toreDown,
]


async def killOne(target: Target, number: int) -> None:
    peer = await target.connect()
    await STATES[number % len(STATES)](peer, number)
    await peer.kill()


async def killMany(target: Target, count: int) -> None:
    for start in range(0, count, 40):
        await gatherResults(
            [ensureDeferred(killOne(target, number)) for number in range(start, min(count, start + 40))],
            consumeErrors=True,
        )
    # those over UDP live until their time is over
    await until(lambda: len(target.service.registry) == 1)


@pytest.mark.requirement("CON-8", "TDN-2", "SEC-18")
@pytest.mark.deadline(60)
async def testAThousandKilledClients(target: Target, canary: Canary) -> None:
    """
    File descriptors, timers, objects and memory are what they were.
    """
    # what is in the cache then, and in Python's own, is there for good
    await killMany(target, 300)
    before = await settled(census)
    timers = len(reactor.getDelayedCalls())
    blocks = sys.getallocatedblocks()
    await killMany(target, 1000)
    await until(lambda: census() == before)
    # of the few that there are, some wait for their moment and some do not
    assert abs(len(reactor.getDelayedCalls()) - timers) <= 2
    assert sys.getallocatedblocks() - blocks < 5000
    await canary.noticedNothing()
