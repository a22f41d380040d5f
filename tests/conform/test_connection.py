"""What comes on the checker's sockets is kept, in its order, and never lost to something else that is waited for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from mediasrv.conform.connection import Connection, connect
from mediasrv.conform.grading import Failed, Gone, Silence
from mediasrv.conform.network import Network
from mediasrv.conform.ports import openPorts

OK = b"RTSP/1.0 200 OK\r\nCSeq: %d\r\n\r\n"


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network(0.5)
    yield network
    network.close()


@pytest.fixture
def pair(network: Network) -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and the server's end of it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        connection = connect(network, "127.0.0.1", listener.getsockname()[1])
        server, _ = listener.accept()
    with server:
        yield connection, server


def answering(server: socket.socket, answer: bytes) -> threading.Thread:
    """Takes a request, and answers."""

    def run() -> None:
        server.recv(4096)
        server.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def failure(call: Callable[[], object]) -> Failed:
    with pytest.raises(Failed) as raised:
        call()
    return raised.value


def test_repliesInTheirOrder(pair):
    connection, server = pair
    server.sendall(OK % 1 + OK % 2)
    assert [connection.answer().headers.get("CSeq") for _ in range(2)] == ["1", "2"]


def test_requestsAreNumbered(pair):
    connection, server = pair
    for number in (1, 2):
        thread = answering(server, OK % number)
        assert connection.ask("OPTIONS", "*").headers.get("CSeq") == str(number)
        thread.join()
    assert connection.format("PLAY", "*", [("CSeq", "77")]) == b"PLAY * RTSP/1.0\r\nCSeq: 77\r\n\r\n"
    assert connection.format("A", "*", body=b"xyz").endswith(b"CSeq: 3\r\nContent-Length: 3\r\n\r\nxyz")


def test_framesAndRepliesHaveOneOrder(pair):
    connection, server = pair
    frames = []
    connection.claim(4, lambda data, time, order: frames.append((data, order)))
    server.sendall(b"$\x04\x00\x03one" + OK % 1 + b"$\x04\x00\x03two$\x09\x00\x01x")
    reply = connection.answer()
    connection.network.listen(0.2, lambda: bool(connection.unclaimed))
    assert [data for data, _ in frames] == [b"one", b"two"]
    assert frames[0][1] < reply.order < frames[1][1]
    assert (connection.frames, connection.unclaimed, connection.smallestFrame) == (3, {9}, 1)


def test_serversMayAskToo(pair):
    connection, server = pair
    server.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 5\r\n\r\n" + OK % 1)
    assert connection.answer().code == 200
    server.settimeout(1)
    assert server.recv(4096) == OK % 5


def test_noAnswer(pair):
    connection, _ = pair
    failed = failure(lambda: connection.ask("OPTIONS", "*"))
    assert isinstance(failed, Silence)
    assert failed.got == "0.5 s of silence"


def test_closedWithoutAnswer(pair):
    connection, server = pair
    server.shutdown(socket.SHUT_RDWR)
    failed = failure(connection.answer)
    assert not isinstance(failed, Silence)
    assert failed.got == "the connection was closed without one"
    assert not connection.isOpen


def test_answerAndClose(pair):
    """What was said before the connection closed counts."""
    connection, server = pair
    server.sendall(OK % 1)
    server.shutdown(socket.SHUT_RDWR)
    assert connection.waitForClose()
    assert connection.answer().code == 200


def test_garbage(pair):
    connection, server = pair
    server.sendall(b"\x00\x01\x02")
    assert "no RTSP" in (failure(connection.answer).got or "")


def test_nobodyListens(network):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    failed = failure(lambda: connect(network, "127.0.0.1", port))
    assert isinstance(failed, Gone)
    assert failed.got == "Connection refused"


def test_ports(network):
    """An even one and the next; each packet goes to its receiver, while anything is waited for."""
    pair = openPorts(network, "127.0.0.1")
    media, control = pair.numbers
    assert (media % 2, control) == (0, media + 1)
    got = []
    pair.receivers = [
        lambda data, time, order: got.append(("media", data)),
        lambda data, time, order: got.append(("control", data)),
    ]
    other = openPorts(network, "127.0.0.1")
    other.sendTo(0, b"one", ("127.0.0.1", media))
    network.listen(1, lambda: len(got) == 1)
    other.sendTo(1, b"two", ("127.0.0.1", control))
    network.listen(1, lambda: len(got) == 2)
    assert got == [("media", b"one"), ("control", b"two")]
    pair.close()
    assert network.listen(0.01) is False
