"""
Delayed calls that come in time, whatever is done to the clock on the wall.

Twisted keeps its delayed calls by the time of day: C{reactor.seconds} is L{time.time}. Where that is set back by an
hour, by hand or by NTP, nothing that waits comes for an hour, and no packet would leave (SEC-29).
"""

from __future__ import annotations

import time
from typing import cast

from twisted.internet.base import DelayedCall, ReactorBase


def keepSteady(reactor: object) -> None:
    """
    Has a reactor keep its delayed calls by a clock that nobody sets, those that wait already as well. It is for whoever
    owns the process to ask for, because C{reactor.seconds} is no time of day any more then. A reactor that is none of
    Twisted's own stays as it is.
    """
    if not isinstance(reactor, ReactorBase) or reactor.seconds is time.monotonic:
        return
    ahead = time.monotonic() - reactor.seconds()
    for call in cast(list[DelayedCall], reactor.getDelayedCalls()):
        call.seconds = time.monotonic
        call.delay(ahead)
    reactor.seconds = time.monotonic  # every reactor of Twisted looks it up in itself
