"""RTP over UDP: the same datagrams however they leave, and whose datagrams come in."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from sending import burst, parsed, sender
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.datagrams import DatagramPair, DatagramTransport, PortsTaken, originFor
from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound
from mediasrv.rtp.sender import TrackSender

HERE = "127.0.0.1"


class Client:
    """A pair of UDP sockets on this machine."""

    def __init__(self, host: str = HERE) -> None:
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        for each in self.sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            each.bind((host, 0))
            each.settimeout(5)
        self.ports: tuple[int, int] = tuple(each.getsockname()[1] for each in self.sockets)  # type: ignore[assignment]

    def received(self, count: int, which: int = 0) -> list[bytes]:
        """This many datagrams; then there are no more."""
        datagrams = [self.sockets[which].recv(65536) for _ in range(count)]
        self.sockets[which].setblocking(False)
        with pytest.raises(BlockingIOError):
            self.sockets[which].recv(65536)
        self.sockets[which].settimeout(5)
        return datagrams

    def close(self) -> None:
        for each in self.sockets:
            each.close()


@pytest_twisted.async_yield_fixture
async def pair() -> Any:
    made = DatagramPair(reactor)
    yield made
    await made.close()


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


@pytest.fixture
def warnings() -> Iterator[list[LogEvent]]:
    found: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.warn:
            found.append(event)

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


def connected(pair: DatagramPair, client: Client, ssrc: int = 0x12345678) -> tuple[DatagramTransport, TrackSender]:
    transport = DatagramTransport(pair, client.host, client.ports, ssrc)
    return transport, sender(transport, 65530, ssrc)


class Refusing:
    """Stands in for the socket's methods: fails as often as it is told to, then works."""

    def __init__(self, works: Any, errors: list[int]) -> None:
        self._works = works
        self.errors = errors
        self.calls = 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        if self.errors:
            number = self.errors.pop(0)
            if number:
                raise OSError(number, os.strerror(number))
        return self._works(*arguments)


def refuse(pair: DatagramPair, name: str, errors: list[int]) -> Refusing:
    made = Refusing(getattr(pair, name), errors)
    setattr(pair, name, made)
    return made


# Sending


def send(transport: DatagramTransport, one: TrackSender, *pieces: Burst) -> None:
    """Has bursts sent, as a turn of the pacer does."""
    for piece in pieces:
        assert transport.send(one, piece)
    transport._pair.flush()


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


# Who is where


async def passed(sock: socket.socket, data: bytes, pair: DatagramPair, odd: int = 0) -> None:
    """Sends to the pair and waits until it was read: a report that is waited for is sent behind it."""
    sock.sendto(data, (HERE, pair.port + odd))
    for _ in range(20):
        await deferLater(reactor, 0.001)


@pytest.mark.requirement("SET-18")
@pytest.mark.parametrize("data", [b"", b"\xce\xfa\xed\xfe", b"\x80" + bytes(11)])
async def test_aPunchFromAnotherPort(pair: DatagramPair, client: Client, data: bytes) -> None:
    """SET-18: what a NAT made of the client's port."""
    mapped = Client()
    transport, one = connected(pair, client)
    await passed(mapped.sockets[0], data, pair)
    assert transport.media == (HERE, mapped.ports[0])
    send(transport, one, burst([10] * 3))
    mapped.received(3)
    # once it is known nobody else moves it
    await passed(client.sockets[1], data, pair)
    assert transport.media == (HERE, mapped.ports[0])
    mapped.close()


@pytest.mark.requirement("SET-18")
async def test_aPunchFromWhereItShouldCome(pair: DatagramPair, client: Client) -> None:
    transport, _ = connected(pair, client)
    other = Client()
    await passed(client.sockets[0], b"", pair)
    await passed(other.sockets[0], b"", pair)
    assert transport.media == (HERE, client.ports[0])
    other.close()


@pytest.mark.requirement("SET-18")
async def test_punchesComeInTheOrderOfSetup(pair: DatagramPair, client: Client) -> None:
    *mapped, another = [Client(), Client(), Client()]
    first, second = connected(pair, client, 1)[0], connected(pair, another, 2)[0]
    for each in mapped:
        await passed(each.sockets[0], b"", pair)
    assert [first.media[1], second.media[1]] == [each.ports[0] for each in mapped]
    for each in [*mapped, another]:
        each.close()


@pytest.mark.requirement("SET-18", "SET-12")
@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is here on Linux only")
async def test_aPunchFromAnotherHost(pair: DatagramPair, client: Client) -> None:
    stranger = Client("127.0.0.2")
    transport, _ = connected(pair, client)
    heard: list[bytes] = []
    transport.listen(heard.append)
    before = transport.media, transport.control
    await passed(stranger.sockets[0], b"", pair)
    await passed(stranger.sockets[1], report(0x12345678), pair, 1)
    assert (transport.media, transport.control) == before
    assert heard == []
    stranger.close()


@pytest.mark.requirement("SEC-10")
async def test_sessionsThatClaimOnePort(pair: DatagramPair, client: Client) -> None:
    """A client may well name the same port twice; it gets no traceback out of us."""
    twins = [connected(pair, client, ssrc)[0] for ssrc in (1, 2)]
    strangers = [Client() for _ in range(3)]
    for each in strangers:
        await passed(each.sockets[0], b"", pair)
        await passed(each.sockets[1], report(1), pair, 1)
        await passed(each.sockets[1], report(2), pair, 1)
        each.close()
    for twin in twins:
        twin.close()
        twin.close()
    assert not pair._byMedia
    assert not pair._byControl
    assert not pair._bySSRC
    assert not pair._unconfirmed


def report(ssrc: int) -> bytes:
    return packCompound([ReceiverReport(9, [ReportBlock(ssrc)]), SourceDescription.named(9, "client")])


@pytest.mark.requirement("RTCP-5")
async def test_reportsFromTheClient(pair: DatagramPair, client: Client) -> None:
    transport, _ = connected(pair, client)
    heard: list[bytes] = []
    await passed(client.sockets[1], b"nobody listens yet", pair, 1)
    transport.listen(heard.append)
    await passed(client.sockets[1], b"whatever", pair, 1)
    assert heard == [b"whatever"]
    transport.close()
    await passed(client.sockets[1], report(0x12345678), pair, 1)
    assert heard == [b"whatever"]


@pytest.mark.requirement("RTCP-6")
async def test_reportsFromAnotherPort(pair: DatagramPair, client: Client) -> None:
    """RTCP-6: about our SSRC, from the client's host; from then on that is its address."""
    mapped = Client()
    transport, _ = connected(pair, client)
    heard: list[bytes] = []
    transport.listen(heard.append)
    for data in (b"", b"\x81\xc9", report(99), b"\x80\xc9\x00\x01\0\0\0\x09"):
        await passed(mapped.sockets[1], data, pair, 1)
    assert heard == []
    await passed(mapped.sockets[1], report(0x12345678), pair, 1)
    assert heard == [report(0x12345678)]
    transport.sendControl(b"back")
    assert mapped.received(1, 1) == [b"back"]
    mapped.close()


async def test_aNewTransportForTheSameTrack(pair: DatagramPair, client: Client) -> None:
    """A second SETUP takes the SSRC over; closing the first one later leaves it."""
    former, _ = connected(pair, client)
    latter, _ = connected(pair, client)
    former.close()
    heard: list[bytes] = []
    latter.listen(heard.append)
    await passed(client.sockets[1], report(1), pair, 1)
    assert len(heard) == 1
    other = Client()
    await passed(other.sockets[1], report(0x12345678), pair, 1)
    assert len(heard) == 2
    other.close()


# RTP and RTCP on one port


def muxed(pair: DatagramPair, client: Client, ssrc: int = 0x12345678) -> tuple[DatagramTransport, list[bytes]]:
    """A transport to a client that has one port for both, and what is heard of it."""
    transport = DatagramTransport(pair, client.host, (client.ports[0],) * 2, ssrc)
    heard: list[bytes] = []
    transport.listen(heard.append)
    return transport, heard


@pytest.mark.requirement("RTCP-9")
async def test_onePortForBoth(pair: DatagramPair, client: Client) -> None:
    """From our RTP port to the client's, and back; RTCP is told from punches by its type."""
    transport, heard = muxed(pair, client)
    transport.sendControl(b"report")
    assert client.sockets[0].recvfrom(100) == (b"report", (HERE, pair.port))
    for data in (
        b"",
        b"\x80",
        b"\x80\x60" + bytes(10),
        b"\x80\xbf" + bytes(10),
        report(1),
        b"\xce\xfa\xed\xfe",
        b"\0\xc8",
    ):
        await passed(client.sockets[0], data, pair)
    assert heard == [report(1), b"\0\xc8"], "what it is worth is for others to say"
    refuse(pair, "_sendmsg", [errno.EAGAIN])
    transport.sendControl(b"lost")
    transport.sendControl(b"next")
    assert client.received(1) == [b"next"]
    transport.close()
    await passed(client.sockets[0], report(1), pair)
    assert len(heard) == 2
    assert not pair._byMedia
    assert not pair._byControl


@pytest.mark.requirement("RTCP-9", "SET-18")
async def test_reportsSayWhoseNATItIs(pair: DatagramPair, client: Client) -> None:
    """A report about the second track comes first: both tracks find their ports, which nothing moves after that."""
    ports = [Client() for _ in range(3)]
    (first, one), (second, two) = muxed(pair, client, 1), muxed(pair, client, 2)
    await passed(ports[1].sockets[0], report(2), pair)
    await passed(ports[0].sockets[0], b"", pair)
    assert [first.media[1], second.media[1]] == [each.ports[0] for each in ports[:2]]
    assert (one, two) == ([], [report(2)])
    await passed(ports[2].sockets[0], report(2), pair)
    await passed(ports[2].sockets[1], report(2), pair, 1)
    assert second.media[1] == ports[1].ports[0]
    assert two == [report(2), report(2)]
    assert not pair._byControl
    second.sendControl(b"back")
    assert ports[1].received(1) == [b"back"]
    for each in ports:
        each.close()


@pytest.mark.requirement("RTCP-9")
@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is here on Linux only")
async def test_reportsOfStrangers(pair: DatagramPair, client: Client) -> None:
    stranger = Client("127.0.0.2")
    transport, heard = muxed(pair, client)
    await passed(stranger.sockets[0], report(0x12345678), pair)
    assert (transport.media, heard) == ((HERE, client.ports[0]), [])
    stranger.close()


@pytest.mark.requirement("RTCP-9")
async def test_reportsAtTheWrongPort(pair: DatagramPair, client: Client) -> None:
    """Who has not asked for one port is not heard on it; such a packet opens a way through a NAT as any other does."""
    transport, _ = connected(pair, client)
    heard: list[bytes] = []
    transport.listen(heard.append)
    await passed(client.sockets[0], report(0x12345678), pair)
    assert (heard, transport.confirmed) == ([], True)


# Ports


@pytest.mark.requirement("SET-6")
async def test_evenAndOdd(pair: DatagramPair) -> None:
    assert pair.port % 2 == 0
    others = [DatagramPair(reactor) for _ in range(5)]
    ports = [each.port for each in [pair, *others]]
    assert all(port % 2 == 0 for port in ports)
    assert len(set(ports)) == 6
    for each in others:
        await each.close()


@pytest.mark.parametrize("odd", [0, 1])
async def test_portsThatAreTaken(odd: int) -> None:
    free = DatagramPair(reactor)
    port = free.port
    await free.close()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("", port + odd))
    with pytest.raises(PortsTaken, match=f"^UDP ports {port} and {port + 1} are not both free$"):
        DatagramPair(reactor, port=port)
    other.close()
    # and nothing was kept
    again = DatagramPair(reactor, port=port)
    assert again.port == port
    await again.close()


async def test_noPortToBeHad(monkeypatch: pytest.MonkeyPatch) -> None:
    from mediasrv.rtp import datagrams

    monkeypatch.setattr(datagrams, "_bind", lambda family, port: None)
    with pytest.raises(PortsTaken, match="no two UDP ports are free"):
        DatagramPair(reactor)


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
