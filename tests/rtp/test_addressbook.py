"""Whose datagrams come in."""

from __future__ import annotations

import errno
import sys

import pytest
from sending import burst
from udprig import HERE, Client, connected, muxed, passed, refuse, report, send

from mediasrv.rtp.datagrams import DatagramPair


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
    assert not pair.addresses


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
    assert not pair.addresses._byMedia
    assert not pair.addresses._byControl


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
    assert not pair.addresses._byControl
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
