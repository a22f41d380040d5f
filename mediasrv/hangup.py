"""
What becomes of C{SIGHUP}: the server stops as it does for C{SIGTERM}, and says goodbye to its viewers.

Twisted leaves this signal to the system, which ends a process at once. It comes when a terminal is closed, and from
those who expect a daemon to read its settings again.
"""

from __future__ import annotations

import contextlib
import signal
from typing import Any

from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger

#: not every system has it
_SIGHUP = getattr(signal, "SIGHUP", None)


class HangUp:
    """Takes the signal, unless somebody else has: C{nohup} has it ignored."""

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._isTaken = False

    def take(self) -> None:
        """In the main thread."""
        if _SIGHUP is not None and signal.getsignal(_SIGHUP) == signal.SIG_DFL:
            signal.signal(_SIGHUP, lambda number, frame: self._reactor.callFromThread(self._stop))
            self._isTaken = True

    def giveBack(self) -> None:
        """Leaves it to the system again."""
        if self._isTaken and _SIGHUP is not None:
            signal.signal(_SIGHUP, signal.SIG_DFL)
            self._isTaken = False

    def _stop(self) -> None:
        self._log.info("Received SIGHUP, shutting down.")
        with contextlib.suppress(ReactorNotRunning):  # it is on its way already
            self._reactor.stop()
