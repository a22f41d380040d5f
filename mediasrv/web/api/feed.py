"""
The sessions, live: what the registry tells is written down once as server-sent events (WHATWG HTML section 9.2), and
goes to everybody who listens.

Who begins to listen gets all sessions first. That list is made a piece in each turn of the reactor, for all who wait
for one together; what happens meanwhile follows behind it. It may tell of a session that the list has already, or not
any more, which makes no difference to a listener that goes by the names.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mediasrv.registry import Event, Registry
from mediasrv.sessions import Session
from mediasrv.web.api.answers import encoded
from mediasrv.web.api.views import PublicNames, progressView, sessionView
from mediasrv.web.spreading import inTurns

#: seconds from one look at how far the sessions are to the next
_INTERVAL = 2.0

#: of these after which something is said, so that proxies and routers see that the connection lives: 14 seconds
_SILENCE = 7


class Listener(Protocol):
    """Who is told."""

    def send(self, data: bytes) -> None:
        """Events."""

    def tick(self) -> None:
        """Two seconds are over."""

    def close(self) -> None:
        """Nothing more comes."""


class SessionFeed:
    """
    Follows a registry for as long as that lives.

    @ivar names: of its sessions.
    """

    _log = Logger()

    def __init__(self, registry: Registry, reactor: IReactorTime, names: PublicNames | None = None) -> None:
        self.names = names or PublicNames()
        self._reactor = reactor
        self._sessions = {self.names.of(session): session for session in registry}
        #: the figures that listeners know
        self._told: dict[str, tuple[float, int, int, str]] = {}
        self._listeners: set[Listener] = set()
        #: those who wait for the list, and what happened since its making began
        self._waiting: set[Listener] = set()
        self._late: list[bytes] = []
        self._isListing = False
        #: the next look at how far the sessions are, or whether one is under way
        self._call: IDelayedCall | None = None
        self._isLooking = False
        self._silence = 0
        registry.subscribe(self._observe)

    def __len__(self) -> int:
        """How many listen."""
        return len(self._listeners) + len(self._waiting)

    def find(self, name: str) -> Session | None:
        """The session of this public name."""
        return self._sessions.get(name)

    def listed(self) -> list[tuple[str, Session]]:
        """All sessions of this moment with their names, in the order in which they came."""
        return list(self._sessions.items())

    # Listeners

    def listen(self, listener: Listener) -> None:
        """The listener is sent all sessions, and then what changes. Again for one that has missed something."""
        self._listeners.discard(listener)
        self._waiting.add(listener)
        if not self._isListing:
            self._isListing = True
            self._run(self._list())
        if self._call is None and not self._isLooking:
            self._call = self._reactor.callLater(_INTERVAL, self._look)

    def leave(self, listener: Listener) -> None:
        """Undoes L{listen}."""
        self._listeners.discard(listener)
        self._waiting.discard(listener)
        if not len(self):
            self._told.clear()
            if self._call is not None:
                self._call.cancel()
                self._call = None

    def stop(self) -> None:
        """Ends all listeners; others may come later."""
        for listener in [*self._listeners, *self._waiting]:
            self.leave(listener)
            listener.close()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(coroutine).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        """A session could not be shown. Who listens may come again, and knows by that of having missed something."""
        self._log.failure("The sessions could not be told", failure)
        self._isListing = self._isLooking = False
        self._late.clear()
        self.stop()

    async def _list(self) -> None:
        parts: list[bytes] = []
        async for piece in inTurns(self._reactor, self.listed()):
            if self._waiting:
                parts.append(b",".join(encoded(sessionView(name, session)) for name, session in piece))
        self._isListing = False
        data = b"".join([_event("snapshot", b"[" + b",".join(parts) + b"]"), *self._late])
        self._late.clear()
        waiting, self._waiting = self._waiting, set()
        self._listeners |= waiting
        for listener in waiting:
            listener.send(data)

    def _tell(self, kind: str, data: object) -> None:
        event = _event(kind, encoded(data))
        if self._isListing:
            self._late.append(event)
        self._silence = 0
        for listener in list(self._listeners):
            listener.send(event)

    # What happens

    def _observe(self, event: Event) -> None:
        session = event.session
        name = self.names.of(session)
        if event.kind == "removed":
            self._sessions.pop(name, None)
            self._told.pop(name, None)
        else:
            self._sessions[name] = session
        if len(self) or self._isListing:
            self._tell(event.kind, {"id": name} if event.kind == "removed" else sessionView(name, session))

    def _look(self) -> None:
        self._call = None
        self._isLooking = True
        self._run(self._tellProgress())

    async def _tellProgress(self) -> None:
        self._silence += 1
        async for piece in inTurns(self._reactor, self.listed()):
            if len(self):
                moved = [progressView(name, session) for name, session in piece if self._hasMoved(name, session)]
                if moved:
                    self._tell("progress", moved)
        if self._silence >= _SILENCE:
            self._silence = 0
            for listener in list(self._listeners):
                listener.send(b":\n\n")
        for listener in [*self._listeners, *self._waiting]:
            listener.tick()
        self._isLooking = False
        if len(self):
            self._call = self._reactor.callLater(_INTERVAL, self._look)

    def _hasMoved(self, name: str, session: Session) -> bool:
        if name not in self._sessions:
            return False  # it left in a turn between
        figures = session.position(), session.packetsSent, session.octetsSent, session.state
        if self._told.get(name) == figures:
            return False
        self._told[name] = figures
        return True


def _event(kind: str, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)
