"""
A network namespace for a test: loopback alone, where multicast is routed to.

Which interface a receiver joins a group on is up to the routing table of the machine if the receiver cannot be told,
as FFmpeg of today's distributions cannot.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import peers

#: addresses for tests, from the range that RFC 2365 leaves to every organization
GROUPS = "239.255.42.0/24"

_CLONE_NEWNET = 0x40000000  # of linux/sched.h; Python 3.12 has os.unshare


@contextmanager
def ownNetwork() -> Iterator[None]:
    """
    What the calling thread opens meanwhile, and the processes that it starts, are in a network of their own. The test
    is skipped where none can be made; it fails with C{MEDIASRV_REQUIRE_PEERS=1}.
    """
    ip = peers.require("ip")
    libc = ctypes.CDLL(None, use_errno=True)
    former = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(_CLONE_NEWNET):
            peers.missing(f"no network namespace can be made: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run([ip, "link", "set", "lo", "up"], check=True, timeout=10)
            # without a source the packets of receivers, which let the system choose, would come from 0.0.0.0
            subprocess.run([ip, "route", "add", GROUPS, "dev", "lo", "src", "127.0.0.1"], check=True, timeout=10)
            yield
        finally:
            assert libc.setns(former, _CLONE_NEWNET) == 0
    finally:
        os.close(former)
