"""
The registry: the one list of all sessions, whatever door they came through.

Doors add and remove their sessions. The admin shell, the web pages, the metrics and the application around mediasrv ask
who watches what, follow it as observers, and end sessions by their identifier.

Everything here belongs to the reactor thread; from another one use C{reactor.callFromThread}.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from secrets import choice
from string import ascii_letters, digits
from typing import Literal, Protocol

from twisted.logger import Logger

_log = Logger()

_ALPHABET = ascii_letters + digits
#: 16 characters of 62 are 95 bits.
_ID_LENGTH = 16


class TooManySessions(Exception):
    """One more session would be over a limit; the text says which."""


class Session(Protocol):
    """What every door's session tells. C{id}, C{door} and C{peer} never change."""

    @property
    def id(self) -> str:
        """As L{Registry.newId} gave it."""

    @property
    def door(self) -> str:
        """The protocol: C{"rtsp"}, …"""

    @property
    def peer(self) -> str:
        """The client's IP address, without port: sessions per peer are counted by it."""

    @property
    def path(self) -> str:
        """Of the presentation, decoded."""

    @property
    def title(self) -> str:
        """Of the presentation; C{""} if it has none."""

    @property
    def tracks(self) -> Sequence[str]:
        """One line about each track that is set up, such as C{"video H264"}."""

    @property
    def transport(self) -> str:
        """How the media get there, such as C{"RTP/AVP/TCP;interleaved=0-1"}."""

    @property
    def state(self) -> str:
        """C{"ready"}, C{"playing"}, C{"paused"}, C{"recording"}, C{"gone"}: lower case."""

    @property
    def startedAt(self) -> float:
        """Unix seconds."""

    @property
    def packetsSent(self) -> int:
        """RTP packets over all tracks, since the session began."""

    @property
    def octetsSent(self) -> int:
        """Payload bytes over all tracks, since the session began."""

    @property
    def fractionLost(self) -> float:
        """0.0–1.0, as the client last reported of its worst track."""

    @property
    def packetsLost(self) -> int:
        """Over all tracks, as the client last reported."""

    @property
    def jitter(self) -> float:
        """Seconds, as the client last reported of its worst track."""

    @property
    def endReason(self) -> str:
        """Why it ended, as C{end} was told; C{""} while it lives."""

    def position(self) -> float:
        """NPT seconds that are being sent now, or where the session pauses."""

    def end(self, reason: str) -> None:
        """
        Ends the session and tells the client as well as the protocol can. It leaves the registry by itself, at once or
        when the client has been told; to end it twice is no error.
        """


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

    def __init__(self, limit: int = 0, limitPerPeer: int = 0) -> None:
        self.limit = limit
        self.limitPerPeer = limitPerPeer
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
