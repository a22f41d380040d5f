"""Multicast: SETUP, PLAY and PAUSE where one player is for many (requirement SET-15)."""

from __future__ import annotations

import re

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig, gaps, numberOf, rangeOf, reports, rtpInfo, said

from mediasrv.rtp.packets import parsePacket
from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound, parseCompound
from mediasrv.rtsp.transport import TransportSpec, parseTransports

MULTICAST = "RTP/AVP;multicast"
GROUP = "239.255.42.{}"

pytestmark = pytest.mark.requirement("SET-15")


@pytest.fixture
def rig() -> Rig:
    return Rig(groups="239.255.42.0/29")


def chosen(client: Client, url: str = VIDEO, offer: str = MULTICAST, **headers: str) -> TransportSpec:
    answer = client.setUp(url, offer, **headers)
    assert answer.code == 200
    specs = parseTransports(answer.headers.get("Transport", ""))
    assert len(specs) == 1
    return specs[0]


def listener(rig: Rig, host: str = "192.0.2.7", *urls: str) -> Client:
    """A client that has set up the film, or some tracks of it."""
    client = rig.connect(host)
    for url in urls or (VIDEO, AUDIO):
        assert client.setUp(url, MULTICAST).code == 200
    return client


def sent(rig: Rig, kind: str = "rtp", port: int = 5004) -> list[bytes]:
    return rig.datagrams(kind, port)


def pictures(rig: Rig) -> list[int]:
    """Numbers of the pictures that went to the first group."""
    numbers = (numberOf(parsePacket(data).payload) for data in sent(rig))
    return [number for number in numbers if number is not None]


def isGone(rig: Rig, port: int = 5004) -> bool:
    """Whether BYE was said to a group."""
    return said([packet for data in sent(rig, "rtcp", port + 1) for packet in parseCompound(data)])


def report(ssrc: int | None, lost: int = 64) -> bytes:
    return packCompound([ReceiverReport(9, [ReportBlock(ssrc or 0, lost)]), SourceDescription.named(9, "listener")])


# SETUP


def testTheServerChooses(client: Client, rig: Rig) -> None:
    """Address, even port and time to live, whatever the client thinks of; ffmpeg and GStreamer need all of them."""
    answer = client.setUp(VIDEO, "RTP/AVP;multicast;destination=224.1.1.1;port=7000-7001;ttl=200;layers=3")
    assert re.fullmatch(
        r"RTP/AVP;multicast;destination=239\.255\.42\.0;port=5004-5005;ttl=3;ssrc=[0-9A-F]{8}",
        answer.headers.get("Transport", ""),
    )
    client.play()
    rig.wait(0.5)
    assert {address for _, _, address in rig.sent} == {(GROUP.format(0), 5004), (GROUP.format(0), 5005)}
    assert {parsePacket(data).ssrc for data in sent(rig)} == {parseTransports(answer.headers.get("Transport"))[0].ssrc}


def testAGroupForEachTrack(client: Client) -> None:
    """Nobody gets what he did not set up; not even on a system that looks at the port alone."""
    first, second = chosen(client, VIDEO), chosen(client, AUDIO)
    assert (first.destination, first.port) == (GROUP.format(0), (5004, 5005))
    assert (second.destination, second.port) == (GROUP.format(1), (5006, 5007))
    assert first.ssrc != second.ssrc


def testAllHaveTheSameGroup(rig: Rig) -> None:
    specs = [chosen(rig.connect(f"192.0.2.{number}")) for number in range(1, 100)]
    assert len({(spec.destination, spec.port, spec.ssrc) for spec in specs}) == 1
    assert chosen(rig.connect(), SOUND).destination != specs[0].destination


def testSetUpAgain(client: Client) -> None:
    """SET-10: it is what it was."""
    assert chosen(client) == chosen(client)
    client.play()


OFFERS = [
    "RTP/AVP/UDP;multicast",
    "rtp/avp;MULTICAST",
    "RTP/AVPF;multicast",
    "RTP/AVP",  # RFC 2326 section 12.39: the default is multicast
    "RTP/AVP;multicast;client_port=6000-6001",
    "RTP/FOO;multicast, RTP/AVP;multicast;ttl=999, RTP/AVP;multicast;mode=PLAY;x-late=3",
    "RTP/AVP;multicast, RTP/AVP;unicast;client_port=6000-6001",
]


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.requirement("SET-3", "SET-5")
def testOffers(client: Client, offer: str) -> None:
    assert chosen(client, VIDEO, offer).unicast is False


@pytest.mark.requirement("SET-3")
def testTheOthersIfTheyComeFirst(client: Client) -> None:
    assert chosen(client, VIDEO, "RTP/AVP;unicast;client_port=6000-6001, RTP/AVP;multicast").clientPort == (6000, 6001)
    assert chosen(client, AUDIO, "RTP/AVP/TCP;unicast;interleaved=8-9, RTP/AVP;multicast").interleaved == (8, 9)
    assert chosen(client, AUDIO, "RTP/AVP;client_port=6002-6003").clientPort == (6002, 6003)


@pytest.mark.parametrize(
    "offer", ["RTP/AVP/TCP;multicast", "RTP/AVP;multicast;port=99999", "RTP/AVP;multicast;layers=0", "RTP/AVP/SCTP"]
)
def testJunk(client: Client, rig: Rig, offer: str) -> None:
    """SEC-9: the connection goes on, and nothing is taken."""
    assert client.setUp(VIDEO, offer).code == 461
    assert (rig.groupPorts, len(rig.registry)) == (0, 0)
    assert chosen(client).destination == GROUP.format(0)


@pytest.mark.parametrize("offer", [MULTICAST, "RTP/AVP"])
def testOffByDefault(offer: str) -> None:
    rig = Rig()
    assert rig.connect().setUp(VIDEO, offer).code == 461
    assert rig.connect().setUp(VIDEO, offer + ", RTP/AVP/TCP;unicast").code == 200


def testAClientOnIPv6(rig: Rig) -> None:
    """The groups are those of IPv4: it takes another alternative."""
    assert chosen(rig.connect("2001:db8::7"), VIDEO, MULTICAST + ", RTP/AVP/TCP;unicast").lower == "TCP"


def testAllTracksOrNone(rig: Rig) -> None:
    """The player is a session's own or everybody's."""
    client = listener(rig, "192.0.2.7", VIDEO)
    assert client.setUp(AUDIO, UDP.format(6000, 6001)).code == 461
    assert client.setUp(VIDEO, TCP.format(0, 1)).code == 461
    assert chosen(client, AUDIO, TCP.format(0, 1) + ", " + MULTICAST).destination == GROUP.format(1)
    other = rig.connect()
    assert other.setUp(VIDEO, TCP.format(0, 1)).code == 200
    assert other.setUp(AUDIO, MULTICAST).code == 461


@pytest.mark.requirement("SET-17", "SET-3")
def testGroupsRunOut() -> None:
    """461, so that the client goes on to its next alternative; who is there is not touched, and may come again."""
    rig = Rig(groups="239.255.42.0/31")
    first = listener(rig)
    other = rig.connect()
    assert other.setUp(SOUND, MULTICAST).code == 461
    assert other.setUp(SOUND, MULTICAST + ", RTP/AVP;unicast;client_port=6000-6001").code == 200
    assert listener(rig).session
    assert first.ask("TEARDOWN").code == 200
    assert rig.connect().setUp(SOUND, MULTICAST).code == 461
    for session in rig.registry:
        session.end("enough")
    assert rig.groupPorts == 0
    assert rig.connect().setUp(SOUND, MULTICAST).code == 200


def testNotForOneTrackOnly() -> None:
    """A client that had one of two tracks could not play: FFmpeg gives up if a later track is refused (Q-1)."""
    rig = Rig(groups="239.255.42.0/32")
    assert rig.connect().setUp(VIDEO, MULTICAST).code == 461
    assert rig.connect().setUp(SOUND, MULTICAST).code == 200


@pytest.mark.requirement("SET-14")
def testBlocksize(rig: Rig) -> None:
    """Who wants smaller packets has a broadcast of his own, or with others who want the same."""
    specs = [chosen(rig.connect(), VIDEO, Blocksize=size) for size in ("640", "650", "1400")]
    assert [spec.destination for spec in specs] == [GROUP.format(0), GROUP.format(0), GROUP.format(2)]


def testNoRoomForASession() -> None:
    rig = Rig(groups="239.255.42.0/29")
    rig.registry.limit = 1
    assert rig.connect().setUp(VIDEO, MULTICAST).code == 200
    assert rig.connect().setUp(SOUND, MULTICAST).code == 503
    assert rig.groupPorts == 2


# PLAY


def testEachPacketOnce(rig: Rig) -> None:
    """Many cost what one does."""
    clients = [listener(rig, f"192.0.2.{number}") for number in range(1, 50)]
    for client in clients:
        client.play()
    rig.wait(3.0)
    assert pictures(rig) == list(range(len(pictures(rig))))
    assert 70 < len(pictures(rig)) < 90
    assert set(gaps([parsePacket(data).sequence for data in sent(rig)])) == {1}
    assert {session.packetsSent for session in rig.registry} == {len(sent(rig)) + len(sent(rig, "rtp", 5006))}


@pytest.mark.requirement("RTP-2", "RTP-3")
def testWhoComesLater(rig: Rig) -> None:
    """The reply says where it is, which packet is next and what time that is."""
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    began = rtpInfo(first.play("npt=0-"))
    rig.wait(3.0)
    count = len(sent(rig))
    answer = second.play()
    start, end = rangeOf(answer)
    assert (start, end) == (pytest.approx(3.0, abs=0.6), 10.0)
    sequence, rtpTime = rtpInfo(answer)[VIDEO]
    assert sequence == began[VIDEO][0] + count & 0xFFFF
    assert rtpTime - began[VIDEO][1] & 0xFFFFFFFF == pytest.approx(start * 90000, abs=90)
    assert rtpInfo(answer)[AUDIO][1] - began[AUDIO][1] & 0xFFFFFFFF == pytest.approx(start * 8000, abs=8)
    rig.wait(1.0)
    assert parsePacket(sent(rig)[count]).sequence == sequence
    assert set(gaps([parsePacket(data).sequence for data in sent(rig)])) == {1}


@pytest.mark.requirement("RTCP-2")
def testAReportForWhoComesLater(rig: Rig) -> None:
    """FFmpeg brings two tracks together by their reports: the next ones may be six seconds away."""
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    rig.wait(2.0)
    before = len(sent(rig, "rtcp", 5005)), len(sent(rig, "rtcp", 5007))
    for _ in range(20):
        second.play()
    assert (len(sent(rig, "rtcp", 5005)), len(sent(rig, "rtcp", 5007))) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("wanted", ["npt=0-", "npt=8-9", "npt=now-", "smpte=0:00:07-", None])
def testTheFirstOneChooses(rig: Rig, wanted: str | None) -> None:
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    assert rangeOf(first.play("npt=4-9")) == (4.0, 9.0)
    rig.wait(1.0)
    answer = second.play(wanted)
    if wanted is None or wanted.startswith("npt"):
        assert rangeOf(answer) == (pytest.approx(5.0, abs=0.6), 9.0)
    else:
        assert re.fullmatch(r"smpte=00:00:04:.*-00:00:08:.*", answer.headers.get("Range", ""))
    rig.wait(1.0)
    assert pictures(rig) == list(range(100, 100 + len(pictures(rig))))


@pytest.mark.parametrize(("wanted", "code"), [("npt=5-4", 457), ("npt=100-", 457), ("bytes=0-5", 501), ("npt=x", 400)])
@pytest.mark.requirement("PLY-3", "PLY-4")
def testARangeThatMakesNoSense(rig: Rig, wanted: str, code: int) -> None:
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    rig.wait(0.5)
    assert second.ask("PLAY", Range=wanted).code == code
    assert second.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: ready\r\n"
    assert rangeOf(second.play())[0] == pytest.approx(0.5, abs=0.6)


def testClockTime(rig: Rig) -> None:
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    rig.wait(1.0)
    assert (second.play("clock=20200913T122642Z-").headers.get("Range") or "").startswith("clock=20200913T12264")
    assert second.ask("PLAY", Range="clock=20210913T122642Z-").code == 457


def testAlone(rig: Rig) -> None:
    """Who listens alone seeks and pauses as everybody else does, with numbers that go on (RTP-4)."""
    client = listener(rig)
    listener(rig, "192.0.2.8")  # who is there and does not listen is no matter
    client.play()
    rig.wait(1.0)
    assert rangeOf(client.play("npt=6-"))[0] == 6.0
    rig.wait(1.0)
    assert client.ask("PAUSE").code == 200
    count = len(sent(rig))
    rig.wait(1.0)
    assert len(sent(rig)) == count
    answer = client.play()
    assert rangeOf(answer)[0] == pytest.approx(7.0, abs=0.6)
    rig.wait(1.0)
    assert set(gaps([parsePacket(data).sequence for data in sent(rig)])) == {1}
    assert rtpInfo(answer)[VIDEO][0] == parsePacket(sent(rig)[count]).sequence
    shown = pictures(rig)
    assert shown == [*range(shown.index(150)), *range(150, shown[-1] + 1)]


@pytest.mark.parametrize("name", ["Scale", "Speed"])
@pytest.mark.requirement("HDR-2", "HDR-3")
def testOnePaceForAll(rig: Rig, name: str) -> None:
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    for client in (first, second):
        assert client.play(**{name: "2.0"}).headers.get(name) == "1.0"
        assert client.ask("PLAY", **{name: "fast"}).code == 400
    rig.wait(1.0)
    assert 20 < len(pictures(rig)) < 45


@pytest.mark.requirement("PLY-1")
def testASignOfLife(rig: Rig) -> None:
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    for client in (first, second, first, second):
        client.play()
        rig.wait(0.2)
    assert pictures(rig) == list(range(len(pictures(rig))))


def testTwoBeginAtATime(rig: Rig) -> None:
    """The file is read for one of them; the other one comes to what he hears."""
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    rig.pool.held = True
    first.write(first.request("PLAY", Range="npt=4-"))
    second.write(second.request("PLAY", Range="npt=0-"))
    assert (first.receive(), second.receive()) == ([], [])
    rig.pool.held = False
    rig.pool.work()
    (one,), (two,) = first.receive(), second.receive()
    assert rangeOf(one) == rangeOf(two) == (4.0, 10.0)
    assert rtpInfo(one) == rtpInfo(two)
    rig.wait(1.0)
    assert pictures(rig)[:5] == [100, 101, 102, 103, 104]


@pytest.mark.parametrize("isFirst", [True, False])
def testOneOfThemGoesBeforeItBegins(rig: Rig, isFirst: bool) -> None:
    """Neither the one who waits for the disk nor the one who waits for him holds the other one up."""
    clients = [listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")]
    rig.pool.held = True
    for client in clients:
        client.write(client.request("PLAY", Range="npt=4-"))
    leaving, staying = clients if isFirst else reversed(clients)
    leaving.transport.lose()
    rig.registry.end(leaving.session, "gone")
    rig.pool.held = False
    rig.pool.work()
    (answer,) = staying.receive()
    assert rangeOf(answer) == (4.0, 10.0)
    rig.wait(0.5)
    assert pictures(rig)[:3] == [100, 101, 102]


@pytest.mark.parametrize("ending", [1, 2])
@pytest.mark.requirement("CON-3")
def testSessionsThatEndWhileTheyWait(rig: Rig, ending: int) -> None:
    clients = [listener(rig, f"192.0.2.{number}") for number in (1, 2, 3)]
    rig.pool.held = True
    for client in clients[:2]:
        client.write(client.request("PLAY"))
    for client in clients[2 - ending : 2]:
        rig.registry.end(client.session, "enough")
    rig.pool.held = False
    rig.pool.work()
    assert [client.receive()[0].code for client in clients[:2]] == [200] * (2 - ending) + [454] * ending
    assert clients[2].play()


def testOnlyWhatIsWantedLeaves(rig: Rig) -> None:
    """A track that nobody set up stays here; when somebody does, its numbers begin there."""
    first = listener(rig, "192.0.2.1", VIDEO)
    first.play()
    rig.wait(1.0)
    assert sent(rig, "rtp", 5006) == sent(rig, "rtcp", 5007) == []
    second = listener(rig, "192.0.2.2", AUDIO)
    answer = second.play()
    assert list(rtpInfo(answer)) == [AUDIO]
    rig.wait(1.0)
    sounds = [parsePacket(data) for data in sent(rig, "rtp", 5006)]
    assert sounds[0].sequence == rtpInfo(answer)[AUDIO][0]
    ahead = sounds[0].timestamp - rtpInfo(answer)[AUDIO][1] & 0xFFFFFFFF
    assert ahead <= 0.5 * 8000
    assert second.ask("TEARDOWN").code == 200
    count = len(sounds)
    rig.wait(1.0)
    assert len(sent(rig, "rtp", 5006)) <= count + 1
    assert pictures(rig) == list(range(len(pictures(rig))))


# PAUSE and the end


@pytest.mark.parametrize("how", ["PAUSE", "TEARDOWN", "vanish"])
@pytest.mark.requirement("RTCP-7")
def testOneOfTwoGoes(how: str) -> None:
    """The other one does not notice."""
    rig = Rig(groups="239.255.42.0/29", film={"duration": 200.0}, sessionTimeout=20)
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    second.play()
    rig.wait(1.0)
    if how == "vanish":
        first.transport.lose()
        for _ in range(3):
            rig.wait(10.0)
            assert second.ask("GET_PARAMETER").code == 200
        assert len(rig.registry) == 1
    else:
        assert first.ask(how).code == 200
        rig.wait(1.0)
    shown = pictures(rig)
    assert shown == list(range(len(shown)))
    rig.wait(1.0)
    assert len(pictures(rig)) == pytest.approx(len(shown) + 25, abs=2)
    assert not isGone(rig)
    if how == "PAUSE":
        assert second.ask("TEARDOWN").code == 200
        count = len(sent(rig))
        rig.wait(1.0)
        assert len(sent(rig)) == count
        assert not isGone(rig)


@pytest.mark.requirement("RTCP-7")
@pytest.mark.parametrize("how", ["TEARDOWN", "vanish"])
def testTheLastOneGoes(how: str) -> None:
    """BYE to all groups; and then they are free."""
    rig = Rig(groups="239.255.42.0/29", film={"duration": 200.0}, sessionTimeout=20)
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    rig.wait(1.0)
    assert second.ask("TEARDOWN").code == 200
    if how == "vanish":
        first.transport.lose()
        rig.wait(22.0)
    else:
        assert first.ask(how).code == 200
    assert isGone(rig, 5004)
    assert isGone(rig, 5006)
    count = len(rig.sent)
    rig.wait(2.0)
    assert (len(rig.sent), rig.groupPorts, len(rig.registry)) == (count, 0, 0)
    assert len(rig.site.broadcasts or ()) == 0
    # an address rests for as long as there are others
    assert chosen(rig.connect()).destination == GROUP.format(2)


@pytest.mark.requirement("PAU-1", "PLY-1")
def testWhereOneGoesOn(rig: Rig) -> None:
    """Where he paused, if nobody listens any more; else where the others are."""
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    second.play()
    rig.wait(2.0)
    paused = first.ask("PAUSE")
    assert rangeOf(paused) == (pytest.approx(2.0, abs=0.6), None)
    left = rangeOf(paused)[0]
    rig.wait(2.0)
    assert first.ask("GET_PARAMETER", body=b"position\r\n").body == f"position: {left:.3f}\r\n".encode()
    assert rangeOf(first.play())[0] == pytest.approx(4.0, abs=0.6)
    first.ask("PAUSE")
    rig.wait(1.0)
    later = rangeOf(second.ask("PAUSE"))[0]
    assert later == pytest.approx(5.0, abs=0.6)
    # the key frame at or before it: what others heard meanwhile cannot be taken up without a gap
    assert rangeOf(first.play())[0] == 4.0
    first.ask("PAUSE")
    rig.wait(0.1)
    assert rangeOf(second.play())[0] == 4.0


@pytest.mark.requirement("PAU-4")
def testPauseOfOneWhoDoesNotListen(rig: Rig) -> None:
    first, second, third = (listener(rig, f"192.0.2.{number}") for number in (1, 2, 3))
    first.play()
    answer = second.ask("PAUSE")
    assert answer.code == 455
    assert "PAUSE" not in (answer.headers.get("Allow") or "").split(", ")
    third.play()
    for _ in range(2):
        assert third.ask("PAUSE", Range="npt=8-").code == 200
    rig.wait(1.0)
    assert pictures(rig) == list(range(len(pictures(rig))))


@pytest.mark.parametrize("method", ["PLAY", "PAUSE"])
def testURLs(rig: Rig, method: str) -> None:
    """All hear the same: no single tracks, nor anything else."""
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play()
    second.play()
    assert second.ask(method, VIDEO).code == 460
    assert second.ask(method, FILM + "/trackID=7").code == 404
    assert second.ask(method, SOUND).code == 404
    assert second.ask(method, Session="1234567812345678").code == 454
    lines = b"Range: npt=0-\r\nRange: npt=1-\r\n"
    head, _, rest = second.request(method).partition(b"\r\n")
    second.write(head + b"\r\n" + lines + rest)
    assert [message.code for message in second.receive()] == [400]
    assert second.ask(method).code == 200


@pytest.mark.requirement("RTCP-7", "PLY-1")
def testTheEnd(rig: Rig) -> None:
    """One BYE on each group, all are paused, and a PLAY starts anew."""
    first, second, third = (listener(rig, f"192.0.2.{number}") for number in (1, 2, 3))
    first.play("npt=8-")
    second.play()
    rig.wait(4.0)
    goodbyes = [data for data in sent(rig, "rtcp", 5005) if said(parseCompound(data))]
    assert len(goodbyes) == 1
    assert isGone(rig, 5006)
    states = [client.ask("GET_PARAMETER", body=b"state\r\n").body for client in (first, second, third)]
    assert states == [b"state: paused\r\n", b"state: paused\r\n", b"state: ready\r\n"]
    rig.sent.clear()
    assert rangeOf(second.play()) == (0.0, 10.0)
    rig.wait(1.0)
    assert pictures(rig)[:3] == [0, 1, 2]
    assert rangeOf(first.play())[0] == pytest.approx(1.0, abs=0.6)


@pytest.mark.requirement("PLY-6")
def testTheEndOfARange(rig: Rig) -> None:
    first, second = listener(rig, "192.0.2.1"), listener(rig, "192.0.2.2")
    first.play("npt=0-2")
    assert rangeOf(second.play()) == (0.0, 2.0)
    rig.wait(3.0)
    assert {session.state for session in rig.registry} == {"paused"}
    assert not isGone(rig)
    assert max(pictures(rig)) == 49
    assert {round(session.position(), 3) for session in rig.registry} == {2.0}


class Broken:
    """What a bug of ours makes of a transport."""

    def send(self, sender: object, burst: object) -> bool:
        raise RuntimeError("bug")

    def sendControl(self, data: bytes) -> None:
        """That works."""


def testABug(rig: Rig, loggedFailures: list[object]) -> None:
    """It ends the sessions of this broadcast, and nothing else."""
    clients = [listener(rig, f"192.0.2.{number}") for number in (1, 2)]
    for client in clients:
        client.play()
    (session, _) = rig.registry
    session.setUpTracks[0].sender.transport = Broken()  # type: ignore[attr-defined]  # it is a session of RTSP
    rig.wait(0.5)
    assert (len(rig.registry), rig.groupPorts) == (0, 0)
    assert len(loggedFailures) == 1
    loggedFailures.clear()
    assert clients[0].ask("PLAY").code == 454
    assert listener(rig).play()


# What listeners say


@pytest.mark.requirement("RTCP-5", "TMO-3")
def testReportsToTheGroup() -> None:
    """A sign of life of the one listener on that host, and what the registry shows of it."""
    rig = Rig(groups="239.255.42.0/29", film={"duration": 200.0}, sessionTimeout=20)
    specs = []
    for host in ("192.0.2.1", "192.0.2.2"):
        client = rig.connect(host)
        specs.append(chosen(client))
        client.play()
        client.transport.lose()
    for _ in range(5):
        rig.wait(8.0)
        rig.sayToGroup(0, report(specs[0].ssrc), "192.0.2.1")
    assert [session.peer for session in rig.registry] == ["192.0.2.1"]
    assert next(iter(rig.registry)).fractionLost == 0.25


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x81\xc9\0\1", bytes(200), report(1)[:9], b"\xff" * 4000])
def testJunkToTheGroup(data: bytes) -> None:
    """RTCP-5: no sign of life, and no traceback."""
    rig = Rig(groups="239.255.42.0/29", film={"duration": 200.0}, sessionTimeout=20)
    client = rig.connect("192.0.2.1")
    chosen(client)
    client.play()
    client.transport.lose()
    for _ in range(5):
        rig.wait(8.0)
        rig.sayToGroup(0, data, "192.0.2.1")
    assert len(rig.registry) == 0
    rig.sayToGroup(0, report(1), "192.0.2.1")  # what comes late


def testWhoseReportItIs() -> None:
    """Ours come back to us; and of two listeners on one host nobody knows which one lives."""
    rig = Rig(groups="239.255.42.0/29", film={"duration": 200.0}, sessionTimeout=20)
    client = listener(rig, "192.0.2.1")
    client.play()
    client.transport.lose()
    listener(rig, "192.0.2.2", AUDIO).transport.lose()
    pair = [listener(rig, "192.0.2.3") for _ in range(2)]
    for each in pair:
        each.transport.lose()
    for _ in range(3):
        rig.wait(8.0)
        rig.sayToGroup(0, sent(rig, "rtcp", 5005)[-1], "192.0.2.1")
        for host in ("192.0.2.2", "192.0.2.3", "192.0.2.9"):
            rig.sayToGroup(0, report(1), host)
    assert len(rig.registry) == 0


@pytest.mark.requirement("RTCP-1", "RTCP-3")
def testReportsOfOurs(rig: Rig) -> None:
    """To the port above the media, one name for all tracks."""
    listener(rig).play()
    rig.wait(0.5)
    found = [parseCompound(sent(rig, "rtcp", port)[0]) for port in (5005, 5007)]
    assert all(len(reports(packets)) == 1 for packets in found)
    assert len({packets[1].chunks[0].items[0] for packets in found}) == 1  # type: ignore[union-attr]  # SDES is second


def testTheRegistry(rig: Rig) -> None:
    client = listener(rig)
    session = next(iter(rig.registry))
    assert session.transport == (
        "RTP/AVP;multicast;destination=239.255.42.0;port=5004-5005;ttl=3, "
        "RTP/AVP;multicast;destination=239.255.42.1;port=5006-5007;ttl=3"
    )
    assert (session.tracks, session.state, session.position()) == (["video h264", "audio pcm_mulaw"], "ready", 0.0)
    client.play()
    rig.wait(1.0)
    assert session.position() == pytest.approx(1.0, abs=0.6)
    assert session.octetsSent > 1000
    client.ask("TEARDOWN")
    assert session.position() == pytest.approx(1.0, abs=0.6)


def testTheServerStops(rig: Rig) -> None:
    for number in range(5):
        listener(rig, f"192.0.2.{number}").play()
    rig.site.stop()
    rig.pacer.stop()
    assert isGone(rig)
    assert rig.groupPorts == 0
