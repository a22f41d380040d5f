"""The loader: each fragment read once, in a thread, for all who want it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from doubles import PLAN, Film, film
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, gatherResults
from twisted.python.threadpool import ThreadPool

from mediasrv.media.cache import Cache
from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import Section
from mediasrv.media.tracks import Fragment
from mediasrv.rtp.bursts import BurstPlan, PacketFragment
from mediasrv.streaming.courses import Course
from mediasrv.streaming.loader import FragmentLoader


class Read(Film):
    """A presentation that notes who reads it, and waits until it may."""

    def __init__(self) -> None:
        made = film(fragments=4)
        super().__init__(made.tracks, made.fragments, made.duration)
        self.reads: list[int] = []
        self.threads: set[int] = set()
        self.may = threading.Event()
        self.may.set()
        self.error: Exception | None = None

    __hash__ = object.__hash__

    def sectionAt(self, number: int) -> Section:
        return Section(0, self.tracks)

    def read(self, number: int) -> Fragment:
        assert self.may.wait(5)
        self.reads.append(number)
        self.threads.add(threading.get_ident())
        if self.error is not None:
            raise self.error
        return self.fragments[number]


class Shelf:
    def __init__(self) -> None:
        self.usedOnes: list[Any] = []

    def used(self, presentation: Any) -> None:
        self.usedOnes.append(presentation)


@pytest_twisted.async_yield_fixture
async def loader() -> AsyncIterator[FragmentLoader]:
    pool = ThreadPool(0, 2)
    pool.start()
    shelf: Any = Shelf()
    cache: Cache[PacketFragment] = Cache(1 << 20)
    yield FragmentLoader(shelf, cache, pool, reactor)
    pool.stop()


async def test_endingEarlyIsNewsOnce(loader: FragmentLoader) -> None:
    one: Any = Read()
    other: Any = Read()
    assert [loader.foundShort(each) for each in (one, one, other)] == [True, False, True]


async def test_readOnceForAll(loader: FragmentLoader) -> None:
    one: Any = Read()
    assert loader.peek(Course(one), 2, PLAN) is None
    one.may.clear()
    waiting = [loader.load(Course(one), 2, one.formats, PLAN) for _ in range(10)]
    one.may.set()
    fragments = await gatherResults(waiting)
    assert one.reads == [2]
    assert one.threads.isdisjoint({threading.get_ident()})
    assert all(each is fragments[0] for each in fragments)
    assert fragments[0].number == 2
    assert loader.peek(Course(one), 2, PLAN) is fragments[0]
    assert await loader.load(Course(one), 2, one.formats, PLAN) is fragments[0]
    assert one.reads == [2]


async def test_anotherPlanIsAnotherFragment(loader: FragmentLoader) -> None:
    one: Any = Read()
    plan = BurstPlan(256, 4, 0.01)
    large, small = (
        await loader.load(Course(one), 0, one.formats, PLAN),
        await loader.load(Course(one), 0, one.formats, plan),
    )
    assert max(len(payload) for burst in small.bursts for payload in burst.payloads) == 256
    assert max(len(payload) for burst in large.bursts for payload in burst.payloads) == 500
    assert one.reads == [0, 0]


@pytest.mark.requirement("HDR-2")
async def test_viewsAreMadeOnceForAll(loader: FragmentLoader) -> None:
    """Everybody who plays at a Scale has the same; the fragment as it is was read once, for all Scales."""
    one: Any = Read()
    courses = [Course(one, 2.0), Course(one, 2.0), Course(one, -1.0), Course(one, -1.0, wholeGroups=True)]
    views = await gatherResults([loader.load(course, 1, one.formats, PLAN) for course in courses])
    assert views[0] is views[1]
    assert len({id(view) for view in views}) == 3
    assert one.reads == [1]
    assert loader.peek(Course(one, 2.0), 1, PLAN) is views[0]
    assert loader.peek(Course(one, 3.0), 1, PLAN) is None
    asItIs = loader.peek(Course(one), 1, PLAN)
    assert asItIs is not None
    assert views[0].bursts[0].buffers is asItIs.bursts[0].buffers


async def test_whoGivesUpTakesNobodyAlong(loader: FragmentLoader) -> None:
    one: Any = Read()
    one.may.clear()
    first, second = [loader.load(Course(one), 1, one.formats, PLAN) for _ in range(2)]
    first.cancel()
    one.may.set()
    with pytest.raises(CancelledError):
        await first
    assert (await second).number == 1
    assert one.reads == [1]


async def test_aFailureIsForgotten(loader: FragmentLoader) -> None:
    one: Any = Read()
    one.error = NotMedia("damaged")
    for _ in range(2):
        with pytest.raises(NotMedia, match="damaged"):
            await loader.load(Course(one), 1, one.formats, PLAN)
    one.error = None
    assert (await loader.load(Course(one), 1, one.formats, PLAN)).number == 1
    assert one.reads == [1, 1, 1]


async def test_theLibraryIsToldWhatIsRead(loader: FragmentLoader) -> None:
    one: Any = Read()
    await loader.load(Course(one), 0, one.formats, PLAN)
    await loader.load(Course(one), 0, one.formats, PLAN)
    shelf: Any = loader._library
    assert shelf.usedOnes == [one]
