"""An even UDP port and the next."""

from __future__ import annotations

import errno
import os
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


@pytest.mark.parametrize(
    ("port", "error", "said"),
    [
        (0, errno.EADDRINUSE, "no two UDP ports are free"),
        (554, errno.EACCES, "UDP ports 554 and 555 are not both free: Permission denied"),
    ],
)
async def test_noPortToBeHad(monkeypatch: pytest.MonkeyPatch, port: int, error: int, said: str) -> None:
    """With the reason, where that is not the usual one."""

    def bind(family: int, port: int) -> socket.socket:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(portpairs, "_bind", bind)
    with pytest.raises(PortsTaken, match=f"^{said}$"):
        DatagramPair(reactor, port=port)
