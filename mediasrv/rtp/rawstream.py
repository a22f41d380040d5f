"""
Payloads over UDP without RTP: what set-top boxes call C{MP2T/H2221/UDP}, a transport stream in datagrams.

There are no sequence numbers, no timestamps and no RTCP; the stream has a clock of its own. What is sent is paced and
counted as everything else is.
"""

from __future__ import annotations

import socket
import struct

from mediasrv.rtp.bursts import UDP_SEGMENT, Burst
from mediasrv.rtp.datagrams import DatagramTransport
from mediasrv.rtp.sender import TrackSender


class RawTransport(DatagramTransport):
    """
    One track on its way to one client, as bare payloads.
    """

    __slots__ = ()

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        pair = self._pair
        if pair.blocked:
            return False
        # in front of each payload there is room for a header, and nothing in it
        if self.offload:
            for start, end, _ in burst.runs:
                size = len(burst.buffers[start + 1])
                segments = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", size))] if end - start > 2 else []
                pair.queue.append(((burst.buffers[start:end], segments + self.origin, 0, self.media), self))
        else:
            for payload in burst.payloads:
                pair.queue.append((((payload,), self.origin, 0, self.media), self))
        sender.count(burst.count, burst.octets)
        return True

    def sendControl(self, data: bytes) -> None:
        """There is nobody who would understand it."""
