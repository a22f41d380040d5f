"""
Asks the checks, one after the other, or some at once: each has sockets of its own, and whatever becomes of it is its
own affair.

A server that owes an answer may be busy with that for a while, for all of its clients. So it is waited for then, and
the next check finds it as this one did. One that accepts no connection any more is asked nothing further.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from mediasrv.conform.grading import Check, Failed, Gone, NotApplicable, Outcome, Result, Silence
from mediasrv.conform.network import Network
from mediasrv.conform.probing import Probe, Subject, answers

#: seconds that a server gets to recover from something that it did not answer
_RECOVERY = 30.0


class Round:
    """
    One round of checks.

    @ivar gone: set when the server accepts no connection any more.
    """

    def __init__(self, subject: Subject, transports: Sequence[str], timeout: float) -> None:
        """
        @param transports: C{"udp"}, C{"tcp"}, or both; what is not of media uses the last one.
        @param timeout: seconds of silence that are a failure.
        """
        self.gone = Event()
        self._subject = subject
        self._transports = transports
        self._timeout = timeout

    def run(self, checks: Sequence[Check], jobs: int = 1) -> Iterator[Result]:
        """
        The results, in the order of the checks.

        @param jobs: how many checks are asked at once.
        """
        with ThreadPoolExecutor(jobs) as executor:
            futures = [
                executor.submit(self.ask, check, transport)
                for check in checks
                for transport in (self._transports if check.ofMedia else self._transports[-1:])
            ]
            try:
                for future in futures:
                    yield future.result()
            finally:
                for future in futures:
                    future.cancel()

    def ask(self, check: Check, transport: str) -> Result:
        """Asks one check."""
        named = transport if check.ofMedia else ""
        if self.gone.is_set():
            return Result(check, named, Outcome.NOT_APPLICABLE, remark="the server is gone")
        probe = Probe(self._subject, transport, self._timeout, hasUDP="udp" in self._transports)
        began = time.monotonic()
        result = Result(check, named, Outcome.PASSED)
        try:
            result.remark = check.function(probe) or ""
        except NotApplicable as reason:
            result.outcome, result.remark = Outcome.NOT_APPLICABLE, str(reason)
        except Failed as failure:
            _describe(result, failure, probe.network)
        except Exception as error:  # a mistake of this program is not one of the server
            result.outcome, result.remark = Outcome.ERROR, f"the checker stumbled: {error!r}"
        result.dialogue = list(probe.network.dialogue)
        probe.close()
        result.seconds = time.monotonic() - began
        if result.isSilence and not answers(self._subject, _RECOVERY):
            self.gone.set()
        return result


def _describe(result: Result, failure: Failed, network: Network) -> None:
    """Fills in what went wrong; what the check does not say is the end of the dialogue."""
    result.outcome = Outcome.FAILED
    result.wanted = failure.wanted
    result.sent = failure.sent or network.lastSent
    result.got = failure.got or network.lastGot or "nothing"
    result.isSilence = isinstance(failure, Silence | Gone)
