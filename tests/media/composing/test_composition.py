"""Compositions against their clips: nothing is lost, nothing comes twice, and times go on over every seam."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import DeferredList
from twisted.internet.threads import deferToThreadPool

from mediasrv.media.composing.part import Part
from mediasrv.media.composing.sequence import Sequence
from mediasrv.media.descriptions.choosing import Preferences
from mediasrv.media.files import NotMedia
from mediasrv.media.fragments import Cut
from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation, PresentationChanged, Section
from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.rtp.bursts import BurstPlan, packFragment
from mediasrv.rtp.payloads.registry import formatFor
from mediasrv.streaming.ondemand import carriesTrack, continuesTrack
from tests.media.films import FILMS, Film

Opener = Callable[..., Awaitable[Presentation]]

#: short ones, no two with the same pictures or the same sound, in every kind of container
CLIPS = {
    "a.mp4": Film("a.mp4", video=("libx264",), bFrames=2, seconds=3.0),
    "b.mkv": Film("b.mkv", video=("libx264",), seconds=2.5, gop=7, rate=15),
    "c.ts": Film("c.ts", video=("libx264",), bFrames=2, seconds=2.0, offset=9.0),
    "short sound.mp4": Film("short sound.mp4", video=("libx264",), seconds=3.0, soundSeconds=1.0),
    "long sound.mp4": Film("long sound.mp4", video=("libx264",), seconds=1.0, soundSeconds=3.0),
    "silent.mp4": Film("silent.mp4", video=("libx264",), bFrames=2, audio=(), seconds=5.0),
    "other.mp4": Film("other.mp4", video=("libx264",), audio=(), seconds=4.5, gop=7),
    "a.wav": Film("a.wav", video=(), audio=("pcm_s16le",), seconds=3.0),
    "a.mp3": Film("a.mp3", video=(), audio=("mp3",), seconds=4.0),
    "long.mp3": Film("long.mp3", video=(), audio=("mp3",), seconds=30.0),
    "a.m4a": Film("a.m4a", video=(), seconds=2.0, format="mp4"),
    "mpeg.mp4": Film("mpeg.mp4", audio=("mp3",), seconds=1.0),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("shelf")
    for film in CLIPS.values():
        film.make(folder)
    return str(folder)


@pytest.fixture
def folder(shelf: str, tmp_path: Any) -> str:
    """With copies that a test may change."""
    for name in CLIPS:
        os.link(os.path.join(shelf, name), tmp_path / name)
    return str(tmp_path)


@pytest.fixture
def library(folder, pool):
    made = Library({"films": folder}, carriesTrack, pool, reactor, openFiles=3, continues=continuesTrack)
    yield made
    made.close()


@pytest_twisted.async_yield_fixture
async def opened(library: Library, folder: str) -> AsyncIterator[Opener]:
    """Opens a description in TOML, or a clip by its name."""

    async def open(text: str, *arguments: Any, name: str = "d.toml") -> Presentation:
        if text in CLIPS:
            return await library.presentation(["films", text], *arguments)
        with open_(os.path.join(folder, name), "w") as file:
            file.write(text)
        return await library.presentation(["films", name], *arguments)

    yield open


open_ = open


def fragmentsOf(presentation: Presentation) -> list[Fragment]:
    return [presentation.read(number) for number in range(len(presentation.cuts))]


def unitsOf(presentation: Presentation) -> list[list[Unit]]:
    """Of each track, all of them."""
    fragments = fragmentsOf(presentation)
    return [[unit for each in fragments for unit in each.units[track.index]] for track in presentation.tracks]


def data(units: list[Unit]) -> list[bytes]:
    return [unit.data for unit in units]


def checkTimes(presentation: Presentation) -> None:
    """Nothing goes back; pictures are shown after they are decoded; fragments are next to each other."""
    fragments = fragmentsOf(presentation)
    for fragment, following in pairwise(fragments):
        assert fragment.end == presentation.cuts[following.number].pts
        assert not fragment.last
    assert fragments[-1].last
    assert fragments[-1].end == pytest.approx(presentation.duration)
    starts = [cut.pts for cut in presentation.cuts]
    assert starts == sorted(set(starts))
    assert starts[0] < 1
    for track, units in zip(presentation.tracks, unitsOf(presentation), strict=True):
        assert [unit.dts for unit in units] == sorted(unit.dts for unit in units)
        assert all(unit.pts >= unit.dts - 1e-6 for unit in units)
        shown = sorted(unit.pts for unit in units)
        assert all(later - sooner > 1e-4 for sooner, later in pairwise(shown))
        assert shown[-1] < presentation.duration
        if track.kind == "audio":
            assert [unit.pts for unit in units] == shown
            assert all(former.pts + former.duration < later.pts + 0.002 for former, later in pairwise(units))


@pytest.mark.parametrize(
    "names",
    [
        ["a.mp4", "b.mkv"],
        ["b.mkv", "a.mp4", "b.mkv"],
        ["a.mp4", "c.ts", "a.mp4"],
        ["short sound.mp4", "a.mp4", "long sound.mp4", "b.mkv"],
        ["a.mp3", "long.mp3", "a.mp3"],
        ["a.wav", "a.wav"],
        ["a.mp4"],
    ],
)
async def test_seqIsItsClips(opened, names):
    """All units of all clips, in order; all tracks of a clip start at its seam; a section for each."""
    whole = await opened(f"seq = {names}")
    checkTimes(whole)
    clips = [await opened(name) for name in names]
    assert whole.omitted == []
    wanted = [unitsOf(clip) for clip in clips]
    found = unitsOf(whole)
    assert [data(units) for units in found] == [
        [each for clip in wanted for each in data(clip[track.index])] for track in whole.tracks
    ]
    places = [0] * len(whole.tracks)
    seam = 0.0
    for number, (clip, units) in enumerate(zip(clips, wanted, strict=True)):
        lead = max(0.0, -min(unit.pts for each in units for unit in each)) if number else 0.0
        section = whole.sections[number]
        if number:
            assert whole.cuts[section.first].pts == pytest.approx(seam)
        assert [track.extradata for track in section.tracks] == [track.extradata for track in clip.tracks]
        assert (section.silent, section.reference) == (frozenset(), 0)
        for track, each in enumerate(units):
            mine = found[track][places[track] : places[track] + len(each)]
            shifts = [one.pts - other.pts for one, other in zip(mine, each, strict=True)]
            assert min(shifts) == pytest.approx(seam + lead) == max(shifts)
            places[track] += len(each)
        end = seam + lead + clip.duration
        # the last frame of sound is there to its end, also where the file is said to end before
        sounds = [
            each[-1].pts + max(unit.duration for unit in each[-3:])
            for each in units[-1:]
            if clip.tracks[-1].kind == "audio"
        ]
        seam = max(end, *(seam + lead + sound for sound in sounds)) if names[number] != "a.wav" else end
    assert whole.duration == pytest.approx(end)


@pytest.mark.parametrize(
    "text",
    [
        'seq = ["a.mp4", { src = "b.mkv", begin = 1.2, end = 2.2 }, "c.ts"]',
        'par = ["silent.mp4", "long.mp3"]',
        'seq = ["a.mp4", { par = ["silent.mp4", "a.m4a"] }, "a.mp4"]',
    ],
)
async def test_inAnyOrder(opened, text):
    """A fragment is the same whatever was read before it."""
    whole = await opened(text)
    fragments = fragmentsOf(whole)
    chance = random.Random(1)
    for _ in range(40):
        number = chance.randrange(len(fragments))
        assert whole.read(number) == fragments[number]
        if not number % 3:
            whole.close()
            assert not whole.isOpen


async def test_everyClipCanBeSought(opened):
    whole = await opened('seq = ["a.mp4", "b.mkv", "c.ts", "a.mp4"]')
    for number, cut in enumerate(whole.cuts):
        assert whole.fragmentAt(cut.pts) == number
        assert cut.key
        fragment = whole.read(number)
        assert fragment.units[0][0].key
        assert 0 <= fragment.start - cut.pts < 0.03
    assert whole.randomAccess < 4


@pytest.mark.parametrize("begin", [0.0, 0.4, 1.0, 1.95, 2.9])
@pytest.mark.parametrize("end", [0.9, 2.0, 2.95, 99.0])
async def test_excerpt(opened, begin, end):
    """From the key frame at or before the beginning to the end, and not a picture or a sound more."""
    if end <= begin:
        return
    part = await opened(f'src = "a.mp4"\nbegin = {begin}\nend = {end}')
    checkTimes(part)
    film = await opened("a.mp4")
    pictures, sounds = unitsOf(film)
    start = max(unit.pts for unit in pictures if unit.key and unit.pts <= begin + 1e-6)
    found = unitsOf(part)
    end = min(end, film.duration)
    assert part.duration == pytest.approx(end - start)
    lead = -1.0 if start == 0 else start
    assert data(found[1]) == [unit.data for unit in sounds if lead <= unit.pts < end - 1e-6]
    shown = [unit.data for unit in pictures if start <= unit.pts < end - 1e-6]
    assert shown[: len(found[0])] == data(found[0])
    # the last pictures may need one that is shown after the end
    assert len(shown) - len(found[0]) <= 3
    assert all(
        one.pts == pytest.approx(other.pts - start)
        for one, other in zip(found[0], [unit for unit in pictures if unit.pts >= start], strict=False)
    )


async def test_soundIsCutWhereItSays(opened):
    """PCM to the sample; what has frames to the frame."""
    film = await opened("a.wav")
    samples = b"".join(data(unitsOf(film)[0]))
    part = await opened('src = "a.wav"\nbegin = 0.51\nend = 2.503')
    (units,) = unitsOf(part)
    assert b"".join(data(units)) == samples[round(0.51 * 48000) * 2 : round(2.503 * 48000) * 2]
    assert units[0].pts == pytest.approx(0, abs=1e-9)
    part = await opened('src = "a.mp3"\nbegin = 0.51\nend = 2.503')
    (units,) = unitsOf(part)
    (whole,) = unitsOf(await opened("a.mp3"))
    assert data(units) == [unit.data for unit in whole if 0.51 <= unit.pts < 2.503]


async def test_twoPartsAreTheWhole(opened):
    """Cut at a key frame, nothing is missing in between."""
    whole = await opened('seq = [{ src = "a.mp4", end = 1.0 }, { src = "a.mp4", begin = 1.0 }]')
    film = await opened("a.mp4")
    assert [data(units) for units in unitsOf(whole)] == [data(units) for units in unitsOf(film)]
    # a frame of sound that goes over the cut is there once, and to its end
    assert 0 <= whole.duration - film.duration < 1024 / 48000
    checkTimes(whole)


async def test_par(opened):
    """A film and a sound: the film says where the fragments are; all units of both, each at its time."""
    whole = await opened('par = ["silent.mp4", { src = "a.mp3", language = "de", title = "Ton" }]')
    checkTimes(whole)
    film, sound = await opened("silent.mp4"), await opened("a.mp3")
    assert [(track.kind, track.language, track.title) for track in whole.tracks] == [
        ("video", "", ""),
        ("audio", "de", "Ton"),
    ]
    assert [cut.pts for cut in whole.cuts] == [cut.pts for cut in film.cuts]
    assert whole.duration == film.duration
    assert [data(units) for units in unitsOf(whole)] == [data(unitsOf(film)[0]), data(unitsOf(sound)[0])]
    for fragment in fragmentsOf(whole)[1:-1]:
        start, end = whole.cuts[fragment.number].pts, fragment.end
        assert all(start <= unit.pts < end for unit in fragment.units[1])


async def test_parIsAsLongAsTheLongest(opened):
    whole = await opened('par = ["silent.mp4", "long.mp3"]')
    checkTimes(whole)
    sound = await opened("long.mp3")
    assert whole.duration == sound.duration
    assert data(unitsOf(whole)[1]) == data(unitsOf(sound)[0])
    assert max(later.pts - sooner.pts for sooner, later in pairwise(whole.cuts)) < 13


async def test_parOfPictures(opened):
    """The second one's key frames are elsewhere; still each of its pictures comes once."""
    whole = await opened('par = ["silent.mp4", "other.mp4", "a.m4a"]')
    checkTimes(whole)
    assert [track.kind for track in whole.tracks] == ["video", "video", "audio"]
    clips = [await opened(name) for name in ("silent.mp4", "other.mp4", "a.m4a")]
    assert [data(units) for units in unitsOf(whole)] == [data(unitsOf(clip)[0]) for clip in clips]
    for fragment, following in pairwise(fragmentsOf(whole)):
        start, end = whole.cuts[fragment.number].dts, whole.cuts[following.number].dts
        assert all(start - 1e-6 <= unit.dts < end for unit in fragment.units[1])


async def test_parBeginsTogether(opened):
    """The picture begins at a key frame, earlier than asked; the sound of another file comes along, in step."""
    whole = await opened(
        'par = [{ src = "a.mp4", begin = 1.6, only = "video" }, { src = "a.mp4", begin = 1.6, only = "audio" }]'
    )
    plain = await opened('src = "a.mp4"\nbegin = 1.6', name="plain.toml")
    assert unitsOf(whole) == unitsOf(plain)
    assert whole.duration == plain.duration


async def test_parWithASequence(opened):
    """Two pieces of sound under one film."""
    whole = await opened('par = ["silent.mp4", { seq = ["a.m4a", "a.m4a"] }]')
    checkTimes(whole)
    sound = data(unitsOf(await opened("a.m4a"))[0])
    assert data(unitsOf(whole)[1]) == sound * 2
    # pictures that change their parameters in the middle of a fragment cannot be
    whole = await opened('par = ["silent.mp4", { seq = ["silent.mp4", "b.mkv"] }]')
    assert [track.kind for track in whole.tracks] == ["video", "audio"]
    assert [sentence for sentence in whole.omitted if "changes from clip to clip" in sentence]


async def test_silence(opened):
    """What does not fit is silent there, what is left goes on; each is said once."""
    whole = await opened('seq = ["silent.mp4", "a.mp4", "mpeg.mp4", "a.m4a"]')
    assert [(track.kind, track.codec) for track in whole.tracks] == [("video", "h264"), ("audio", "aac")]
    assert [sorted(section.silent) for section in whole.sections] == [[1], [], [0]]
    assert whole.omitted == [
        "seq 3: films/mpeg.mp4: its video (mpeg4) cannot follow what comes before it",
        "seq 3: films/mpeg.mp4: its audio (mp3) cannot follow what comes before it",
    ]
    checkTimes(whole)
    last = whole.sections[2].first
    assert whole.read(last).reference == 1
    assert whole.read(last).units[0] == []
    assert whole.duration == pytest.approx(
        5 + (await opened("a.mp4")).duration + (await opened("a.m4a")).duration, abs=0.1
    )


async def test_playingStartsWithWhatThereIs(opened):
    """Where the pictures are silent the sound says where one can start."""
    whole = await opened('seq = ["a.mp4", "a.m4a"]')
    formats = [formatFor(track) for track in whole.tracks]
    last = whole.read(len(whole.cuts) - 1)
    packed = packFragment(last, formats, BurstPlan(1400, 20, 0.01))
    entry = packed.entryAt(last.start + 0.5)
    assert entry is not None
    assert 0 <= last.start + 0.5 - packed.bursts[entry].pts < 0.1


class Hand(Part):
    """A part of given units, one fragment of one track."""

    early = 0.0

    def __init__(self, units: list[Unit], duration: float) -> None:
        self.tracks = [Track(0, "video", "h264")]
        self.units, self.duration, self.omitted = units, duration, []
        self.cuts = [Cut(units[0].dts, 0.0, True)]
        self.sections = [Section(0, self.tracks)]

    def read(self, number: int) -> Fragment:
        return Fragment(0, 0.0, self.duration, [[replace(unit) for unit in self.units]], True)

    def sources(self, number: int) -> list[Presentation]:
        return []

    def shownAt(self, time: float) -> tuple[Presentation, float]:
        raise AssertionError("only its units are looked at")

    @property
    def holds(self) -> bool:
        return False

    def release(self) -> None:
        """It holds nothing."""


@pytest.mark.parametrize("delay", [0.0, 0.08, 0.2])
@pytest.mark.parametrize("last", [0.0, 0.04, 0.2])
def test_decodingAtASeam(delay, last):
    """However long before pictures are shown they are decoded, and at the end of a clip no more: in their order."""
    first = Hand([Unit(-0.08, 0.0, 0.04, True, b"a"), Unit(0.96 - last, 0.96, 0.04, False, b"b")], 1.0)
    second = Hand([Unit(-delay, 0.0, 0.04, True, b"c"), Unit(0.04 - delay, 0.04, 0.04, False, b"d")], 1.0)
    whole = Sequence([first, second], ["first", "second"], lambda one, other: True)
    units = [unit for number in range(2) for unit in whole.read(number).units[0]]
    assert [unit.data for unit in units] == [b"a", b"b", b"c", b"d"]
    assert [unit.pts for unit in units] == [0.0, 0.96, 1.0, 1.04]
    assert [unit.dts for unit in units] == sorted(unit.dts for unit in units)
    assert all(unit.dts <= unit.pts for unit in units)


async def test_onlySome(opened):
    assert [track.kind for track in (await opened('src = "a.mp4"\nonly = "audio"')).tracks] == ["audio"]
    with pytest.raises(NotMedia, match="it has no video"):
        await opened('src = "a.mp3"\nonly = "video"')


async def test_choice(opened):
    """By what somebody prefers; who prefers the same gets the same."""
    text = 'switch = [{ src = "a.mp3", language = "en" }, { src = "a.m4a", language = "de" }]'
    german = await opened(text, "rtp", Preferences(("de",)))
    english = await opened(text, "rtp", Preferences(("en",)))
    assert [each.tracks[0].codec for each in (english, german)] == ["mp3", "aac"]
    assert [each.tracks[0].language for each in (english, german)] == ["en", "de"]
    assert german.isChosen
    assert german.version.etag != english.version.etag
    assert not (await opened('src = "a.mp3"', name="e.toml")).isChosen


async def test_sameWhileUnchanged(opened, library):
    text = 'seq = ["a.mp3", "a.mp3"]'
    first = await opened(text)
    assert await library.presentation(["films", "d.toml"]) is first
    both = await DeferredList([library.presentation(["films", "d.toml"], "web") for _ in range(5)])
    assert len({id(each) for _, each in both}) == 1


@pytest.mark.requirement("SDP-4")
async def test_clipIsReplaced(opened, library, folder):
    """Who watches is told that it ends; who comes sees what is there now, under another tag."""
    first = await opened('seq = ["a.mp3", "b.mkv", "a.wav"]')
    path = os.path.join(folder, "a.mp3")
    shutil.copy(os.path.join(folder, "long.mp3"), path + "~")
    os.replace(path + "~", path)
    with pytest.raises(PresentationChanged):
        first.read(0)
    second = await library.presentation(["films", "d.toml"])
    assert second.version.etag != first.version.etag
    assert second.duration > first.duration + 20
    os.unlink(path)
    third = await library.presentation(["films", "d.toml"])
    assert third.version.etag not in (first.version.etag, second.version.etag)
    assert "seq 1: films/a.mp3: is not there" in third.omitted


@pytest.mark.requirement("SDP-4")
async def test_descriptionIsReplaced(opened):
    first = await opened('src = "a.mp3"')
    second = await opened('src = "a.m4a"\n')
    assert second.tracks != first.tracks
    assert second.version.etag != first.version.etag
    # who watches the clip of the former goes on
    assert first.read(0).units[0]


@pytest.mark.requirement("SEC-6", "SEC-7")
async def test_clipsThatAreNone(opened, library, folder, tmp_path_factory):
    """Whatever a name leads to, the rest is played."""
    outside = tmp_path_factory.mktemp("outside")
    shutil.copy(os.path.join(folder, "a.mp3"), outside / "secret.mp3")
    os.symlink(outside / "secret.mp3", os.path.join(folder, "out.mp3"))
    os.symlink("d.toml", os.path.join(folder, "self.mp3"))
    os.mkdir(os.path.join(folder, "folder"))
    os.mkfifo(os.path.join(folder, "fifo.mp3"))
    with open_(os.path.join(folder, "text.mp3"), "w") as file:
        file.write("text " * 100)
    names = ["none.mp3", "out.mp3", "fifo.mp3", "folder", "text.mp3", "d.toml", "self.mp3", ".hidden"]
    whole = await opened(f"seq = {[*names, 'a.mp3']}")
    assert len(whole.sections) == 1
    reasons = [sentence.rpartition(": ")[2] for sentence in whole.omitted]
    assert reasons[:4] == ["is not there", "is not there", "is not there", "is a folder"]
    assert reasons[5:] == ["is a description itself", "is a description itself", "is not there"]
    with pytest.raises(NotMedia, match=r"seq 1: films/none.mp3: is not there; .*; .*; and 5 more"):
        await opened(f"seq = {names}")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('src = "d.toml"', "is a description itself"),
        ('src = "a.mp3"\nbegin = 99', "begins after its end"),
        ('par = ["none.mp4", "nothing.mp4"]', "is not there; .*is not there"),
        ('src = "../../a.mp3"', "is not in the library"),
        ('src = "/etc/passwd"', "is not there"),
        ('src = "/films/../../etc/passwd"', "is not in the library"),
    ],
)
@pytest.mark.requirement("SEC-6", "SEC-7")
async def test_nothingToPlay(opened, text, error):
    with pytest.raises(NotMedia, match=error):
        await opened(text)


async def test_noTransportStream(opened, library):
    await opened('src = "c.ts"')
    with pytest.raises(NotMedia, match="no transport stream"):
        await library.transportStream(["films", "d.toml"])


@pytest.mark.requirement("SEC-18")
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
async def test_openFiles(opened, library, folder, pool):
    """A composition's clips count as any other file, and the one that is read is not the first to go."""
    for number in range(9):
        shutil.copy(os.path.join(folder, "a.mp4"), os.path.join(folder, f"{number}.mp4"))
    whole = await opened(f"seq = {[f'{number}.mp4' for number in range(9)]}")
    # backwards, so that what was opened first is read last
    for number in reversed(range(len(whole.cuts))):
        library.used(whole)
        assert (await deferToThreadPool(reactor, pool, whole.read, number)).units[0]
        library.used(whole)
        await DeferredList([deferToThreadPool(reactor, pool, int) for _ in range(8)])
        descriptors = [os.path.join("/proc/self/fd", each) for each in os.listdir("/proc/self/fd")]
        count = sum(os.path.exists(each) and os.readlink(each).startswith(folder) for each in descriptors)
        assert count <= 4
        assert whole.files[0].isOpen


async def test_web(opened):
    """For browsers parameters may change, as long as the codec is the same."""
    text = 'seq = ["a.mp4", "b.mkv", "mpeg.mp4"]'
    whole = await opened(text, "web")
    assert whole.view == "web"
    assert [section.silent for section in whole.sections][:2] == [frozenset(), frozenset()]


def test_films():
    assert {film.name for film in CLIPS.values()} == set(CLIPS)
    assert FILMS
