"""SETUP: choosing a transport (requirements SET, SEC-9, SEC-10, SEC-18)."""

from __future__ import annotations

import re

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig, gaps

from mediasrv.registry import Registry
from mediasrv.rtp.packets import isRTCP, parsePacket
from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound, parseCompound
from mediasrv.rtsp.transport import TransportSpec, parseTransports


def chosen(client: Client, url: str, transport: str) -> TransportSpec:
    answer = client.setUp(url, transport)
    assert answer.code == 200
    specs = parseTransports(answer.headers.get("Transport", ""))
    assert len(specs) == 1  # SET-3: FFmpeg wants exactly one
    return specs[0]


@pytest.mark.requirement("SET-1", "SET-6", "SET-12", "RTP-8")
def testUDP(client: Client, rig: Rig) -> None:
    """SET-1, SET-6, SET-12, RTP-8: all that a client needs to know, and the SSRC that the packets have."""
    answer = client.setUp(VIDEO, UDP.format(5000, 5001))
    match = re.fullmatch(
        r"RTP/AVP;unicast;client_port=5000-5001;server_port=(\d+)-(\d+);ssrc=([0-9A-F]{8})",
        answer.headers.get("Transport", ""),
    )
    assert match is not None
    assert int(match[1]) % 2 == 0
    assert int(match[2]) == int(match[1]) + 1
    assert re.fullmatch(r"[A-Za-z0-9]{16};timeout=60", answer.headers.get("Session", ""))
    client.play()
    rig.wait(0.5)
    packets = [parsePacket(data) for data in rig.datagrams("rtp", 5000)]
    assert packets
    assert {packet.ssrc for packet in packets} == {int(match[3], 16)}
    assert {address[0] for _, _, address in rig.sent} == {"192.0.2.7"}
    assert rig.datagrams("rtcp", 5001)
    assert client.frames(0) == []


@pytest.mark.requirement("RTP-8", "SET-2")
def testOwnNumbersForEachTrack(client: Client) -> None:
    """RTP-8: SSRCs differ; both tracks are in one session (SET-2)."""
    first = chosen(client, VIDEO, TCP.format(0, 1))
    session = client.session
    second = chosen(client, AUDIO, TCP.format(2, 3))
    assert client.session == session
    assert first.ssrc != second.ssrc


ACCEPTED = [
    ("RTP/AVP/UDP;unicast;client_port=6000-6001", "UDP", (6000, 6001)),
    ("RTP/AVP;client_port=6000", "UDP", (6000, 6001)),
    ("rtp/avp/udp;UNICAST;CLIENT_PORT=6000-6001", "UDP", (6000, 6001)),
    ("RTP/AVPF;unicast;client_port=6000-6001", "UDP", (6000, 6001)),
    ('RTP/AVP;unicast;client_port=6000-6001;mode="PLAY"', "UDP", (6000, 6001)),
    ("RTP/AVP;unicast;client_port=6000-6001;mode=play;x-late=3;ssrc=ZZ", "UDP", (6000, 6001)),
    ("RTP/FOO, RTP/AVP;unicast;client_port=99999, RTP/AVP/TCP;unicast;interleaved=4-5", "TCP", (4, 5)),
    ("RTP/AVP;multicast, RTP/AVP;unicast;client_port=6000-6001", "UDP", (6000, 6001)),
    ("RTP/SAVP;unicast;client_port=6000-6001,RTP/AVP/TCP;unicast", "TCP", (0, 1)),
    ("RTP/AVP/TCP;unicast;interleaved=200-201", "TCP", (200, 201)),
    ("RTP/AVP/TCP;unicast;interleaved=254", "TCP", (254, 255)),
    ("RTP/AVP/TCP;interleaved=7", "TCP", (7, 8)),
]


@pytest.mark.requirement("SET-3", "SET-4", "SET-5", "SET-7", "SET-8")
@pytest.mark.parametrize(("offer", "lower", "numbers"), ACCEPTED)
def testAccepted(client: Client, offer: str, lower: str, numbers: tuple[int, int]) -> None:
    """SET-3, SET-4, SET-5, SET-7, SET-8."""
    spec = chosen(client, VIDEO, offer)
    assert spec.lower == lower
    assert (spec.clientPort or spec.interleaved) == numbers


REFUSED = [
    (None, 461),
    ("", 400),
    (";", 400),
    ("RTP/FOO", 461),
    ("RTP/AVP;multicast", 461),
    ("RTP/AVP;multicast;destination=224.1.1.1;port=5000-5001;ttl=999", 461),
    ("RTP/AVP;unicast", 461),
    ("RTP/AVP;unicast;client_port=0-1", 461),
    ("RTP/AVP;unicast;client_port=0-0", 461),
    ("RTP/AVP;unicast;client_port=65535-65536", 461),
    ("RTP/AVP;unicast;client_port=99999", 461),
    ("RTP/AVP;unicast;client_port=70000-1", 461),
    ("RTP/AVP;unicast;client_port=6001-6000", 461),
    ("RTP/AVP;unicast;client_port=-1", 461),
    ("RTP/AVP;unicast;client_port=abc", 461),
    ("RTP/AVP/TCP;unicast;interleaved=256-257", 461),
    ("RTP/AVP/TCP;unicast;interleaved=-1", 461),
    ("RTP/AVP/TCP;unicast;interleaved=0-0", 461),
    ("RTP/AVP/TCP;unicast;interleaved=255", 461),
    ("MP2T/H2221/UDP;unicast;client_port=6000-6001", 461),
    ('RTP/AVP/TCP;unicast;interleaved=0-1;mode="RECORD"', 405),
    ("RTP/AVP/TCP;unicast;interleaved=0-1;mode=nothing", 461),
    (", ".join(["RTP/FOO"] * 300), 461),
    ("RTP/AVP;unicast;x=" + "y" * 10000, 461),
    ("RTP/AVP;unicast;client_port=6000-6001;layers=99999", 461),
]


@pytest.mark.requirement("SET-3", "SET-16", "SEC-9", "PLY-14", "COD-405", "COD-461")
@pytest.mark.parametrize(("offer", "code"), REFUSED)
def testRefused(client: Client, rig: Rig, offer: str | None, code: int) -> None:
    """SET-3, SET-15, SET-16, SEC-9: 461, so that the client tries another; no session is left behind."""
    answer = client.ask("SETUP", VIDEO, Transport=offer)
    assert answer.code == code
    assert "Session" not in answer.headers
    assert len(rig.registry) == 0
    assert ("Allow" in answer.headers) == (code == 405)


@pytest.mark.requirement("SET-12", "SEC-9", "SEC-10")
@pytest.mark.parametrize("victim", ["203.0.113.9", "255.255.255.255", "239.1.1.1", "victim.example", "[fe80::1]"])
def testDestinationIsTheClientItself(client: Client, rig: Rig, victim: str) -> None:
    """SET-12, SEC-9, SEC-10: no media to anybody else, and the reply says where they go."""
    spec = chosen(client, VIDEO, f"RTP/AVP;unicast;destination={victim};source={victim};client_port=5000-5001")
    assert spec.destination == "192.0.2.7"
    client.play()
    rig.wait(0.2)
    assert rig.sent
    assert {address[0] for _, _, address in rig.sent} == {"192.0.2.7"}


@pytest.mark.requirement("SET-7")
def testChannelsAreNeverShared(client: Client, rig: Rig) -> None:
    """SET-7: taken channels are replaced by free ones; no offer gets the next free ones."""
    assert chosen(client, VIDEO, TCP.format(2, 3)).interleaved == (2, 3)
    assert chosen(client, AUDIO, TCP.format(3, 4)).interleaved == (0, 1)
    client.session = ""
    assert chosen(client, SOUND + "/trackID=0", "RTP/AVP/TCP;unicast").interleaved == (4, 5)


@pytest.mark.requirement("SET-17")
def testAllChannelsTaken(rig: Rig) -> None:
    """SET-17: 461 when there is no free pair; another connection has its own."""
    client = rig.connect()
    for number in range(128):
        client.session = ""
        assert chosen(client, SOUND, "RTP/AVP/TCP;unicast").interleaved == (2 * number, 2 * number + 1)
    assert client.ask("SETUP", SOUND, Transport="RTP/AVP/TCP;unicast", Session=None).code == 461
    assert len(rig.registry) == 128
    assert chosen(rig.connect(), SOUND, "RTP/AVP/TCP;unicast").interleaved == (0, 1)


MUXED = [
    # as live555 asks where the description has a=rtcp-mux
    ("RTP/AVP;unicast;client_port=5000-5000", "RTP/AVP;unicast;RTCP-mux;client_port=5000-5000;server_port={0}-{0}"),
    (
        "RTP/AVP;unicast;RTCP-mux;client_port=5000-5001",
        "RTP/AVP;unicast;RTCP-mux;client_port=5000-5000;server_port={0}-{0}",
    ),
    ("RTP/AVP/TCP;unicast;interleaved=4-4;RTCP-mux", "RTP/AVP/TCP;unicast;RTCP-mux;interleaved=4-4"),
    ("RTP/AVP/TCP;unicast;RTCP-mux", "RTP/AVP/TCP;unicast;RTCP-mux;interleaved=0-0"),
]


@pytest.mark.parametrize(("offer", "reply"), MUXED)
@pytest.mark.requirement("RTCP-9")
def testOnePortForBoth(client: Client, rig: Rig, offer: str, reply: str) -> None:
    """The reply says so; RTP and RTCP come by one way, and what the client says there is heard."""
    answer = client.setUp(VIDEO, offer)
    said, _, ssrc = (answer.headers.get("Transport") or "").rpartition(";ssrc=")
    assert said == reply.format(rig.port)
    client.play()
    rig.wait(0.5)
    datagrams = [data for kind, data, address in rig.sent if kind == "rtp" and address == ("192.0.2.7", 5000)]
    assert len(datagrams) == len(rig.sent)
    came = client.frames(int(reply[-1])) if "/TCP" in reply else datagrams
    reports = [parseCompound(data) for data in came if isRTCP(data)]
    assert len(reports) == 1
    sequences = [parsePacket(data).sequence for data in came if not isRTCP(data)]
    assert len(sequences) > 10
    assert set(gaps(sequences)) == {1}
    answer = packCompound([ReceiverReport(1, [ReportBlock(int(ssrc, 16), 64, 7)]), SourceDescription.named(1, "c")])
    if "/TCP" in reply:
        client.write(b"$" + bytes((int(reply[-1]),)) + len(answer).to_bytes(2, "big") + answer)
    else:
        rig.receive("rtp", answer, ("192.0.2.7", 5000))
    assert next(iter(rig.registry)).packetsLost == 7


@pytest.mark.requirement("RTCP-9", "SET-10", "SET-7")
def testFromOneChannelToTwo(client: Client) -> None:
    """And back, and beside others: no channel is used twice."""
    mux = "RTP/AVP/TCP;unicast;RTCP-mux"
    assert chosen(client, VIDEO, mux + ";interleaved=1-1").interleaved == (1, 1)
    assert chosen(client, AUDIO, TCP.format(1, 2)).interleaved == (2, 3)
    assert chosen(client, AUDIO, mux + ";interleaved=1-1").interleaved == (4, 4)
    assert chosen(client, VIDEO, mux).interleaved == (1, 1)
    assert chosen(client, VIDEO, "RTP/AVP/TCP;unicast").interleaved == (2, 3)
    assert chosen(client, VIDEO, mux).interleaved == (0, 0)


URLS = [
    (FILM, 459),
    (FILM + "/", 459),
    (f"{FILM}/trackID=2", 404),
    (f"{FILM}/trackID=9999", 404),
    (f"{FILM}/streamid=0", 404),
    ("rtsp://server/movies/nothing.mkv/trackID=0", 404),
    ("rtsp://server/movies/broken.mkv/trackID=0", 415),
    ("rtsp://server/movies/secret.mkv/trackID=0", 403),
    ("rtsp://server/", 404),
    ("rtsp://server", 404),
    ("rtsp://server/trackID=0", 404),
    (SOUND, 200),
    (SOUND + "/", 200),
    (f"{FILM}?x=1/trackID=1", 200),
    (f"{FILM}/trackID=1?x=1", 200),
    (f"{FILM}//trackID=1", 200),
]


@pytest.mark.requirement("SET-9", "Q-2", "SYN-6", "COD-459")
@pytest.mark.parametrize(("url", "code"), URLS)
def testURLs(client: Client, rig: Rig, url: str, code: int) -> None:
    """SET-9, Q-2, SYN-6: several tracks need one named; the only track needs none."""
    assert client.setUp(url, TCP.format(0, 1)).code == code
    assert len(rig.registry) == (code == 200)


@pytest.mark.requirement("SET-2", "COD-459")
def testAnotherPresentationInASession(client: Client) -> None:
    """SET-2: 459; the session is what it was."""
    client.setUp(VIDEO, TCP.format(0, 1))
    assert client.setUp(SOUND, TCP.format(2, 3)).code == 459
    assert client.ask("PLAY").code == 200


@pytest.mark.requirement("SET-2", "SEC-8", "COD-454")
@pytest.mark.parametrize("session", ["unknown", "", "x" * 10000, "null", "a,b", "a b"])
def testUnknownSession(client: Client, rig: Rig, session: str) -> None:
    """SET-2, SEC-8."""
    assert client.ask("SETUP", VIDEO, Transport=TCP.format(0, 1), Session=session).code == 454
    assert len(rig.registry) == 0


@pytest.mark.requirement("SET-10", "COD-455")
def testAgainWithAnotherTransport(client: Client, rig: Rig) -> None:
    """SET-10: in Ready it replaces the transport; SSRC and numbers go on; 455 while playing, which goes on."""
    before = chosen(client, VIDEO, UDP.format(5000, 5001))
    client.play()
    rig.wait(0.5)
    answer = client.setUp(VIDEO, TCP.format(0, 1))
    assert answer.code == 455
    assert "PAUSE" in answer.headers.get("Allow", "")
    client.ask("PAUSE")
    sent = len(rig.datagrams("rtp", 5000))
    assert chosen(client, VIDEO, TCP.format(0, 1)).ssrc == before.ssrc
    client.play()
    rig.wait(0.5)
    assert len(rig.datagrams("rtp", 5000)) == sent
    packets = [parsePacket(data) for data in rig.datagrams("rtp", 5000)] + client.packets(0)
    assert len(packets) > sent
    assert set(gaps([packet.sequence for packet in packets])) == {1}
    # and back: the session is no more bound to the connection
    client.ask("PAUSE")
    chosen(client, VIDEO, UDP.format(6000, 6001))
    client.transport.lose()
    other = rig.connect()
    assert other.ask("PLAY", Session=client.session).code == 200
    rig.wait(0.5)
    assert rig.datagrams("rtp", 6000)


@pytest.mark.requirement("SET-10", "RTCP-6")
def testAgainOnTheSamePorts(client: Client, rig: Rig) -> None:
    """SET-10: the ports are released for the same client, and its reports, from whatever port, still count (RTCP-6)."""
    for _ in range(3):
        spec = chosen(client, VIDEO, UDP.format(5000, 5001))
    client.play()
    assert spec.ssrc is not None
    rig.receive("rtcp", packCompound([ReceiverReport(1, [ReportBlock(spec.ssrc, 64, 7)]),
                                      SourceDescription.named(1, "c")]), ("192.0.2.7", 7777))  # fmt: skip
    session = next(iter(rig.registry))
    assert session.packetsLost == 7
    assert session.fractionLost == 0.25


@pytest.mark.requirement("SET-11", "Q-1")
def testWithoutSessionOnTheSameConnection(client: Client, rig: Rig) -> None:
    """SET-11: FFmpeg falls back to TCP so: a new session; the old one times out."""
    client.setUpFilm(udp=5000)
    old, client.session = client.session, ""
    client.setUpFilm()
    assert client.session != old
    client.play()
    for _ in range(7):
        rig.wait(10.0, step=1.0)
        assert client.ask("GET_PARAMETER").code == 200
    assert [session.id for session in rig.registry] == [client.session]


@pytest.mark.requirement("SET-13", "COD-412")
@pytest.mark.parametrize(("value", "code"), [("*", 200), ("other", 412), ('"other"', 412), ("{}", 200), ("a, {}", 200)])
def testIfMatch(client: Client, rig: Rig, value: str, code: int) -> None:
    """SET-13."""
    value = value.format(rig.library.film.version.etag)
    assert client.setUp(VIDEO, TCP.format(0, 1), If_Match=value).code == code


@pytest.mark.requirement("SET-14")
@pytest.mark.parametrize(
    ("value", "largest"), [("500", 500), ("100000", 1400), ("1" * 20, 1400), ("1400", 1400), ("1", 320)]
)
def testBlocksize(client: Client, rig: Rig, value: str, largest: int) -> None:
    """SET-14: no payload is larger than asked, within reason; pictures stay whole."""
    assert client.setUp(VIDEO, TCP.format(0, 1), Blocksize=value).code == 200
    client.play()
    rig.wait(0.5)
    sizes = [len(packet.payload) for packet in client.packets(0)]
    assert max(sizes) <= largest
    assert max(sizes) > largest // 2
    assert client.pictures() == list(range(len(client.pictures())))


@pytest.mark.requirement("SET-14", "COD-416")
@pytest.mark.parametrize("value", ["0", "-1", "abc", "1e3", "", "1" * 30])
def testBadBlocksize(client: Client, rig: Rig, value: str) -> None:
    """SET-14: 416, and no session; nor does it harm one that there is."""
    assert client.setUp(VIDEO, TCP.format(0, 1), Blocksize=value).code == 416
    assert len(rig.registry) == 0
    client.setUp(VIDEO, TCP.format(0, 1))
    assert client.setUp(AUDIO, TCP.format(2, 3), Blocksize=value).code == 416
    assert client.ask("PLAY").code == 200


@pytest.mark.requirement("SET-17", "SEC-18", "COD-503")
def testTooManySessions() -> None:
    """SET-17, SEC-18: 503 with Retry-After, for the address that has too many; the others are served; it recovers."""
    rig = Rig(registry=Registry(limit=5, limitPerPeer=3))
    client = rig.connect("192.0.2.1")
    sessions = []
    for number in range(5):
        answer = client.ask("SETUP", SOUND, Transport=UDP.format(5000 + 2 * number, 5001 + 2 * number))
        assert answer.code == (200 if number < 3 else 503)
        assert ("Retry-After" in answer.headers) == (number >= 3)
        sessions.append(answer.headers.get("Session", ""))
    other = rig.connect("192.0.2.2")
    assert other.setUp(SOUND, TCP.format(0, 1)).code == 200
    assert client.ask("TEARDOWN", SOUND, Session=sessions[0]).code == 200
    assert client.setUp(SOUND, TCP.format(0, 1)).code == 200


@pytest.mark.requirement("SEC-18", "TDN-2")
def testManySetupsAndTeardowns(client: Client, rig: Rig) -> None:
    """SEC-18, TDN-2: nothing is left of a thousand sessions."""
    for _ in range(1000):
        client.session = ""
        client.setUp(SOUND, UDP.format(5000, 5001))
        assert client.ask("TEARDOWN", SOUND).code == 200
    assert len(rig.registry) == 0
    assert len(rig.clock.getDelayedCalls()) == 1  # the look-out for silent clients


@pytest.mark.requirement("SET-18")
@pytest.mark.parametrize("data", [b"", b"\0" * 4, b"\xce\xfa\xed\xfe", bytes(12), b"\x80" * 200])
def testPunchPackets(client: Client, rig: Rig, data: bytes) -> None:
    """SET-18: from another port of the same host it moves the track that was not heard of yet; from elsewhere never."""
    client.setUpFilm(udp=5000)
    rig.receive("rtp", data, ("203.0.113.9", 9000))
    rig.receive("rtp", data, ("192.0.2.7", 5002))  # as announced
    rig.receive("rtp", data, ("192.0.2.7", 9000))
    rig.receive("rtp", data, ("192.0.2.7", 9500))  # nobody is left whom this could be
    client.play()
    rig.wait(0.5)
    assert {address for kind, _, address in rig.sent if kind == "rtp"} == {("192.0.2.7", 9000), ("192.0.2.7", 5002)}


@pytest.mark.requirement("SEC-10")
def testTwoClientsThatClaimOnePort(rig: Rig) -> None:
    """SEC-10: two sessions of one host with the same port; what comes from there later breaks nothing."""
    first, second = rig.connect(), rig.connect()
    first.setUp(VIDEO, UDP.format(5000, 5001))
    second.setUp(VIDEO, UDP.format(5000, 5001))
    second.ask("TEARDOWN")
    rig.receive("rtp", b"", ("192.0.2.7", 9000))
    first.play()
    rig.wait(0.2)
    assert rig.datagrams("rtp", 9000)


@pytest.mark.requirement("SET-17")
def testClientsWithoutIPv6Ports(rig: Rig) -> None:
    """SET-17: no UDP for a client that no port reaches: 461, so that it tries TCP; an IPv4 address in IPv6 is IPv4."""
    client = rig.connect("2001:db8::7")
    assert client.setUp(VIDEO, UDP.format(5000, 5001)).code == 461
    assert client.setUp(VIDEO, TCP.format(0, 1)).code == 200
    mapped = rig.connect("::ffff:192.0.2.9")
    assert mapped.setUp(VIDEO, UDP.format(5000, 5001)).code == 200
    mapped.play()
    assert {address[0] for _, _, address in rig.sent} == {"192.0.2.9"}
