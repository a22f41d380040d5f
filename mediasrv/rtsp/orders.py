"""
What a PLAY asks for: Range, Scale, Speed, Seek-Style and Immediate, put together.

Whether they make sense for what is played is known only to who knows the presentation; here is what can be read off the
request alone (RFC 2326 sections 10.5, 12.29, 12.34 and 12.35, RFC 7826 section 18.47).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from mediasrv.rtsp.headers import parseScale, parseSpeed
from mediasrv.rtsp.messages import Request
from mediasrv.rtsp.ranges import RangeSpec, parseRange
from mediasrv.rtsp.replies import Refused
from mediasrv.streaming.cues import SeekStyle

#: what is done about a PLAY with a Range while another is being played: RFC 2326 queues it, RFC 7826 (section H.1)
#: replaces what is played; C{"auto"} queues behind what ends by itself and replaces what does not (PLY-9)
Queueing = Literal["auto", "rfc2326", "rfc7826"]

_STYLES = {style.lower(): style for style in ("RAP", "CoRAP", "First-Prior", "Next")}


@dataclass(frozen=True, slots=True)
class PlayRules:
    """
    What a server does about the things that the RFCs leave to it.

    @ivar maxScale: the fastest, in both directions; the slowest is its reciprocal.
    @ivar maxSpeed: the fastest delivery; the slowest is its reciprocal.
    @ivar queueing: what becomes of a PLAY while another is being played.
    @ivar queueLength: PLAYs that may wait in one session.
    """

    maxScale: float = 32.0
    maxSpeed: float = 8.0
    queueing: Queueing = "auto"
    queueLength: int = 64


@dataclass(frozen=True, slots=True)
class PlayOrder:
    """
    A PLAY.

    @ivar range: where from and where to; None for "from here".
    @ivar scale: None where nothing was said.
    @ivar speed: likewise.
    @ivar style: how to choose where to start.
    @ivar saysStyle: whether the client asked for that style.
    @ivar wholeGroups: whether groups of pictures are wanted whole backwards (ONVIF Streaming, C{Frames: all}).
    @ivar immediate: whether it is to replace what is played, whatever the rules say (ONVIF Streaming, C{Immediate}).
    """

    range: RangeSpec | None = None
    scale: float | None = None
    speed: float | None = None
    style: SeekStyle = "RAP"
    saysStyle: bool = False
    wholeGroups: bool = False
    immediate: bool = False

    @property
    def unit(self) -> str:
        """Of the Range in the reply: that of the request, for some players read no other (PLY-7)."""
        return "npt" if self.range is None else self.range.unit

    @property
    def delay(self) -> float:
        """Seconds until C{;time=} (PLY-8); 0.0 for a time that has passed."""
        if self.range is None or self.range.time is None:
            return 0.0
        return max(0.0, (self.range.time - datetime.now(UTC)).total_seconds())


def readOrder(request: Request) -> PlayOrder:
    """
    @raise mediasrv.rtsp.messages.HeaderError: for a header that is malformed.
    """
    scale, speed = _only(request, "Scale"), _only(request, "Speed")
    style = _STYLES.get(request.headers.get("Seek-Style", "").strip().lower())
    return PlayOrder(
        range=readRange(request),
        scale=None if scale is None else parseScale(scale),
        speed=None if speed is None else parseSpeed(speed),
        style="RAP" if style is None else cast(SeekStyle, style),
        # who asks for a style that nobody knows is told which one was taken instead
        saysStyle="Seek-Style" in request.headers,
        wholeGroups=request.headers.get("Frames", "").strip().lower() == "all",
        immediate=request.headers.get("Immediate", "").strip().lower() == "yes",
    )


def readRange(request: Request) -> RangeSpec | None:
    """The Range of a request, if it has one."""
    value = _only(request, "Range")
    return None if value is None else parseRange(value)


def _only(request: Request, name: str) -> str | None:
    """A header that must not be there twice (PLY-3)."""
    values = request.headers.getAll(name)
    if len(values) > 1:
        raise Refused(400)
    return values[0] if values else None
