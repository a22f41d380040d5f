"""
UDP ports of the checker's own, for RTP and RTCP.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial

from mediasrv.conform.network import Network, Receiver

#: a key frame of a loud stream leaves in one stroke
_BUFFER = 4 << 20
_PAIRS_TRIED = 64


def openPorts(network: Network, address: str) -> PortPair:
    """
    An even UDP port and the next one, on an address of ours.

    @raise OSError: if the system has none.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(_PAIRS_TRIED):
        media, control = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        with suppress(OSError):
            media.bind((address, 0))
            number = media.getsockname()[1]
            if number % 2 == 0:
                control.bind((address, number + 1))
                return PortPair(network, media, control)
        media.close()
        control.close()
    raise OSError("no pair of UDP ports is free")


class PortPair:
    """
    Two UDP ports of ours, for RTP and RTCP.

    @ivar numbers: an even one and the next.
    """

    def __init__(self, network: Network, media: socket.socket, control: socket.socket) -> None:
        self._network = network
        self._sockets = (media, control)
        self.numbers = (media.getsockname()[1], control.getsockname()[1])
        self.receivers: list[Receiver | None] = [None, None]
        media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        for number, each in enumerate(self._sockets):
            each.setblocking(False)
            network.watch(each, partial(self._read, number))

    def sendTo(self, number: int, data: bytes, address: tuple[str, int]) -> None:
        """From the RTP (0) or RTCP (1) port."""
        with suppress(OSError):
            self._sockets[number].sendto(data, address)

    def close(self) -> None:
        for each in self._sockets:
            self._network.forget(each)

    def _read(self, number: int, now: float) -> None:
        with suppress(OSError):  # nothing more, or an ICMP error of something that was sent
            for _ in range(256):
                data = self._sockets[number].recv(65536)
                order = self._network.nextOrder()
                receiver = self.receivers[number]
                if receiver is not None:
                    receiver(data, now, order)
