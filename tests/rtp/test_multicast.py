"""Multicast: which groups there are, and that a packet reaches all who joined (requirement SET-15)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest
import pytest_twisted
from sending import burst, parsed, sender
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, globalLogPublisher

from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtp.multicast import Group, GroupPool, Multicast, NoGroupFree

HERE = "127.0.0.1"

pytestmark = pytest.mark.requirement("SET-15")


def pool(network: str = "239.255.42.0/30", port: int = 5004, ttl: int = 1) -> GroupPool:
    return GroupPool(IPv4Network(network), port, ttl)


def ignore(data: bytes, host: str) -> None:
    """Hears nothing."""


# Groups


def test_addressesAndPorts() -> None:
    groups = pool(ttl=7)
    assert groups.free == 4
    assert [groups.take() for _ in range(4)] == [Group(f"239.255.42.{at}", 5004 + 2 * at, 7) for at in range(4)]
    assert groups.free == 0
    with pytest.raises(NoGroupFree, match="all 4 multicast groups are in use"):
        groups.take()


def test_whatWasGivenBackRests() -> None:
    groups = pool()
    first, second = groups.take(), groups.take()
    groups.giveBack(second)
    groups.giveBack(first)
    assert groups.free == 4
    assert [groups.take().address for _ in range(4)] == [f"239.255.42.{at}" for at in (2, 3, 1, 0)]


def test_portsBeginAnew() -> None:
    """A range may have more addresses than there are ports."""
    groups = pool("239.0.0.0/8", 65530)
    assert [groups.take().port for _ in range(5)] == [65530, 65532, 65534, 65530, 65532]
    assert groups.free == (1 << 24) - 5


# Packets


class Receiver:
    """A socket that has joined a group."""

    def __init__(self, group: Group, odd: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((group.address, group.port + odd))
        membership = socket.inet_aton(group.address) + socket.inet_aton(HERE)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self.socket.settimeout(5)

    def received(self, count: int) -> list[bytes]:
        """This many datagrams; then there are no more."""
        datagrams = [self.socket.recv(65536) for _ in range(count)]
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(65536)
        self.socket.settimeout(5)
        return datagrams


@pytest_twisted.async_yield_fixture
async def multicast(pair: DatagramPair) -> Any:
    made = Multicast(reactor, pair, pool(), HERE)
    yield made
    await made.close()


@pytest.fixture
def receivers() -> Iterator[list[Receiver]]:
    made: list[Receiver] = []
    yield made
    for each in made:
        each.socket.close()


@pytest.mark.parametrize("offload", [True, False])
async def test_everybodyGetsIt(
    pair: DatagramPair, multicast: Multicast, receivers: list[Receiver], offload: bool
) -> None:
    """And nobody in another group. What nobody wants does not leave, and has no number."""
    transport = multicast.transport(0x12345678, ignore)
    other = multicast.transport(2, ignore)
    transport.offload = transport.offload and offload
    receivers += [Receiver(transport.group), Receiver(transport.group), Receiver(other.group)]
    one = sender(transport, 65530)
    assert transport.send(one, burst([1000] * 5))
    transport.wanted = other.wanted = True
    assert transport.send(one, burst([1000] * 20 + [7]))
    assert transport.send(one, burst([500]))
    pair.flush()
    for each in receivers[:2]:
        packets = parsed(each.received(22))
        assert [packet.sequence for packet in packets] == [65530 + at & 0xFFFF for at in range(22)]
        assert {packet.ssrc for packet in packets} == {0x12345678}
    receivers[2].received(0)
    assert (one.packets, transport.offload) == (22, pair.offload and offload)
    transport.close()
    other.close()


async def test_reports(pair: DatagramPair, multicast: Multicast, receivers: list[Receiver]) -> None:
    """From our odd port to the group's, and back to us as to everybody else."""
    heard: Deferred[tuple[bytes, str]] = Deferred()
    transport = multicast.transport(1, lambda data, host: heard.callback((data, host)) if not heard.called else None)
    receivers.append(Receiver(transport.group, odd=1))
    transport.sendControl(b"nobody wants it")
    transport.wanted = True
    transport.sendControl(b"report")
    data, address = receivers[0].socket.recvfrom(100)
    assert (data, address) == (b"report", (HERE, pair.port + 1))
    assert await heard == (b"report", HERE)
    transport.close()


@pytest.mark.parametrize("ttl", [0, 1, 17, 255])
async def test_timeToLive(pair: DatagramPair, ttl: int) -> None:
    Multicast(reactor, pair, pool(ttl=ttl), HERE)
    for each in pair._sockets:
        assert each.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == ttl


async def test_aGroupIsLeft(multicast: Multicast) -> None:
    """Nothing is heard any more, nothing stays open, and somebody else may have it."""
    heard: list[bytes] = []
    transports = [multicast.transport(number, lambda data, host: heard.append(data)) for number in range(4)]
    assert multicast.free == 0
    with pytest.raises(NoGroupFree):
        multicast.transport(5, ignore)
    group = transports[0].group
    transports[0].close()
    assert multicast.free == 1
    again = multicast.transport(6, ignore)
    assert again.group == group
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HERE))
        stranger.sendto(b"late", (group.address, group.port + 1))
    await deferLater(reactor, 0.02)
    assert heard == []
    for each in [*transports[1:], again]:
        each.close()
    await multicast.close()


async def test_noSuchInterface(pair: DatagramPair) -> None:
    with pytest.raises(OSError, match=r".") as caught:
        Multicast(reactor, pair, pool(), "192.0.2.99")
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_aGroupThatCannotBeJoined(multicast: Multicast, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent to all the same; the log says once that nobody is heard."""
    warnings: list[LogEvent] = []
    globalLogPublisher.addObserver(warnings.append)

    def refuse(group: Group, heard: object) -> None:
        raise OSError(errno.ENOBUFS, "too many groups")

    monkeypatch.setattr(multicast, "_listen", refuse)
    transports = [multicast.transport(number, ignore) for number in range(2)]
    globalLogPublisher.removeObserver(warnings.append)
    assert [event["log_format"] for event in warnings] == ["no reports from multicast listeners: {reason}"]
    for each in transports:
        each.close()
    assert multicast.free == 4
