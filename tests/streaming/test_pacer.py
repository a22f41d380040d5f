"""The pacer: one tick for all, at the right time, whatever one of them does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mediasrv.streaming.pacer import Pacer

TICK = 0.010


class Runner:
    """
    @ivar turns: when it was called.
    @ivar delays: seconds by which the process was late.
    """

    def __init__(self, answer: Callable[[float], float | None] = lambda now: None) -> None:
        self.slot = -1
        self.turns: list[float] = []
        self.delays: list[float] = []
        self.failures = 0
        self._answer = answer

    def advance(self, now: float) -> float | None:
        self.turns.append(now)
        return self._answer(now)

    def delayed(self, seconds: float) -> None:
        self.delays.append(seconds)

    def failed(self) -> None:
        self.failures += 1


def made(start: float = 1000.0) -> tuple[Clock, Pacer]:
    clock = Clock()
    clock.advance(start)
    return clock, Pacer(clock, TICK)


def run(clock: Clock, seconds: float, step: float = 0.001) -> None:
    for _ in range(round(seconds / step)):
        clock.advance(step)


def test_noTimerWhileNobodyPlays() -> None:
    clock, pacer = made()
    assert clock.getDelayedCalls() == []
    runner = Runner()
    pacer.schedule(runner, clock.seconds() + 0.05)
    assert len(clock.getDelayedCalls()) == 1
    run(clock, 0.1)
    assert len(runner.turns) == 1
    assert clock.getDelayedCalls() == []


def test_oneTimerForAll() -> None:
    clock, pacer = made()
    runners = [Runner(lambda now: now + 0.04) for _ in range(50)]
    for number, runner in enumerate(runners):
        pacer.schedule(runner, clock.seconds() + number / 1000)
    for _ in range(130):
        assert len(clock.getDelayedCalls()) == 1
        clock.advance(0.001)
    assert all(len(runner.turns) >= 2 for runner in runners)


@settings(deadline=None)
@given(st.floats(0, 1e6), st.lists(st.floats(0, 0.5), min_size=1, max_size=20))
def test_neverEarlyNorATickLate(start: float, delays: list[float]) -> None:
    clock, pacer = made(start)
    due = [(Runner(), clock.seconds() + delay) for delay in delays]
    for runner, when in due:
        pacer.schedule(runner, when)
    run(clock, 0.55, 0.0025)
    for runner, when in due:
        assert len(runner.turns) == 1
        # in steps of a quarter of a tick
        assert -1e-6 <= runner.turns[0] - when <= TICK + 0.0025 + 1e-6
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("slot", [29, 58, 116, 229, 462])
def test_atTheExactInstantOfASlot(slot: int) -> None:
    """Where (slot * TICK) / TICK is less than the slot; with a clock that stands still that is an endless loop."""
    times = [(slot - 1) * TICK]
    looks = []

    def now() -> float:
        looks.append(None)
        assert len(looks) < 100
        return times[0]

    clock = Clock()
    pacer = Pacer(clock, TICK, now)
    runner = Runner()
    pacer.schedule(runner, times[0])
    times[0] = slot * TICK
    clock.advance(TICK)
    assert len(runner.turns) == 1


def test_whoIsDueInThePastComesAtTheNextTick() -> None:
    clock, pacer = made()
    runner = Runner(lambda now: now - 5 if len(runner.turns) < 3 else None)
    pacer.schedule(runner, clock.seconds() - 100)
    run(clock, 0.1)
    assert len(runner.turns) == 3
    gaps = [later - earlier for earlier, later in zip(runner.turns, runner.turns[1:], strict=False)]
    assert gaps == pytest.approx([TICK, TICK], abs=1e-3)


def test_aLateTurnServesAllThatHavePassedOnce() -> None:
    clock, pacer = made()
    runners = [Runner(lambda now: now + 0.04) for _ in range(10)]
    for number, runner in enumerate(runners):
        pacer.schedule(runner, clock.seconds() + number / 10)
    clock.advance(3.0)
    assert [len(runner.turns) for runner in runners] == [1] * 10
    clock.advance(0.06)
    assert [len(runner.turns) for runner in runners] == [2] * 10


def test_whoseTurnWasMissedIsTold() -> None:
    """But not of what a busy machine is late by, and nobody who was not due."""
    clock, pacer = made()
    early, late, begun = (Runner(lambda now: now + 0.1) for _ in range(3))
    notYet = Runner()
    pacer.schedule(early, clock.seconds() + 0.1)
    pacer.schedule(late, clock.seconds() + 1.7)
    pacer.schedule(notYet, clock.seconds() + 2.5)
    # a request that is served before the turn: for it nothing is late
    clock.rightNow += 2.0
    pacer.begin(begun)
    clock.advance(0)
    assert early.delays == pytest.approx([1.9], abs=2 * TICK)
    assert late.delays == notYet.delays == begun.delays == []
    run(clock, 1.0)
    assert len(early.delays) == 1


@pytest.mark.parametrize("hours", [0.01, 24 * 365])
def test_aMachineThatSlept(hours: float) -> None:
    """Not every slot of a year is looked at, and nobody is forgotten."""
    clock, pacer = made()
    runner = Runner(lambda now: now if len(runner.turns) < 3 else None)
    later = Runner()
    pacer.schedule(runner, clock.seconds() + 0.05)
    pacer.schedule(later, clock.seconds() + hours * 3600 + 1)
    clock.advance(hours * 3600)
    assert len(runner.turns) == 1
    run(clock, 0.5)
    assert len(runner.turns) == 3
    assert later.turns == []
    run(clock, 0.6)
    assert len(later.turns) == 1
    assert clock.getDelayedCalls() == []


def test_aClockThatStepsBackWaitsAndGoesOn() -> None:
    times = {"now": 5000.0}
    clock = Clock()
    pacer = Pacer(clock, TICK, lambda: times["now"])
    runner = Runner(lambda now: now + 0.04)
    pacer.schedule(runner, times["now"])
    for step in [0.01] * 10 + [-0.2] + [0.01] * 60:
        times["now"] += step
        clock.advance(0.01)
    assert runner.turns[-1] > 5000.3
    pacer.stop()


def test_cancel() -> None:
    clock, pacer = made()
    runner = Runner()
    pacer.cancel(runner)
    pacer.schedule(runner, clock.seconds() + 0.02)
    pacer.cancel(runner)
    pacer.cancel(runner)
    run(clock, 0.1)
    assert runner.turns == []
    assert runner.slot == -1
    assert clock.getDelayedCalls() == []


def test_whoLeavesLeavesNothing() -> None:
    """Where nobody waits no turns come, so that nobody would clear away the slot of the one who left."""
    clock, pacer = made()
    runner = Runner()
    for _ in range(5):
        pacer.schedule(runner, clock.seconds() + 1.0)
        run(clock, 0.1)
        pacer.cancel(runner)
        run(clock, 2.0)
    assert not pacer._wheel


def test_scheduledAgainIsCalledOnce() -> None:
    clock, pacer = made()
    runner = Runner()
    for delay in (0.05, 0.02, 0.03):
        pacer.schedule(runner, clock.seconds() + delay)
    run(clock, 0.1)
    assert len(runner.turns) == 1
    assert runner.turns[0] >= 1000.03


def test_oneTakesOutAnotherOfTheSameTick() -> None:
    clock, pacer = made()
    second = Runner()
    first = Runner(lambda now: pacer.cancel(second))
    for runner in (first, second):
        pacer.schedule(runner, clock.seconds() + 0.02)
    run(clock, 0.1)
    assert len(first.turns) == 1
    assert second.turns == []
    assert clock.getDelayedCalls() == []


def test_oneSchedulesAnotherOfTheSameTick() -> None:
    clock, pacer = made()
    second = Runner()
    first = Runner(lambda now: pacer.schedule(second, now + 0.05))
    for runner in (first, second):
        pacer.schedule(runner, clock.seconds() + 0.02)
    run(clock, 0.2)
    assert len(second.turns) == 1
    assert second.turns[0] - first.turns[0] >= 0.05
    assert clock.getDelayedCalls() == []


def test_aFailureIsItsOwn(loggedFailures: list[Failure]) -> None:
    clock, pacer = made()

    def fail(now: float) -> None:
        raise RuntimeError("no")

    broken, well = Runner(fail), Runner(lambda now: now + 0.02)
    for runner in (broken, well):
        pacer.schedule(runner, clock.seconds() + 0.02)
    run(clock, 0.2)
    assert broken.failures == 1
    assert len(broken.turns) == 1
    assert len(well.turns) >= 5
    assert [failure.type for failure in loggedFailures] == [RuntimeError]
    loggedFailures.clear()
    pacer.stop()


def test_aFailureToFail(loggedFailures: list[Failure]) -> None:
    clock, pacer = made()

    class Hopeless(Runner):
        def failed(self) -> None:
            raise ValueError("not even that")

    def nowhere(now: float) -> float:
        return float("nan")

    well = Runner(lambda now: now + 0.02)
    for runner in (Hopeless(nowhere), well):
        pacer.schedule(runner, clock.seconds() + 0.02)
    run(clock, 0.2)
    assert len(well.turns) >= 5
    assert len(loggedFailures) == 2
    loggedFailures.clear()
    pacer.stop()


def test_begin() -> None:
    clock, pacer = made()
    runner = Runner(lambda now: now + 0.02 if len(runner.turns) < 2 else None)
    pacer.begin(runner)
    assert runner.turns == [1000.0]
    run(clock, 0.1)
    assert len(runner.turns) == 2
    assert clock.getDelayedCalls() == []


def test_beginFromAnothersTurn() -> None:
    clock, pacer = made()
    second = Runner(lambda now: now + 0.02)
    first = Runner(lambda now: pacer.begin(second))
    pacer.schedule(second, clock.seconds() + 0.02)
    pacer.schedule(first, clock.seconds() + 0.02)
    run(clock, 0.065)
    assert second.turns == pytest.approx([1000.03, 1000.03, 1000.06], abs=0.011)
    assert len(clock.getDelayedCalls()) == 1
    pacer.stop()


def test_stop() -> None:
    clock, pacer = made()
    runner = Runner(lambda now: now)
    pacer.schedule(runner, clock.seconds())
    pacer.stop()
    pacer.stop()
    assert clock.getDelayedCalls() == []
    assert runner.slot == -1
    clock.advance(1)
    assert runner.turns == []


def test_stopFromATurn() -> None:
    """An application may stop the server because of what an observer tells it."""
    clock, pacer = made()

    def stop(now: float) -> float:
        pacer.stop()
        return now

    first, second = Runner(stop), Runner(lambda now: now)
    for runner in (first, second):
        pacer.schedule(runner, clock.seconds() + 0.02)
    run(clock, 0.2)
    assert (len(first.turns), len(second.turns)) == (1, 0)
    assert clock.getDelayedCalls() == []


def test_stopFromATurnAndGoOn() -> None:
    clock, pacer = made()
    another = Runner(lambda now: now + 0.02)

    def stop(now: float) -> None:
        pacer.stop()
        pacer.schedule(another, now + 0.02)

    pacer.schedule(Runner(stop), clock.seconds() + 0.02)
    run(clock, 0.2)
    assert len(another.turns) >= 4
    assert len(clock.getDelayedCalls()) == 1
    pacer.stop()


class Queue:
    """Stands in for what players share: takes only so many flushes until all is sent."""

    def __init__(self, flushes: int) -> None:
        self.left = flushes
        self.blocked = flushes > 0

    def flush(self) -> None:
        self.left -= 1
        self.blocked = self.left > 0


def test_whatIsLeftBehindIsSentThoughNobodyPlays() -> None:
    clock = Clock()
    pacer = Pacer(clock, 0.01, clock.seconds)
    queue = Queue(4)
    pacer.shared.append(queue)
    pacer.begin(Once())
    clock.pump([0.01] * 10)
    assert not queue.blocked
    assert not clock.getDelayedCalls()


class Once:
    """Is over with its first turn."""

    slot = -1

    def advance(self, now: float) -> float | None:
        return None

    def failed(self) -> None:
        raise AssertionError("nothing failed")


def test_aFlushThatFailsStopsNobody(loggedFailures: list[Failure]) -> None:
    class Broken(Queue):
        def flush(self) -> None:
            raise ValueError("broken")

    clock = Clock()
    pacer = Pacer(clock, 0.01, clock.seconds)
    queue = Queue(0)
    pacer.shared += [Broken(0), queue]
    pacer.begin(Once())
    assert queue.left == -1
    assert [failure.getErrorMessage() for failure in loggedFailures] == ["broken"]
    loggedFailures.clear()
