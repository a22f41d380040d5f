"""A session that no protocol has, for tests of who is told of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mediasrv.registry import Registry


@dataclass(slots=True)
class FakeSession:
    """A session as a door makes one: it leaves the registry when it is ended."""

    registry: Registry
    id: str
    peer: str = "192.0.2.1"
    door: str = "rtsp"
    path: str = "movies/a.mp4"
    title: str = ""
    tracks: Sequence[str] = ("video H264",)
    transport: str = ""
    state: str = "ready"
    startedAt: float = 0.0
    packetsSent: int = 0
    octetsSent: int = 0
    fractionLost: float = 0.0
    packetsLost: int = 0
    jitter: float = 0.0
    endReason: str = ""
    duration: float | None = None
    reasons: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    at: float = 0.0

    def position(self) -> float:
        return self.at

    def redirect(self, location: str) -> None:
        self.locations.append(location)

    def end(self, reason: str) -> None:
        self.reasons.append(reason)
        self.registry.remove(self)
