"""
What was sent since the server began, by sessions that there are and by those that have gone.

A session's own figures are those of its tracks, and go back when it drops one. So what is added here is what a session
has sent since the last look, and nothing is ever taken away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mediasrv.registry import Event, Registry
from mediasrv.sessions import Session


@dataclass(slots=True)
class Totals:
    """
    Follows a registry for as long as that lives.

    @ivar sessions: that ever were, by door.
    @ivar packets: that were sent, by door.
    @ivar octets: the same.
    """

    registry: Registry
    sessions: Counter[str] = field(default_factory=Counter)
    packets: Counter[str] = field(default_factory=Counter)
    octets: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for session in self.registry:
            self._begins(session)
        self.registry.subscribe(self._observe)

    def look(self, session: Session) -> None:
        """Adds what a session has sent since the last look. One that has gone had its last look then."""
        before = self._seen.get(session.id)
        if before is not None:
            now = session.packetsSent, session.octetsSent
            self.packets[session.door] += max(0, now[0] - before[0])
            self.octets[session.door] += max(0, now[1] - before[1])
            self._seen[session.id] = now

    def _begins(self, session: Session) -> None:
        self.sessions[session.door] += 1
        self._seen[session.id] = 0, 0

    def _observe(self, event: Event) -> None:
        if event.kind == "added":
            self._begins(event.session)
        self.look(event.session)
        if event.kind == "removed":
            self._seen.pop(event.session.id, None)
