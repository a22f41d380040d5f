"""What becomes of a presentation when its file changes, is damaged, or lies."""

from __future__ import annotations

import os
import random
import shutil
import struct
from dataclasses import replace
from itertools import pairwise

import pytest

from mediasrv.media.files import NotMedia
from mediasrv.media.fragments import Fragment
from mediasrv.media.presentation import FilePresentation, PresentationChanged
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film


def opened(path: str) -> FilePresentation:
    return FilePresentation(path, carriesTrack, 2.0)


def readAll(presentation: FilePresentation) -> list[Fragment]:
    return [presentation.read(number) for number in range(len(presentation.cuts))]


@pytest.fixture
def film(tmp_path) -> str:
    return FILMS["ts"].make(tmp_path)


def test_fragmentAt(film):
    presentation = opened(film)
    starts = [cut.pts for cut in presentation.cuts]
    assert [presentation.fragmentAt(time) for time in (-5, 0, starts[1] - 0.001, starts[1], 5, 1e9)] == [
        0,
        0,
        0,
        1,
        2,
        2,
    ]
    # clients are told six decimals of where they start, and may ask for just that again
    assert presentation.fragmentAt(starts[1] - 5e-7) == 1
    presentation.close()


def test_randomAccess(film):
    """From any point it is so far back to one where it can be entered, at most; and no farther than that somewhere."""
    presentation = opened(film)
    entrances = [cut.pts for cut in presentation.cuts]
    ends = [*entrances[1:], presentation.duration]
    farthest = max(end - start for start, end in zip(entrances, ends, strict=True))
    assert presentation.randomAccess == pytest.approx(farthest)
    assert 2.0 <= presentation.randomAccess <= 4.0
    keys = [unit.pts for fragment in readAll(presentation) for unit in fragment.units[0] if unit.key]
    assert all(later - former <= presentation.randomAccess for former, later in pairwise(keys))
    presentation.close()


def test_closedAndReopened(film):
    presentation = opened(film)
    fragments = readAll(presentation)
    presentation.close()
    assert not presentation.isOpen
    assert presentation.read(1) == fragments[1]
    assert presentation.isOpen
    presentation.close()


def test_closedWhileReading(film, monkeypatch):
    """Closing waits for nobody; who reads closes afterwards."""
    presentation = opened(film)
    read = presentation._reader.read

    def closing(number: int) -> Fragment:
        presentation.close()
        assert presentation.isOpen
        return read(number)

    monkeypatch.setattr(presentation._reader, "read", closing)
    assert presentation.read(0).units[0]
    assert not presentation.isOpen


def remove(path: str) -> None:
    os.unlink(path)


def replaceIt(path: str) -> None:
    shutil.copy(path, path + "~")
    os.replace(path + "~", path)


def truncate(path: str) -> None:
    os.truncate(path, os.path.getsize(path) - 1)


def writeAnew(path: str) -> None:
    """In place, longer than before, without ever being shorter when somebody looks."""
    with open(path, "r+b") as file:
        file.write(random.Random(1).randbytes(os.path.getsize(path) + 1000))


def makeFolder(path: str) -> None:
    os.unlink(path)
    os.mkdir(path)


@pytest.mark.requirement("SDP-4")
@pytest.mark.parametrize("change", [remove, replaceIt, truncate, writeAnew, makeFolder])
@pytest.mark.parametrize("closed", [False, True])
def test_changed(change, closed, film):
    presentation = opened(film)
    presentation.read(0)
    if closed:
        presentation.close()
    change(film)
    for number in (1, 0):
        with pytest.raises(PresentationChanged):
            presentation.read(number)
    presentation.close()


def test_removedWhileItIsReadAnew(tmp_path):
    """Matroska goes back to its first packet by opening the file again."""
    path = FILMS["mkv"].make(tmp_path)
    presentation = opened(path)
    presentation.read(2)
    verify = presentation._verify
    presentation._verify = lambda: (verify(), replaceIt(path))  # type: ignore[method-assign, assignment]
    with pytest.raises(PresentationChanged):
        presentation.read(0)
    assert not presentation.isOpen


def test_truncationIsCalledThat(film):
    presentation = opened(film)
    truncate(film)
    with pytest.raises(PresentationChanged, match="truncated"):
        presentation.read(0)
    presentation.close()


def test_estimatesMayChange(film):
    """A growing file, opened again, has another bit rate; other parameters make it another presentation."""
    presentation = opened(film)
    presentation.close()
    presentation.tracks = [replace(track, bitRate=track.bitRate + 1) for track in presentation.tracks]
    assert presentation.read(0).units[0]
    presentation.close()
    presentation.tracks = [replace(track, extradata=b"other") for track in presentation.tracks]
    with pytest.raises(PresentationChanged, match="other tracks"):
        presentation.read(0)
    presentation.close()


@pytest.mark.parametrize("closed", [False, True])
def test_appended(closed, film):
    """A file that somebody still writes plays on, to the end that it had."""
    presentation = opened(film)
    expected = readAll(presentation)
    if closed:
        presentation.close()
    with open(film, "r+b") as file:
        beginning = file.read(188 * 50)
        file.seek(0, os.SEEK_END)
        file.write(beginning)
    assert presentation.read(0) == expected[0]
    assert presentation.read(1) == expected[1]
    os.truncate(film, 5000)
    with pytest.raises(PresentationChanged):
        presentation.read(0)
    presentation.close()


def test_title(tmp_path):
    source = Film("a.mp4", seconds=0.5).make(tmp_path)
    for name, title in {
        "Ein Film.mp4": "Ein Film",
        "a\r\nm=audio.mp4": "a  m=audio",
        "\udcfffilm.mp4": "�film",
        "no ending": "no ending",
    }.items():
        path = os.path.join(str(tmp_path), name)
        shutil.copy(source, path)
        presentation = opened(path)
        assert presentation.title == title
        presentation.close()


def test_created(tmp_path):
    path = Film("a.mp4", seconds=0.5, metadata={"creation_time": "2001-02-03T04:05:06Z"}).make(tmp_path)
    presentation = opened(path)
    assert presentation.created == 981173106
    presentation.close()
    path = Film("b.mkv", seconds=0.5).make(tmp_path)
    os.utime(path, (5, 7))
    presentation = opened(path)
    assert presentation.created == 7
    presentation.close()


CUT_SHORT = ["mp4", "mkv", "webm", "ts", "mpeg", "avi", "flv", "ogg", "aac", "mp3", "wav", "flac", "fragmented"]


@pytest.mark.requirement("SEC-7")
@pytest.mark.parametrize("kind", CUT_SHORT)
def test_cutAnywhere(kind, tmp_path):
    """Either it is no media any more, or it plays as far as it goes."""
    path = FILMS[kind].make(tmp_path)
    whole = os.path.getsize(path)
    chance = random.Random(kind)
    played = 0
    sizes = sorted((chance.randrange(1, whole) for _ in range(8)), reverse=True)
    for size in sizes:
        os.truncate(path, size)
        try:
            presentation = opened(path)
        except NotMedia:
            continue
        fragments = readAll(presentation)
        assert sum(len(unit.data) for fragment in fragments for units in fragment.units for unit in units) <= 10 * size
        assert fragments[-1].last
        played += any(fragment.units[0] for fragment in fragments)
        presentation.close()
    # an MP4 has its table at the end
    assert played or kind == "mp4"


@pytest.mark.requirement("SEC-7")
def test_mediaMissing(tmp_path):
    """The table of an MP4 is there, the end of what it speaks of is not."""
    path = FILMS["mp4"].but(options={"movflags": "faststart"}).make(tmp_path)
    os.truncate(path, os.path.getsize(path) // 2)
    presentation = opened(path)
    fragments = readAll(presentation)
    assert [bool(fragment.units[0]) for fragment in fragments] == [True, True, False]
    assert [fragment.last for fragment in fragments] == [False, True, True]
    presentation.close()


@pytest.mark.requirement("SEC-7")
@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "ts", "mpeg", "avi", "flv", "ogg", "aac", "mp3", "flac"])
def test_damagedInTheMiddle(kind, tmp_path):
    """What is before the damage and what comes long after it is played."""
    path = FILMS[kind].but(options={"movflags": "faststart"} if kind == "mp4" else {}).make(tmp_path)
    presentation = opened(path)
    end = max(unit.pts for fragment in readAll(presentation) for unit in fragment.units[0])
    presentation.close()
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(random.Random(2).randbytes(size // 20))
    presentation = opened(path)
    times = [unit.pts for fragment in readAll(presentation) for unit in fragment.units[0]]
    assert min(times) < 0.5
    assert max(times) > end - 0.5
    presentation.close()


@pytest.mark.requirement("SEC-7")
def test_longerThanItSays(tmp_path):
    """A duration that is too short hides nothing of the index."""
    path = FILMS["mkv"].make(tmp_path)
    _setDuration(path, 1.0)
    presentation = opened(path)
    assert presentation.duration == pytest.approx(6, abs=0.05)
    assert sum(len(fragment.units[0]) for fragment in readAll(presentation)) == 60
    presentation.close()


@pytest.mark.requirement("SEC-7")
def test_shorterThanItSays(tmp_path):
    """A duration of a million years makes no list of fragments that long."""
    path = FILMS["mkv"].make(tmp_path)
    _setDuration(path, 3e16)
    presentation = opened(path)
    fragments = readAll(presentation)
    assert len(fragments) < 10
    assert sum(len(fragment.units[0]) for fragment in fragments) == 60
    assert fragments[-1].last
    presentation.close()


def _setDuration(path: str, seconds: float) -> None:
    """Overwrites the duration that a Matroska file states: an element of eight bytes."""
    with open(path, "r+b") as file:
        data = file.read()
        file.seek(data.index(b"\x44\x89\x88") + 3)
        file.write(struct.pack(">d", seconds * 1000))


@pytest.mark.requirement("SEC-7")
def test_hugeDurationOfAVI(tmp_path):
    """AVI states the number of pictures of a track in its header, and that is all there is to go by."""
    path = FILMS["avi"].but(audio=()).make(tmp_path)
    with open(path, "r+b") as file:
        data = file.read()
        file.seek(data.index(b"strh") + 8 + 32)
        file.write(struct.pack("<I", 0x7FFFFFFF))
    presentation = opened(path)
    assert presentation.duration <= os.path.getsize(path) / 10
    assert presentation.read(len(presentation.cuts) - 1).last
    presentation.close()


@pytest.mark.requirement("SEC-7")
def test_hugeDurationOfSound(tmp_path):
    """A WAV header may say four gigabytes."""
    path = FILMS["wav"].but(seconds=1.0).make(tmp_path)
    with open(path, "r+b") as file:
        data = file.read()
        file.seek(data.index(b"data") + 4)
        file.write(b"\xf0\xff\xff\xff")
    presentation = opened(path)
    assert presentation.duration <= os.path.getsize(path) / 10
    assert presentation.read(0).units[0]
    assert presentation.read(len(presentation.cuts) - 1).last
    presentation.close()
