"""
What all resources of the web door share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.python.threadpool import ThreadPool

from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation
from mediasrv.media.stillmaker import StillMaker
from mediasrv.media.subtitlereader import SubtitleReader
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.web.addresses import Addresses


@dataclass(frozen=True, slots=True)
class WebContext:
    """
    @ivar readers: threads for what blocks.
    @ivar addresses: how clients reach us, and who they are.
    @ivar describe: the session description of a presentation, for a host as the client knows it (an IP address or a
        name, no brackets); None if nothing is to be had over RTSP.
    @ivar stills: makes pictures of files; None if there are to be none.
    @ivar subtitles: reads the subtitles of files; None if there are to be none.
    """

    reactor: Any
    settings: Settings
    library: Library
    registry: Registry
    readers: ThreadPool
    addresses: Addresses = field(default_factory=Addresses)
    describe: Callable[[Presentation, str], str] | None = None
    stills: StillMaker | None = None
    subtitles: SubtitleReader | None = None
