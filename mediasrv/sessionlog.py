"""
The log of sessions: one line when a session begins to play, one when it is gone.

It sees what every observer of the registry sees, and so has the sessions of all doors. They are numbered: the
identifier of a session is not for the log, for who knows it may steer the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

from twisted.logger import Logger

from mediasrv.registry import Event, Registry, Session


class SessionLog:
    """
    Writes the lines, from the moment it is made.
    """

    _log = Logger()

    def __init__(self, registry: Registry, unixSeconds: Callable[[], float] = time.time) -> None:
        """
        @param unixSeconds: the clock of L{Session.startedAt}.
        """
        self._unixSeconds = unixSeconds
        self._numbers = count(1)
        self._playing: dict[str, int] = {}
        registry.subscribe(self._observe)

    def _observe(self, event: Event) -> None:
        session = event.session
        if event.kind == "removed":
            self._gone(session)
        elif session.state == "playing" and session.id not in self._playing:
            self._begins(session)

    def _begins(self, session: Session) -> None:
        number = self._playing[session.id] = next(self._numbers)
        self._log.info(
            "session {number}: {peer} plays {path!r}{tracks} over {transport}",
            number=number,
            peer=session.peer,
            path=session.path,
            tracks=f" ({', '.join(session.tracks)})" if session.tracks else "",  # a download has none
            transport=_briefly(session.transport),
        )

    def _gone(self, session: Session) -> None:
        number = self._playing.pop(session.id, None)
        if number is None:
            return  # one that never played is no news: players try transports, others only look
        self._log.info(
            "session {number}: {peer} left {path!r} at {position:.1f} s after {duration:.1f} s, {packets} packets, "
            "{octets} bytes, {lost} lost ({reason})",
            number=number,
            peer=session.peer,
            path=session.path,
            position=session.position(),
            duration=max(0.0, self._unixSeconds() - session.startedAt),
            packets=session.packetsSent,
            octets=session.octetsSent,
            lost=max(0, session.packetsLost),  # GStreamer often says that it got one more than there were
            reason=session.endReason,
        )


def _briefly(transport: str) -> str:
    """The protocols of a session's transports, each once, without addresses and channels; multicast is said."""
    words = [each.strip().split(";") for each in transport.split(",")]
    return ", ".join(dict.fromkeys(each[0] + (";multicast" if "multicast" in each[1:] else "") for each in words))
