"""
An MPEG transport stream as it is: the packets of a file, to be sent without being taken apart.

Set-top boxes and their players ask for the stream itself. Its time line is that of its own clock, from the first byte,
which is a little earlier than what the pictures say; where it can be entered is known from one look at all packets.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mediasrv.media.files import FileVersion, NotMedia, openFile
from mediasrv.media.fragments import Cut, planCuts
from mediasrv.media.presentation import LEAST_RATE, FilePresentation, PresentationChanged, titleOf
from mediasrv.media.programclock import PACKET, SYNC, ProgramClock
from mediasrv.media.seekpoints import SeekPoint
from mediasrv.media.tracks import Fragment, Track, Unit, View

#: packets in a datagram: what Ethernet's 1,500 bytes hold, and what every receiver expects
_TOGETHER = 7

#: seconds of the clock in which what is sent makes one unit
_UNIT = 0.01

#: bytes looked at in one go, and bytes of the largest fragment; one that is larger lies about its clock
_BLOCK = 5000 * PACKET
_LARGEST = 700_000 * PACKET

#: bytes that have to be whole packets for a file to be a transport stream at all
_SAMPLE = 5 * PACKET


class TransportStream(FilePresentation):
    """
    One version of a file that is a transport stream, with one track: all of it. Made and read in reader threads only.
    """

    view: View = "mp2t"

    def __init__(self, path: str, fragmentDuration: float) -> None:
        """
        Reads the whole file once.

        @raise NotMedia: if it is no transport stream of 188 bytes a packet, or has no clock.
        @raise OSError: if it cannot be read.
        """
        self.path = path
        self.title = titleOf(path)
        self.tracks = [Track(0, "video", "mpegts")]
        self.omitted = []
        self._clock = ProgramClock()
        with open(openFile(path), "rb") as file:
            self.version = self._seen = FileVersion.ofOpen(file.fileno(), path)
            if _wholePackets(file.read(_SAMPLE)) < _SAMPLE:
                raise NotMedia("no transport stream")
            file.seek(0)
            while block := file.read(_BLOCK):
                whole = _wholePackets(block)
                self._clock.push(block[:whole])
                if whole < len(block) // PACKET * PACKET:
                    self.omitted.append(f"damaged after {self._clock.size} bytes: as a transport stream it ends there")
                    break
        if not self._clock.isKnown:
            raise NotMedia("a transport stream without a clock")
        self._tail = self._readTail()
        self.created = self.version.modified / 1e9
        self.duration = max(0.0, min(self._clock.timeAt(self._clock.size), self.version.size / LEAST_RATE))
        self._plan(fragmentDuration)

    def _plan(self, spacing: float) -> None:
        """Cuts it where receivers can start."""
        clock = self._clock
        entries = {clock.timeAt(offset): offset for offset in clock.entries}
        points = [SeekPoint(time, time) for time in entries]
        # what comes before the first entry belongs to the first fragment
        _, *cuts = planCuts(points, self.duration, spacing)
        self.cuts = [Cut(0.0, 0.0, True), *cuts]
        offsets = [entries[time] if time in entries else clock.offsetAt(time) for time in self._starts[1:]]
        self._offsets = [0, *offsets, clock.size]

    @property
    def isOpen(self) -> bool:
        """It holds no descriptor: to open a file is no work, and nothing is to be found in it."""
        return False

    def close(self) -> None:
        """There is nothing to give back."""

    def read(self, number: int) -> Fragment:
        """
        Reads a fragment; blocks.

        @raise PresentationChanged: if the file was replaced, truncated or removed.
        """
        start, end = self._offsets[number], self._offsets[number + 1]
        try:
            self._verify()
            with open(openFile(self.path), "rb") as file:
                file.seek(start)
                data = file.read(min(end - start, _LARGEST))
        except OSError as error:
            raise PresentationChanged(f"{self.path}: {error.strerror or error}") from None
        last = number + 1 == len(self.cuts)
        until = self.duration if last else self.cuts[number + 1].pts
        whole = data[: _wholePackets(data)]
        return Fragment(number, self.cuts[number].pts, until, [list(self._units(whole, start))], last)

    def _units(self, data: bytes, start: int) -> Iterator[Unit]:
        """What is to be sent within some milliseconds, in whole datagrams; a new one wherever a receiver can start."""
        clock, step = self._clock, _TOGETHER * PACKET
        entries = {offset - start for offset in clock.entriesWithin(start, start + len(data))}
        starts = sorted(entries | {0, len(data)})
        for begin, end in pairwise(starts):
            isEntry = begin in entries or (not begin and not (start and clock.hasVideo))
            at, due = begin, clock.timeAt(start + begin)
            for following in range(begin + step, end + step, step):
                time = clock.timeAt(start + min(following, end))
                if time - due >= _UNIT or following >= end:
                    yield Unit(due, due, time - due, isEntry, data[at : min(following, end)])
                    at, due, isEntry = following, time, False


def _wholePackets(data: bytes) -> int:
    """The bytes of the packets at the beginning that are whole."""
    syncs = data[: len(data) // PACKET * PACKET : PACKET]
    return (len(syncs) - len(syncs.lstrip(SYNC))) * PACKET
