"""
Media segments: a run of one track's units as C{styp}, C{moof} and C{mdat} (ISO/IEC 14496-12 sections 8.8 and 8.16).

Every time is written out: where the segment starts (C{tfdt}), how long each sample lasts, how much later it is shown.
So a segment can be made by itself, whatever was made before, and is the same each time.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence

from mediasrv.media.tracks import Unit
from mediasrv.streaming.fmp4.boxes import box, fullBox
from mediasrv.streaming.fmp4.initsegment import PackagedTrack

_STYP = box(b"styp", b"msdh\0\0\0\0msdhmsixcmfc")

#: flags of samples (ISO/IEC 14496-12 section 8.8.3.1): depends on no other; depends on others, and is no sync sample
_SYNC, _DEPENDENT = 0x02000000, 0x01010000

#: C{tfhd}: offsets count from the C{moof}; the samples have a duration, and flags, unless they say otherwise
_BASE_IS_MOOF, _DEFAULT_DURATION, _DEFAULT_FLAGS = 0x20000, 0x08, 0x20
#: C{trun}: there is an offset to the data; each sample has a duration, a size, flags, a composition offset
_OFFSET, _DURATION, _SIZE, _FLAGS, _COMPOSITION = 0x001, 0x100, 0x200, 0x400, 0x800

#: a duration that cannot be is taken to be this long
_LONGEST = 0x7FFFFFFF


def mediaSegment(packaged: PackagedTrack, sequence: int, units: Sequence[Unit], end: float | None = None) -> bytes:
    """
    A media segment.

    @param sequence: its number; C{mfhd} counts from 1.
    @param units: in decoding order. There may be none, where a track has ended before others or starts after them.
    @param end: NPT seconds, in decoding order, where what follows starts, if that is known.
    """
    samples = _Samples(packaged, units, end)
    # what comes before the run does not depend on the offset in it, only on whether there is one
    size = 8 + len(_fragment(packaged.number, sequence, samples, 0))
    header = box(b"moof", _fragment(packaged.number, sequence, samples, size + 8))
    return b"".join((_STYP, header, (8 + samples.bytes).to_bytes(4, "big"), b"mdat", *samples.data))


def _fragment(number: int, sequence: int, samples: _Samples, offset: int) -> bytes:
    isTimed, isSync = samples.duration is None, samples.allSync
    flags = _BASE_IS_MOOF | _DEFAULT_FLAGS | (0 if isTimed else _DEFAULT_DURATION)
    header = [number.to_bytes(4, "big")]
    if samples.duration is not None:
        header.append(samples.duration.to_bytes(4, "big"))
    header.append((_SYNC if isSync else _DEPENDENT).to_bytes(4, "big"))
    run = _OFFSET | _SIZE | (_DURATION if isTimed else 0) | (0 if isSync else _FLAGS)
    run |= _COMPOSITION if samples.isReordered else 0
    return fullBox(b"mfhd", 0, 0, (sequence + 1).to_bytes(4, "big")) + box(
        b"traf",
        fullBox(b"tfhd", 0, flags, *header),
        fullBox(b"tfdt", 1, 0, samples.start.to_bytes(8, "big")),
        fullBox(b"trun", 1, run, struct.pack(">Ii", len(samples.data), offset), samples.table),
    )


class _Samples:
    """
    The samples of a run.

    @ivar start: tick when the first is decoded.
    @ivar duration: ticks of every sample, if they are the same.
    @ivar allSync: whether decoding can start at each.
    @ivar isReordered: whether one is shown at another time than it is decoded.
    @ivar data: of each.
    @ivar table: what C{trun} says of each.
    """

    def __init__(self, packaged: PackagedTrack, units: Sequence[Unit], end: float | None) -> None:
        self.data: list[bytes] = []
        self._times: list[int] = []
        self._offsets: list[int] = []
        self._keys: list[bool] = []
        self._take(packaged, units)
        timeline = packaged.timeline
        self.bytes = sum(map(len, self.data))
        self.start = self._times[0] if self._times else timeline.decoding(units[0].dts if units else end or 0.0)
        self._durations = [max(0, later - former) for former, later in zip(self._times, self._times[1:], strict=False)]
        if self._times:
            self._durations.append(self._lastDuration(packaged, units[-1], end))
        self.duration = self._durations[0] if len(set(self._durations)) == 1 else None
        self.allSync = all(self._keys)
        self.isReordered = any(self._offsets)
        self.table = self._written()

    def _take(self, packaged: PackagedTrack, units: Sequence[Unit]) -> None:
        timeline, frame = packaged.timeline, packaged.format.frameTicks
        samplesOf, decoding, showing = packaged.format.samples, timeline.decoding, timeline.tick
        isVideo = packaged.track.kind == "video"
        amid = packaged.format.amid
        for place, unit in enumerate(units):
            if place:
                unit = amid(unit)
            tick = decoding(unit.dts)
            offset = showing(unit.pts) - tick if isVideo else 0
            for number, data in enumerate(samplesOf(unit)):
                self.data.append(data)
                self._times.append(tick + number * frame)
                self._offsets.append(offset)
                self._keys.append(unit.key or not isVideo)

    def _lastDuration(self, packaged: PackagedTrack, last: Unit, end: float | None) -> int:
        timeline = packaged.timeline
        if end is not None:
            found = timeline.decoding(end) - self._times[-1]
            if found > 0:
                return min(found, _LONGEST)
        stated = packaged.format.frameTicks or round(last.duration * timeline.timescale)
        if stated > 0:
            return min(stated, _LONGEST)
        if self._durations:
            return self._durations[-1]
        rate = packaged.track.frameRate
        return round(timeline.timescale / rate) if rate else 1

    def _written(self) -> bytes:
        """The fields that differ from one to the next, in the order of C{trun}."""
        columns: list[Sequence[int]] = []
        if self.duration is None:
            columns.append(self._durations)
        columns.append([len(each) for each in self.data])
        if not self.allSync:
            columns.append([_SYNC if key else _DEPENDENT for key in self._keys])
        if self.isReordered:
            columns.append([offset & 0xFFFFFFFF for offset in self._offsets])
        table = array("I", [0]) * (len(self.data) * len(columns))
        for place, column in enumerate(columns):
            table[place :: len(columns)] = array("I", column)
        if sys.byteorder == "little":
            table.byteswap()
        return table.tobytes()
