"""
Fragments: where a presentation is cut, and how one piece is read.

The cuts are made once, from the seek points, so that fragment 7 of a file is the same for everybody and for ever. A cut
is at a key frame where there is one in time; where key frames are too far apart (or missing) it falls between them, and
a player that seeks goes back to the fragment that holds a key frame. The first track decides: its units belong to a
fragment from one cut to the next in decoding order, other video likewise by decoding time, audio by presentation time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

from mediasrv.media.tracks import Fragment, Track, Unit

#: seconds of the longest fragment, where there is no key frame to cut at
LONGEST = 10.0

#: bytes and seconds read past the end of a fragment in search of a track that lags behind in the file, or has ended
_LAG_BYTES = 16 << 20
_LAG_SECONDS = 20.0

#: seconds by which the decoding times of a track go back where another film begins
_BACK = 1.0

#: bytes and units of the largest fragment; a file in which more belongs together lies, and the rest is left out
_LARGEST_BYTES = 128 << 20
_MOST_UNITS = 100_000

#: seconds by which rounding may move a time on its way through a container
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Cut:
    """
    Where a fragment starts.

    @ivar dts: NPT seconds in decoding order.
    @ivar pts: NPT seconds in presentation order.
    @ivar key: whether the first track has a key frame just there.
    @ivar position: bytes of the file before it; negative if nobody knows.
    """

    dts: float
    pts: float
    key: bool
    position: int = -1


class _Point(Protocol):
    @property
    def dts(self) -> float: ...
    @property
    def pts(self) -> float: ...
    @property
    def position(self) -> int: ...


class UnitReader(Protocol):
    """
    What fragments are read from: L{mediasrv.media.streamreader.StreamReader}, or a list in a test.

    @ivar lead: seconds before a picture at which to look for the sound that belongs to it.
    """

    @property
    def lead(self) -> float: ...

    def seek(self, time: float) -> None: ...

    def rewind(self) -> None: ...

    def units(self) -> Iterator[tuple[int, Unit]]: ...


def planCuts(points: Sequence[_Point], end: float, spacing: float, longest: float = LONGEST) -> list[Cut]:
    """
    Where to cut a presentation that ends at C{end} (NPT seconds).

    @param points: the seek points of the first track in order; none at all for audio.
    @param spacing: seconds that a fragment has at least, if it ends at a key frame.
    """
    cuts: list[Cut] = []
    first = points[0] if points else None
    if first is not None and first.pts <= longest:
        cuts.append(Cut(first.dts, first.pts, True, first.position))
    else:
        cuts.append(Cut(0.0, 0.0, first is None))
    step = longest if points else spacing
    for point in points:
        while point.pts - cuts[-1].pts > longest + spacing:
            cuts.append(_after(cuts[-1], step, key=False))
        if point.pts - cuts[-1].pts >= spacing - _ROUNDING:
            cuts.append(Cut(point.dts, point.pts, True, point.position))
    extendCuts(cuts, end, step, spacing, key=not points)
    return cuts


def extendCuts(cuts: list[Cut], end: float, step: float, spacing: float, key: bool) -> None:
    """
    Cuts the rest of a presentation where the first track says nothing of it.

    @param step: seconds from one cut to the next.
    @param key: whether playing can start at them.
    """
    while end - cuts[-1].pts > step + spacing:
        cuts.append(_after(cuts[-1], step, key))


def _after(cut: Cut, step: float, key: bool) -> Cut:
    return Cut(cut.pts + step, cut.pts + step, key)


#: bytes of one sample of one channel
_PCM = {"pcm_s16le": 2, "pcm_s16be": 2, "pcm_s24le": 3, "pcm_s24be": 3, "pcm_mulaw": 1, "pcm_alaw": 1, "pcm_u8": 1}


def sampleBytes(track: Track) -> int:
    """Bytes of a sample of all channels, or 0 for what cannot be cut anywhere."""
    return _PCM.get(track.codec, 0) * track.channels


def splitSamples(track: Track, unit: Unit, time: float) -> tuple[Unit, Unit]:
    """Cuts a run of PCM samples at the first sample at or after an NPT."""
    count = ceil((time - unit.pts) * track.sampleRate - 1e-3)
    at = count * sampleBytes(track)
    length = count / track.sampleRate
    return (
        Unit(unit.dts, unit.pts, length, True, unit.data[:at]),
        Unit(unit.dts + length, unit.pts + length, unit.duration - length, True, unit.data[at:]),
    )


class _Units:
    """Units in file order, of which the last ones looked at can be put back."""

    def __init__(self, units: Iterator[tuple[int, Unit]]) -> None:
        self._units = units
        self._back: deque[tuple[int, Unit]] = deque()

    def __iter__(self) -> Iterator[tuple[int, Unit]]:
        return self

    def __next__(self) -> tuple[int, Unit]:
        return self._back.popleft() if self._back else next(self._units)

    def putBack(self, entries: list[tuple[int, Unit]]) -> None:
        self._back.extendleft(reversed(entries))


class FragmentReader:
    """Reads fragments of one opened container; one after the other costs no seek."""

    def __init__(self, reader: UnitReader, tracks: Sequence[Track], cuts: Sequence[Cut], end: float) -> None:
        self._reader = reader
        self._tracks = tracks
        self._cuts = cuts
        self._end = end
        self._video = tracks[0].kind == "video"
        self._next = -1
        self._units = _Units(iter(()))
        #: bytes of a sample of all channels, for tracks of PCM: they can be cut anywhere
        self._sampleBytes = [sampleBytes(track) for track in tracks]
        #: tracks of which units before the fragment may still come
        self._early: set[int] = set()

    def read(self, number: int) -> Fragment:
        """
        Reads one fragment. Where the file ends early its units are fewer, or none.
        """
        if number != self._next:
            self._find(number)
        self._next = -1  # an error in the middle makes the next read start with a seek
        cut = self._cuts[number]
        following = self._cuts[number + 1] if number + 1 < len(self._cuts) else None
        units: list[list[Unit]] = [[] for _ in self._tracks]
        ended = self._fill(units, cut, following)
        if ended and following is not None:
            ended = not self._goesOn(number + 1)
        self._next = number + 1
        end = following.pts if following is not None else self._end
        # what was planned from an index of decoding times may be some pictures early
        start = units[0][0].pts if cut.key and units[0] else cut.pts
        return Fragment(number, start, end, units, last=ended)

    def _goesOn(self, number: int) -> bool:
        """
        Whether there is something at a cut though reading came to an end before it: FFmpeg gives up at a damaged
        sample. What was cut off has nothing there either.
        """
        cut = self._cuts[number]
        if cut.pts < self._reader.lead:
            return False  # what is not reached by seeking was not reached by reading either
        self._early = set(range(1, len(self._tracks)))
        self._reader.seek(min(cut.dts, cut.pts) - self._reader.lead)
        self._units = _Units(self._reader.units())
        self._skip(cut, self._beginning(cut))
        return self._firstOfReference() is not None

    def _find(self, number: int) -> None:
        """Goes to the first unit of a fragment, wherever the container's own idea of seeking ends up."""
        cut = self._cuts[number]
        self._early = set(range(1, len(self._tracks)))
        if number == 0:
            self._early.clear()
            self._reader.rewind()
            self._units = _Units(self._reader.units())
            return
        begins = self._beginning(cut)
        for lead in (self._reader.lead, 5.0, 20.0):
            if cut.pts < lead:
                break
            # MP4 looks for decoding times
            self._reader.seek(min(cut.dts, cut.pts) - lead)
            self._units = _Units(self._reader.units())
            first = self._firstOfReference()
            if first is not None and (first.dts < cut.dts or abs(first.pts - cut.pts) < _ROUNDING):
                break
        else:
            lead = cut.pts + 1.0
        if cut.pts < lead:
            self._reader.rewind()
            self._units = _Units(self._reader.units())
        self._skip(cut, begins)

    def _firstOfReference(self) -> Unit | None:
        """The next unit of the first track; nothing is lost by looking."""
        seen: list[tuple[int, Unit]] = []
        found = None
        size = 0
        for entry in self._units:
            seen.append(entry)
            size += len(entry[1].data)
            if entry[0] == 0:
                found = entry[1]
                break
            if size > _LAG_BYTES:
                break
        self._units.putBack(seen)
        return found

    def _beginning(self, cut: Cut) -> Callable[[Unit], bool]:
        """Whether a unit of the first track is at or after a cut."""
        pts, dts = cut.pts - _ROUNDING, cut.dts - _ROUNDING
        if self._video and cut.key:
            return lambda unit: unit.key and unit.pts >= pts
        if self._video:
            return lambda unit: unit.dts >= dts
        return lambda unit: unit.pts >= pts

    def _isPast(self, index: int, unit: Unit, cut: Cut) -> bool:
        """Whether a unit of another track than the first is at or after a cut."""
        if self._tracks[index].kind == "video":
            return unit.dts >= cut.dts - _ROUNDING
        return unit.pts >= cut.pts - _ROUNDING

    def _skip(self, cut: Cut, begins: Callable[[Unit], bool]) -> None:
        """Drops what the first track has before a cut; keeps what the others have after it."""
        kept: list[tuple[int, Unit]] = []
        size = 0
        for index, unit in self._units:
            trimmed = self._trim(index, unit, cut)
            if index == 0:
                if begins(trimmed):
                    kept.append((index, trimmed))
                    break
            elif self._isPast(index, trimmed, cut):
                kept.append((index, trimmed))
                size += len(trimmed.data)
                if size > _LAG_BYTES or trimmed.pts > cut.pts + _LAG_SECONDS:
                    break
        self._units.putBack(kept)

    def _trim(self, index: int, unit: Unit, cut: Cut) -> Unit:
        """Without the samples that lie before a cut, if some lie after it."""
        if self._sampleBytes[index] and unit.pts < cut.pts < unit.pts + unit.duration:
            return splitSamples(self._tracks[index], unit, cut.pts)[1]
        return unit

    def _fill(self, units: list[list[Unit]], cut: Cut, following: Cut | None) -> bool:
        """
        Takes units up to the next cut.

        @return: whether the file ended with them.
        """
        if following is None:
            return self._fillLast(units, cut)
        begins = self._beginning(following)
        isPast, sampleBytes, early = self._isPast, self._sampleBytes, self._early
        waiting = set(range(len(self._tracks)))
        tooLate = following.pts + _LAG_SECONDS
        ahead: list[tuple[int, Unit]] = []
        aheadBytes = 0
        room = _Room()
        for entry in self._units:
            index, unit = entry
            if index in early:
                unit = self._trim(index, unit, cut)
                if not isPast(index, unit, cut):
                    continue
                entry = (index, unit)
                early.discard(index)
            if index in waiting:
                if sampleBytes[index] and unit.pts < following.pts < unit.pts + unit.duration:
                    head, unit = splitSamples(self._tracks[index], unit, following.pts)
                    units[index].append(head)
                    entry = (index, unit)
                if not (begins(unit) if index == 0 else isPast(index, unit, following)):
                    if room.take(unit):
                        units[index].append(unit)
                    continue
                waiting.discard(index)
            ahead.append(entry)
            aheadBytes += len(unit.data)
            if not waiting or aheadBytes > _LAG_BYTES or unit.pts > tooLate:
                break
        self._units.putBack(ahead)
        return not ahead

    def _fillLast(self, units: list[list[Unit]], cut: Cut) -> bool:
        """
        Takes all that is left, but not what is far beyond the end that the file states, nor what begins anew: another
        film was appended to this one, and all of it would leave in one burst.
        """
        tooLate = max(self._end, cut.pts) + LONGEST + _LAG_SECONDS
        room = _Room()
        for index, unit in self._units:
            if index in self._early:
                unit = self._trim(index, unit, cut)
                if not self._isPast(index, unit, cut):
                    continue
                self._early.discard(index)
            if unit.pts > tooLate or not room.take(unit) or self._beginsAnew(units[index], unit):
                break
            units[index].append(unit)
        return True

    def _beginsAnew(self, units: Sequence[Unit], unit: Unit) -> bool:
        return bool(units) and unit.dts < units[-1].dts - _BACK


class _Room:
    """What a fragment may still take."""

    __slots__ = ("bytes", "units")

    def __init__(self) -> None:
        self.bytes = _LARGEST_BYTES
        self.units = _MOST_UNITS

    def take(self, unit: Unit) -> bool:
        """Whether a unit goes in."""
        self.bytes -= len(unit.data)
        self.units -= 1
        return self.bytes >= 0 and self.units >= 0
