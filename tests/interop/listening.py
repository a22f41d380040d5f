"""
Ports that do nothing but note who comes.
"""

from __future__ import annotations

from twisted.internet.protocol import Factory, Protocol


class _Listener(Protocol):
    factory: Listener

    def dataReceived(self, data: bytes) -> None:
        self.factory.said.append(data)
        self.transport.loseConnection()


class Listener(Factory):
    """
    Hangs up on everybody.

    @ivar said: the first words of each client.
    """

    noisy = False
    protocol = _Listener

    def __init__(self) -> None:
        self.said: list[bytes] = []
