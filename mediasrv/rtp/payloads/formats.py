"""
What every payload format offers: units to payloads, payloads to units, and its SDP lines.

A format is made for one L{Track} and keeps no state between calls: the payloads of a fragment are made once and shared
by all its viewers, whatever they saw before. (That is why optional running numbers, such as the PictureID of VP8, are
left out.) What comes back from the network does need memory; that is an L{Unpacker}, one per received stream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from mediasrv.media.tracks import Kind, Track, Unit


class PayloadError(ValueError):
    """A track, unit or payload that this format cannot carry; the text says what is wrong with it."""


@dataclass(slots=True)
class PayloadGroup:
    """
    The payloads that share one RTP timestamp: those of one unit, or several audio frames put in one packet.

    @ivar dts: NPT seconds when the first of its units is to be decoded.
    @ivar pts: NPT seconds that the RTP timestamp stands for.
    @ivar key: whether a receiver can start here.
    @ivar marker: whether the last packet of the group carries the marker bit.
    @ivar payloads: one entry per RTP packet, without RTP header. All have the same size except the last, which may be
        shorter, wherever the format allows it: one system call then sends them all.
    """

    dts: float
    pts: float
    key: bool
    marker: bool
    payloads: list[bytes]


@dataclass(slots=True)
class ReceivedUnit:
    """
    A unit put together from payloads.

    @ivar timestamp: its RTP timestamp, 32 bits, not unwrapped.
    @ivar key: whether decoding can start here.
    @ivar data: the access unit; NAL units with start codes, AAC without ADTS.
    """

    timestamp: int
    key: bool
    data: bytes


class Unpacker(Protocol):
    """Puts the units of one received stream together. A loss drops the units it touches, never more."""

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        """
        Takes the payload of one packet, in sequence order, and returns the units that it completes.

        @raise PayloadError: for a payload that the format does not allow; the unpacker stays usable.
        """


class PayloadFormat(ABC):
    """
    One track as RTP carries it.

    @cvar codecs: FFmpeg's names of the codecs that this format carries.
    @cvar kind: the media type of the C{m=} line.
    @cvar encodingName: as registered, for C{a=rtpmap}.
    @cvar startMarker: whether the marker bit means "first packet after silence" (RFC 3551 section 4.1), so that a
        sender sets it on the first packet after PLAY.
    @cvar isSelfContained: whether units at which decoding can start bring all that a decoder has to know.
    @ivar payloadType: the static payload type (RFC 3551 section 6), or None for a dynamic one.
    @ivar clockRate: RTP timestamp ticks per second.
    @ivar channels: for C{a=rtpmap}; 0 leaves it out.
    """

    codecs: ClassVar[frozenset[str]] = frozenset()
    kind: ClassVar[Kind]
    encodingName: str
    startMarker: ClassVar[bool] = False
    isSelfContained: ClassVar[bool] = False
    payloadType: int | None = None
    clockRate: int = 90000
    channels: int = 0

    def __init__(self, track: Track) -> None:
        """
        @raise PayloadError: if the format cannot carry this track (its parameters are missing or out of range).
        """
        self.track = track

    def formatParameters(self) -> str:
        """The value of C{a=fmtp} after the payload type, or C{""} for no such line."""
        return ""

    def presumed(self) -> tuple[object, ...]:
        """
        What a receiver has to know of the track before any unit, by its description. A track that presumes the same may
        take its place in the middle of a stream.
        """
        parameters = "" if self.isSelfContained else self.formatParameters()
        return self.encodingName, self.payloadType, self.clockRate, self.channels, parameters

    def attributes(self) -> list[str]:
        """Further lines of the media section, such as C{"a=ptime:20"}."""
        return []

    @abstractmethod
    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """
        Turns consecutive units of the track into payloads.

        @param limit: the largest payload in bytes, RTP header not counted; at least 64. More than that has only what
            the format's RFC does not let anybody cut.
        @return: groups in sending order, none of them empty. A damaged unit is left out, never raised for.
        """

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        """
        An unpacker for a stream received with these C{a=fmtp} parameters (names in lower case), plus
        C{"clockrate"} and C{"channels"} from C{a=rtpmap}.

        @raise PayloadError: if a parameter that the format needs is missing or wrong, or if we only send this format.
        """
        raise PayloadError(f"{cls.__name__} is not received")
