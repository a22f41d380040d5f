"""
Log observers for C{twistd --logger}.

C{twistd} has no flag for the level of its log and writes debugging events too; C{twistd --logger mediasrv.logs.text}
does not.
"""

from __future__ import annotations

import io
import sys

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    textFileLogObserver,
)


def text() -> ILogObserver:
    """
    Lines of text on standard output, from C{info} upwards. What its encoding does not have is escaped: with an error
    instead the line would be lost, and nobody told.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return FilteringLogObserver(
        textFileLogObserver(sys.stdout), [LogLevelFilterPredicate(defaultLogLevel=LogLevel.info)]
    )
