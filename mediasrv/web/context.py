"""
What all resources of the web door share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.python.threadpool import ThreadPool

from mediasrv.media.library import Library
from mediasrv.registry import Registry
from mediasrv.settings import Settings


@dataclass(frozen=True, slots=True)
class WebContext:
    """
    @ivar readers: threads for what blocks.
    """

    reactor: Any
    settings: Settings
    library: Library
    registry: Registry
    readers: ThreadPool
