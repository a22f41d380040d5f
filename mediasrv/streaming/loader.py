"""
From a presentation to the bursts of its fragments: read and packed in a reader thread, once for all viewers.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from mediasrv.media.cache import Cache
from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import BurstPlan, PacketFragment, packFragment
from mediasrv.rtp.payloads.formats import PayloadFormat


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

    def peek(self, presentation: Presentation, number: int, plan: BurstPlan) -> PacketFragment | None:
        """The fragment if it is in memory."""
        return self.cache.peek((presentation, number, plan))

    def load(
        self, presentation: Presentation, number: int, formats: Sequence[PayloadFormat], plan: BurstPlan
    ) -> Deferred[PacketFragment]:
        """
        The fragment, from memory or from the file.

        @return: fails with L{mediasrv.media.presentation.PresentationChanged} or L{mediasrv.media.containers.NotMedia}
            where the file is not what it was.
        """

        def read() -> Deferred[PacketFragment]:
            self._library.used(presentation)
            return deferToThreadPool(self._reactor, self._pool, self._read, presentation, number, formats, plan)

        return self.cache.get((presentation, number, plan), read)

    @staticmethod
    def _read(
        presentation: Presentation, number: int, formats: Sequence[PayloadFormat], plan: BurstPlan
    ) -> PacketFragment:
        return packFragment(presentation.read(number), formats, plan)
