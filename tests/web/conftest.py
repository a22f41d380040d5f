"""The rig of the RTSP door, which is what runs inside of HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.python.threadpool import ThreadPool

sys.path.append(str(Path(__file__).parent.parent / "rtsp"))

from rtsprig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    """Two threads."""
    pool = ThreadPool(0, 2)
    pool.start()
    yield pool
    pool.stop()
