"""Two UDP ports of ours and two of a client's, with real datagrams between them."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from sending import sender
from twisted.internet import reactor
from twisted.internet.task import deferLater

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.datagrams import DatagramPair, DatagramTransport
from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound
from mediasrv.rtp.sender import TrackSender

HERE = "127.0.0.1"


class Client:
    """A pair of UDP sockets on this machine."""

    def __init__(self, host: str = HERE) -> None:
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
        for each in self.sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            each.bind((host, 0))
            each.settimeout(5)
        self.ports: tuple[int, int] = tuple(each.getsockname()[1] for each in self.sockets)  # type: ignore[assignment]

    def received(self, count: int, which: int = 0) -> list[bytes]:
        """This many datagrams; then there are no more."""
        datagrams = [self.sockets[which].recv(65536) for _ in range(count)]
        self.sockets[which].setblocking(False)
        with pytest.raises(BlockingIOError):
            self.sockets[which].recv(65536)
        self.sockets[which].settimeout(5)
        return datagrams

    def close(self) -> None:
        for each in self.sockets:
            each.close()


def connected(pair: DatagramPair, client: Client, ssrc: int = 0x12345678) -> tuple[DatagramTransport, TrackSender]:
    transport = DatagramTransport(pair, client.host, client.ports, ssrc)
    return transport, sender(transport, 65530, ssrc)


class Refusing:
    """Stands in for the socket's methods: fails as often as it is told to, then works."""

    def __init__(self, works: Any, errors: list[int]) -> None:
        self._works = works
        self.errors = errors
        self.calls = 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        if self.errors:
            number = self.errors.pop(0)
            if number:
                raise OSError(number, os.strerror(number))
        return self._works(*arguments)


def refuse(pair: DatagramPair, name: str, errors: list[int]) -> Refusing:
    made = Refusing(getattr(pair, name), errors)
    setattr(pair, name, made)
    return made


def send(transport: DatagramTransport, one: TrackSender, *pieces: Burst) -> None:
    """Has bursts sent, as a turn of the pacer does."""
    for piece in pieces:
        assert transport.send(one, piece)
    transport._pair.flush()


async def passed(sock: socket.socket, data: bytes, pair: DatagramPair, odd: int = 0) -> None:
    """Sends to the pair and waits until it was read: a report that is waited for is sent behind it."""
    sock.sendto(data, (HERE, pair.port + odd))
    for _ in range(20):
        await deferLater(reactor, 0.001)


def report(ssrc: int) -> bytes:
    return packCompound([ReceiverReport(9, [ReportBlock(ssrc)]), SourceDescription.named(9, "client")])


def muxed(pair: DatagramPair, client: Client, ssrc: int = 0x12345678) -> tuple[DatagramTransport, list[bytes]]:
    """A transport to a client that has one port for both, and what is heard of it."""
    transport = DatagramTransport(pair, client.host, (client.ports[0],) * 2, ssrc)
    heard: list[bytes] = []
    transport.listen(heard.append)
    return transport, heard
