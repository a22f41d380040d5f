"""
The registry: the one list of all sessions, whatever door they came through.

Doors add and remove their sessions. The admin shell, the web pages, the metrics and the application around mediasrv ask
who watches what, follow it as observers, end sessions by their identifier, and empty the whole server (L{drain
<Registry.drain>}).

Everything here belongs to the reactor thread; from another one use C{reactor.callFromThread}.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from secrets import choice
from string import ascii_letters, digits
from typing import Literal

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mediasrv.draining import Draining
from mediasrv.locating import below, checkedURL, pathOf
from mediasrv.sessions import Session

__all__ = ["Event", "Observer", "Registry", "Session", "TooManySessions"]

_log = Logger()

_ALPHABET = ascii_letters + digits
#: 16 characters of 62 are 95 bits.
_ID_LENGTH = 16


class TooManySessions(Exception):
    """No more sessions are taken: one would be over a limit, or the server is being emptied. The text says which."""


@dataclass(frozen=True, slots=True)
class Event:
    """What observers are told: a session came, has another state or transport, or is gone."""

    kind: Literal["added", "changed", "removed"]
    session: Session


Observer = Callable[[Event], None]


@dataclass(slots=True, eq=False)
class _Subscription:
    observer: Observer
    active: bool = True
    failed: bool = False

    def tell(self, event: Event) -> None:
        if not self.active:
            return
        try:
            self.observer(event)
        except Exception:
            if not self.failed:
                _log.failure("An observer of sessions failed; what fails in it from now on is not logged")
            self.failed = True


class Registry:
    """
    All sessions, in the order in which they came.

    @ivar limit: sessions in all; 0 is no limit.
    @ivar limitPerPeer: sessions of one address; 0 is no limit.
    """

    def __init__(self, limit: int = 0, limitPerPeer: int = 0, reactor: IReactorTime | None = None) -> None:
        """
        @param reactor: keeps the time of L{drain}; the running one if left out.
        """
        self.limit = limit
        self.limitPerPeer = limitPerPeer
        self._reactor = reactor
        self._draining: Draining | None = None
        self._sessions: dict[str, Session] = {}
        self._perPeer: Counter[str] = Counter()
        self._subscriptions: list[_Subscription] = []
        self._events: deque[Event] = deque()
        self._isTelling = False

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        """The sessions of this moment: they may come and go while you look at them."""
        return iter(list(self._sessions.values()))

    def newId(self) -> str:
        """
        An identifier that no session has, and that nobody can guess: 16 letters and digits (RFC 2326 section 3.4 allows
        more characters, some clients do not).
        """
        while True:
            name = "".join(choice(_ALPHABET) for _ in range(_ID_LENGTH))
            if name not in self._sessions:
                return name

    def checkRoom(self, peer: str) -> None:
        """
        Says whether one more session of this address would be taken, before anything is prepared for it.

        @raise TooManySessions: if not.
        """
        if self._draining is not None:
            raise TooManySessions("the server is being emptied")
        if self.limit and len(self._sessions) >= self.limit:
            raise TooManySessions(f"{self.limit} sessions are the limit")
        if self.limitPerPeer and self._perPeer[peer] >= self.limitPerPeer:
            raise TooManySessions(f"{self.limitPerPeer} sessions of one address are the limit")

    def add(self, session: Session) -> None:
        """
        @raise TooManySessions: if there is no room; nobody is told of the session then.
        @raise ValueError: if there is a session of this identifier.
        """
        if session.id in self._sessions:
            raise ValueError(f"there is a session {session.id!r}")
        self.checkRoom(session.peer)
        self._sessions[session.id] = session
        self._perPeer[session.peer] += 1
        self._tell(Event("added", session))

    def changed(self, session: Session) -> None:
        """Tells the observers that a session has another state, transport or set of tracks. For doors to call."""
        if self._sessions.get(session.id) is session:
            self._tell(Event("changed", session))

    def remove(self, session: Session) -> None:
        """Forgets a session; one that is not there is no error."""
        if self._sessions.get(session.id) is not session:
            return
        del self._sessions[session.id]
        self._perPeer[session.peer] -= 1
        if not self._perPeer[session.peer]:
            del self._perPeer[session.peer]
        self._tell(Event("removed", session))
        self._noticeEmptiness()

    def get(self, id: str) -> Session | None:
        """The session of this identifier, or None."""
        return self._sessions.get(id)

    def end(self, id: str, reason: str) -> bool:
        """
        Ends a session.

        @param reason: for the log, and for the client where the protocol can tell it.
        @return: whether there was one.
        """
        session = self._sessions.get(id)
        if session is None:
            return False
        try:
            session.end(reason)
        except Exception:
            _log.failure("Session {id} did not end properly", id=id)
            self.remove(session)
        return True

    def endAll(self, reason: str) -> None:
        """Ends every session; what goes wrong with one keeps none of the others."""
        for session in self:
            self.end(session.id, reason)

    # Emptying the server

    @property
    def isDraining(self) -> bool:
        """Whether no new sessions are taken, since L{drain}."""
        return self._draining is not None

    @property
    def drainLocation(self) -> str | None:
        """Where who would begin a session is sent to while the server is being emptied, as L{drain} was told."""
        return None if self._draining is None else self._draining.location

    def drain(self, location: str | None = None, grace: float | None = None) -> Deferred[bool]:
        """
        Empties the server: no new sessions are taken from now on, and those that there are end by themselves or when
        their time is over. To call it again changes the location and the time.

        @param location: URL of another server that has the same presentations at the same paths, such as
            C{rtsp://other.example:8554}: who comes is sent there, and who is here is told to go there.
        @param grace: seconds after which the sessions that are still there are ended; None to wait as long as they
            last.
        @return: fires with True when no session is left, with False if L{resume} comes before that. To cancel it ends
            the waiting and nothing else.
        @raise ValueError: if C{location} is no URL, or C{grace} less than 0 or endless.
        """
        if location is not None:
            checkedURL(location)
        if grace is not None and not 0 <= grace < inf:
            raise ValueError(f"{grace} seconds of grace")
        draining = self._draining = self._draining or Draining()
        draining.location = location
        draining.limit(grace, lambda: self.endAll("the server is being emptied"), self._clock())
        over = draining.whenOver()
        _log.info("no new sessions are taken, the server is being emptied; {count} are still here", count=len(self))
        if location is not None:
            for session in self:
                self._redirect(session, below(location, pathOf(session.path)))
        self._noticeEmptiness()
        return over

    def resume(self) -> None:
        """Takes new sessions again, and lets those stay that are still here; undoes L{drain}."""
        draining, self._draining = self._draining, None
        if draining is not None:
            _log.info("new sessions are taken again")
            draining.over(isEmpty=not self._sessions)

    def _redirect(self, session: Session, location: str) -> None:
        try:
            session.redirect(location)
        except Exception:
            _log.failure("The client of session {id} could not be told to go elsewhere", id=session.id)

    def _noticeEmptiness(self) -> None:
        if self._draining is not None and not self._sessions:
            self._draining.over(isEmpty=True)

    def _clock(self) -> IReactorTime:
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        return self._reactor

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """
        @param observer: called with every L{Event} from now on, in the reactor thread. One that raises is logged the
            first time, and goes on being called.
        @return: call it to hear no more.
        """
        subscription = _Subscription(observer)
        self._subscriptions.append(subscription)

        def unsubscribe() -> None:
            if subscription.active:
                subscription.active = False
                self._subscriptions.remove(subscription)

        return unsubscribe

    def _tell(self, event: Event) -> None:
        """Tells all observers, after what they are being told already: an observer may end what was just added."""
        self._events.append(event)
        if self._isTelling:
            return
        self._isTelling = True
        while self._events:
            event = self._events.popleft()
            for subscription in list(self._subscriptions):
                subscription.tell(event)
        self._isTelling = False
