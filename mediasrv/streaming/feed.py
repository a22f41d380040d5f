"""
The feed of one player: the fragments of its presentation, the next one fetched before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import Presentation, PresentationChanged
from mediasrv.rtp.bursts import BurstPlan, PacketFragment
from mediasrv.rtp.payloads.formats import PayloadFormat
from mediasrv.streaming.courses import Course
from mediasrv.streaming.loader import FragmentLoader


class Feed:
    """
    @ivar presentation: whose fragments these are.
    @ivar formats: one for each of its tracks.
    @ivar course: how it is played; the fragments are views of it. To be changed while nothing is fetched.
    @ivar upcoming: the fragment after the one that is played, if it is there.
    @ivar hasEnded: whether there is none, though the presentation has not said so: the file is damaged, or gone.
    """

    _log = Logger()

    __slots__ = ("_loader", "_loading", "_plan", "course", "formats", "hasEnded", "presentation", "upcoming")

    def __init__(
        self, presentation: Presentation, formats: Sequence[PayloadFormat], plan: BurstPlan, loader: FragmentLoader
    ) -> None:
        self.presentation = presentation
        self.formats = formats
        self.course = Course(presentation)
        self.upcoming: PacketFragment | None = None
        self.hasEnded = False
        self._plan = plan
        self._loader = loader
        self._loading: Deferred[PacketFragment] | None = None

    async def fetch(self, number: int, course: Course) -> PacketFragment:
        """
        Any fragment, on any course.

        @raise PresentationChanged: and what else L{FragmentLoader.load} fails with.
        """
        view = self._loader.peek(course, number, self._plan)
        if view is None:
            view = await self._loader.load(course, number, self.formats, self._plan)
        return view

    def prefetch(self, number: int, fed: Callable[[], None]) -> None:
        """
        Fetches the fragment that follows another one, once.

        @param fed: called when it is there, or will never be, if that takes time.
        """
        if self._loading is not None or self.upcoming is not None:
            return
        following = self.course.following(number)
        if following is None:
            self.hasEnded = True
            return
        self.upcoming = self._loader.peek(self.course, following, self._plan)
        if self.upcoming is None:
            loading = self._loading = self._loader.load(self.course, following, self.formats, self._plan)
            loading.addCallbacks(self._loaded, self._notLoaded).addCallback(lambda wanted: fed() if wanted else None)

    def _loaded(self, fragment: PacketFragment) -> bool:
        self._loading = None
        self.upcoming = fragment
        return True

    def _notLoaded(self, failure: Failure) -> bool:
        if failure.check(CancelledError):
            return False
        self._loading = None
        self.hasEnded = True
        if failure.check(PresentationChanged, NotMedia, OSError):
            if self._loader.foundShort(self.presentation):
                self._log.warn("playing ends early: {reason}", reason=failure.getErrorMessage())
        else:
            self._log.failure("playing ends early", failure)
        return True

    def take(self) -> PacketFragment | None:
        """Hands over the next fragment, if it is there and has anything in it."""
        upcoming, self.upcoming = self.upcoming, None
        if upcoming is not None and upcoming.last and not upcoming.bursts:
            self.hasEnded = True  # what the file promised is not there
            return None
        return upcoming

    def stop(self) -> None:
        """Fetches nothing more, and holds nothing."""
        self.upcoming = None
        self.hasEnded = False
        loading, self._loading = self._loading, None
        if loading is not None:
            loading.cancel()
