"""
The dialogues of the clients that people use, each as that client leads it (the requirements Q-1 to Q-15): in its order,
with its headers, and with the checks that it makes of the answers.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig, gaps, rangeOf, reports, rtpInfo, said

from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound, parseCompound
from mediasrv.rtsp.messages import InterleavedFrame, Response
from mediasrv.rtsp.transport import parseTransports
from mediasrv.settings import Settings

REPORT = packCompound([ReceiverReport(7, [ReportBlock(8)]), SourceDescription.named(7, "viewer")])
BASE = f"{FILM}/"


def transportOf(answer: Response) -> tuple[str, str]:
    """Lower transport and the whole of the one alternative that a reply has."""
    (spec,) = parseTransports(answer.headers.get("Transport", ""))
    return spec.lower, spec.format()


# ffmpeg


def ffmpegOpens(client: Client) -> None:
    assert client.ask("OPTIONS", User_Agent="Lavf59.27.100").code == 200
    answer = client.ask("DESCRIBE", Accept="application/sdp", User_Agent="Lavf59.27.100")
    assert answer.headers.get("Content-Base") == BASE


@pytest.mark.requirement("Q-1", "Q-2", "Q-3", "Q-4", "SET-3", "SET-18", "TMO-3")
def testFFmpegOverUDP(client: Client, rig: Rig) -> None:
    """Packets that open the NAT, receiver reports for signs of life, a seek as PAUSE and PLAY, BYE for the end."""
    ffmpegOpens(client)
    for number, url in enumerate((VIDEO, AUDIO)):
        port = 15000 + 2 * number
        answer = client.setUp(url, f"RTP/AVP/UDP;unicast;client_port={port}-{port + 1}")
        assert transportOf(answer)[0] == "UDP"
        for kind, data in (("rtp", b"\x80\0\0\0" + bytes(8)), ("rtcp", b"\x80\xc9\0\x01" + bytes(4))):
            rig.receive(kind, data, ("192.0.2.7", port + (kind == "rtcp")))
    assert client.ask("PLAY", BASE, Range="npt=0.000-").code == 200
    for _ in range(3):  # minutes of silence on the connection, but not over RTCP
        rig.wait(2.0)
        rig.clock.advance(35)
        rig.receive("rtcp", REPORT, ("192.0.2.7", 15001))
    rig.wait(15, step=0.1)
    for port in (15001, 15003):
        assert said(parseCompound(rig.datagrams("rtcp", port)[-1]))
    assert client.ask("PAUSE", BASE).code == 200
    assert rangeOf(client.ask("PLAY", BASE, Range="npt=6.500-")) == (6.0, 10.0)
    rig.wait(6.0)
    assert said(parseCompound(rig.datagrams("rtcp", 15003)[-1]))
    assert client.ask("TEARDOWN", BASE).code == 200


@pytest.mark.requirement("Q-1", "SET-16")
def testFFmpegWithoutUDP(rig: Rig) -> None:
    """461 for the first track only is what has it ask for TCP; it keeps to that for the others."""
    client = rig.connect("2001:db8::7")
    ffmpegOpens(client)
    assert client.ask("SETUP", VIDEO, Transport="RTP/AVP/UDP;unicast;client_port=15000-15001").code == 461
    for number, url in enumerate((VIDEO, AUDIO)):
        answer = client.setUp(url, f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}")
        assert transportOf(answer)[0] == "TCP"
    client.play("npt=0.000-")
    rig.wait(0.5)
    assert client.packets(2)


@pytest.mark.requirement("Q-3", "Q-4", "TMO-1", "TMO-3", "PAR-1")
def testFFmpegOverTCP(client: Client, rig: Rig) -> None:
    """It looks for C{;timeout=} to the letter, and sends GET_PARAMETER at half of it; paused for less, it lives on."""
    ffmpegOpens(client)
    answer = client.setUp(VIDEO, TCP.format(0, 1))
    timeout = int(answer.headers.get("Session", "").partition(";timeout=")[2])
    client.setUp(AUDIO, TCP.format(2, 3))
    client.play("npt=0.000-", User_Agent="Lavf59.27.100")
    assert client.ask("PAUSE", BASE).code == 200
    for _ in range(5):
        rig.wait(timeout / 2, step=1)
        assert client.ask("GET_PARAMETER", BASE).code == 200
    assert rangeOf(client.ask("PLAY", BASE))[0] < 0.1
    rig.wait(11.0)
    assert client.pictures() == list(range(250))
    assert said(client.control(1)[-1:])
    assert said(client.control(3)[-1:])


# VLC, which is live555


@pytest.mark.requirement("Q-6", "PLY-1", "PLY-11", "RTP-1", "HDR-2", "HDR-4")
def testVLC(client: Client, rig: Rig) -> None:
    """
    It takes the length from the reply's end, entries of RTP-Info in their order, changes the rate by a PLAY with Scale
    while playing and reads the rate from the answer; for a seek it pauses and then must not be refused.
    """
    agent = "LibVLC/3.0.24 (LIVE555 Streaming Media v2016.11.28)"
    assert client.ask("OPTIONS", User_Agent=agent).code == 200
    assert client.ask("DESCRIBE", User_Agent=agent, Accept="application/sdp").code == 200
    client.setUpFilm()
    answer = client.ask("PLAY", BASE, User_Agent=agent, Range="npt=0.000-")
    assert rangeOf(answer) == (0.0, 10.0)
    assert list(rtpInfo(answer)) == [VIDEO, AUDIO]
    rig.wait(1.0)
    faster = client.ask("PLAY", BASE, User_Agent=agent, Scale="2.000000")
    assert faster.code == 200
    assert float(faster.headers.get("Scale", "")) != 0
    assert client.ask("PLAY", BASE, User_Agent=agent, Scale="1.000000").headers.get("Scale") == "1.0"
    for place in ("npt=4.200-", "npt=9.990-", "npt=10.400-"):
        assert client.ask("PAUSE", BASE, User_Agent=agent).code == 200
        assert client.ask("PLAY", BASE, User_Agent=agent, Range=place).code == 200
    assert client.ask("GET_PARAMETER", BASE, User_Agent=agent).code == 200
    assert client.ask("TEARDOWN", BASE, User_Agent=agent).code == 200


@pytest.mark.requirement("Q-6", "SET-11", "TDN-2", "CON-4")
def testVLCWithoutUDP(rig: Rig) -> None:
    """Ten seconds of silence over UDP: TEARDOWN, and all again over TCP on another connection."""
    first = rig.connect()
    first.setUpFilm(udp=6000)
    first.play("npt=0.000-")
    rig.wait(10.2)
    assert first.ask("TEARDOWN", BASE).code == 200
    first.transport.lose()
    second = rig.connect(port=40001)
    second.setUpFilm()
    second.play("npt=0.000-")
    rig.wait(1.0)
    assert second.pictures()[:20] == list(range(20))
    assert len(rig.registry) == 1


# GStreamer


@pytest.mark.requirement("Q-2", "Q-8", "SET-3", "PAU-5", "TDN-1")
def testGStreamer(client: Client, rig: Rig) -> None:
    """Transports one after the other, tracks as RFC 3986 resolves them; PAUSE on the way to the end."""
    url = f"{FILM}?user=a"
    assert client.ask("OPTIONS", url, User_Agent="GStreamer/1.22.0").code == 200
    assert client.ask("DESCRIBE", url, Accept="application/sdp").code == 200
    track = f"{FILM}/trackID=0?user=a"
    assert client.ask("SETUP", track, Transport="RTP/AVP;multicast").code == 461
    answer = client.setUp(track, "RTP/AVP/TCP;unicast;interleaved=0-1")
    assert transportOf(answer)[0] == "TCP"
    answer = client.ask("PLAY", BASE, Range="npt=0-")
    assert list(rtpInfo(answer)) == [track]
    rig.wait(1.0)
    assert len(client.pictures()) >= 25
    assert client.ask("PAUSE", BASE).code == 200
    assert client.ask("TEARDOWN", BASE).code == 200


@pytest.mark.requirement("Q-8", "HDR-3")
def testGStreamerAsksForSpeed(client: Client, rig: Rig) -> None:
    """Rates are Speed, after a PAUSE; the answer must have it, and be none that has it give PLAY up."""
    client.setUpFilm()
    client.play("npt=0-")
    rig.wait(0.5)
    assert client.ask("PAUSE", BASE).code == 200
    answer = client.ask("PLAY", BASE, Range="npt=2-", Speed="2.000")
    assert answer.code == 200
    assert float(answer.headers.get("Speed", "")) > 0


#: a harmless request of each method that Public may list
HARMLESS: dict[str, dict[str, str]] = {
    "SETUP": {"url": VIDEO, "Transport": TCP.format(0, 1)},
    "GET_PARAMETER": {"url": BASE},
    "SET_PARAMETER": {"url": BASE},
}


@pytest.mark.requirement("Q-8", "OPT-1")
def testGStreamerGivesUpNoMethod(client: Client) -> None:
    """After 405, 406, 501 or 551 it never uses a method again: none that Public lists is refused so."""
    public = client.ask("OPTIONS").headers.get("Public", "").split(", ")
    assert {"OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"} <= set(public)
    client.setUpFilm()
    for method in sorted(public, key=["DESCRIBE", "SETUP", "PLAY", "PAUSE"].count, reverse=True):
        request = {"url": FILM} | HARMLESS.get(method, {})
        answer = client.ask(method, request.pop("url"), **request)
        assert answer.code not in (405, 406, 501, 551), method


@pytest.mark.requirement("Q-8", "V2-a", "SYN-13")
def testGStreamerAsksForRTSP2(client: Client) -> None:
    """An OPTIONS of 2.0 is answered with 505 in 1.0, and then it goes on with that on the same connection."""
    client.write(f"OPTIONS {FILM} RTSP/2.0\r\nCSeq: 1\r\nSupported: play.basic\r\n\r\n".encode())
    data = client.transport.value()
    assert data.startswith(b"RTSP/1.0 505 ")
    assert client.receive()[0].headers.get("CSeq") == "1"
    assert client.ask("OPTIONS").code == 200


# ExoPlayer


EXO_STATUS = re.compile(rb"RTSP/1\.0 (\d+) (.+)")
EXO_SESSION = re.compile(r"[\w$\-_.+]+(?:;\s?timeout=(\d+))?")
EXO_RANGE = re.compile(r"npt[:=][.\d]+\s?-\s?(?:[.\d]+)?")
EXO_INFO = re.compile(r"url=[^;,]+;seq=\d+;rtptime=\d+(?:,url=[^;,]+;seq=\d+;rtptime=\d+)*")


def exo(client: Client, cseq: int, method: str, url: str, *headers: str) -> Response:
    """A request as ExoPlayer sends it; it counts from 0 and reads the status line with a pattern."""
    lines = [f"{method} {url} RTSP/1.0", "user-agent: AndroidXMedia3/1.4", f"cseq: {cseq}", *headers, "", ""]
    client.write("\r\n".join(lines).encode())
    assert EXO_STATUS.search(client.transport.value())
    answer = next(each for each in client.receive() if isinstance(each, Response))
    assert answer.headers.get("CSeq") == str(cseq)
    return answer


@pytest.mark.requirement("Q-9", "CON-1", "SYN-14", "OPT-1", "TMO-1", "PLY-7", "RTP-1", "SDP-1", "SDP-2", "HDR-4")
def testExoPlayer(client: Client, rig: Rig) -> None:
    """It counts from 0, needs DESCRIBE in Public and a control for each track, and reads replies by narrow patterns."""
    assert "DESCRIBE" in exo(client, 0, "OPTIONS", FILM).headers.get("Public", "")
    description = exo(client, 1, "DESCRIBE", FILM).body.decode()
    assert EXO_RANGE.fullmatch(re.findall(r"^a=range:(.*)\r$", description, re.M)[0])
    for section in description.split("\r\nm=")[1:]:
        assert "\r\na=control:" in section
    answer = exo(client, 2, "SETUP", VIDEO, "transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    session = answer.headers.get("Session", "")
    timeout = EXO_SESSION.fullmatch(session)
    assert timeout is not None
    session = session.partition(";")[0]
    named = f"session: {session}"
    exo(client, 3, "SETUP", AUDIO, "transport: RTP/AVP/TCP;unicast;interleaved=2-3", named)
    answer = exo(client, 4, "PLAY", FILM, "range: npt=0.000-", named)
    assert EXO_RANGE.fullmatch(answer.headers.get("Range", ""))
    assert EXO_INFO.fullmatch(answer.headers.get("RTP-Info", ""))
    assert exo(client, 5, "PAUSE", FILM, named).code == 200
    for cseq in range(6, 12):  # no reports, only OPTIONS at half the timeout
        rig.wait(int(timeout[1]) / 2, step=1)
        assert exo(client, cseq, "OPTIONS", FILM, named).code == 200
    assert exo(client, 12, "PLAY", FILM, "range: npt=6.500-", named).code == 200
    assert exo(client, 13, "TEARDOWN", FILM, named).code == 200


@pytest.mark.requirement("Q-9", "SET-18", "SET-11")
def testExoPlayerWithoutUDP(client: Client, rig: Rig) -> None:
    """Eight seconds of silence over UDP, then TEARDOWN and TCP on the same connection."""
    answer = exo(client, 0, "SETUP", VIDEO, f"transport: {UDP.format(5000, 5001)}")
    rig.receive("rtp", b"\x80" + bytes(11), ("192.0.2.7", 5000))
    named = f"session: {answer.headers.get('Session', '').partition(';')[0]}"
    exo(client, 1, "PLAY", FILM, "range: npt=0.000-", named)
    rig.wait(8.0)
    assert exo(client, 2, "TEARDOWN", FILM, named).code == 200
    answer = exo(client, 3, "SETUP", VIDEO, "transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    named = f"session: {answer.headers.get('Session', '').partition(';')[0]}"
    exo(client, 4, "PLAY", FILM, "range: npt=0.000-", named)
    rig.wait(1.0)
    assert client.pictures()[0] == 0


# QuickTime, and Darwin Streaming Server


@pytest.mark.requirement("Q-10", "SET-7", "HDR-11", "DES-6")
def testQuickTime(client: Client, rig: Rig) -> None:
    """TCP without channels, bandwidth and language in DESCRIBE, and headers of its own everywhere."""
    agent = "QuickTime/7.7 (qtver=7.7;os=Mac 10.6.8)"
    assert client.ask("DESCRIBE", Accept="application/sdp", Bandwidth="2147483647", Accept_Language="en").code == 200
    own = {"x_retransmit": "our-retransmit", "x_dynamic_rate": "1", "x_transport_options": "late-tolerance=2.384"}
    for url, channels in ((VIDEO, "0-1"), (AUDIO, "2-3")):
        answer = client.setUp(url, "RTP/AVP/TCP;unicast", User_Agent=agent, **own)
        assert f"interleaved={channels}" in transportOf(answer)[1]
    answer = client.ask("PLAY", Range="npt=0.000000-10.000000", x_prebuffer="maxtime=2.000000", User_Agent=agent)
    assert answer.code == 200
    assert rangeOf(answer) == (0.0, 10.0)
    rig.wait(0.5)
    assert client.pictures()[:3] == [0, 1, 2]
    assert client.packets(2)


@pytest.mark.requirement("Q-10", "PLY-14")
def testDarwinWantsToPublish(client: Client) -> None:
    """C{mode=receive} is its word for recording, which is not for a file."""
    answer = client.ask("SETUP", VIDEO, Transport="RTP/AVP/TCP;unicast;mode=receive;interleaved=0-1")
    assert answer.code == 405
    assert answer.headers.get("Allow")


# Larix


@pytest.mark.requirement("Q-11", "TMO-1", "SET-7")
def testLarix(client: Client, rig: Rig) -> None:
    """Channels 2 and 3 for its only track, and the timeout comes back with the session."""
    answer = client.setUp(f"{SOUND}/trackID=0", "RTP/AVP/TCP;unicast;interleaved=2-3")
    assert "interleaved=2-3" in transportOf(answer)[1]
    session = answer.headers.get("Session", "")
    assert session.endswith(";timeout=60")
    for spelling in (session, session.replace(";", "; ")):
        assert client.ask("PLAY", SOUND, Session=spelling).code == 200
    rig.wait(0.5)
    assert client.packets(2)
    assert client.ask("TEARDOWN", SOUND, Session=session).code == 200


# IPTV boxes


@pytest.mark.requirement("Q-12", "SET-3", "SET-12", "SYN-12", "PLY-11")
def testIPTVBox(client: Client, rig: Rig) -> None:
    """Everything in the query, transport streams first in the list; at the end BYE, and no request of ours."""
    url = f"{FILM}?playseek=20100929182111-20100929184111&ctype=2&time=20100929182111+08"
    assert client.ask("OPTIONS", url).code == 200
    answer = client.ask("DESCRIBE", url, x_NAT="2.1.1.100:20081", x_zmssRtxSdp="yes", Accept="application/sdp")
    assert answer.headers.get("Content-Base") == BASE
    offer = ",".join(
        f"{profile};unicast;destination=2.1.1.100;client_port=8360-8361"
        for profile in ("MP2T/RTP/UDP", "MP2T/H2221/UDP", "RTP/AVP/UDP")
    )
    answer = client.setUp(f"{url}/trackID=0", offer, x_NAT="2.1.1.100:20081")
    assert answer.code == 200
    assert transportOf(answer)[0] == "UDP"
    assert "destination=192.0.2.7" in transportOf(answer)[1]
    assert client.ask("PLAY", url, Range="npt=8-", Scale="1.0", x_Burst="yes").code == 200
    rig.wait(4.0)
    assert said(parseCompound(rig.datagrams("rtcp", 8361)[-1]))
    assert all(isinstance(each, Response) for each in client.messages)


# ONVIF


@pytest.mark.requirement("Q-13", "HDR-1", "PAR-3", "PLY-2", "PLY-7", "V2-i", "SYN-3")
def testONVIF(client: Client, rig: Rig) -> None:
    """It is told that there is no replay; then ranges in UTC, answered so, and SET_PARAMETER for a sign of life."""
    answer = client.ask("SETUP", VIDEO, Transport=TCP.format(0, 1), Require="onvif-replay")
    assert (answer.code, answer.headers.get("Unsupported")) == (551, "onvif-replay")
    assert len(rig.registry) == 0
    client.setUpFilm()
    answer = client.ask("PLAY", Range="clock=20200913T122644.5Z-", Rate_Control="yes", Immediate="yes")
    assert answer.headers.get("Range") == "clock=20200913T122644Z-20200913T122650Z"
    assert client.ask("PAUSE").code == 200
    for _ in range(4):
        rig.wait(40, step=1)
        client.write(f"SET_PARAMETER {FILM} RTSP/1.0\r\nCseq: 99\r\nSession: {client.session}\r\n\r\n".encode())
        assert client.receive()[-1].code == 200
    assert len(rig.registry) == 1


# Recorders that need sender reports, such as UniFi Protect


@pytest.mark.requirement("Q-15", "RTCP-2", "RTCP-4")
@pytest.mark.parametrize("udp", [None, 5000])
def testRecorders(client: Client, rig: Rig, udp: int | None) -> None:
    """A report of every track before a second has passed, or they drop the stream."""
    client.setUpFilm(udp)
    client.play("npt=0-")
    rig.wait(0.9)
    for track in (0, 1):
        sent = client.frames(2 * track + 1) if udp is None else rig.datagrams("rtcp", udp + 2 * track + 1)
        assert reports(parseCompound(sent[0]))


# Whoever it is


@pytest.mark.requirement("HDR-8", "SYN-12")
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN"])
def testProxiesAndBrowsers(client: Client, method: str) -> None:
    """What they add changes nothing."""
    client.setUpFilm()
    client.play()
    own = {"Via": "1.0 proxy, 1.1 other", "From": "a@b", "Referer": "http://x/", "Vary": "*", "Host": "elsewhere"}
    if method == "SETUP":
        client.session = ""
    answer = client.ask(method, VIDEO if method == "SETUP" else FILM, Transport=TCP.format(4, 5), **own)
    assert answer.code == 200


@pytest.mark.requirement("TMO-2")
def testTimeoutThatPlayersCanKeep(client: Client) -> None:
    """VLC waits for two seconds less than the timeout until it says something; others for half of it."""
    answer = client.setUp(VIDEO, TCP.format(0, 1))
    assert int(answer.headers.get("Session", "").partition(";timeout=")[2]) >= 30
    assert Settings().sessionTimeout >= 30


@pytest.mark.requirement("Q-6", "Q-8", "RTP-4", "RTP-5")
def testScrubbing(client: Client, rig: Rig) -> None:
    """A slider that is dragged: PAUSE and PLAY again and again, reports in between; one line of numbers and times."""
    client.setUpFilm()
    client.play("npt=0-")
    for number in range(40):
        client.write(
            client.request("PAUSE", BASE)
            + InterleavedFrame(1, REPORT).toBytes()
            + client.request("PLAY", BASE, Range=f"npt={number * 7 % 10}.{number % 10}00-")
        )
        assert [each.code for each in client.receive() if isinstance(each, Response)] == [200, 200]
        rig.wait(0.13)
    packets = client.packets(2)
    assert set(gaps([packet.sequence for packet in packets])) == {1}
    assert all((later.timestamp - former.timestamp) & 0x80000000 == 0 for former, later in pairwise(packets))
