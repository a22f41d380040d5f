"""
The signals that stop the server, beyond what Twisted makes of them.

C{SIGHUP} stops it as C{SIGTERM} does, so that viewers are told. Twisted leaves this signal to the system, which ends a
process at once; it comes when a terminal is closed, and from those who expect a daemon to read its settings again. And
whoever sends a signal once more, while the server waits for its sessions to end, does not want to wait.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger

_STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Signals:
    """What signals do while the server runs: nothing in another thread than the main one, which alone may take them."""

    _log = Logger()

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._former: dict[int, Any] = {}

    def take(self) -> None:
        """Makes C{SIGHUP} stop the reactor, unless somebody else cares for it: C{nohup} has it ignored."""
        hangUp = getattr(signal, "SIGHUP", None)
        if hangUp is not None and signal.getsignal(hangUp) == signal.SIG_DFL:
            self._take(hangUp, self._stop)

    def whileStopping(self, again: Callable[[], None]) -> None:
        """
        Has no signal stop the reactor a second time.

        @param again: is called instead, in the reactor's thread.
        """
        for each in _STOPPING:
            if signal.getsignal(each) not in (signal.SIG_DFL, signal.SIG_IGN, None):
                self._take(each, again)

    def giveBack(self) -> None:
        """Leaves the signals to those who had them before."""
        while self._former:
            signal.signal(*self._former.popitem())

    def _take(self, number: int, call: Callable[[], None]) -> None:
        if threading.current_thread() is threading.main_thread():
            former = signal.signal(number, lambda *_: self._reactor.callFromThread(call))
            self._former.setdefault(number, former)

    def _stop(self) -> None:
        self._log.info("Received SIGHUP, shutting down.")
        with contextlib.suppress(ReactorNotRunning):  # it is on its way already
            self._reactor.stop()
