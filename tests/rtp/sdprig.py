"""Descriptions of what a test says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup
from mediasrv.rtp.sdp import TrackDescription, describe, payloadTypes


class FakeFormat(PayloadFormat):
    """A payload format that says what the test wants."""

    def __init__(
        self,
        kind: Kind = "video",
        name: str = "H264",
        *,
        payloadType: int | None = None,
        clockRate: int = 90000,
        channels: int = 0,
        parameters: str = "",
        attributes: tuple[str, ...] = (),
        **track: Any,
    ) -> None:
        super().__init__(Track(0, kind, name.lower(), **track))
        self.kind = kind  # type: ignore[misc]
        self.encodingName = name
        self.payloadType = payloadType
        self.clockRate = clockRate
        self.channels = channels
        self._parameters = parameters
        self._attributes = attributes

    def formatParameters(self) -> str:
        return self._parameters

    def attributes(self) -> list[str]:
        return list(self._attributes)

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        return []  # a description needs no packets


def write(*formats: PayloadFormat, **changes: Any) -> str:
    tracks = [
        TrackDescription(number, each, payloadType)
        for number, (each, payloadType) in enumerate(zip(formats, payloadTypes(formats), strict=True))
    ]
    arguments = {
        "title": "A film",
        "address": "192.0.2.1",
        "sessionId": 17,
        "version": 3,
        "duration": 12.5,
        "tracks": tracks,
    }
    return describe(**(arguments | changes))


video = FakeFormat(
    parameters="packetization-mode=1;sprop-parameter-sets=Z0LAHg==,aM48gA==",
    bitRate=1_500_001,
    frameRate=Fraction(30000, 1001),
    width=1280,
    height=720,
)
audio = FakeFormat(
    "audio", "PCMU", payloadType=0, clockRate=8000, channels=1, attributes=("a=ptime:20",), language="deu"
)
