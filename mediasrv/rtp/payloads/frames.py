"""
What the audio formats have in common: small frames put together in one packet, large ones cut over several.

The words are those of the payload RFCs: a I{frame} is one audio unit, a I{piece} what a packet carries of a frame that
does not fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mediasrv.media.tracks import Unit
from mediasrv.rtp.payloads.formats import PayloadError

#: Seconds by which a frame may be off the end of the one before and still share its packet. Matroska and FLV round
#: every time to a millisecond; a receiver reckons the times of all but a packet's first frame from their durations.
CONTIGUITY = 0.002


def bundles(units: Iterable[Unit], room: int, overhead: int, most: int, longest: float) -> Iterator[list[Unit]]:
    """
    Divides consecutive units, whose durations must be right, into what goes in one packet each.

    @param room: bytes for frames in a packet. A larger unit comes alone; the caller cuts it.
    @param overhead: bytes that each frame needs beside its own.
    @param most: the largest number of frames in a packet.
    @param longest: the most seconds of sound in a packet, unless a single frame is longer.
    """
    run: list[Unit] = []
    size = 0
    end = 0.0
    for unit in units:
        needed = len(unit.data) + overhead
        if run and (
            len(run) == most
            or size + needed > room
            or abs(unit.pts - end) > CONTIGUITY
            or end + unit.duration - run[0].pts > longest
        ):
            yield run
            run = []
        if not run:
            size = 0
            end = unit.pts
        run.append(unit)
        size += needed
        end += unit.duration
    if run:
        yield run


def cut(data: bytes, size: int) -> list[bytes]:
    """Pieces of C{size} bytes; the last may be shorter."""
    return [data[start : start + size] for start in range(0, len(data), size)]


class Assembly:
    """
    One frame that arrives in pieces.

    @ivar count: pieces so far; 0 means that no frame is under way.
    @ivar total: whatever the first piece said about the whole, for the caller to compare.
    """

    __slots__ = ("_data", "_most", "_sequence", "_timestamp", "count", "total")

    def __init__(self, most: int) -> None:
        """
        @param most: the largest frame in bytes.
        """
        self._most = most
        self._data = bytearray()
        self._sequence = 0
        self._timestamp = 0
        self.count = 0
        self.total = 0

    def __len__(self) -> int:
        """The bytes so far."""
        return len(self._data)

    def clear(self) -> None:
        """Forgets the frame under way."""
        self._data = bytearray()
        self.count = 0

    def begin(self, sequence: int, timestamp: int, piece: bytes, total: int = 0) -> None:
        """Takes the first piece; an unfinished frame is forgotten."""
        self.clear()
        self._timestamp = timestamp
        self.total = total
        self._append(sequence, piece)

    def continues(self, sequence: int, timestamp: int) -> bool:
        """Whether a packet can carry the next piece: nothing lost, same frame."""
        return self.count > 0 and sequence == (self._sequence + 1) & 0xFFFF and timestamp == self._timestamp

    def extend(self, sequence: int, timestamp: int, piece: bytes) -> bool:
        """
        Takes a further piece.

        @return: False, with the frame forgotten, if a piece between was lost.
        @raise PayloadError: if the frame outgrows the limit.
        """
        if not self.continues(sequence, timestamp):
            self.clear()
            return False
        self._append(sequence, piece)
        return True

    def take(self) -> bytes:
        """The whole frame, which is then forgotten here."""
        data = bytes(self._data)
        self.clear()
        return data

    def _append(self, sequence: int, piece: bytes) -> None:
        if len(self._data) + len(piece) > self._most:
            self.clear()
            raise PayloadError(f"a frame in pieces grows beyond {self._most} bytes")
        self._data += piece
        self._sequence = sequence
        self.count += 1
