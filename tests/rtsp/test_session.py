"""Sessions: how long they live, and what the registry shows of them (requirements TMO)."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from rtsprig import FILM, SOUND, TCP, UDP, VIDEO, Client, Rig, said

from mediasrv.registry import Event
from mediasrv.rtp.bursts import PacketFragment
from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound, parseCompound
from mediasrv.rtsp.messages import InterleavedFrame
from mediasrv.rtsp.session import RTSPSession

REPORT = packCompound([ReceiverReport(1, [ReportBlock(2)]), SourceDescription.named(1, "c")])


@pytest.mark.requirement("TMO-4", "TMO-6", "COD-454")
def testTimeoutOverUDP(client: Client, rig: Rig) -> None:
    """TMO-4: a silent client: media stop, BYE, 454; the connection may stay, but not for ever (TMO-6)."""
    client.setUpFilm(udp=5000)
    client.play("npt=0-")
    rig.wait(58, step=0.5)
    assert len(rig.registry) == 1
    client.play("npt=0-")
    rig.wait(62, step=0.5)
    assert len(rig.registry) == 0
    for port in (5001, 5003):
        packets = [packet for data in rig.datagrams("rtcp", port) for packet in parseCompound(data)]
        assert said(packets[-1:])
    sent = len(rig.sent)
    rig.wait(2.0)
    assert len(rig.sent) == sent


@pytest.mark.requirement("TMO-4", "TMO-5")
@pytest.mark.parametrize("state", ["ready", "paused", "playing"])
def testTimeoutOverTCP(client: Client, rig: Rig, state: str) -> None:
    """TMO-4, TMO-5: silent ones end in any state; the connection is told by BYE."""
    client.setUpFilm()
    if state != "ready":
        client.play()
    if state == "paused":
        client.ask("PAUSE")
    rig.wait(59, step=1)
    assert len(rig.registry) == 1
    rig.wait(3, step=1)
    assert len(rig.registry) == 0
    assert said(client.control(1))


def ask(method: str, **headers: str | None) -> Any:
    return lambda client, rig: client.ask(method, **headers)


SIGNS: dict[str, Any] = {
    "OPTIONS": ask("OPTIONS"),
    "GET_PARAMETER": ask("GET_PARAMETER"),
    "SET_PARAMETER": ask("SET_PARAMETER"),
    "PLAY": ask("PLAY"),
    "with its timeout": lambda client, rig: client.ask("OPTIONS", Session=f"{client.session};timeout=60"),
    "an error": lambda client, rig: client.ask("PLAY", Range="npt=99-"),
    "unknown method": ask("WHATEVER"),
    "DESCRIBE": ask("DESCRIBE"),
    "without Session": ask("OPTIONS", Session=None),
    "a response": lambda client, rig: client.write(
        f"RTSP/1.0 501 No\r\nCSeq: 1\r\nSession: {client.session}\r\n\r\n".encode()
    ),
    "RTCP": lambda client, rig: client.write(InterleavedFrame(1, REPORT).toBytes()),
    "RTCP over UDP": lambda client, rig: rig.receive("rtcp", REPORT, ("192.0.2.7", 5003)),
    "RTCP for another": lambda client, rig: rig.receive("rtcp", REPORT, ("192.0.2.7", 5005)),
    "RTCP from elsewhere": lambda client, rig: rig.receive("rtcp", REPORT, ("203.0.113.9", 5001)),
    "no RTCP": lambda client, rig: rig.receive("rtcp", b"\x80\xc9\xff\xff", ("192.0.2.7", 5001)),
    "RTP": lambda client, rig: rig.receive("rtp", b"\x80" * 12, ("192.0.2.7", 5000)),
    "RTCP on no channel": lambda client, rig: client.write(InterleavedFrame(9, REPORT).toBytes()),
    "no RTCP on its channel": lambda client, rig: client.write(InterleavedFrame(1, b"x").toBytes()),
}
OVER_TCP = ["RTCP"]
OVER_UDP = ["RTCP over UDP"]
NO_SIGN = ["RTCP for another", "RTCP from elsewhere", "no RTCP", "RTP", "RTCP on no channel", "no RTCP on its channel"]


@pytest.mark.requirement("TMO-3", "TMO-4", "CON-6", "V2-i", "PAR-1")
@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("udp", [None, 5000])
def testSignsOfLife(client: Client, rig: Rig, sign: str, udp: int | None) -> None:
    """TMO-3, TMO-4, CON-6: what keeps a session alive, and what does not."""
    client.setUpFilm(udp)
    client.play("npt=0-0.5")
    for _ in range(4):
        rig.wait(40, step=1)
        SIGNS[sign](client, rig)
    lives = sign not in NO_SIGN and sign not in (OVER_UDP if udp is None else OVER_TCP)
    assert len(rig.registry) == lives


@pytest.mark.requirement("TMO-4")
def testWithoutSessionThereMustBeOneOnly(client: Client, rig: Rig) -> None:
    """TMO-4: OPTIONS without Session says nothing where there are two."""
    client.setUp(VIDEO, TCP.format(0, 1))
    client.session = ""
    client.setUp(SOUND, TCP.format(2, 3))
    for _ in range(2):
        rig.wait(40, step=1)
        client.ask("OPTIONS", Session=None)
    assert len(rig.registry) == 0


@pytest.mark.requirement("INT-5")
def testASlowReaderHasPatience(client: Client, rig: Rig) -> None:
    """INT-5: a window that is closed for long is no reason to end, one that is closed for ever is."""
    client.setUpFilm()
    client.play()
    rig.wait(0.5)
    client.transport.producer.pauseProducing()
    rig.wait(500, step=1)
    assert len(rig.registry) == 1
    rig.wait(120, step=1)
    assert len(rig.registry) == 0


def testWhatTheRegistryShows(client: Client, rig: Rig) -> None:
    """Everything about a session, and every change of it."""
    events: list[tuple[str, str]] = []

    def note(event: Event) -> None:
        events.append((event.kind, event.session.state))

    rig.registry.subscribe(note)
    client.setUpFilm()
    session: Any = rig.registry.get(client.session)
    assert (session.peer, session.path, session.title, session.door) == ("192.0.2.7", "movies/film.mkv", "film", "rtsp")
    assert session.tracks == ["video h264", "audio pcm_mulaw"]
    assert session.transport == "RTP/AVP/TCP;unicast;interleaved=0-1, RTP/AVP/TCP;unicast;interleaved=2-3"
    client.play("npt=2-3")
    rig.wait(0.5)
    assert session.position() == pytest.approx(2.5, abs=0.02)
    rig.wait(1.0)
    assert session.position() == 3.0
    client.ask("TEARDOWN")
    assert session.packetsSent == len(client.packets(0)) + len(client.packets(2))
    assert events == [
        ("added", "ready"),
        ("changed", "ready"),
        ("changed", "ready"),
        ("changed", "playing"),
        ("changed", "paused"),
        ("removed", "gone"),
    ]
    session.end("again")
    assert len(events) == 6


def testAPlayerThatFails(client: Client, rig: Rig, loggedFailures: list[Any]) -> None:
    """Something is wrong inside one session, and even with ending it: it ends, and no other notices."""
    canary = rig.connect("192.0.2.8")
    canary.setUpFilm()
    canary.play()
    client.setUp(VIDEO, TCP.format(0, 1))
    client.play()
    session: Any = rig.registry.get(client.session)
    session.setUpTracks[0].sender.transport = None
    rig.wait(1.0)
    assert loggedFailures
    loggedFailures.clear()
    assert [each.id for each in rig.registry] == [canary.session]
    assert canary.pictures() == list(range(len(canary.pictures())))
    assert len(canary.pictures()) >= 25


@pytest.mark.requirement("CON-3", "CON-8")
def testMixedTransports(client: Client, rig: Rig) -> None:
    """One track over UDP, one over TCP: the session is bound to the connection, and ends with it."""
    client.setUp(f"{FILM}/trackID=0", UDP.format(5000, 5001))
    client.setUp(f"{FILM}/trackID=1", TCP.format(0, 1))
    client.play()
    rig.wait(0.5)
    assert rig.datagrams("rtp", 5000)
    assert client.frames(0)
    assert rig.connect().ask("PAUSE", Session=client.session).code == 454
    client.transport.lose()
    assert len(rig.registry) == 0


@pytest.mark.requirement("TDN-2")
def testAnEndedSessionHoldsNoMedia(client: Client, rig: Rig) -> None:
    """The connection may know it for a while; the fragment that it played is free at once."""
    client.setUpFilm()
    client.play()
    (session,) = rig.registry
    assert isinstance(session, RTSPSession)

    def held() -> list[object]:
        return [each for each in gc.get_referents(session.player._reel) if isinstance(each, PacketFragment)]

    assert held()
    client.ask("TEARDOWN")
    assert not held()
