"""
The pace of one player: when what is due on its course leaves, and when it is to be presented.

Two straight lines from the course to the wall clock. By the one a client presents: its slope is one, and a PLAY pins it
once and for all, for the timestamps of what was sent say so. By the other packets leave: Speed is its slope, and where
client or disk cannot follow it moves, while the first one stays.
"""

from __future__ import annotations

from math import inf, nextafter

#: seconds by which packets may leave before they are presented, when requests follow each other faster than pictures
_LEAD = 0.5


class Pace:
    """
    @ivar speed: seconds of play-out that leave in a second.
    @ivar shift: what is due at C{t} leaves at C{t / speed + shift}, monotonic seconds.
    @ivar start: time on the course where the PLAY under way began.
    @ivar anchor: monotonic seconds at which that is presented.
    @ivar presented: monotonic seconds until which there is something to present of what was sent.
    """

    __slots__ = ("_lead", "anchor", "presented", "shift", "speed", "start")

    def __init__(self) -> None:
        self.speed = 1.0
        self.shift = 0.0
        self.start = 0.0
        self.anchor = 0.0
        self.presented = -inf
        self._lead = _LEAD

    def begin(self, start: float, anchor: float, due: float, now: float, speed: float) -> None:
        """
        A PLAY begins.

        @param start: its place on the course.
        @param anchor: monotonic seconds at which that is to be presented.
        @param due: time on the course at which its first packets are due; they leave now, unless that is far too early.
        @param now: monotonic seconds.
        """
        self.start = start
        self.anchor = anchor
        self.speed = speed
        wall = max(now, anchor - (start - due) - self._lead)
        self.shift = wall - due / speed
        while self.due(wall) < due:
            # rounding must not keep what is due at once until the next tick
            self.shift = nextafter(self.shift, -inf)

    def halt(self, now: float, latest: float, frame: float) -> None:
        """
        Nothing more is sent.

        @param latest: as L{sent} takes it.
        """
        self.sent(latest, frame)
        # what Speed has sent ahead of its time stays ahead: the client shall not wait for what comes next
        gained = self.presented - now
        self._lead = max(_LEAD, gained if self.speed > 1 else min(gained, self._lead))

    def sent(self, latest: float, frame: float) -> None:
        """
        Notes how far presentation has got (RTP-5).

        @param latest: the last time on the course of which something was sent.
        @param frame: seconds that this is presented for.
        """
        self.presented = max(self.presented, self.presentedAt(latest) + frame)

    def due(self, wall: float) -> float:
        """The time on the course that is due at these monotonic seconds."""
        return (wall - self.shift) * self.speed

    def leaves(self, due: float) -> float:
        """Monotonic seconds at which what is due at a time on the course leaves."""
        return due / self.speed + self.shift

    def presentedAt(self, time: float) -> float:
        """Monotonic seconds at which a time on the course is presented."""
        return self.anchor + time - self.start

    def delay(self, seconds: float) -> None:
        """Everything leaves later than planned."""
        self.shift += seconds
