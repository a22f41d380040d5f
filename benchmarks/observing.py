"""
What a process uses, from /proc: its CPU time to the nanosecond, memory, descriptors, threads, with its children's.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Usage:
    """
    @ivar cpu: seconds since the process began.
    @ivar memory: bytes resident.
    """

    cpu: float = 0.0
    memory: int = 0
    descriptors: int = 0
    threads: int = 0


def usageOf(pid: int) -> Usage:
    """
    @raise ProcessLookupError: if there is no such process.
    """
    if not os.path.exists(f"/proc/{pid}/statm"):
        raise ProcessLookupError(f"there is no process {pid}")
    usage = Usage()
    for each in _family(pid):
        with contextlib.suppress(OSError):  # a child that has just ended
            # the process's CPU clock: clock_getcpuclockid(3) computes the same number
            usage.cpu += time.clock_gettime(~each << 3 | 2)
            with open(f"/proc/{each}/statm") as statm:
                usage.memory += int(statm.read().split()[1]) * _PAGE
            usage.descriptors += len(os.listdir(f"/proc/{each}/fd"))
            usage.threads += len(os.listdir(f"/proc/{each}/task"))
    return usage


def _family(pid: int) -> list[int]:
    """The process, its children, and theirs."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{task}/children") as children:
                    found += map(int, children.read().split())
    return found


def machineBusy() -> float:
    """Seconds that all cores together were busy since the machine started."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, interrupts, softInterrupts, *_ = map(int, stat.readline().split()[1:])
    return (user + nice + system + interrupts + softInterrupts) / _TICK
