"""
What the payload formats of video share: a picture cut into payloads, and put together again.

They all mark the last packet of a picture, give all packets of a picture one timestamp, and can tell which payload may
be the first of a picture; the rest differs, and is in the modules of the codecs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from mediasrv.rtp.payloads.formats import PayloadError, ReceivedUnit

MAXIMUM_PICTURE = 16 << 20
"""Bytes of a received picture beyond which it is given up: no sender may fill our memory."""


def cut(data: bytes, first: bytes, rest: bytes, limit: int) -> list[bytes]:
    """
    Cuts a picture into payloads of C{limit} bytes, the last one shorter.

    @param first: the payload header of the first payload.
    @param rest: the payload header of all others.
    @return: at least one payload, even for no data.
    """
    start = limit - len(first)
    step = limit - len(rest)
    return [first + data[:start], *[rest + data[at : at + step] for at in range(start, len(data), step)]]


class PictureUnpacker(ABC):
    """
    Collects payloads until the marker, or the next timestamp, ends a picture; see L{formats.Unpacker}.

    A format says in L{_split} how a payload begins, and in L{_assemble} what a picture looks like.
    """

    def __init__(self) -> None:
        self._next = -1  # the sequence number that goes on without a loss
        self._timestamp = -1
        self._spoilt = -1  # the timestamp of a picture of which something is missing
        self._open = False
        self._data = bytearray()

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        """
        Takes the payload of one packet; see L{formats.Unpacker.push}.

        @raise PayloadError: for a payload that the format does not allow; its picture is dropped.
        """
        if self._open and sequence != self._next:
            self._spoil(self._timestamp)
        self._next = (sequence + 1) & 0xFFFF
        done: list[ReceivedUnit] = []
        try:
            if self._open and timestamp != self._timestamp:
                # Some senders forget the marker; nothing is missing, so the picture is complete.
                done.append(self._finish())
            self._timestamp = timestamp
            self._append(timestamp, payload)
            if marker:
                self._spoilt = -1
                if self._open:
                    done.append(self._finish())
        except PayloadError:
            self._spoil(-1 if marker else timestamp)
            if not done:
                raise
        return done

    def _append(self, timestamp: int, payload: bytes) -> None:
        starts, body = self._split(payload)
        if not self._open:
            if not starts or timestamp == self._spoilt:
                return
            self._open = True
        if len(self._data) + len(body) > MAXIMUM_PICTURE:
            raise PayloadError(f"a picture of more than {MAXIMUM_PICTURE} bytes")
        self._data += body

    def _spoil(self, timestamp: int) -> None:
        """Drops what has been collected, and all that may still come of the picture with this timestamp."""
        self._spoilt = timestamp
        self._open = False
        self._data = bytearray()

    def _finish(self) -> ReceivedUnit:
        data, self._data, self._open = bytes(self._data), bytearray(), False
        key, data = self._assemble(data)
        return ReceivedUnit(self._timestamp, key, data)

    @abstractmethod
    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        """
        Takes the payload header off.

        @return: whether a picture may start here, and what is part of the picture.
        @raise PayloadError: for a payload that the format does not allow.
        """

    @abstractmethod
    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        """
        Makes a unit of the collected data.

        @return: whether decoding can start at it, and its bytes.
        @raise PayloadError: if it is no picture.
        """
