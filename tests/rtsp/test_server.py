"""The connection: order, status codes, sessions, and what a client may send (requirements SYN, CON, SEC)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig, said
from twisted.internet.defer import Deferred

from mediasrv.rtp.rtcp import Goodbye, ReceiverReport, ReportBlock, SourceDescription, packCompound, parseCompound
from mediasrv.rtsp.messages import InterleavedFrame, Response
from mediasrv.rtsp.parser import Limits

REPORT = packCompound([ReceiverReport(1, [ReportBlock(2)]), SourceDescription.named(1, "c")])


def codes(client: Client) -> list[int]:
    """The status codes of all answers that came."""
    client.receive()
    return [message.code for message in client.messages if isinstance(message, Response)]


def cseqs(client: Client) -> list[str | None]:
    client.receive()
    return [message.headers.get("CSeq") for message in client.messages if isinstance(message, Response)]


# Messages


@pytest.mark.requirement("SYN-1", "SYN-2", "SYN-3")
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def testLineEnds(client: Client, end: bytes) -> None:
    """SYN-1, SYN-2, SYN-3."""
    client.write(end * 2 + end.join([b"OPTIONS * RTSP/1.0", b"cSeQ:1", b"X-Unknown: a", b" b", b"Host:", b"", b""]))
    assert codes(client) == [200]


@pytest.mark.requirement("SYN-8")
def testByteByByte(client: Client) -> None:
    """SYN-8: however the stream is cut."""
    for byte in client.request("GET_PARAMETER", body=b"\r\n\r\n") + client.request("OPTIONS"):
        client.write(bytes((byte,)))
    assert codes(client) == [200, 200]


@pytest.mark.requirement("SYN-9")
def testABodyIsNoRequest(client: Client, rig: Rig) -> None:
    """SYN-9: the body of any method is consumed."""
    client.setUp(VIDEO, TCP.format(0, 1))
    client.forget()
    client.write(client.request("OPTIONS", body=client.request("TEARDOWN")))
    assert codes(client) == [200]
    assert len(rig.registry) == 1


BROKEN: list[tuple[bytes, int, bool]] = [
    # what comes, status, whether the connection closes
    (b"OPTIONS * RTSP/1.0\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/1.0\r\nCSeq: abc\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/1.0\r\nCSeq: -1\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/1.0\r\nCSeq: 1 2\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/1.0\r\nCSeq: " + b"9" * 1000 + b"\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\0\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nno colon\r\n\r\n", 400, False),
    (b"OPTIONS * RTSP/9.0\r\nCSeq: 1\r\n\r\n", 505, False),
    (b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505, False),
    (b"DESCRIBE * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400, False),
    (b"OPTIONS  two words RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400, False),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, True),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, True),
    (b"INVITE sip:a@b SIP/2.0\r\n\r\n", 400, True),
    (b"\0" * 1000, 400, True),
    (b"x" * 20000, 414, True),
    (b"OPTIONS " + b"x" * 20000 + b" RTSP/1.0\r\nCSeq: 1\r\n\r\n", 414, True),
    (b"OPTIONS * RTSP/1.0\r\nX: " + b"y" * 100000, 400, True),
    (b"OPTIONS * RTSP/1.0\r\n" + b"a: b\r\n" * 1000 + b"\r\n", 400, True),
    (b"OPTIONS * RTSP/1.0\r\nX: y\r\n" + b" z\r\n" * 100000, 400, True),
] + [
    (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: " + length + b"\r\n\r\n", code, True)
    for length, code in (
        (b"-1", 400),
        (b"+5", 400),
        (b"0x10", 400),
        (b"1e3", 400),
        (b"5,6", 400),
        (b"5\r\nContent-Length: 6", 400),
        (b"2147483648", 413),
        (b"9223372036854775808", 413),
        (b"9" * 1000, 413),
    )
]


@pytest.mark.requirement(
    "SEC-2",
    "SEC-3",
    "SEC-4",
    "SEC-5",
    "CON-1",
    "SYN-4",
    "SYN-5",
    "SYN-10",
    "SYN-11",
    "SYN-13",
    "COD-400",
    "COD-413",
    "COD-414",
    "COD-505",
    "V2-a",
)
@pytest.mark.parametrize(("data", "code", "closes"), BROKEN)
def testBrokenMessages(client: Client, rig: Rig, data: bytes, code: int, closes: bool) -> None:
    """CON-1, SYN-4, SYN-5, SYN-10, SYN-11, SYN-13, SEC-2 to SEC-5: one answer, then closed or as usable as before."""
    client.write(client.request("OPTIONS"))
    client.write(data)
    assert codes(client) == [200, code]
    assert client.isConnected is not closes
    if closes:
        client.server.dataReceived(client.request("OPTIONS"))  # what was on its way already
        assert codes(client) == [200, code]
    else:
        assert client.ask("OPTIONS").code == 200


@pytest.mark.requirement("CON-1")
@pytest.mark.parametrize("cseq", ["0", "1", "007", "4294967295"])
def testCSeqIsEchoed(client: Client, cseq: str) -> None:
    """CON-1: to the letter, as often as it comes; 0 is one."""
    client.write(f"OPTIONS * RTSP/1.0\r\nCSeq: {cseq}\r\n\r\n".encode() * 2)
    assert cseqs(client) == [cseq, cseq]


@pytest.mark.requirement("CON-1")
def testCSeqOfErrors(client: Client) -> None:
    """CON-1: an error without a valid CSeq has none."""
    client.write(b"OPTIONS * RTSP/7.0\r\nCSeq: 5\r\n\r\nOPTIONS * RTSP/1.0\r\n\r\nWHAT * RTSP/1.0\r\nCSeq: 6\r\n\r\n")
    assert cseqs(client) == ["5", None, "6"]


METHODS = [
    ("options", 501, "Public"),
    ("WHATEVER", 501, "Public"),
    ("PLAY_NOTIFY", 501, "Public"),
    ("__init__", 501, "Public"),
    ("ANNOUNCE", 405, "Allow"),
    ("RECORD", 405, "Allow"),
    ("REDIRECT", 405, "Allow"),
]


@pytest.mark.requirement("SYN-4", "EXT-1", "RED-1", "COD-405", "COD-501", "V2-k")
@pytest.mark.parametrize(("method", "code", "header"), METHODS)
def testMethodsThatAreNotThere(client: Client, method: str, code: int, header: str) -> None:
    """SYN-4, EXT-1, RED-1: 501 for the unknown, 405 with Allow for what is known and not for this."""
    answer = client.ask(method)
    assert answer.code == code
    assert "OPTIONS, DESCRIBE" in answer.headers.get(header, "")


@pytest.mark.requirement("HDR-1", "COD-551")
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "TEARDOWN"])
def testRequire(client: Client, rig: Rig, method: str) -> None:
    """HDR-1: 551 before anything happens, with all that is unknown, on any method."""
    client.setUp(VIDEO, TCP.format(0, 1))
    answer = client.ask(method, VIDEO, Require="funky, x.y", Proxy_Require="third", Transport=TCP.format(2, 3))
    assert answer.code == 551
    assert answer.headers.get("Unsupported") == "funky, x.y, third"
    assert len(rig.registry) == 1
    assert client.ask("PLAY").code == 200


@pytest.mark.requirement("HDR-5", "HDR-6", "SYN-14")
def testHeadersOfAnswers(client: Client) -> None:
    """HDR-5, HDR-6, SYN-14."""
    client.write(client.request("OPTIONS", Timestamp="4.5 x", Connection="keep-alive"))
    data = client.transport.value()
    assert data.startswith(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n")
    answer = client.receive()[0]
    assert answer.headers.get("Timestamp") == "4.5 x"
    assert answer.headers.get("Server") == "mediasrv"


# Order


@pytest.mark.requirement("CON-2", "COD-501")
def testPipelining(client: Client) -> None:
    """CON-2: answers in order, one each."""
    client.write(
        client.request("OPTIONS")
        + client.request("DESCRIBE")
        + client.request("SETUP", VIDEO, Transport=TCP.format(0, 1))
        + client.request("SETUP", SOUND, Transport=TCP.format(2, 3))
        + client.request("WHAT")
    )
    assert codes(client) == [200, 200, 200, 200, 501]
    assert cseqs(client) == ["1", "2", "3", "4", "5"]


@pytest.mark.requirement("CON-2")
def testASlowDescribeIsNotOvertaken(client: Client, rig: Rig) -> None:
    """CON-2."""
    rig.library.isSlow = True
    client.write(client.request("DESCRIBE") + client.request("OPTIONS") + client.request("NONSENSE"))
    client.write(client.request("OPTIONS"))
    assert codes(client) == []
    rig.library.waiting.pop().callback(rig.library.film)
    assert codes(client) == [200, 200, 501, 200]
    assert cseqs(client) == ["1", "2", "3", "4"]


@pytest.mark.requirement("INT-3")
def testFramesBetweenSlowRequests(client: Client, rig: Rig) -> None:
    """INT-3: what a session hears does not wait for answers."""
    client.setUp(VIDEO, TCP.format(0, 1))
    rig.library.isSlow = True
    client.write(client.request("DESCRIBE") + InterleavedFrame(1, REPORT).toBytes() + client.request("OPTIONS"))
    session: Any = next(iter(rig.registry))
    rig.clock.advance(20)
    client.write(InterleavedFrame(1, REPORT).toBytes())
    assert session.lastSeen == rig.clock.seconds()
    rig.library.waiting.pop().callback(rig.library.film)
    assert codes(client)[1:] == [200, 200]


def testAClientThatDoesNotWait(client: Client, rig: Rig) -> None:
    """A connection that goes while the disk is slow is no failure, and makes no session (the log would fail this)."""
    rig.library.isSlow = True
    client.write(client.request("SETUP", VIDEO, Transport=UDP.format(5000, 5001)) + client.request("DESCRIBE"))
    client.transport.lose()
    for waiting in rig.library.waiting:
        waiting.callback(rig.library.film)
    assert len(rig.registry) == 0


@pytest.mark.requirement("SEC-16")
def testAFloodOfRequests(rig: Rig) -> None:
    """SEC-16: answered in turns, in order; no more is read than can be answered; others have their turn in between."""
    flood, other = rig.connect("192.0.2.1"), rig.connect("192.0.2.2")
    flood.write(b"".join(flood.request("OPTIONS") for _ in range(1000)))
    assert len(codes(flood)) < 100
    assert flood.transport.producerState == "paused"
    assert other.ask("OPTIONS").code == 200
    for _ in range(100):
        rig.clock.advance(0)
    assert cseqs(flood) == [str(number + 1) for number in range(1000)]
    assert flood.transport.producerState == "producing"


@pytest.mark.requirement("SEC-16", "INT-5")
def testAFloodThatIsNotRead(client: Client, rig: Rig) -> None:
    """SEC-16, INT-5: replies nobody reads have a bound; what was asked is answered when they are read."""
    client.ask("OPTIONS")
    client.forget()
    client.transport.producer.pauseProducing()
    requests = b"".join(client.request("DESCRIBE") for _ in range(50)) * 20
    for _ in range(4):
        if client.transport.producerState == "producing":
            client.write(requests)
        for _ in range(100):
            rig.clock.advance(0)
    assert client.transport.producerState == "paused"
    assert 50_000 < len(client.transport.value()) < 100_000
    client.transport.producer.resumeProducing()
    for _ in range(100):
        rig.clock.advance(0)
    assert len(codes(client)) == 1000
    assert client.transport.producerState == "producing"


def testAFloodThatIsCutOff(client: Client, rig: Rig) -> None:
    """What was still to be answered leaves nothing behind."""
    client.write(b"".join(client.request("OPTIONS") for _ in range(1000)))
    client.transport.lose()
    assert len(rig.clock.getDelayedCalls()) == 1


@pytest.mark.requirement("INT-5")
def testRepliesAreExecutedThoughNobodyReads(client: Client, rig: Rig) -> None:
    """INT-5: a client whose window is closed can still pause and leave."""
    client.setUpFilm()
    client.play()
    rig.wait(0.5)
    client.transport.producer.pauseProducing()
    client.write(client.request("PAUSE") + client.request("TEARDOWN"))
    assert len(rig.registry) == 0
    assert codes(client)[-2:] == [200, 200]


# Connections and sessions


@pytest.mark.requirement("CON-7")
def testConnectionClose(client: Client, rig: Rig) -> None:
    """CON-7: the answer, then the end; nothing after it, and its interleaved sessions end."""
    client.setUpFilm()
    client.play()
    client.transport.stuck = True
    client.write(client.request("OPTIONS", Connection="Close") + client.request("OPTIONS"))
    assert client.transport.disconnecting
    answers = client.receive()
    assert [message.code for message in answers if isinstance(message, Response)] == [200]
    assert answers[0].headers.get("Connection") == "close"
    assert len(rig.registry) == 0
    rig.wait(1.0)
    client.write(client.request("OPTIONS"))
    assert client.receive() == []
    assert not client.transport.aborted
    rig.wait(6.0, step=1.0)
    assert client.transport.aborted  # it took no last words


@pytest.mark.requirement("CON-7")
def testSlowAnswerWithConnectionClose(client: Client, rig: Rig) -> None:
    """CON-7 where the answer had to be waited for."""
    rig.library.isSlow = True
    client.write(client.request("DESCRIBE", Connection="close"))
    rig.library.waiting.pop().callback(rig.library.film)
    assert codes(client) == [200]
    assert not client.isConnected


@pytest.mark.requirement("CON-4")
def testSeveralSessionsOnAConnection(client: Client, rig: Rig) -> None:
    """CON-4: each with its own state, id and channels."""
    client.setUpFilm()
    film, client.session = client.session, ""
    client.setUp(SOUND, TCP.format(4, 5))
    sound = client.session
    assert film != sound
    assert client.ask("PLAY", SOUND).code == 200
    rig.wait(0.5)
    assert client.frames(4)
    assert not client.frames(0)
    assert client.ask("PLAY", FILM, Session=film).code == 200
    rig.wait(0.5)
    assert client.frames(0)
    assert client.ask("TEARDOWN", SOUND).code == 200
    client.forget()
    rig.wait(0.5)
    assert client.frames(0)
    assert not client.frames(4)


@pytest.mark.requirement("CON-3", "CON-5", "CON-8")
def testAUDPSessionFromAnotherConnection(rig: Rig) -> None:
    """CON-3, CON-5, CON-8: one request per connection, from the same host; the session outlives them all."""
    first = rig.connect(port=1)
    first.setUpFilm(udp=5000)
    session = first.session
    first.transport.lose()
    for number, (method, url) in enumerate(
        [("PLAY", FILM), ("GET_PARAMETER", FILM), ("PAUSE", FILM), ("SETUP", VIDEO), ("PLAY", FILM), ("TEARDOWN", FILM)]
    ):
        other = rig.connect(port=2 + number)
        other.session = session
        assert other.ask(method, url, Transport=UDP.format(5000, 5001)).code == 200
        other.transport.lose()
        rig.wait(0.2)
    assert rig.datagrams("rtp", 5000)
    assert len(rig.registry) == 0


METHODS_OF_SESSIONS = ["PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "OPTIONS", "SETUP"]


@pytest.mark.requirement("SEC-8", "CON-3", "TDN-3")
@pytest.mark.parametrize("method", METHODS_OF_SESSIONS)
@pytest.mark.parametrize("udp", [True, False])
def testHijack(rig: Rig, method: str, udp: bool) -> None:
    """SEC-8, CON-3: neither another host nor, for interleaved data, another connection steers a session: 454."""
    victim = rig.connect()
    victim.setUpFilm(udp=5000 if udp else None)
    victim.play()
    rig.wait(0.5)
    # the address of the same host over another connection may steer what goes over UDP
    thieves = [rig.connect("203.0.113.9")] + ([] if udp else [rig.connect()])
    for thief in thieves:
        for name in (victim.session, victim.session + ";timeout=60", victim.session.swapcase(), victim.session[:-1]):
            answer = thief.ask(method, VIDEO if method == "SETUP" else FILM, Session=name, Transport=TCP.format(0, 1))
            assert answer.code == 454
            assert "Session" not in answer.headers
    before = len(victim.frames(0)) + len(rig.datagrams("rtp", 5000))
    rig.wait(0.5)
    assert len(victim.frames(0)) + len(rig.datagrams("rtp", 5000)) > before
    assert victim.ask("PAUSE").code == 200


@pytest.mark.requirement("SEC-8")
def testAThiefKeepsNobodyAlive(rig: Rig) -> None:
    """SEC-8: a foreign Session header is no sign of life."""
    victim, thief = rig.connect(), rig.connect("203.0.113.9")
    victim.setUpFilm(udp=5000)
    for _ in range(7):
        rig.wait(10, step=1)
        assert thief.ask("OPTIONS", Session=victim.session).code == 454
    assert len(rig.registry) == 0


@pytest.mark.requirement("TMO-1")
@pytest.mark.parametrize(
    "session", ["{};timeout=60", "{}; timeout=60", "  {}  ", "{};x=y;timeout=abc", "{};timeout=99999999999999999999"]
)
def testSessionHeaders(client: Client, session: str) -> None:
    """TMO-1: Larix sends the timeout back."""
    client.setUpFilm()
    answer = client.ask("PLAY", Session=session.format(client.session))
    assert answer.code == 200
    assert answer.headers.get("Session") == f"{client.session};timeout=60"


@pytest.mark.requirement("CON-8")
def testConnectionLossEndsInterleavedSessions(rig: Rig) -> None:
    """CON-8: at once; those over UDP live on until their timeout."""
    client = rig.connect()
    client.setUpFilm()
    client.play()
    client.session = ""
    client.setUp(SOUND, UDP.format(5000, 5001))
    assert client.ask("PLAY", SOUND).code == 200
    client.transport.lose()
    assert [session.path for session in rig.registry] == ["movies/sound.wav"]
    rig.wait(65, step=1)
    assert len(rig.registry) == 0
    assert said([packet for data in rig.datagrams("rtcp", 5001) for packet in parseCompound(data)])


# Interleaved data from the client


def frame(channel: int, payload: bytes) -> bytes:
    return InterleavedFrame(channel, payload).toBytes()


FRAMES = [
    frame(0, b""),
    frame(1, b""),
    frame(77, b"x" * 100),
    frame(255, b"x" * 65535),
    frame(1, b"\x80\xc9\xff\xff" + b"x" * 20),
    frame(1, b"\x9f\xc9\x00\x01\x00\x00\x00\x01"),
    frame(1, b"\x81\xcb\x00\x01\x00\x00\x00\x01\xff"),
    frame(1, b"\x9f\xca\x00\x01\x00\x00\x00\x01"),
    frame(1, b"\x80\xcc\x00\x02\x00\x00\x00\x01name"),
    frame(1, packCompound([ReceiverReport(1), SourceDescription.named(1, "c"), Goodbye([1], "x" * 255)])),
    frame(1, bytes(1000)),
    frame(0, b"\x80\x60" + bytes(30)),
    frame(1, REPORT) * 1000,
]


@pytest.mark.requirement("INT-3", "SEC-14", "SEC-15", "RTCP-5")
@pytest.mark.parametrize("data", FRAMES)
@pytest.mark.parametrize("isSetUp", [True, False])
def testFramesFromTheClient(client: Client, rig: Rig, data: bytes, isSetUp: bool) -> None:
    """INT-3, SEC-14, SEC-15, RTCP-5: skipped or understood; the connection survives, playing goes on."""
    if isSetUp:
        client.setUpFilm()
        client.play()
    client.write(data + client.request("OPTIONS") + data)
    assert codes(client)[-1] == 200
    rig.wait(0.2)
    assert client.ask("OPTIONS").code == 200
    assert bool(client.pictures()) == isSetUp


@pytest.mark.requirement("RTCP-5")
def testReceptionReports(client: Client, rig: Rig) -> None:
    """RTCP-5: about our SSRC they are kept, about others they only show that somebody lives."""
    client.setUpFilm()
    session: Any = next(iter(rig.registry))
    ssrc = session.setUpTracks[1].sender.ssrc
    client.write(frame(3, packCompound([ReceiverReport(1, [ReportBlock(ssrc, 128, 12, 0, 800)]),
                                        SourceDescription.named(1, "c")])))  # fmt: skip
    assert (session.fractionLost, session.packetsLost, session.jitter) == (0.5, 12, 0.1)
    client.write(frame(3, packCompound([ReceiverReport(1, [ReportBlock(ssrc ^ 1, 1, 99)]),
                                        SourceDescription.named(1, "c")])))  # fmt: skip
    assert session.packetsLost == 12


@pytest.mark.requirement("SEC-15")
def testDollarInsideAMessage(client: Client) -> None:
    """SEC-15: a "$" in a header begins no frame; a frame in front of everything else is skipped."""
    client.write(b"$\x05\x00\x03abc" + client.request("OPTIONS", Cost="$\x7e\x7e"))
    assert codes(client) == [200]


@pytest.mark.requirement("INT-4")
def testGarbageAfterFramesCloses(client: Client, rig: Rig) -> None:
    """INT-4: 400, closed, and the session is gone with its timers."""
    client.setUpFilm()
    client.play()
    client.write(b"$\x00\x00\x02ab\xff\xfe")
    assert codes(client)[-1] == 400
    assert not client.isConnected
    assert len(rig.registry) == 0
    rig.wait(0.1)
    assert len(rig.clock.getDelayedCalls()) == 1


@pytest.mark.requirement("CON-6")
def testResponsesFromTheClient(client: Client, rig: Rig) -> None:
    """CON-6: an answer to nothing is taken for a sign of life, whatever its code, and is not answered."""
    client.setUpFilm()
    for code in ("200 OK", "405 Method Not Allowed", "501"):
        rig.wait(50, step=1)
        client.write(f"RTSP/1.0 {code}\r\nCSeq: 9\r\nSession: {client.session}\r\n\r\n".encode())
    assert len(rig.registry) == 1
    client.forget()
    assert client.ask("OPTIONS").code == 200


# Frames to the client


@pytest.mark.requirement("INT-1", "INT-2")
def testFramesAndMessagesDoNotSplitEachOther(client: Client, rig: Rig) -> None:
    """INT-1, INT-2: the whole stream parses; no frame is shorter than 8 bytes."""
    client.setUpFilm()
    client.play()
    for _ in range(50):
        rig.wait(0.03)
        client.write(client.request("GET_PARAMETER", body=b"position\r\n"))
    client.write(client.request("TEARDOWN"))
    client.receive()
    sizes = [len(message.payload) for message in client.messages if isinstance(message, InterleavedFrame)]
    assert min(sizes) >= 8
    assert codes(client)[-51:] == [200] * 51


@pytest.mark.requirement("TDN-1", "TDN-4", "TDN-5", "RTCP-7", "COD-454")
def testTeardown(client: Client, rig: Rig) -> None:
    """TDN-1, TDN-4, TDN-5, RTCP-7: BYE on every track, then the answer, without Session; the connection stays."""
    client.setUpFilm()
    client.play()
    rig.wait(0.5)
    client.forget()
    client.write(client.request("PLAY") + client.request("TEARDOWN") + client.request("TEARDOWN"))
    messages = client.receive()
    last = messages[-2]
    assert [message.code for message in messages if isinstance(message, Response)] == [200, 200, 454]
    assert "Session" not in last.headers
    for channel in (1, 3):
        assert said(client.control(channel))
    rig.wait(1.0)
    assert client.receive() == []
    assert len(rig.clock.getDelayedCalls()) == 1
    client.session = ""
    client.setUpFilm()
    assert client.ask("PLAY").code == 200


@pytest.mark.requirement("INT-5", "SEC-17")
def testBackPressure(rig: Rig) -> None:
    """INT-5, SEC-17: who does not read is not played to; what is written meanwhile has a bound; then it goes on."""
    client, canary = rig.connect(), rig.connect("192.0.2.8")
    for each in (client, canary):
        each.setUpFilm()
        each.play()
    rig.wait(0.5)
    client.transport.producer.pauseProducing()
    count, size = len(client.pictures()), len(client.transport.value())
    rig.wait(3.0)
    assert len(client.transport.value()) == size == 0
    assert client.ask("GET_PARAMETER", body=b"state").body == b"state: playing\r\n"
    assert len(client.pictures()) == count
    assert len(canary.pictures()) in range(87, 91)
    client.transport.producer.resumeProducing()
    rig.wait(1.0)
    pictures = client.pictures()
    assert pictures == list(range(len(pictures)))
    assert len(pictures) - count in range(24, 28)
    packets = client.packets(0)
    steps = {(later.timestamp - former.timestamp) & 0xFFFFFFFF for former, later in pairwise(packets)}
    assert steps == {0, 3600}


@pytest.mark.requirement("INT-5", "PLY-16")
def testBackPressureAndRequests(client: Client, rig: Rig) -> None:
    """INT-5, PLY-16: pause, seek and teardown work while the client does not read."""
    client.setUpFilm()
    client.play()
    rig.wait(0.5)
    client.forget()
    client.transport.producer.pauseProducing()
    rig.wait(0.5)
    assert client.ask("PAUSE").code == 200
    assert client.ask("PLAY", Range="npt=6-").code == 200
    rig.wait(0.5)
    assert client.pictures() == []
    client.transport.producer.resumeProducing()
    rig.wait(0.5)
    assert client.pictures() == list(range(150, 150 + len(client.pictures())))
    assert 10 <= len(client.pictures()) <= 15


@pytest.mark.requirement("TMO-4", "COD-454")
def testASessionThatEndsElsewhere(client: Client, rig: Rig) -> None:
    """TMO-4: what an administrator, or the application, ended is gone: BYE, then 454; the connection stays."""
    client.setUpFilm()
    client.play()
    assert rig.registry.end(client.session, "enough")
    assert said(client.control(1))
    assert client.ask("PLAY").code == 454
    assert client.ask("OPTIONS", Session=None).code == 200


def testFailingAnswers(client: Client, loggedFailures: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong after the method has run closes the connection, is logged, and leaves nothing behind."""
    client.setUpFilm()

    def fails(self: Response) -> bytes:
        raise ValueError("cannot be written")

    monkeypatch.setattr(Response, "toBytes", fails)
    client.write(client.request("OPTIONS"))
    assert not client.isConnected
    assert len(loggedFailures) == 1
    loggedFailures.clear()


@pytest.mark.requirement("SYN-11")
def testLimitsAreSettings() -> None:
    """SYN-11."""
    rig = Rig(limits=Limits(requestLine=100, head=200, headers=5, body=10))
    assert codesOf(rig, b"OPTIONS rtsp://" + b"x" * 100 + b" RTSP/1.0\r\nCSeq: 1\r\n\r\n") == [414]
    assert codesOf(rig, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 11\r\n\r\n") == [413]
    assert codesOf(rig, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + b"a: b\r\n" * 5 + b"\r\n") == [400]


def codesOf(rig: Rig, data: bytes) -> list[int]:
    client = rig.connect()
    client.write(data)
    return codes(client)


@pytest.mark.requirement("RTP-1", "SYN-7", "HDR-4")
def testTrackURLsInRTPInfoAreThoseOfSetup(client: Client) -> None:
    """RTP-1, SYN-7: to the letter, whatever it was."""
    odd = "rtsp://Server:554//movies/fil%6d.mkv/trackID=0?x=1"
    assert client.setUp(odd, TCP.format(0, 1)).code == 200
    assert client.setUp(AUDIO, TCP.format(2, 3)).code == 200
    assert f"url={odd};seq=" in client.play().headers.get("RTP-Info", "")


def testPresentationsThatNeverCome(client: Client, rig: Rig) -> None:
    """The connection of a client that waits for a slow disk is not idle."""
    rig.library.isSlow = True
    client.write(client.request("DESCRIBE"))
    rig.wait(200, step=1)
    assert client.isConnected
    waiting: Deferred[Any] = rig.library.waiting.pop()
    waiting.callback(rig.library.film)
    assert codes(client) == [200]
    rig.wait(50, step=1)
    assert client.isConnected
    rig.wait(20, step=1)
    assert not client.isConnected


def testRequestsThatWaitForTheirTurn(client: Client, rig: Rig) -> None:
    """A connection with much to answer is not idle, however long that takes."""
    client.write(b"".join(client.request("OPTIONS") for _ in range(3200)))
    rig.wait(100, step=1)
    assert codes(client) == [200] * 3200
