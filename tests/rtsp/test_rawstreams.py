"""Transport streams without RTP: MP2T/H2221/UDP (requirement SET-4)."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from rtsprig import FILM, SOUND, TCP, UDP, Client, Rig, rangeOf, tsPackets

from mediasrv.rtsp.messages import Response

STREAM, RADIO = "rtsp://server/movies/stream.ts", "rtsp://server/movies/radio.ts"
RAW = "MP2T/H2221/UDP;unicast;client_port={}-{}"

pytestmark = pytest.mark.requirement("SET-4")


def sent(rig: Rig, port: int = 6000) -> bytes:
    return b"".join(rig.datagrams("rtp", port))


def play(client: Client, wanted: str | None = None) -> Response:
    answer = client.ask("PLAY", STREAM, Range=wanted)
    assert answer.code == 200
    return answer


def first(data: bytes) -> int:
    """The number of the first packet."""
    return int.from_bytes(data[1:5], "big")


def testTheStreamItself(client: Client, rig: Rig) -> None:
    """Seven packets in a datagram, paced, no RTP, no RTCP, nothing left out."""
    answer = client.setUp(STREAM, RAW.format(6000, 6001))
    assert re.fullmatch(
        rf"MP2T/H2221/UDP;unicast;client_port=6000-6001;server_port={rig.port}-{rig.port + 1}",
        answer.headers.get("Transport", ""),
    )
    reply = play(client)
    assert "RTP-Info" not in reply.headers
    assert rangeOf(reply) == (0.0, 10.0)
    rig.wait(5.0)
    assert 4.9 < len(sent(rig)) / (25 * 14 * 188) < 5.7
    rig.wait(6.0)
    assert sent(rig) == tsPackets(0, 250 * 14)
    assert {len(data) for data in rig.datagrams("rtp", 6000)} == {7 * 188}
    assert {(kind, address) for kind, _, address in rig.sent} == {("rtp", ("192.0.2.7", 6000))}
    assert client.ask("GET_PARAMETER", STREAM, body=b"state\r\n").body == b"state: paused\r\n"
    (session,) = rig.registry
    assert (session.packetsSent, session.octetsSent) == (500, 250 * 14 * 188)
    assert session.transport.startswith("MP2T/H2221/UDP;unicast;client_port=6000-6001")
    assert session.tracks == ["video mpegts"]


@pytest.mark.parametrize("offload", [True, False])
def testSeekAndPause(client: Client, rig: Rig, offload: bool) -> None:
    """As everything else: from a place to start at, and on without a gap."""
    rig._pairFor(False).offload = offload  # type: ignore[union-attr]  # it is there
    client.setUp(STREAM, RAW.format(6000, 6001))
    assert rangeOf(play(client, "npt=4.5-8"))[0] == 4.0
    rig.wait(1.0)
    assert client.ask("PAUSE", STREAM).code == 200
    count = len(sent(rig))
    rig.wait(1.0)
    assert len(sent(rig)) == count
    play(client)
    rig.wait(8.0)
    assert sent(rig) == tsPackets(100 * 14, 150 * 14)
    rig.sent.clear()
    play(client, "npt=2-3")
    rig.wait(2.0)
    assert sent(rig) == tsPackets(50 * 14, 25 * 14)
    numbers = [first(data) for data in rig.datagrams("rtp", 6000)]
    assert {later - sooner for sooner, later in pairwise(numbers)} == {7}
    assert client.ask("TEARDOWN", STREAM).code == 200


@pytest.mark.parametrize(
    "offer",
    ["MP2T/H2221;unicast;client_port=6000", "mp2t/h2221/udp;client_port=6000", "RAW/RAW/UDP;unicast;client_port=6000"],
)
def testOffers(client: Client, rig: Rig, offer: str) -> None:
    answer = client.setUp(STREAM, offer).headers.get("Transport", "")
    assert answer.startswith(("MP2T/H2221/UDP;unicast;", "RAW/RAW/UDP;unicast;"))
    play(client)
    rig.wait(0.2)
    assert first(sent(rig)) == 0


def testOnePortOnly(client: Client, rig: Rig) -> None:
    """Nothing is said of RTCP, of which there is none."""
    answer = client.setUp(STREAM, RAW.format(6000, 6000)).headers.get("Transport", "")
    assert "client_port=6000-6000" in answer
    assert "mux" not in answer


ORDERS = [
    (STREAM, f"{UDP.format(6000, 6001)}, {RAW.format(6000, 6001)}", "MP2T"),  # of several tracks none is meant
    (STREAM, f"{RAW.format(6000, 6001)}, {UDP.format(6000, 6001)}", "MP2T"),
    (STREAM, f"{RAW.format(0, 1)}, {RAW.format(6000, 6001)}", "MP2T"),
    (RADIO, f"{UDP.format(6000, 6001)}, {RAW.format(6000, 6001)}", "RTP/AVP"),
    (RADIO, f"{RAW.format(6000, 6001)}, {UDP.format(6000, 6001)}", "MP2T"),
    (SOUND, f"{RAW.format(6000, 6001)}, {UDP.format(6000, 6001)}", "RTP/AVP"),
    (f"{STREAM}/trackID=0", f"{RAW.format(6000, 6001)}, {TCP.format(0, 1)}", "RTP/AVP/TCP"),
]


@pytest.mark.parametrize(("url", "offer", "chosen"), ORDERS)
@pytest.mark.requirement("SET-3", "SET-9")
def testOrders(client: Client, url: str, offer: str, chosen: str) -> None:
    assert client.setUp(url, offer).headers.get("Transport", "").startswith(f"{chosen}")


REFUSED = [
    (FILM, RAW.format(6000, 6001), 461),  # no transport stream
    (SOUND, RAW.format(6000, 6001), 461),
    (f"{STREAM}/trackID=0", RAW.format(6000, 6001), 461),
    (STREAM, "MP2T/H2221/TCP;unicast;interleaved=0-1", 459),
    (STREAM, "MP2T/H2221/UDP;multicast", 461),
    (STREAM, "MP2T/H2221/UDP;unicast", 461),
    (STREAM, "MP2T/H2221/UDP;unicast;client_port=0", 459),
    (STREAM, "MP2T/AVP/UDP;unicast;client_port=6000", 459),
    (STREAM, RAW.format(6000, 6001) + ";mode=record", 405),
    (STREAM, UDP.format(6000, 6001), 459),
    ("rtsp://server/movies/nothing.ts", RAW.format(6000, 6001), 404),
]


@pytest.mark.parametrize(("url", "offer", "code"), REFUSED)
@pytest.mark.requirement("SET-3", "SET-16")
def testRefused(client: Client, rig: Rig, url: str, offer: str, code: int) -> None:
    assert client.setUp(url, offer).code == code
    assert len(rig.registry) == 0
    assert client.setUp(STREAM, RAW.format(6000, 6001)).code == 200


@pytest.mark.requirement("SET-10", "SET-2")
def testAgain(client: Client, rig: Rig) -> None:
    """To other ports, but not over RTP, nor its tracks."""
    client.setUp(STREAM, RAW.format(6000, 6001))
    play(client, "npt=0-2")
    rig.wait(3.0)
    assert client.setUp(STREAM, UDP.format(6000, 6001)).code == 461
    assert client.setUp(f"{STREAM}/trackID=1", UDP.format(6000, 6001)).code == 404
    assert client.setUp(STREAM, RAW.format(7000, 7001)).code == 200
    play(client)
    rig.wait(9.0)
    assert sent(rig) + sent(rig, 7000) == tsPackets(0, 250 * 14)


@pytest.mark.requirement("SET-14")
def testSmallerDatagrams(client: Client, rig: Rig) -> None:
    client.setUp(STREAM, RAW.format(6000, 6001), Blocksize="600")
    play(client)
    rig.wait(1.0)
    assert {len(data) for data in rig.datagrams("rtp", 6000)} == {3 * 188, 2 * 188}


@pytest.mark.requirement("SET-18", "TMO-3")
def testPunches(client: Client, rig: Rig) -> None:
    """They open a way through a NAT here too; what looks like RTCP is nothing else."""
    client.setUp(STREAM, RAW.format(6000, 6001))
    rig.receive("rtp", b"\x80\xc9\0\1\0\0\0\1", ("192.0.2.7", 9000))
    rig.receive("rtcp", b"\x80\xc9\0\1\0\0\0\1", ("192.0.2.7", 6001))
    play(client)
    rig.wait(0.2)
    assert first(sent(rig, 9000)) == 0
    assert sent(rig) == b""
