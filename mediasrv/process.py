"""
What is set for a whole process: by C{twistd mediasrv}, whose own it is, and by nobody else.
"""

from __future__ import annotations

import contextlib
import gc

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]


def tuneGarbageCollection() -> None:
    """
    Collects garbage less often than Python's defaults have it. Reading a fragment makes thousands of objects that live
    for a while and form no circles; looking through them again and again took a third of the time of reading, and what
    was imported never goes away.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def raiseFileLimit() -> None:
    """
    Lets the process open as many files as the system allows it, for each viewer is one. The limit that it begins with
    is 1024 in most places, for the sake of programs that use C{select}; who reaches that keeps everybody else out.
    """
    if resource is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(OSError, ValueError):  # the system may have a lower one, and not say so here
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
