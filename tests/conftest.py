"""What trial would notice and pytest-twisted does not: unhandled failures, leftovers in the reactor, endless tests."""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

#: seconds that a coroutine test may take; C{@pytest.mark.deadline(seconds)} says otherwise
DEADLINE = 10.0


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "deadline(seconds): how long a coroutine test may take")


def pytest_collection_finish() -> None:
    """What was imported stays: collecting garbage after each test need not look at it again, which took 0.1 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def loggedFailures() -> Iterator[list[Failure]]:
    """Fails a test that leaves a failure in the log; clear() the list to accept what is in it."""
    failures: list[Failure] = []

    def observe(event: LogEvent) -> None:
        # twisted.python.log.err, which tells of what a protocol raises, has a name of its own for it
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            failures.append(failure)

    globalLogPublisher.addObserver(observe)
    yield failures
    gc.collect()
    globalLogPublisher.removeObserver(observe)
    if failures:
        pytest.fail("\n".join(failure.getTraceback() for failure in failures), pytrace=False)


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    """Two threads."""
    pool = ThreadPool(0, 2)
    pool.start()
    yield pool
    pool.stop()


@pytest.fixture(autouse=True)
def cleanReactor() -> Iterator[None]:
    """Fails a test that leaves a delayed call or an open descriptor behind."""
    before = set(reactor.getReaders()) | set(reactor.getWriters())
    yield
    calls = [call for call in reactor.getDelayedCalls() if call.active()]
    for call in calls:
        call.cancel()
    left = (set(reactor.getReaders()) | set(reactor.getWriters())) - before
    left -= getattr(reactor, "_internalReaders", set())  # the SIGCHLD waker comes late
    for descriptor in left:
        reactor.removeReader(descriptor)
        reactor.removeWriter(descriptor)
    if calls or left:
        pytest.fail(f"left behind: {calls + sorted(map(repr, left))}", pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Gives every coroutine test a deadline; pytest-twisted would wait for ever."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return
    marker = pyfuncitem.get_closest_marker("deadline")
    seconds = marker.args[0] if marker else DEADLINE

    @functools.wraps(test)
    def withDeadline(*args: Any, **kwargs: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(test(*args, **kwargs)).addTimeout(seconds, reactor)

    pyfuncitem.obj = withDeadline
