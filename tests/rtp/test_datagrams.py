"""RTP over UDP: the same datagrams however they leave, and whose datagrams come in."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator

import pytest
from sending import burst, parsed, sender
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from udprig import HERE, Client, connected, refuse, send

from mediasrv.rtp.datagrams import DatagramPair, DatagramTransport, originFor


@pytest.fixture
def warnings() -> Iterator[list[LogEvent]]:
    found: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.warn:
            found.append(event)

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


# Sending


@pytest.mark.requirement("SET-6")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="127.0.0.2 is an address of ours on Linux alone")
@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("local", ["", "127.0.0.1", "127.0.0.2"])
async def test_mediaComeFromTheAddressThatWasAsked(
    pair: DatagramPair, client: Client, local: str, offload: bool
) -> None:
    """SET-6: RTP as well as RTCP, on a machine of several addresses."""
    transport = DatagramTransport(pair, HERE, client.ports, 0xABC, local)
    transport.offload = offload
    assert (transport.origin != []) == (local == "127.0.0.2")
    for sizes in ([500] * 3, [500]):
        send(transport, sender(transport), burst(sizes))
    transport.sendControl(b"\x80report ")
    for which, count in ((0, 4), (1, 1)):
        for _ in range(count):
            _, address = client.sockets[which].recvfrom(2000)
            assert address == (local or HERE, pair.port + which)
    transport.close()


def test_originsThatCannotBe() -> None:
    """What is no address, or none of that family, is left to the system."""
    for host, local in ((HERE, ""), (HERE, "::1"), (HERE, "nonsense"), ("::1", HERE), ("nonsense", HERE)):
        assert originFor(host, local) == []


@pytest.mark.parametrize(
    "sizes", [[1400] * 32, [1400] * 7 + [3], [1400], [1], [200, 100], [10] * 46, [30, 1400, 1400, 70, 90]]
)
async def test_oneSystemCallOrMany(pair: DatagramPair, client: Client, sizes: list[int]) -> None:
    """Segmentation offload gives the datagrams that single sends give."""
    received = []
    for offload in (True, False):
        transport, one = connected(pair, client)
        transport.offload = offload
        piece = burst(sizes)
        send(transport, one, piece)
        received.append(client.received(len(sizes)))
        assert one.packets == len(sizes)
        assert one.octets == sum(sizes)
        transport.close()
    assert received[0] == received[1]
    packets = parsed(received[0])
    assert [packet.sequence for packet in packets] == [65530 + at & 0xFFFF for at in range(len(sizes))]
    assert [packet.payload for packet in packets] == piece.payloads
    assert [packet.marker for packet in packets] == [False] * (len(sizes) - 1) + [True]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
@pytest.mark.parametrize(("sizes", "expected"), [([1000] * 20, 1), ([30] + [1000] * 19, 2), ([30, 40] + [900] * 9, 3)])
async def test_theKernelDoesOffload(
    pair: DatagramPair, client: Client, warnings: list[LogEvent], sizes: list[int], expected: int
) -> None:
    transport, one = connected(pair, client)
    calls = refuse(pair, "_sendmsg", [])
    send(transport, one, burst(sizes))
    client.received(len(sizes))
    assert (transport.offload, calls.calls, warnings) == (True, expected, [])


async def test_manyClientsAtOnce(pair: DatagramPair, client: Client) -> None:
    """Nothing leaves before the flush, then everything in its order."""
    another = Client()
    first, second = connected(pair, client, 1), connected(pair, another, 2)
    pieces = [burst([100] * 3, pts=float(at)) for at in range(4)]
    for piece in pieces:
        assert first[0].send(first[1], piece)
        assert second[0].send(second[1], piece)
    client.received(0)
    pair.flush()
    for receiver in (client, another):
        packets = parsed(receiver.received(12))
        assert [packet.sequence for packet in packets] == [65530 + at & 0xFFFF for at in range(12)]
    assert not pair.queue
    another.close()


@pytest.mark.parametrize("error", [errno.EIO, errno.EINVAL, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE])
async def test_withoutOffload(pair: DatagramPair, client: Client, error: int, warnings: list[LogEvent]) -> None:
    """One by one from then on, but for this client only, and one line in the log."""
    transport, one = connected(pair, client)
    calls = refuse(pair, "_sendmsg", [error, *[0] * 20, error])
    for _ in range(3):
        send(transport, one, burst([1000] * 20), burst([1000] * 20))
    assert [packet.sequence for packet in parsed(client.received(120))] == [65530 + at & 0xFFFF for at in range(120)]
    assert calls.calls == 2 + 120
    other, two = connected(pair, client, 7)
    send(other, two, burst([1000] * 20))
    client.received(20)
    assert calls.calls == 2 + 120 + 1
    calls.errors.append(error)
    send(other, two, burst([1000] * 20))
    client.received(20)
    assert (transport.offload, other.offload, len(warnings)) == (False, False, 1)


@pytest.mark.requirement("RTP-4")
@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS])
async def test_aFullSocket(pair: DatagramPair, client: Client, error: int, offload: bool) -> None:
    """What did not leave waits; until it has left, bursts are to be offered again. Nothing is lost or there twice."""
    transport, one = connected(pair, client)
    transport.offload = offload
    refuse(pair, "_sendmsg", [0, error, error, 0, error])
    pieces = [burst([1000] * 5, pts=float(at)) for at in range(4)]
    send(transport, one, *pieces[:3])
    assert pair.blocked
    assert not transport.send(one, pieces[3])
    pair.flush()
    assert not transport.send(one, pieces[3])
    while pair.blocked:
        pair.flush()
    send(transport, one, pieces[3])
    packets = parsed(client.received(20))
    assert [packet.sequence for packet in packets] == [65530 + at & 0xFFFF for at in range(20)]
    assert [packet.payload for packet in packets] == [payload for piece in pieces for payload in piece.payloads]
    assert (one.packets, one.octets, transport.offload, pair.queue) == (20, 20000, offload, [])


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENETUNREACH, errno.EHOSTUNREACH])
@pytest.mark.parametrize("count", [1, 5])
async def test_whatCannotGetThereIsLost(pair: DatagramPair, client: Client, error: int, count: int) -> None:
    transport, one = connected(pair, client)
    refuse(pair, "_sendmsg", [error])
    send(transport, one, burst([1000] * count), burst([1000] * count))
    assert parsed(client.received(count))[0].sequence == 65530 + count & 0xFFFF
    assert transport.offload


@pytest.mark.requirement("SET-6")
async def test_reportsComeFromTheOddPort(pair: DatagramPair, client: Client) -> None:
    transport, _ = connected(pair, client)
    transport.sendControl(b"report")
    data, address = client.sockets[1].recvfrom(100)
    assert (data, address) == (b"report", (HERE, pair.port + 1))
    refuse(pair, "_sendControl", [errno.EAGAIN])
    transport.sendControl(b"lost")
    transport.sendControl(b"next")
    assert client.received(1, 1) == [b"next"]


@pytest.mark.requirement("CON-8")
async def test_nobodyListens(pair: DatagramPair, client: Client) -> None:
    """What a client that went away causes is no loss to another, nor an end of the port."""
    gone = Client()
    dead, deadSender = connected(pair, gone, 1)
    gone.close()
    transport, one = connected(pair, client, 2)
    for _ in range(50):
        send(dead, deadSender, burst([1000] * 3), burst([1000]))
        dead.sendControl(b"report")
        send(transport, one, burst([1000] * 3), burst([1000]))
        await deferLater(reactor, 0)
    assert [packet.sequence for packet in parsed(client.received(200))] == [65530 + at & 0xFFFF for at in range(200)]
    heard: Deferred[bytes] = Deferred()
    transport.listen(heard.callback)
    client.sockets[1].sendto(b"still there", (HERE, pair.port + 1))
    assert await heard == b"still there"


async def test_bothAddressFamiliesOnTheSamePorts(pair: DatagramPair, client: Client) -> None:
    try:
        client6 = Client("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    pair6 = DatagramPair(reactor, socket.AF_INET6, pair.port)
    assert pair6.port == pair.port
    heard: list[bytes] = []
    for each, theirs in ((pair, client), (pair6, client6)):
        transport, one = connected(each, theirs)
        transport.listen(heard.append)
        for count in (1, 20):
            send(transport, one, burst([1000] * count))
            theirs.received(count)
        theirs.sockets[1].sendto(theirs.host.encode(), (theirs.host, each.port + 1))
        for _ in range(20):
            await deferLater(reactor, 0.001)
        assert transport.offload or sys.platform != "linux"
    assert heard == [b"127.0.0.1", b"::1"]
    client6.close()
    await pair6.close()


@pytest.mark.requirement("TDN-2")
async def test_closeFreesThePorts() -> None:
    for _ in range(3):
        made = DatagramPair(reactor)
        port = made.port
        await made.close()
        for number in (port, port + 1):
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            probe.bind(("", number))
            probe.close()
