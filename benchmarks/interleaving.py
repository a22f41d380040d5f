"""
The bytes of an RTSP connection to counts and messages. Of RTP packets only the headers are looked at.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from counting import TrackCount

#: the frame's header (RFC 2326 section 10.12), and of the RTP packet's sequence number, timestamp and SSRC
_INTERLEAVED = struct.Struct(">BBHxxHII")
_DOLLAR = 0x24

_buffer = bytearray(1 << 20)
_view = memoryview(_buffer)


class ConnectionReader:
    """
    Reads an RTSP connection: messages, and interleaved frames between them (RFC 2326 section 10.12).

    @ivar tracks: the track of each channel that carries RTP; what comes on others is RTCP.
    """

    __slots__ = ("_control", "_message", "_rest", "_skip", "tracks")

    def __init__(self, message: Callable[[bytes, bytes], None], control: Callable[[bytes], None]) -> None:
        """
        @param message: gets the head and the body of a message.
        @param control: gets an RTCP packet.
        """
        self.tracks: dict[int, TrackCount] = {}
        self._message = message
        self._control = control
        self._skip = 0
        self._rest = b""

    def read(self, connection: socket.socket, clock: Callable[[], float]) -> None:
        """
        Takes what has come.

        @raise ConnectionError: when the server closed the connection, or sent what is neither message nor frame.
        """
        kept = len(self._rest)
        _buffer[:kept] = self._rest
        received = connection.recv_into(_view[kept:])
        if not received:
            raise ConnectionError("the server closed the connection")
        end = kept + received
        offset = self._take(min(self._skip, end), end, clock()) if self._skip < end else self._skip
        self._skip = max(0, offset - end)
        self._rest = bytes(_view[offset:end]) if offset < end else b""

    def _take(self, offset: int, end: int, now: float) -> int:
        """@return: where the next message or frame begins, which may be after the end."""
        tracks = self.tracks
        current = following = first = packets = size = last = -1
        while offset < end:
            if _buffer[offset] != _DOLLAR:
                after = self._takeMessage(offset, end)
            elif offset + _INTERLEAVED.size > end:
                after = self._takeShortFrame(offset, end)
            else:
                _, channel, length, sequence, stamp, _ = _INTERLEAVED.unpack_from(_buffer, offset)
                if channel == current and sequence == following:
                    packets += 1
                    size += length
                    last = stamp
                    following = (sequence + 1) & 0xFFFF
                    after = offset + 4 + length
                elif channel in tracks:
                    if packets > 0:
                        tracks[current].add(first, packets, size, last, now)
                    current, first, packets, size, last = channel, sequence, 1, length, stamp
                    following = (sequence + 1) & 0xFFFF
                    after = offset + 4 + length
                else:
                    after = self._takeShortFrame(offset, end)
            if after == offset:
                break
            offset = after
        if packets > 0:
            tracks[current].add(first, packets, size, last, now)
        return offset

    def _takeShortFrame(self, offset: int, end: int) -> int:
        """RTCP, which is wanted whole."""
        if end - offset < 4:
            return offset
        after = offset + 4 + int.from_bytes(_view[offset + 2 : offset + 4], "big")
        if after > end:
            return offset
        if _buffer[offset + 1] not in self.tracks:
            self._control(bytes(_view[offset + 4 : after]))
        return after

    def _takeMessage(self, offset: int, end: int) -> int:
        if _buffer[offset] in b"\r\n":
            return offset + 1
        blank = _buffer.find(b"\r\n\r\n", offset, end)
        if blank < 0:
            if end - offset > 65536 or not 0x20 < _buffer[offset] < 0x7F:
                raise ConnectionError("neither a message nor a frame")
            return offset
        head = bytes(_view[offset:blank])
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        after = blank + 4 + length
        if after > end:
            return offset
        self._message(head, bytes(_view[blank + 4 : after]))
        return after
