"""
RTP inside the RTSP connection: interleaved binary data (RFC 2326 section 10.12).
"""

from __future__ import annotations

import struct
from typing import Protocol

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.sender import TrackSender

_FRAME = struct.Struct(">BBH")


class Outlet(Protocol):
    """
    What a player's tracks leave through together.

    @ivar blocked: whether it takes nothing more until it says so.
    """

    blocked: bool

    def flush(self) -> None:
        """Sends what the last bursts left to be sent."""


class NoOutlet:
    """The outlet of what goes over UDP: every burst leaves by itself."""

    blocked = False

    def flush(self) -> None:
        """There is nothing to send."""


class Conduit(Outlet, Protocol):
    """
    A connection that carries interleaved data.

    @ivar pieces: what the next flush sends, with one write for all tracks of a tick.
    """

    pieces: list[bytes]


class InterleavedTransport:
    """
    One track on a pair of channels of one connection.

    @ivar channels: for RTP and for RTCP.
    """

    __slots__ = ("_conduit", "channels")

    def __init__(self, conduit: Conduit, channels: tuple[int, int]) -> None:
        self._conduit = conduit
        self.channels = channels

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        self._conduit.pieces.extend(sender.frames(burst, self.channels[0]))
        sender.count(burst.count, burst.octets)
        return True

    def sendControl(self, data: bytes) -> None:
        self._conduit.pieces.append(_FRAME.pack(0x24, self.channels[1], len(data)) + data)
