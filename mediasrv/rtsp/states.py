"""
The states of an RTSP session and what may happen in each (RFC 2326 appendix A.2).

Init is the state before the first SETUP: no session exists yet. Ready is two states here: one that has never played has
nothing to pause, while after the end of a range the client may well believe that it still plays and pause it (PAU-5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder


class SessionStates(Protocol):
    """What happens to a session. Raises C{automat.NoTransition} where its state does not allow it: 455."""

    def setUp(self) -> None:
        """A SETUP of a track."""

    def play(self) -> None:
        """A PLAY."""

    def pause(self) -> None:
        """A PAUSE."""

    def reachEnd(self) -> None:
        """The end of the range, or of the presentation, was reached."""

    def tearDown(self) -> None:
        """A TEARDOWN, a timeout, or the end of what carried it."""


@dataclass(slots=True)
class StateName:
    """
    @ivar state: C{"ready"}, C{"playing"}, C{"paused"} or C{"gone"}.
    """

    state: str = "ready"


def _named(name: StateName, state: str) -> None:
    name.state = state


_builder = TypeMachineBuilder(SessionStates, StateName)
_ready = _builder.state("ready")
_playing = _builder.state("playing")
_paused = _builder.state("paused")
_gone = _builder.state("gone")


@_ready.upon(SessionStates.setUp).loop()
@_playing.upon(SessionStates.setUp).loop()
@_paused.upon(SessionStates.setUp).loop()
def _tracksChanged(machine: SessionStates, name: StateName) -> None:
    """The tracks are the session's matter."""


@_ready.upon(SessionStates.play).to(_playing)
@_paused.upon(SessionStates.play).to(_playing)
@_playing.upon(SessionStates.play).to(_playing)
def _plays(machine: SessionStates, name: StateName) -> None:
    _named(name, "playing")


@_playing.upon(SessionStates.pause).to(_paused)
@_paused.upon(SessionStates.pause).to(_paused)
@_playing.upon(SessionStates.reachEnd).to(_paused)
def _pauses(machine: SessionStates, name: StateName) -> None:
    _named(name, "paused")


@_ready.upon(SessionStates.tearDown).to(_gone)
@_playing.upon(SessionStates.tearDown).to(_gone)
@_paused.upon(SessionStates.tearDown).to(_gone)
def _goes(machine: SessionStates, name: StateName) -> None:
    _named(name, "gone")


newStates = _builder.build()
