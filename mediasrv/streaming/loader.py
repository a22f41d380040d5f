"""
From a presentation to the bursts of its fragments: read and packed in a reader thread, once for all viewers.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from weakref import WeakSet

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mediasrv.media.cache import Cache
from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import BurstPlan, PacketFragment, packFragment
from mediasrv.rtp.payloads.formats import PayloadFormat
from mediasrv.rtp.payloads.registry import formatFor
from mediasrv.streaming.courses import Course


class FragmentLoader:
    """
    Gives players their fragments.

    @ivar cache: what is kept in memory, for all presentations.
    """

    def __init__(
        self, library: Library, cache: Cache[PacketFragment], pool: ThreadPool, reactor: IReactorFromThreads
    ) -> None:
        self._library = library
        self.cache = cache
        self._pool = pool
        self._reactor = reactor
        self._short: WeakSet[Presentation] = WeakSet()

    def foundShort(self, presentation: Presentation) -> bool:
        """
        Notes that a presentation ends before it should.

        @return: whether that is news: a thousand may watch, and the log is for one line.
        """
        isNew = presentation not in self._short
        self._short.add(presentation)
        return isNew

    def peek(self, course: Course, number: int, plan: BurstPlan) -> PacketFragment | None:
        """The view of a fragment on a course, if it is in memory."""
        return self.cache.peek(_key(course, number, plan))

    def load(
        self, course: Course, number: int, formats: Sequence[PayloadFormat], plan: BurstPlan
    ) -> Deferred[PacketFragment]:
        """
        The view of a fragment on a course, from memory or from the file.

        @return: fails with L{mediasrv.media.presentation.PresentationChanged} or L{mediasrv.media.containers.NotMedia}
            where the file is not what it was.
        """
        if course.scale != 1.0:
            return self.cache.get(_key(course, number, plan), lambda: self._show(course, number, formats, plan))
        presentation = course.presentation

        def read() -> Deferred[PacketFragment]:
            self._library.used(presentation)
            return deferToThreadPool(self._reactor, self._pool, self._read, presentation, number, formats, plan)

        return self.cache.get(_key(course, number, plan), read)

    def _show(
        self, course: Course, number: int, formats: Sequence[PayloadFormat], plan: BurstPlan
    ) -> Deferred[PacketFragment]:
        """
        Makes a view of the fragment as it is, which others may want as well; in a thread, for it may be a large one.
        """

        def show(fragment: PacketFragment) -> Deferred[PacketFragment]:
            return deferToThreadPool(self._reactor, self._pool, course.show, fragment, formats)

        return self.load(Course(course.presentation), number, formats, plan).addCallback(show)

    @staticmethod
    def _read(
        presentation: Presentation, number: int, formats: Sequence[PayloadFormat], plan: BurstPlan
    ) -> PacketFragment:
        section = presentation.sectionAt(number)
        if section.first:
            # it has other parameters, which come with its key frames
            formats = [formatFor(track) for track in section.tracks]
        return packFragment(presentation.read(number), formats, plan)


def _key(course: Course, number: int, plan: BurstPlan) -> Hashable:
    return course.presentation, course.kind, number, plan
