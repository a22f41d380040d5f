"""Pipelined-Requests: sessions that a client calls by numbers of its own (RFC 7826 section 18.33)."""

from __future__ import annotations

from typing import Any

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig

from mediasrv.rtsp.messages import Response

pytestmark = pytest.mark.requirement("CON-2")


def answers(client: Client) -> list[Response]:
    return [message for message in client.receive() if isinstance(message, Response)]


def numbered(client: Client, method: str, url: str, number: str = "1", **headers: str) -> Response:
    return client.ask(method, url, Pipelined_Requests=number, Session=None, **headers)


@pytest.mark.requirement("V2-f", "CON-2")
def testAllInOneWrite(client: Client, rig: Rig) -> None:
    """Two SETUPs and a PLAY without waiting for the identifier; every answer has it."""
    client.write(
        client.request("OPTIONS", Pipelined_Requests="7")
        + client.request("SETUP", VIDEO, Transport=TCP.format(0, 1), Pipelined_Requests="7")
        + client.request("SETUP", AUDIO, Transport=TCP.format(2, 3), Pipelined_Requests="7")
        + client.request("PLAY", FILM, Pipelined_Requests="7")
        + client.request("DESCRIBE", FILM, Pipelined_Requests="7")
    )
    options, *rest = answers(client)
    (session,) = rig.registry
    assert "Session" not in options.headers
    assert [answer.code for answer in rest] == [200] * 4
    assert {answer.headers.get("Session") for answer in rest} == {f"{session.id};timeout=60"}
    rig.wait(0.5)
    assert client.pictures()
    assert client.frames(2)


def testSeveralNumbers(client: Client, rig: Rig) -> None:
    """CON-4: each its own session."""
    numbered(client, "SETUP", VIDEO, "1", Transport=TCP.format(0, 1))
    numbered(client, "SETUP", SOUND, "2", Transport=TCP.format(2, 3))
    assert len(rig.registry) == 2
    assert numbered(client, "PLAY", SOUND, "2").code == 200
    assert [session.state for session in rig.registry] == ["ready", "playing"]


@pytest.mark.requirement("V2-f")
def testAFailedSetupBindsNothing(client: Client, rig: Rig) -> None:
    assert numbered(client, "SETUP", VIDEO, Transport="RTP/FOO").code == 461
    assert numbered(client, "PLAY", FILM).code == 454
    assert numbered(client, "SETUP", VIDEO, Transport=TCP.format(0, 1)).code == 200
    assert len(rig.registry) == 1


def testSessionWins(client: Client, rig: Rig) -> None:
    """Where there is a Session the number is not looked at, not even whether it is one."""
    numbered(client, "SETUP", SOUND, "1", Transport=TCP.format(0, 1))
    client.setUp(VIDEO, TCP.format(2, 3), Session=None)
    assert client.ask("PLAY", FILM, Pipelined_Requests="1").code == 200
    assert client.ask("PAUSE", FILM, Pipelined_Requests="so what").code == 200
    assert [session.state for session in rig.registry] == ["ready", "paused"]
    assert client.ask("SETUP", AUDIO, Pipelined_Requests="5", Transport=TCP.format(4, 5)).code == 200
    assert numbered(client, "PLAY", FILM, "5").code == 454


def testTheNumberGoesWithItsSession(client: Client, rig: Rig) -> None:
    """It means nothing afterwards, and may be used again."""
    numbered(client, "SETUP", VIDEO, Transport=TCP.format(0, 1))
    assert numbered(client, "TEARDOWN", FILM).code == 200
    assert numbered(client, "PLAY", FILM).code == 454
    assert numbered(client, "SETUP", VIDEO, Transport=TCP.format(0, 1)).code == 200
    assert numbered(client, "PLAY", FILM).code == 200


@pytest.mark.requirement("SEC-8")
def testTheNumberIsOfItsConnection(client: Client, rig: Rig) -> None:
    numbered(client, "SETUP", VIDEO, Transport=UDP.format(5000, 5001))
    other = rig.connect()
    assert numbered(other, "PLAY", FILM).code == 454
    assert numbered(other, "SETUP", VIDEO, Transport=UDP.format(5002, 5003)).code == 200
    assert len(rig.registry) == 2


@pytest.mark.parametrize("number", ["", "x", "-1", "1 2", "123456789", "１", "1,2"])
def testWhatIsNoNumber(client: Client, rig: Rig, number: str) -> None:
    assert numbered(client, "SETUP", VIDEO, number, Transport=TCP.format(0, 1)).code == 400
    assert len(rig.registry) == 0
    assert client.ask("OPTIONS").code == 200


def testABoundedNumberOfNumbers(client: Client, rig: Rig) -> None:
    """With the 65th the first is forgotten; its session is not."""
    for number in range(65):
        answer = numbered(
            client, "SETUP", SOUND, str(number), Transport=UDP.format(5000 + 2 * number, 5001 + 2 * number)
        )
        assert answer.code == 200
    assert numbered(client, "PLAY", SOUND, "0").code == 454
    assert numbered(client, "PLAY", SOUND, "1").code == 200
    assert len(rig.registry) == 65


def testOnlyLivingSessionsCount(client: Client) -> None:
    """Numbers whose session is gone push none out."""
    numbered(client, "SETUP", VIDEO, "1", Transport=TCP.format(0, 1))
    for number in range(2, 70):
        assert numbered(client, "SETUP", SOUND, str(number), Transport=TCP.format(2, 3)).code == 200
        assert numbered(client, "TEARDOWN", SOUND, str(number)).code == 200
    assert numbered(client, "PLAY", FILM, "1").code == 200


@pytest.mark.requirement("TMO-3")
def testTheNumberIsASignOfLife(client: Client, rig: Rig) -> None:
    """As the Session would be, though several are known here."""
    numbered(client, "SETUP", VIDEO, "1", Transport=TCP.format(0, 1))
    numbered(client, "SETUP", SOUND, "2", Transport=TCP.format(2, 3))
    for _ in range(3):
        rig.wait(50, step=1)
        assert numbered(client, "OPTIONS", "*", "2").code == 200
    (session,) = rig.registry
    known: Any = session
    assert known.path == "movies/sound.wav"
