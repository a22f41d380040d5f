"""Where presentations are cut, and that fragments are the same in any order of reading."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.media import fragments as module
from mediasrv.media.fragments import Cut, FragmentReader, planCuts
from mediasrv.media.seekpoints import SeekPoint
from mediasrv.media.tracks import Fragment, Track, Unit


def points(*times: float) -> list[SeekPoint]:
    return [SeekPoint(time, time) for time in times]


@pytest.mark.parametrize(
    ("seekPoints", "end", "expected"),
    [
        (points(0, 1, 2, 3, 4, 5), 6, [0, 2, 4]),
        (points(0, 3, 6), 9, [0, 3, 6]),
        (points(0), 5, [0]),
        (points(0), 30, [0, (10), (20)]),
        (points(0, 25), 27, [0, (10), (20), 25]),
        (points(0.5, 2.5), 4, [0.5, 2.5]),
        (points(30), 40, [0, (10), (20), 30]),
        ([], 5, [0, 2]),
        ([], 0, [0]),
        (points(0, 0, 0, 1, 1), 2, [0]),
    ],
)
def test_planCuts(seekPoints, end, expected):
    cuts = planCuts(seekPoints, end, 2.0)
    assert [cut.pts for cut in cuts] == expected
    keys = {point.pts for point in seekPoints}
    assert [cut.key for cut in cuts] == [not seekPoints or cut.pts in keys for cut in cuts]


@given(st.lists(st.floats(0, 200), max_size=60), st.floats(0, 300), st.floats(0.5, 5))
def test_cutsAscend(times, end, spacing):
    cuts = planCuts(points(*sorted(times)), end, spacing)
    starts = [cut.pts for cut in cuts]
    assert starts == sorted(set(starts))
    assert all(later - sooner <= module.LONGEST + spacing for sooner, later in pairwise(starts))
    assert end - starts[-1] <= module.LONGEST + spacing


class ListReader:
    """
    Units from a list. Like the worst of containers it seeks to somewhere before the time, in the first track only.

    @ivar read: how many units were read.
    @ivar damaged: NPT seconds beyond which reading does not get, unless it begins there.
    @ivar cut: NPT seconds where the file was cut off.
    """

    def __init__(self, units: list[tuple[int, Unit]], lead: float, early: int = 0) -> None:
        self._units = units
        self.lead = lead
        self._early = early
        self._at = 0
        self.read = 0
        self.rewound = 0
        self.damaged = self.cut = inf

    def seek(self, time: float) -> None:
        found = [at for at, (index, unit) in enumerate(self._units) if index == 0 and unit.key and unit.pts <= time]
        self._at = max(0, (found[-1] if found else 0) - self._early)

    def rewind(self) -> None:
        self._at = 0
        self.rewound += 1

    def units(self) -> Iterator[tuple[int, Unit]]:
        start = self._units[self._at][1].pts if self._at < len(self._units) else inf
        for entry in self._units[self._at :]:
            if start <= self.damaged <= entry[1].pts or entry[1].pts > self.cut:
                return
            self.read += 1
            yield entry


VIDEO = Track(0, "video", "h264", frameRate=10)
SOUND = Track(1, "audio", "aac", sampleRate=48000, channels=1)
PCM = Track(1, "audio", "pcm_s16le", sampleRate=8000, channels=1)


def pictures(seconds: float, gop: int, start: float = 0.0) -> list[tuple[int, Unit]]:
    times = [start + number / 10 for number in range(round(seconds * 10))]
    return [(0, Unit(time, time, 0.1, number % gop == 0, b"%06d" % number)) for number, time in enumerate(times)]


def sounds(seconds: float, step: float = 0.04, index: int = 1) -> list[tuple[int, Unit]]:
    times = [number * step for number in range(round(seconds / step))]
    return [(index, Unit(time, time, step, True, b"s%05d" % number)) for number, time in enumerate(times)]


def interleaved(units: list[tuple[int, Unit]], lag: float, index: int) -> list[tuple[int, Unit]]:
    """In the order of a file in which one track comes late."""
    return sorted(units, key=lambda entry: entry[1].dts + (lag if entry[0] == index else 0.0))


def readerOf(
    units: list[tuple[int, Unit]], lead: float = 1.0, early: int = 0
) -> tuple[FragmentReader, ListReader, int]:
    reader = ListReader(units, lead, early)
    end = max(unit.pts + unit.duration for _, unit in units)
    keys = points(*(unit.pts for index, unit in units if index == 0 and unit.key))
    cuts = planCuts(keys, end, 2.0)
    return FragmentReader(reader, [VIDEO, SOUND], cuts, end), reader, len(cuts)


def flat(fragments: list[Fragment], index: int) -> list[Unit]:
    return [unit for fragment in fragments for unit in fragment.units[index]]


@settings(deadline=None)  # how long it takes depends on who else uses the machine
@given(
    gop=st.sampled_from([1, 5, 10, 37, 300]),
    seconds=st.floats(0.5, 40),
    soundSeconds=st.floats(0.1, 40),
    lag=st.floats(-0.9, 0.9),
    early=st.integers(0, 5),
    seed=st.integers(0, 100),
)
def test_anyOrder(gop, seconds, soundSeconds, lag, early, seed):
    units = interleaved(pictures(seconds, gop) + sounds(soundSeconds), lag, 1)
    fragments, _, count = readerOf(units, early=early)
    inOrder = [fragments.read(number) for number in range(count)]
    for index in (0, 1):
        assert flat(inOrder, index) == [unit for track, unit in units if track == index]
    assert inOrder[-1].last
    order = list(range(count)) * 2
    random.Random(seed).shuffle(order)
    for number in order:
        again = fragments.read(number)
        assert again.units == inOrder[number].units
        assert (again.start, again.end) == (inOrder[number].start, inOrder[number].end)


def test_inOrderReadsOnce():
    units = interleaved(pictures(60, 10) + sounds(60), 0.3, 1)
    fragments, reader, count = readerOf(units)
    for number in range(count):
        fragments.read(number)
    assert reader.read == len(units)
    assert reader.rewound == 1


def test_soundIsCutWithThePicture():
    units = interleaved(pictures(6, 10) + sounds(6), 0.0, 1)
    fragments, _, count = readerOf(units)
    for number in range(count):
        fragment = fragments.read(number)
        for track in fragment.units:
            assert all(fragment.start - 1e-6 <= unit.pts < fragment.end for unit in track)


def test_samplesAreCutExactly():
    """PCM is cut at the sample that sounds with the picture, in any order of reading."""
    step = 0.3
    data = bytes(range(256)) * 400
    size = round(step * 8000) * 2
    sound = [
        (1, Unit(number * step, number * step, step, True, data[number * size : (number + 1) * size]))
        for number in range(20)
    ]
    units = interleaved(pictures(6, 10) + sound, 0.0, 1)
    cuts = planCuts(points(*range(6)), 6.0, 2.0)
    for order in ([0, 1, 2], [2, 1, 0]):
        fragments = FragmentReader(ListReader(units, 1.0), [VIDEO, PCM], cuts, 6.0)
        read = {number: fragments.read(number) for number in order}
        for number in range(3):
            joined = b"".join(unit.data for unit in read[number].units[1])
            assert joined == data[number * 32000 : number * 32000 + 32000]
            assert read[number].units[1][0].pts == pytest.approx(2.0 * number)


def test_noSeeking():
    """Where seeking is not to be had every place is reached from the beginning."""
    units = interleaved(pictures(20, 10) + sounds(20), 0.0, 1)
    fragments, reader, _ = readerOf(units, lead=inf)
    assert fragments.read(5).units[0][0].pts == 10
    assert reader.rewound == 1


def test_seekingTooFar():
    """A container that goes past the place, as after a damaged index, is asked for earlier ones and then rewound."""

    class Late(ListReader):
        def seek(self, time: float) -> None:
            super().seek(time + 12)

    units = interleaved(pictures(60, 10) + sounds(60), 0.0, 1)
    end = 60.0
    cuts = planCuts(points(*range(60)), end, 2.0)
    reader = Late(units, 1.0)
    fragments = FragmentReader(reader, [VIDEO, SOUND], cuts, end)
    assert fragments.read(15).units[0][0].pts == 30
    assert reader.rewound == 0
    assert fragments.read(5).units[0][0].pts == 10
    assert reader.rewound == 1


def test_lookingForATrackThatHasEnded():
    """What is read ahead in search of more pictures does not grow with the rest of the file."""
    units = interleaved(pictures(3, 10) + sounds(3000), 0.0, 1)
    fragments, reader, count = readerOf(units)
    for number in range(count):
        read = fragments.read(number)
        assert reader.read * 0.04 <= read.end + module._LAG_SECONDS + 5
    assert reader.read == len(units)


@pytest.mark.requirement("SEC-7")
def test_largestFragment(monkeypatch):
    """What no fragment holds is left out; the next one starts where it should."""
    monkeypatch.setattr(module, "_LARGEST_BYTES", 60)
    monkeypatch.setattr(module, "_MOST_UNITS", 7)
    units = pictures(6, 10)
    fragments, _, _ = readerOf(units)
    assert [len(fragments.read(number).units[0]) for number in range(3)] == [7, 7, 7]
    monkeypatch.setattr(module, "_MOST_UNITS", 100)
    assert [len(fragments.read(number).units[0]) for number in range(3)] == [10, 10, 10]


@pytest.mark.requirement("SEC-7")
def test_farBeyondTheEnd():
    """A file that goes on for ever after the end that it states does not fill the memory."""
    units = pictures(1000, 10000)
    fragments = FragmentReader(ListReader(units, 0.0), [VIDEO], [Cut(0.0, 0.0, True)], 1.0)
    last = fragments.read(0)
    assert last.last
    assert last.units[0][-1].pts < 40


def test_anotherFilmBehind():
    """What begins anew behind the end is not taken along."""
    units = interleaved(pictures(4, 10) + sounds(4), 0.0, 1)
    reader = FragmentReader(ListReader(units * 2, 1.0), [VIDEO, SOUND], planCuts(points(0, 1, 2, 3), 4.0, 2.0), 4.0)
    assert [[len(each) for each in reader.read(number).units] for number in range(2)] == [[20, 50], [20, 50]]


def test_goesOnAfterDamage():
    """FFmpeg takes a damaged sample for the end of the file; further on there is more."""
    film = pictures(10, 10) + sounds(10)
    reader, source, count = readerOf(interleaved(film, 0.0, 1), lead=0.0)
    source.damaged = 3.3
    fragments = [reader.read(number) for number in range(count)]
    assert [fragment.last for fragment in fragments] == [False, False, False, False, True]
    assert [len(fragment.units[0]) for fragment in fragments] == [20, 13, 20, 20, 20]
    source.cut = 6.5
    fragments = [reader.read(number) for number in range(count)]
    assert [fragment.last for fragment in fragments] == [False, False, False, True, True]


def test_errorStartsAnew():
    """After an error in the middle of a fragment the next read does not go on from there."""

    class Broken(ListReader):
        broken = False

        def units(self) -> Iterator[tuple[int, Unit]]:
            for entry in super().units():
                if self.broken and entry[1].pts > 3:
                    self.broken = False
                    raise OSError("a bad block")
                yield entry

    units = interleaved(pictures(6, 10) + sounds(6), 0.0, 1)
    reader = Broken(units, 1.0)
    fragments = FragmentReader(reader, [VIDEO, SOUND], planCuts(points(*range(6)), 6.0, 2.0), 6.0)
    fragments.read(0)
    reader.broken = True
    with pytest.raises(OSError, match="a bad block"):
        fragments.read(1)
    assert [unit.pts for unit in fragments.read(1).units[0]] == [unit.pts for _, unit in pictures(6, 10)[20:40]]
