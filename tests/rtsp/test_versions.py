"""Other versions than RTSP/1.0 (RFC 2326 section 3.1, RFC 7826 section 8.1 and appendix H; SYN-13)."""

from __future__ import annotations

import pytest
from rtsprig import TCP, VIDEO, Client, Rig

from mediasrv.rtsp.messages import Response

pytestmark = pytest.mark.requirement("SYN-13")

# As RFC 7826 has it: a client may try OPTIONS first, or just begin.
REQUESTS = [
    "OPTIONS * RTSP/2.0\r\nCSeq: 1\r\nSupported: play.basic\r\n\r\n",
    "OPTIONS rtsp://server/movies/film.mkv RTSP/2.0\r\nCSeq: 1\r\nRequire: play.basic\r\n\r\n",
    "DESCRIBE rtsp://server/movies/film.mkv RTSP/2.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n",
    "PLAY_NOTIFY * RTSP/2.0\r\nCSeq: 1\r\n\r\n",
    "SET_PARAMETER * RTSP/2.0\r\nCSeq: 1\r\nContent-Length: 39\r\n\r\nTEARDOWN rtsp://x RTSP/1.0\r\nCSeq: 2\r\n\r\n",
    "OPTIONS * RTSP/0.9\r\nCSeq: 1\r\n\r\n",
    "OPTIONS * RTSP/1.1\r\nCSeq: 1\r\n\r\n",
    "OPTIONS * RTSP/9999.9999\r\nCSeq: 1\r\n\r\n",
]


@pytest.mark.parametrize("request_", REQUESTS)
def testOtherVersions(client: Client, rig: Rig, request_: str) -> None:
    """505 in our own version, which is what tells such a client to go on in that; and it can, on this connection."""
    client.write(request_.encode())
    data = client.transport.value()
    assert data.startswith(b"RTSP/1.0 505 RTSP Version Not Supported\r\nCSeq: 1\r\n")
    (answer,) = client.receive()
    assert isinstance(answer, Response)
    client.setUpFilm()
    assert client.ask("PLAY").code == 200


def testASessionIsNotConcerned(client: Client, rig: Rig) -> None:
    """A request of another version changes nothing, however it names the session."""
    client.setUpFilm()
    client.play()
    client.write(f"TEARDOWN {VIDEO} RTSP/2.0\r\nCSeq: 9\r\nSession: {client.session}\r\n\r\n".encode())
    client.write(f"SETUP {VIDEO} RTSP/2.0\r\nCSeq: 10\r\nTransport: {TCP.format(4, 5)}\r\n\r\n".encode())
    answers = [message for message in client.receive() if isinstance(message, Response)]
    assert [answer.code for answer in answers] == [505, 505]
    (session,) = rig.registry
    assert session.state == "playing"


def testTheCaseOfTheNameDoesNotMatter(client: Client) -> None:
    client.write(b"OPTIONS * rtsp/1.0\r\nCSeq: 1\r\n\r\n")
    (answer,) = client.receive()
    assert isinstance(answer, Response)
    assert answer.code == 200
