"""The frames of WebSocket (requirements WS-1, SEC-24)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from mediasrv.web.frames import Frames

pytestmark = pytest.mark.requirement("WS-1")

MASK = b"\1\2\3\4"


def masked(data: bytes) -> bytes:
    return MASK + bytes(byte ^ MASK[number % 4] for number, byte in enumerate(data))


def said(data: bytes) -> list[Event]:
    """What our frames are to a client."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), max_size=6), st.lists(st.integers(0, 900)))
def testAnyFragmentsInAnyPieces(fragments: list[tuple[bytes, bool]], where: list[int]) -> None:
    """Messages whole and in fragments, with pings in between, cut anywhere: all bytes, in order."""
    client = Connection(ConnectionType.CLIENT)
    stream = b""
    for data, isEnd in fragments:
        stream += client.send(BytesMessage(data=data, message_finished=isEnd)) + client.send(Ping(payload=b"p"))
    edges = [0, *sorted(min(place, len(stream)) for place in where), len(stream)]
    frames, got, pongs = Frames(), b"", b""
    for start, end in itertools.pairwise(edges):
        heard = frames.receive(stream[start:end])
        assert not heard.isOver
        got += heard.data
        pongs += heard.pong
    assert got == b"".join(data for data, _ in fragments)
    assert set(map(type, said(pongs))) == ({Pong} if fragments else set())


@given(st.binary(max_size=70000))
def testWhatWeSay(data: bytes) -> None:
    """One message, one frame."""
    (event,) = said(Frames().message(data))
    assert isinstance(event, BytesMessage)
    assert event.message_finished
    assert bytes(event.data) == data


@pytest.mark.requirement("SEC-24")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x82\x01a", 1002),  # not masked
        (b"\x82\xff" + b"\xff" * 8 + MASK, 1002),  # more than 2^63
        (b"\x82\xff" + (1 << 62).to_bytes(8, "big") + masked(bytes(2000)), 1009),
        (b"\x82\xfe" + (1001).to_bytes(2, "big") + masked(bytes(1001)), 1009),
        ((b"\x02\x81" + masked(b"a") + (b"\x00\x81" + masked(b"a")) * 1000), 1009),  # fragmented for ever
        (b"\x81\x81" + masked(b"a"), 1003),  # text
        (b"\x81\x81" + masked(b"\xff"), 1007),  # text that is none
        (b"\x80\x81" + masked(b"a"), 1002),  # goes on with nothing
        (b"\x02\x80" + MASK + b"\x82\x80" + MASK, 1002),  # a message in another
        (b"\x09\x80" + MASK, 1002),  # a ping in fragments
        (b"\x89\xfe\0\x80" + masked(bytes(128)), 1002),  # a long ping
        (b"\x83\x80" + MASK, 1002),  # no such opcode
        (b"\xc2\x80" + MASK, 1002),  # compressed
        (b"\x88\x81" + masked(b"\3"), 1002),  # half a code
        (b"\x88\x82" + masked(b"\3\xee"), 1002),  # a code that nobody may send
    ],
)
def testWhatIsNotAllowed(data: bytes, code: int) -> None:
    """It closes, with the code that says why; what comes afterwards is not looked at."""
    frames = Frames(largest=1000)
    heard = frames.receive(data)
    assert heard.isOver
    (event,) = said(heard.close)
    assert isinstance(event, CloseConnection)
    assert event.code == code
    assert frames.message(b"a") == b""
    assert frames.close() == b""
    assert frames.receive(b"\x82\x81" + masked(b"b")).data == b""


def testTheLimitIsOfOneMessage() -> None:
    """Any number of them may come, but none in two halves that are too large together."""
    client = Connection(ConnectionType.CLIENT)
    frames = Frames(largest=1000)
    for _ in range(10):
        assert frames.receive(client.send(BytesMessage(data=bytes(600)))).data == bytes(600)
    assert not frames.receive(client.send(BytesMessage(data=bytes(600), message_finished=False))).isOver
    assert frames.receive(client.send(BytesMessage(data=bytes(600)))).isOver


@pytest.mark.requirement("SEC-24")
def testManyPings() -> None:
    """One pong for all that came at a time, for the last of them."""
    client = Connection(ConnectionType.CLIENT)
    heard = Frames().receive(b"".join(client.send(Ping(payload=b"%d" % number)) for number in range(1000)))
    assert said(heard.pong) == [Pong(payload=b"999")]


def testTheClientCloses() -> None:
    """It is answered, once; what it said before counts."""
    client = Connection(ConnectionType.CLIENT)
    frames = Frames()
    heard = frames.receive(client.send(BytesMessage(data=b"last")) + client.send(CloseConnection(code=1000)))
    assert (heard.data, heard.isOver) == (b"last", True)
    client.receive_data(heard.close)
    (event,) = client.events()
    assert isinstance(event, CloseConnection)
    assert frames.close() == b""


def testWeClose() -> None:
    """The answer of the client is the end, and nothing is said to it."""
    client = Connection(ConnectionType.CLIENT)
    frames = Frames()
    client.receive_data(frames.close())
    (event,) = client.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1001
    assert not frames.isOpen
    heard = frames.receive(client.send(event.response()))
    assert (heard.isOver, heard.close) == (True, b"")


@given(st.binary(max_size=200))
def testNonsenseRaisesNothing(data: bytes) -> None:
    frames = Frames(largest=100)
    for number in range(0, len(data), 7):
        if frames.receive(data[number : number + 7]).isOver:
            break


def testTextIsSeenToBeText() -> None:
    client = Connection(ConnectionType.CLIENT)
    assert Frames().receive(client.send(TextMessage(data="OPTIONS"))).isOver
