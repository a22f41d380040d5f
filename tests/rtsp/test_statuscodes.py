"""
Every status code that this server answers with, and the headers that have to come with it (RFC 2326 section 7.1.1,
section 1.11 of the requirements).

One table: a dialogue, and the code of its last answer. Not in it, because nothing here can mean them: 100, and of 3xx
all but 301, 302 and 304; 402, 407, 502 and 504, which are for payment and proxies; 201 and 250, which belong to RECORD;
401, as there are no users; 456, as all that is played can be sought; 462, as media go to nobody but who asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rtsprig import FILM, SOUND, TCP, VIDEO, Client, Rig

import mediasrv.rtsp
from mediasrv.interfaces import Elsewhere, Gone
from mediasrv.locating import RedirectTable
from mediasrv.rtsp.messages import Response
from mediasrv.rtsp.status import Status

Dialogue = Callable[[Client, Rig], Response]

#: what has to be in an answer of a code, besides CSeq and Session
WITH = {
    301: {"Location"},
    302: {"Location"},
    304: {"Last-Modified"},
    405: {"Allow"},
    451: {"Content-Type", "Content-Length"},
    455: {"Allow"},
    458: {"Content-Type", "Content-Length"},
    501: {"Public"},
    503: {"Retry-After"},
    551: {"Unsupported"},
}

#: of these nobody knows which request they answer
UNNUMBERED = {"400 no CSeq", "400 no RTSP", "408 half a request", "414 request line", "503 too many connections"}

#: after these nobody knows where the next request would begin, or there is to be none
CLOSING = {
    *("400 no RTSP", "400 Content-Length", "408 half a request", "411 chunks", "413 body", "414 request line"),
    "503 too many connections",
}

#: this 501 is not about the method, so that Public would be no help
BARE = {"501 unit of Range"}


@dataclass
class Table:
    """Dialogues by their names, which begin with the code."""

    dialogues: dict[str, Dialogue]

    def ask(self, name: str, method: str, url: str = FILM, body: bytes = b"", **headers: str) -> None:
        """One request."""
        self.dialogues[name] = lambda client, rig: client.ask(method, url, body, **headers)

    def setUp(self, name: str, method: str, url: str = FILM, body: bytes = b"", **headers: str) -> None:
        """One request of a client that has the whole film set up."""

        def dialogue(client: Client, rig: Rig) -> Response:
            client.setUpFilm()
            return client.ask(method, url, body, **headers)

        self.dialogues[name] = dialogue

    def playing(self, name: str, method: str, url: str = FILM, **headers: str) -> None:
        """One request of a client that plays the film."""

        def dialogue(client: Client, rig: Rig) -> Response:
            client.setUpFilm()
            client.play()
            return client.ask(method, url, **headers)

        self.dialogues[name] = dialogue

    def raw(self, name: str, data: bytes) -> None:
        """What is no request, or not one that can be served."""
        self.dialogues[name] = lambda client, rig: _answer(client, data)


def _answer(client: Client, data: bytes) -> Response:
    client.write(data)
    (answer,) = client.receive()
    assert isinstance(answer, Response)
    return answer


def _halfARequest(client: Client, rig: Rig) -> Response:
    client.write(b"OPTIONS * RT")
    rig.wait(70, step=1)
    (answer,) = client.receive()
    assert isinstance(answer, Response)
    return answer


def _draining(client: Client, rig: Rig) -> Response:
    rig.registry.drain()
    return client.ask("DESCRIBE")


def _noRoom(client: Client, rig: Rig) -> Response:
    rig.registry.limit = 1
    client.setUpFilm()
    client.session = ""
    return client.ask("SETUP", SOUND, Transport=TCP.format(4, 5))


def _tooMany(client: Client, rig: Rig) -> Response:
    site: Any = rig.site
    site._connectionsPerPeer = 1
    client.transport = (other := rig.connect()).transport  # what is asked about from here on
    (answer,) = other.receive()
    assert isinstance(answer, Response)
    return answer


def _table() -> dict[str, Dialogue]:
    table, transport = Table({}), TCP.format(0, 1)
    table.ask("200 OPTIONS", "OPTIONS", "*")
    table.ask("200 DESCRIBE", "DESCRIBE")
    table.dialogues["200 SETUP"] = lambda client, rig: client.setUp(VIDEO, transport)
    table.setUp("200 PLAY", "PLAY")
    table.playing("200 PAUSE", "PAUSE")
    table.playing("200 TEARDOWN", "TEARDOWN")
    table.setUp("200 GET_PARAMETER", "GET_PARAMETER", body=b"position\r\n")
    table.setUp("200 SET_PARAMETER", "SET_PARAMETER")
    table.ask("301 DESCRIBE", "DESCRIBE", "rtsp://server/moved/a.mkv")
    table.ask("301 SETUP", "SETUP", "rtsp://server/moved/a.mkv/trackID=0", Transport=transport)
    table.ask("302 DESCRIBE", "DESCRIBE", "rtsp://server/away/a.mkv")
    table.ask("304", "DESCRIBE", If_Modified_Since="Sun, 13 Sep 2020 12:26:40 GMT")
    table.ask("400 no resource", "DESCRIBE", "*")
    table.ask("400 no URL", "DESCRIBE", "http://server/movies/film.mkv")
    table.setUp("400 Range", "PLAY", Range="npt=x")
    table.setUp("400 Scale", "PLAY", Scale="fast")
    table.ask("400 Bandwidth", "SETUP", VIDEO, Transport=transport, Bandwidth="much")
    table.ask("400 Pipelined-Requests", "SETUP", VIDEO, Transport=transport, Pipelined_Requests="x")
    table.raw("400 no CSeq", b"OPTIONS * RTSP/1.0\r\n\r\n")
    table.raw("400 no RTSP", b"INVITE sip:film@server SIP/2.0\r\n\r\n")
    table.raw("400 Content-Length", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n")
    table.ask("403", "DESCRIBE", "rtsp://server/movies/secret.mkv")
    table.ask("404 DESCRIBE", "DESCRIBE", "rtsp://server/movies/none.mkv")
    table.ask("404 track", "SETUP", f"{FILM}/trackID=9", Transport=transport)
    table.setUp("404 another presentation", "PLAY", SOUND)
    table.ask("405 ANNOUNCE", "ANNOUNCE")
    table.ask("405 RECORD", "RECORD")
    table.ask("405 REDIRECT", "REDIRECT")
    table.ask("405 SETUP", "SETUP", VIDEO, Transport=f"{transport};mode=record")
    table.ask("406", "DESCRIBE", Accept="text/html")
    table.dialogues["408 half a request"] = _halfARequest
    table.ask("410 DESCRIBE", "DESCRIBE", "rtsp://server/lost/a.mkv")
    table.ask("410 SETUP", "SETUP", "rtsp://server/lost/a.mkv/trackID=0", Transport=transport)
    table.raw("411 chunks", b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    table.ask("412", "SETUP", VIDEO, Transport=transport, If_Match='"other"')
    table.raw("413 body", b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 9999999\r\n\r\n")
    table.setUp("413 parameters", "GET_PARAMETER", body=b"state\r\n" * 101)
    table.raw("414 request line", b"OPTIONS rtsp://" + b"x" * 20000 + b" RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    table.ask("415 no media", "DESCRIBE", "rtsp://server/movies/broken.mkv")
    table.setUp("415 body", "GET_PARAMETER", body=b"{}", Content_Type="application/json")
    table.ask("416", "SETUP", VIDEO, Transport=transport, Blocksize="small")
    table.setUp("451", "GET_PARAMETER", body=b"colour\r\n")
    table.ask("452", "SETUP", VIDEO, Transport=transport, Conference="199702170042.SAA08642@obiwan.example%20Starr")
    table.ask("453", "SETUP", VIDEO, Transport=transport, Bandwidth="999999")
    table.ask("454 PLAY", "PLAY", Session="nobodyknows")
    table.ask("454 TEARDOWN", "TEARDOWN")
    table.ask("454 OPTIONS", "OPTIONS", Session="nobodyknows")
    table.playing("455 SETUP", "SETUP", VIDEO, Transport=transport)
    table.setUp("455 PAUSE", "PAUSE")
    table.setUp("457 beyond the end", "PLAY", Range="npt=100-")
    table.playing("457 PAUSE", "PAUSE", Range="npt=100")
    table.setUp("458", "SET_PARAMETER", body=b"position: 5\r\n")
    table.ask("459 several tracks", "SETUP", FILM, Transport=transport)
    table.setUp("459 another presentation", "SETUP", SOUND, Transport=transport)
    table.playing("460", "PAUSE", VIDEO, Range="npt=4")
    table.ask("461 none that can be had", "SETUP", VIDEO, Transport="RTP/SAVP;unicast;client_port=5000-5001")
    table.ask("461 none at all", "SETUP", VIDEO)
    table.ask("463", "SETUP", VIDEO, Transport=transport, KeyMgmt='prot=mikey;uri="";data="AAAA"')
    table.ask("500", "DESCRIBE", "rtsp://server/movies/bug.mkv")
    table.ask("501 method", "DANCE")
    table.setUp("501 unit of Range", "PLAY", Range="bytes=0-5")
    table.dialogues["503 emptied"] = _draining
    table.dialogues["503 too many sessions"] = _noRoom
    table.dialogues["503 too many connections"] = _tooMany
    table.raw("505", b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n")
    table.ask("551", "OPTIONS", Require="funky-feature")
    return table.dialogues


TABLE = _table()


@pytest.fixture
def rig() -> Rig:
    moved = Elsewhere("rtsp://other.example/x", permanent=True)
    rig = Rig(locators=[RedirectTable({"moved": moved, "away": "rtsp://other.example", "lost": Gone()})])
    rig.library.film.tracks[0] = replace(rig.library.film.tracks[0], bitRate=1_000_000)
    return rig


@pytest.mark.requirement("HDR-7", "COD-301", "COD-302", "COD-410", "COD-411", "COD-452", "COD-453", "COD-463")
@pytest.mark.parametrize("name", TABLE)
def testStatusCodes(client: Client, rig: Rig, name: str, loggedFailures: list[Any]) -> None:
    """The code, its reason phrase, its headers, and a connection that goes on."""
    answer = TABLE[name](client, rig)
    code = int(name[:3])
    assert (answer.code, answer.reason) == (code, Status(code).phrase)
    names = {key for key, _ in answer.headers.items()}
    assert ("CSeq" in names) == (name not in UNNUMBERED)
    assert "Server" in names
    if name not in BARE:
        assert WITH.get(code, set()) <= names
    assert ("Session" in names) == (rig.registry.get(client.session) is not None)
    assert client.isConnected == (name not in CLOSING)
    if client.isConnected:
        assert client.ask("OPTIONS", Session=None).code == 200
    assert len(loggedFailures) == (code == 500)
    loggedFailures.clear()


def testEveryCodeIsInTheTable() -> None:
    """What the door's source says it answers is what is answered here."""
    (folder,) = mediasrv.rtsp.__path__
    said = {200}
    for path in Path(folder).glob("*.py"):
        text = path.read_text()
        said |= {int(code) for code in re.findall(r"\b(?:Refused|Response|MessageError)\(([1-5][0-9]{2})\b", text)}
        said |= {int(code) for code in re.findall(r"HeaderError\([^()]*, ([1-5][0-9]{2})\)", text)}
    assert {int(name[:3]) for name in TABLE} == said
