"""The time that downloads may take in a turn of the reactor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mediasrv.web.turns import _TURN, Turns


class Reactor:
    """
    One whose turns are told apart, which Twisted's own clock does not.

    @ivar calls: for the next turn.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def callLater(self, seconds: float, function: Callable[[], None]) -> Call:
        assert seconds == 0
        self.calls.append(Call(self, function))
        return self.calls[-1]

    def turn(self) -> None:
        """Looks at its timers, once."""
        calls, self.calls = self.calls, []
        for call in calls:
            call.function()


@dataclass(eq=False)
class Call:
    """
    What is to be called.
    """

    reactor: Reactor
    function: Callable[[], None]

    def cancel(self) -> None:
        self.reactor.calls.remove(self)


class Work:
    """
    Pieces of work that take their time, on a clock of their own.

    @ivar done: who did one, in order.
    """

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.now = 100.0
        self.done: list[int] = []
        self.turns = Turns(self.reactor, lambda: self.now)

    def piece(self, number: int, seconds: float) -> Callable[[], None]:
        def step() -> None:
            self.done.append(number)
            self.now += seconds

        return step


def testAtOnce() -> None:
    work = Work()
    for number in range(3):
        work.turns.work(work.piece(number, _TURN / 10))
    assert work.done == [0, 1, 2]
    assert not work.reactor.calls


def testNoLongerThanATurn() -> None:
    """The rest waits for the next ones, in order, and whoever comes meanwhile waits behind."""
    work = Work()
    for number in range(10):
        work.turns.work(work.piece(number, _TURN / 2.5))
    assert work.done == [0, 1, 2]
    work.reactor.turn()
    assert work.done == [0, 1, 2, 3, 4, 5]
    work.turns.work(work.piece(10, 0.0))
    assert work.done == [0, 1, 2, 3, 4, 5]
    while work.reactor.calls:
        work.reactor.turn()
    assert work.done == list(range(11))


def testAfterAWhile() -> None:
    """There is time again, without any timer."""
    work = Work()
    work.turns.work(work.piece(0, _TURN * 1.1))
    work.now += 3 * _TURN
    work.turns.work(work.piece(1, _TURN))
    assert work.done == [0, 1]
    assert not work.reactor.calls


def testWhoComesAgain() -> None:
    """Nobody has a second piece while another waits for the first."""
    work = Work()

    def again(number: int) -> Callable[[], None]:
        def step() -> None:
            work.done.append(number)
            work.now += _TURN / 3.5
            if len(work.done) < 40:
                work.turns.work(again(number))

        return step

    for number in range(10):
        work.turns.work(work.piece(number, _TURN * 1.1) if number == 0 else again(number))
    while work.reactor.calls:
        work.reactor.turn()
    late = work.done[1:37]
    assert all(sorted(late[start : start + 9]) == list(range(1, 10)) for start in range(0, len(late), 9))


def testStop() -> None:
    work = Work()
    for number in range(10):
        work.turns.work(work.piece(number, _TURN * 1.1))
    work.turns.stop()
    assert not work.reactor.calls
    work.now += 1.0
    work.turns.work(work.piece(10, 0.0))
    assert work.done == [0, 10]
    work.turns.stop()
