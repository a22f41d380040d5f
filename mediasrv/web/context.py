"""
What all resources of the web door share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.python.threadpool import ThreadPool

from mediasrv.media.library import Library
from mediasrv.media.stillmaker import StillMaker
from mediasrv.registry import Registry
from mediasrv.settings import Settings


@dataclass(frozen=True, slots=True)
class WebContext:
    """
    @ivar readers: threads for what blocks.
    @ivar stills: makes pictures of files; None if there are to be none.
    """

    reactor: Any
    settings: Settings
    library: Library
    registry: Registry
    readers: ThreadPool
    stills: StillMaker | None = None
