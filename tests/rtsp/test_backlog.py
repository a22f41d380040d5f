"""Requests that wait for their turn (CON-2, SEC-16); over a connection in test_server.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from mediasrv.rtsp.backlog import Backlog
from mediasrv.rtsp.messages import MessageError, Request


class Server:
    """Serves what it may, and notes it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.served: list[str] = []
        self.reading: list[str] = []
        self.isBusy = False
        self.backlog = Backlog(self.serve, lambda: not self.isBusy, self.soon, self)

    def soon(self, call: Callable[[], None]) -> IDelayedCall:
        return self.clock.callLater(1, call)  # a turn of the reactor is a second here

    def serve(self, message: Request | MessageError) -> None:
        assert isinstance(message, Request)
        self.served.append(message.uri)
        if message.method == "SLOW":
            self.isBusy = True
        self.backlog.serve()  # an answer may lead to the next one, which is not to be inside of this

    def pauseProducing(self) -> None:
        self.reading.append("paused")

    def resumeProducing(self) -> None:
        self.reading.append("resumed")

    def ask(self, *uris: str, method: str = "OPTIONS") -> None:
        for uri in uris:
            self.backlog.add(Request(method, uri))
        self.backlog.serve()


@pytest.fixture
def server() -> Server:
    return Server()


def testAtOnceAndInOrder(server: Server) -> None:
    server.ask("a", "b")
    server.ask("c")
    assert server.served == ["a", "b", "c"]
    assert server.clock.getDelayedCalls() == []


def testNothingOvertakesASlowOne(server: Server) -> None:
    server.ask("a", method="SLOW")
    server.ask("b", "c")
    assert server.served == ["a"]
    server.isBusy = False
    server.backlog.serve()
    assert server.served == ["a", "b", "c"]


@pytest.mark.requirement("SEC-16")
def testTurns(server: Server) -> None:
    """32 in each turn of the reactor; what comes meanwhile waits behind them."""
    uris = [str(number) for number in range(100)]
    server.ask(*uris)
    assert server.served == uris[:32]
    server.ask("last")
    assert len(server.served) == 32
    server.clock.advance(1)
    assert server.served == uris[:64]
    server.clock.advance(1)
    server.clock.advance(1)
    assert server.served == [*uris, "last"]
    assert server.clock.getDelayedCalls() == []


@pytest.mark.requirement("SEC-16")
def testReadingStopsAndGoesOn(server: Server) -> None:
    """With the 65th that waits, until 16 are left."""
    server.isBusy = True
    server.ask(*map(str, range(64)))
    assert server.reading == []
    server.ask("64")
    server.ask("65")
    assert server.reading == ["paused"]
    server.isBusy = False
    server.backlog.serve()
    assert (len(server.served), server.reading) == (32, ["paused"])
    server.clock.advance(1)
    assert (len(server.served), server.reading) == (64, ["paused", "resumed"])


def testTheEnd(server: Server) -> None:
    """Nothing more is answered, nothing more is read, and no call is left."""
    server.ask(*map(str, range(100)))
    server.backlog.close()
    assert server.clock.getDelayedCalls() == []
    server.backlog.serve()
    assert (len(server.served), server.reading) == (32, ["paused"])
