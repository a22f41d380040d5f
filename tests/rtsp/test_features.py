"""Require and Proxy-Require (RFC 2326 sections 12.27 and 12.32, HDR-1)."""

from __future__ import annotations

import pytest
from rtsprig import TCP, VIDEO, Client, Rig

from mediasrv.rtsp import features
from mediasrv.rtsp.features import unsupported
from mediasrv.rtsp.messages import Headers, Response

pytestmark = pytest.mark.requirement("HDR-1")

METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"]
STRANGE = ["ANNOUNCE", "RECORD", "REDIRECT", "DANCE"]


@pytest.mark.parametrize("method", METHODS + STRANGE)
def testAnyMethod(client: Client, rig: Rig, method: str) -> None:
    """Before anything happens: what played plays on, and no session comes or goes."""
    client.setUpFilm()
    client.play()
    rig.wait(0.2)
    client.forget()
    answer = client.ask(method, VIDEO, Require="funky, x.y", Transport=TCP.format(4, 5))
    assert (answer.code, answer.headers.get("Unsupported")) == (551, "funky, x.y")
    (session,) = rig.registry
    assert session.state == "playing"
    rig.wait(0.2)
    assert client.pictures()


def testEveryLineOfBothHeaders(client: Client) -> None:
    client.write(
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nRequire: a\r\nProxy-Require: b,,c\r\nrequire:  d , a\r\nRequire:\r\n\r\n"
    )
    (answer,) = client.receive()
    assert isinstance(answer, Response)
    assert (answer.code, answer.headers.get("Unsupported")) == (551, "a, d, b, c")


@pytest.mark.parametrize("tag", ["play.basic", "play.scale", "onvif-replay", "www.onvif.org/ver20/backchannel"])
def testTagsOfOthers(client: Client, tag: str) -> None:
    """What is not served to the letter is not promised."""
    assert client.ask("OPTIONS", Require=tag).headers.get("Unsupported") == tag


def testOnlyTheUnknownAreNamed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "FEATURES", frozenset({"known"}))
    assert client.ask("OPTIONS", Require="known").code == 200
    assert client.ask("OPTIONS", Require="known, Known, funky").headers.get("Unsupported") == "Known, funky"


def testNothingRequired(client: Client) -> None:
    assert unsupported(Headers()) == []
    assert client.ask("OPTIONS", Require="").code == 200
