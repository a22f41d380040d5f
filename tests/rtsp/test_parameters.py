"""GET_PARAMETER and SET_PARAMETER (requirements PAR, SEC-21)."""

from __future__ import annotations

import pytest
from rtsprig import FILM, TCP, VIDEO, Client, Rig

BOTH = pytest.mark.parametrize("method", ["GET_PARAMETER", "SET_PARAMETER"])


@pytest.mark.requirement("PAR-1", "PAR-3", "PAR-4")
@BOTH
@pytest.mark.parametrize("url", ["*", FILM, "rtsp://server/"])
def testPing(client: Client, method: str, url: str) -> None:
    """PAR-1, PAR-3, PAR-4: an empty body is a sign of life, with or without Session, whatever other headers say."""
    assert client.ask(method, url).code == 200
    client.setUp(VIDEO, TCP.format(0, 1))
    answer = client.ask(method, url, Subscribe="stream=0;rule=0", Content_Type="text/parameters")
    assert answer.code == 200
    assert answer.headers.get("Session", "").startswith(client.session)
    assert client.ask(method, url, body=b"\r\n").code == 200
    assert client.ask(method, url, Session="unknown").code == 454


@pytest.mark.requirement("PAR-2", "COD-200")
def testQuestions(client: Client, rig: Rig) -> None:
    """PAR-2: names in, names and values out; names in any case, with or without colon."""
    client.setUpFilm()
    client.play("npt=4-")
    rig.wait(1.0)
    answer = client.ask(
        "GET_PARAMETER",
        body=b"position\r\nDuration:\nstate\r\n\r\npackets_sent\r\noctets_sent\r\npackets_lost\r\njitter",
        Content_Type="text/parameters; charset=utf-8",
    )
    assert answer.code == 200
    assert answer.headers.get("Content-Type") == "text/parameters"
    values = dict(line.split(": ") for line in answer.body.decode().splitlines())
    assert 4.9 < float(values["position"]) < 5.1
    assert values["Duration"] == "10.000"
    assert values["state"] == "playing"
    packets = client.packets(0) + client.packets(2)
    assert int(values["packets_sent"]) == len(packets)
    assert int(values["octets_sent"]) == sum(len(packet.payload) for packet in packets)


@pytest.mark.requirement("PAR-2", "PAR-3", "COD-451")
def testUnknownNames(client: Client) -> None:
    """PAR-2, PAR-3: 451 with the names that nobody knows, and no others."""
    client.setUp(VIDEO, TCP.format(0, 1))
    for method in ("GET_PARAMETER", "SET_PARAMETER"):
        answer = client.ask(method, body=b"position: 1\r\nwhat: 2\r\nTransport: x\r\n")
        assert answer.code == 451
        assert answer.body == b"what\r\nTransport\r\n"


@pytest.mark.requirement("PAR-3", "COD-458")
def testNothingCanBeSet(client: Client) -> None:
    """PAR-3: 458 for what can only be read."""
    client.setUp(VIDEO, TCP.format(0, 1))
    answer = client.ask("SET_PARAMETER", body=b"position: 5\r\n")
    assert (answer.code, answer.body) == (458, b"position\r\n")


@pytest.mark.requirement("COD-454")
def testQuestionsNeedASession(client: Client) -> None:
    assert client.ask("GET_PARAMETER", body=b"position").code == 454


@pytest.mark.requirement("PAR-2", "COD-415")
@BOTH
def testWrongType(client: Client, method: str) -> None:
    """PAR-2."""
    client.setUp(VIDEO, TCP.format(0, 1))
    assert client.ask(method, body=b"position", Content_Type="application/xml").code == 415


BODIES = [
    bytes(range(256)),
    b"\xff" * 1000,
    b"a\r\n" * 30000,
    b"x" * 100000,
    b"\0\0\0",
    b"a\x0bCSeq: 9\x85b: \xe2\x80\xa8X-Injected: 1",
]


@pytest.mark.requirement("SEC-21", "SEC-26")
@BOTH
@pytest.mark.parametrize("body", BODIES)
def testStrangeBodies(client: Client, method: str, body: bytes) -> None:
    """SEC-21, SEC-26: an error that is one well-formed message; the connection stays usable."""
    client.setUp(VIDEO, TCP.format(0, 1))
    answer = client.ask(method, body=body)
    assert answer.code in (200, 413, 451)
    assert len(answer.body) < 30000
    assert "X-Injected" not in answer.headers
    assert client.ask("OPTIONS").code == 200
