"""An even UDP port and the next."""

from __future__ import annotations

import socket

import pytest
from twisted.internet import reactor

from mediasrv.rtp import portpairs
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtp.portpairs import PortsTaken


@pytest.mark.requirement("SET-6")
async def test_evenAndOdd(pair: DatagramPair) -> None:
    assert pair.port % 2 == 0
    others = [DatagramPair(reactor) for _ in range(5)]
    ports = [each.port for each in [pair, *others]]
    assert all(port % 2 == 0 for port in ports)
    assert len(set(ports)) == 6
    for each in others:
        await each.close()


@pytest.mark.parametrize("odd", [0, 1])
async def test_portsThatAreTaken(odd: int) -> None:
    free = DatagramPair(reactor)
    port = free.port
    await free.close()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("", port + odd))
    with pytest.raises(PortsTaken, match=f"^UDP ports {port} and {port + 1} are not both free$"):
        DatagramPair(reactor, port=port)
    other.close()
    # and nothing was kept
    again = DatagramPair(reactor, port=port)
    assert again.port == port
    await again.close()


async def test_noPortToBeHad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portpairs, "_bind", lambda family, port: None)
    with pytest.raises(PortsTaken, match="no two UDP ports are free"):
        DatagramPair(reactor)
