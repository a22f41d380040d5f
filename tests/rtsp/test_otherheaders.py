"""Headers of answers, and headers that mean nothing here (RFC 2326 section 12, requirements HDR)."""

from __future__ import annotations

import pytest
from rtsprig import FILM, TCP, VIDEO, Client, Rig

METHODS = ["OPTIONS", "DESCRIBE", "PLAY", "PAUSE", "GET_PARAMETER", "SET_PARAMETER"]


@pytest.mark.requirement("HDR-7")
@pytest.mark.parametrize("method", METHODS)
def testEveryAnswerNamesItsSession(client: Client, rig: Rig, method: str) -> None:
    """With the timeout, whether it is good or bad; and none that is not the client's."""
    client.setUpFilm()
    client.play()
    named = f"{client.session};timeout=60"
    for headers in ({}, {"Require": "funky"}):
        assert client.ask(method, FILM, **headers).headers.get("Session") == named
    assert "Session" not in client.ask(method, FILM, Session="another").headers
    assert "Session" not in client.ask(method, FILM, Session=None).headers
    thief = rig.connect("203.0.113.9")
    assert "Session" not in thief.ask(method, FILM, Session=client.session).headers


@pytest.mark.requirement("HDR-7", "TDN-1")
def testExceptTheOneThatEndsIt(client: Client) -> None:
    client.setUpFilm()
    assert "Session" not in client.ask("TEARDOWN").headers


@pytest.mark.requirement("HDR-5")
@pytest.mark.parametrize("timestamp", ["1.23", "", "0", "12345678901234567890.5 7", "anything"])
@pytest.mark.parametrize("method", ["OPTIONS", "PAUSE", "DANCE"])
def testTimestampsComeBack(client: Client, method: str, timestamp: str) -> None:
    assert client.ask(method, Timestamp=timestamp).headers.get("Timestamp") == timestamp


@pytest.mark.requirement("HDR-6")
@pytest.mark.parametrize("method", ["OPTIONS", "SETUP", "DANCE"])
def testServerIsInEveryAnswer(client: Client, method: str) -> None:
    """Whatever the client calls itself."""
    agent = "{log_source} %s \x7f" + "x" * 2000
    for value in (agent.replace("\x7f", "é"), "", "\t"):
        assert client.ask(method, User_Agent=value).headers.get("Server") == "mediasrv"


IGNORED = {
    # HDR-8
    "Via": "1.0 proxy.example, 1.1 another (x)",
    "From": "somebody@example",
    "Referer": "http://example/page",
    "Vary": "*",
    # HDR-10: some servers play at once when a SETUP has one of these; here they wait for PLAY
    "x-playNow": "",
    "Range": "npt=5-",
    # HDR-11, QuickTime
    "x-Dynamic-Rate": "1;rtt=10",
    "x-Accept-Dynamic-Rate": "1",
    "x-Retransmit": "our-retransmit",
    "x-Transport-Options": "late-tolerance=1.4",
}


@pytest.mark.requirement("HDR-8", "HDR-10", "HDR-11", "SYN-12")
@pytest.mark.parametrize("name", IGNORED)
def testHeadersThatAreIgnored(client: Client, rig: Rig, name: str) -> None:
    """Answered as if they were not there, and not sent back."""
    header = {name.replace("-", "_"): IGNORED[name]}
    for method in ("OPTIONS", "DESCRIBE"):
        answer = client.ask(method, **header)
        assert answer.code == 200
        assert name not in answer.headers
    answer = client.setUp(VIDEO, TCP.format(0, 1), **header)
    assert answer.code == 200
    assert name not in answer.headers
    rig.wait(0.5)
    assert client.frames(0) == []
    (session,) = rig.registry
    assert session.state == "ready"


@pytest.mark.requirement("EXT-1", "RED-1")
@pytest.mark.parametrize(("method", "code"), [("DANCE", 501), ("ANNOUNCE", 405), ("RECORD", 405), ("REDIRECT", 405)])
def testMethodsThatAreNotForASession(client: Client, rig: Rig, method: str, code: int) -> None:
    """In any state, for the presentation, a track and the server itself; nothing happens to the session."""
    client.setUpFilm()
    client.play()
    for url in (FILM, VIDEO, "rtsp://server/"):
        answer = client.ask(method, url)
        assert answer.code == code
        assert "SETUP" in answer.headers.get("Allow" if code == 405 else "Public", "")
    (session,) = rig.registry
    assert session.state == "playing"
