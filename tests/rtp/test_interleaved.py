"""RTP and RTCP as interleaved data."""

from __future__ import annotations

import pytest
from sending import burst, parsed, sender
from test_sender import unframed

from mediasrv.rtp.interleaved import InterleavedTransport


class Connection:
    def __init__(self) -> None:
        self.blocked = False
        self.pieces: list[bytes] = []

    def flush(self) -> None: ...


@pytest.mark.requirement("INT-1")
def test_tracksShareAConnection() -> None:
    connection = Connection()
    picture, sound = InterleavedTransport(connection, (0, 1)), InterleavedTransport(connection, (254, 255))
    one, other = sender(picture, 65534), sender(sound, 5, ssrc=77)
    assert picture.send(one, burst([100, 100, 50]))
    assert sound.send(other, burst([60]))
    picture.sendControl(b"report")
    sound.sendControl(b"another")
    assert picture.send(one, burst([9]))
    frames = unframed(b"".join(connection.pieces))
    assert [channel for channel, _ in frames] == [0, 0, 0, 254, 1, 255, 0]
    assert [data for channel, data in frames if channel in (1, 255)] == [b"report", b"another"]
    packets = parsed([data for channel, data in frames if channel == 0])
    assert [packet.sequence for packet in packets] == [65534, 65535, 0, 1]
    assert [len(packet.payload) for packet in packets] == [100, 100, 50, 9]
    assert (one.packets, one.octets) == (4, 259)
    assert (other.packets, other.octets) == (1, 60)


def test_theBurstStaysAsItWas() -> None:
    """All viewers share it."""
    connection = Connection()
    transport = InterleavedTransport(connection, (0, 1))
    piece = burst([100, 100, 50])
    before = list(piece.buffers)
    transport.send(sender(transport), piece)
    assert piece.buffers == before
