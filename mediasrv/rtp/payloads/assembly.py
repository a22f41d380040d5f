"""
Which packets make up a unit: sequence numbers, timestamps and markers, the same for every codec whose units span
packets (RFC 3550 section 5.1).

A unit ends with the packet that carries the marker, or where the timestamp changes. What a loss may have touched is
dropped whole; nobody downstream has to ask whether a unit is complete.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from mediasrv.rtp.payloads.formats import PayloadError, ReceivedUnit

_DUPLICATE = 0xFFFF  # how far the last packet is ahead of the one expected, modulo 2**16


class UnitAssembler(ABC):
    """
    An L{mediasrv.rtp.payloads.formats.Unpacker} without the codec.

    @cvar largest: bytes of payload in one unit; a unit that grows beyond is dropped.
    """

    largest = 16 * 1024 * 1024

    def __init__(self) -> None:
        self._expected: int | None = None
        self._timestamp = 0
        self._open = False  # packets of a unit have come, its last one has not
        self._sure = False  # no packet is missing before the first one of this unit
        self._damaged = False
        self._marks = True  # whether this sender marks the last packet of each unit
        self._size = 0
        self._ready: list[ReceivedUnit] = []

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        """
        See L{mediasrv.rtp.payloads.formats.Unpacker.push}. The unit that a refused payload belongs to is dropped; units
        that were completed before it come with the next call.
        """
        lost = 0 if self._expected is None else (sequence - self._expected) & 0xFFFF
        if lost == _DUPLICATE:
            return []
        self._place(lost, timestamp)
        self._expected = (sequence + 1) & 0xFFFF
        try:
            self._take(payload)
        except PayloadError:
            self._damage()
            raise
        finally:
            if marker:
                self._complete()
        ready, self._ready = self._ready, []
        return ready

    def _place(self, lost: int, timestamp: int) -> None:
        """Finds out which unit the packet belongs to, and what the packets lost before it mean."""
        if not self._open:
            self._start(timestamp, sure=self._expected is not None and not lost)
        elif timestamp == self._timestamp:
            if lost:
                self._damage()
        elif lost:
            # The last packet of the unit before is among them. If only one is lost, and the sender marks the last
            # packets, then this unit starts here.
            self._start(timestamp, sure=lost == 1 and self._marks)
        else:
            self._marks = False
            self._complete()
            self._start(timestamp, sure=True)

    def _start(self, timestamp: int, sure: bool) -> None:
        self._timestamp, self._sure = timestamp, sure
        self._open, self._damaged = True, False
        self._size = 0
        self._clear()

    def _take(self, payload: bytes) -> None:
        if self._damaged or not payload:  # empty: WebRTC senders probe and keep alive with padding only
            return
        self._size += len(payload)
        if self._size > self.largest:
            raise PayloadError(f"unit of more than {self.largest} bytes")
        self._add(payload)

    def _damage(self) -> None:
        """Drops the unit under way."""
        self._damaged = True
        self._clear()

    def _complete(self) -> None:
        self._open = False
        finished = None if self._damaged else self._finish(self._sure)
        self._clear()
        if finished is not None:
            key, data = finished
            self._ready.append(ReceivedUnit(self._timestamp, key, data))

    @abstractmethod
    def _clear(self) -> None:
        """Forgets all payloads of the unit under way."""

    @abstractmethod
    def _add(self, payload: bytes) -> None:
        """
        Takes the next payload of the unit under way, which is not empty.

        @raise PayloadError: if it is damaged or not allowed.
        """

    @abstractmethod
    def _finish(self, sure: bool) -> tuple[bool, bytes] | None:
        """
        The unit under way, and whether decoding can start at it; None to drop it.

        @param sure: whether nothing is missing at its start. If not, then packets before it were lost, and nobody
            knows whose they were; or it is the first unit of all.
        """
