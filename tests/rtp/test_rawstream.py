"""Payloads without RTP over real sockets: what is sent is what is in the burst, however it leaves (SET-4)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sending import burst, sender

from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtp.rawstream import RawTransport

HERE = "127.0.0.1"

pytestmark = pytest.mark.requirement("SET-4")


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((HERE, 0))
        made.settimeout(5)
        yield made


def received(client: socket.socket, count: int) -> list[bytes]:
    """This many datagrams; then there are no more."""
    datagrams = [client.recv(65536) for _ in range(count)]
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(65536)
    client.settimeout(5)
    return datagrams


@pytest.mark.parametrize("offload", [True, False])
async def test_payloadsAlone(pair: DatagramPair, client: socket.socket, offload: bool) -> None:
    transport = RawTransport(pair, HERE, (client.getsockname()[1],) * 2, 1)
    transport.offload = offload
    one = sender(transport)
    pieces = [burst([1316] * 20 + [188]), burst([1316]), burst([188, 1316, 1316])]
    for piece in pieces:
        assert transport.send(one, piece)
    transport.sendControl(b"report")
    pair.flush()
    assert received(client, 25) == [payload for piece in pieces for payload in piece.payloads]
    assert (one.packets, one.octets) == (25, 23 * 1316 + 2 * 188)
    assert all(not header for piece in pieces for header in piece.buffers[::2]), "others share these buffers"


async def test_withoutOffload(pair: DatagramPair, client: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is refused they leave one by one, none twice."""
    transport = RawTransport(pair, HERE, (client.getsockname()[1],) * 2, 1)
    really = pair._sendmsg

    def refusing(buffers: Any, ancillary: Any, flags: int, address: tuple[str, int]) -> int:
        if ancillary:
            raise OSError(errno.EIO, "no offload")
        return really(buffers, ancillary, flags, address)

    monkeypatch.setattr(pair, "_sendmsg", refusing)
    piece = burst([1316] * 10)
    assert transport.send(sender(transport), piece)
    pair.flush()
    assert received(client, 10) == piece.payloads
    assert not transport.offload


async def test_aFullSocket(pair: DatagramPair, client: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = RawTransport(pair, HERE, (client.getsockname()[1],) * 2, 1)
    one = sender(transport)
    pair.blocked = True
    assert not transport.send(one, burst([188]))
    assert one.packets == 0
    pair.flush()
    assert transport.send(one, burst([188]))
    pair.flush()
    received(client, 1)
