"""Subtitles of films: in them, and beside them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.python.threadpool import ThreadPool

from mediasrv.media import subtitlereader
from mediasrv.media.cues import Cue, CueTrack
from mediasrv.media.files import FileVersion, NotMedia
from mediasrv.media.library import Library, NotFound
from mediasrv.media.subtitlereader import SubtitleReader
from mediasrv.media.subtitles import (
    Embedded,
    SideCar,
    Subtitle,
    describeSideCar,
    findEmbedded,
    readEmbedded,
    readSideCar,
    sideCarNames,
    timed,
)
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import Film
from tests.media.subtitled import CUES, withSubtitles


def cuesOf(path: str) -> list[list[Cue]]:
    return [list(track.cues) for track in readEmbedded(path, FileVersion.of(path)).values()]


@pytest.mark.parametrize(
    ("name", "codec", "count"),
    [
        ("a.mkv", "subrip", 3),
        ("a.mkv", "ass", 3),
        ("a.mkv", "webvtt", 3),
        ("a.mp4", "mov_text", 2),
        ("a.mov", "mov_text", 2),
    ],
)
def test_embedded(name: str, codec: str, count: int, tmp_path: Path) -> None:
    path = withSubtitles(tmp_path / name, (codec, {"language": "ger", "title": "Deutsch"}))
    found = findEmbedded(path)
    (subtitle,) = found.subtitles
    assert (subtitle.number, subtitle.language, subtitle.isForced) == (0, "de", False)
    assert subtitle.title == ("Deutsch" if name == "a.mkv" else subtitle.title)
    assert subtitle.source == Embedded(path, FileVersion.of(path), 2)
    assert cuesOf(path) == [CUES[:count]]


def test_severalTracks(tmp_path: Path) -> None:
    """One look at the file gives all of them."""
    path = withSubtitles(
        tmp_path / "a.mkv", ("subrip", {"language": "eng"}), ("ass", {"language": "fre"}), ("webvtt", {})
    )
    assert [each.language for each in findEmbedded(path).subtitles] == ["en", "fr", ""]
    assert [each.number for each in findEmbedded(path).subtitles] == [0, 1, 2]
    assert cuesOf(path) == [CUES] * 3


def test_timesAreNPT(tmp_path: Path) -> None:
    """Whatever the file's own clock says where it begins."""
    path = withSubtitles(tmp_path / "a.mkv", ("subrip", {}), offset=7.0)
    (cues,) = cuesOf(path)
    assert [round(cue.start, 2) for cue in cues] == [1.0, 3.0, 3.5]


def test_bitmaps(tmp_path: Path) -> None:
    """Pictures of text are no text."""
    path = Path(withSubtitles(tmp_path / "a.mkv", ("subrip", {}), ("ass", {})))
    content = path.read_bytes()
    assert content.count(b"S_TEXT/UTF8") == 1
    path.write_bytes(content.replace(b"S_TEXT/UTF8", b"S_HDMV/PGS\0"))
    found = findEmbedded(str(path))
    assert [each.source for each in found.subtitles] == [Embedded(str(path), FileVersion.of(str(path)), 3)]
    assert list(found.omitted) == ["stream 2 (hdmv_pgs_subtitle): these subtitles are no text"]
    assert cuesOf(str(path)) == [CUES]


def test_withoutDuration() -> None:
    """A text is there until the next one, an empty one at least, and not for long."""
    texts = [(0.0, 0.0, "a"), (2.0, 0.0, ""), (3.0, 0.0, "b"), (20.0, 1.0, "c")]
    assert CueTrack(timed(texts)).cues == [Cue(0.0, 2.0, "a"), Cue(3.0, 8.0, "b"), Cue(20.0, 21.0, "c")]


def test_noMedia(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_text("no film")
    assert findEmbedded(str(path)).subtitles == ()
    with pytest.raises(NotMedia):
        readEmbedded(str(path), FileVersion.of(str(path)))
    with pytest.raises(FileNotFoundError):
        findEmbedded(str(tmp_path / "none.mkv"))


def test_replaced(tmp_path: Path) -> None:
    path = withSubtitles(tmp_path / "a.mkv", ("subrip", {}))
    version = replace(FileVersion.of(path), inode=1)
    with pytest.raises(FileNotFoundError):
        readEmbedded(path, version)


_content: dict[str, bytes] = {}


@pytest.mark.requirement("SEC-7")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cues or none, whatever is wrong with the file."""
    name, codec = data.draw(st.sampled_from([("a.mkv", "subrip"), ("a.mkv", "ass"), ("a.mp4", "mov_text")]))
    if codec not in _content:
        film = Film("source.mkv", audio=(), seconds=6)
        _content[codec] = Path(
            withSubtitles(tmp_path_factory.mktemp("whole") / name, (codec, {}), film=film)
        ).read_bytes()
    content = bytearray(_content[codec])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=30)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        findEmbedded(str(path))
        cuesOf(str(path))
    except NotMedia:
        pass


# Beside the film


def beside(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("1\n00:00:01,000 --> 00:00:02,000\n" + name)


def test_names(tmp_path: Path) -> None:
    beside(tmp_path, "film.srt", "film.en.srt", "film.de.forced.VTT", "film.txt", "other.srt", "film 2.srt")
    beside(tmp_path, "film.2.mp4", "film.2.srt", "film.2.en.srt", "film.mp4", ".film.srt")
    assert sideCarNames(str(tmp_path), "film.mp4") == ["film.de.forced.VTT", "film.en.srt", "film.srt"]
    assert sideCarNames(str(tmp_path), "film.2.mp4") == ["film.2.en.srt", "film.2.srt"]
    assert sideCarNames(str(tmp_path), "none.mp4") == []
    with pytest.raises(FileNotFoundError):
        sideCarNames(str(tmp_path / "none"), "film.mp4")


@pytest.mark.parametrize(
    ("name", "language", "title", "isForced", "isDefault"),
    [
        ("film.srt", "", "", False, False),
        ("film.en.srt", "en", "", False, False),
        ("film.ger.srt", "de", "", False, False),
        ("film.pt-BR.vtt", "pt-BR", "", False, False),
        ("film.de.forced.vtt", "de", "", True, False),
        ("film.Forced.DE.vtt", "de", "", True, False),
        ("film.en.default.srt", "en", "", False, True),
        ("film.en.Director's comments.srt", "en", "Director's comments", False, False),
        ("film.und.srt", "", "und", False, False),
        ("film.English.srt", "", "English", False, False),
        ("film.mp4.en.srt", "en", "", False, False),
        ("film..srt", "", "", False, False),
        ("film.\udcff.srt", "", "\ufffd", False, False),
    ],
)
def test_whatTheNameSays(name: str, language: str, title: str, isForced: bool, isDefault: bool) -> None:
    source = SideCar(name, FileVersion(1, 2, 3, 4))
    found = describeSideCar(3, name, "film.mp4", source)
    assert found == Subtitle(3, language, title, isForced, isDefault, source)


def test_readSideCar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes("1\n00:00:01,000 --> 00:00:02,000\nGrüße".encode("cp1252"))
    assert readSideCar(str(path)).cues == [Cue(1.0, 2.0, "Grüße")]
    with path.open("ab") as file:
        file.truncate(9 << 20)
    assert readSideCar(str(path)).cues == []
    with pytest.raises(FileNotFoundError):
        readSideCar(str(tmp_path))


# Of the library


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    withSubtitles(folder / "film.mkv", ("subrip", {"language": "eng"}), ("ass", {"language": "fre"}))
    return folder


@pytest.fixture
def reader(films: Path, pool: ThreadPool) -> SubtitleReader:
    library = Library({"films": str(films)}, carriesTrack, pool, reactor)
    return SubtitleReader(library, pool, pool, reactor)


async def test_all(reader: SubtitleReader, films: Path) -> None:
    """Those in the film first, then those beside it; each with its cues."""
    beside(films, "film.de.srt", "film.ar.srt")
    found = await reader.subtitles(("films", "film.mkv"))
    assert [(each.number, each.language) for each in found] == [(0, "en"), (1, "fr"), (2, "ar"), (3, "de")]
    assert (await reader.cues(found[1])).cues == CUES
    assert (await reader.cues(found[3])).cues == [Cue(1.0, 2.0, "film.de.srt")]


@pytest.mark.requirement("SEC-6")
async def test_onlyWhatIsShown(reader: SubtitleReader, films: Path, tmp_path: Path) -> None:
    """Nothing outside of the library is read by the name of a film."""
    (tmp_path / "secret.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nsecret")
    (films / "film.en.srt").symlink_to(tmp_path / "secret.srt")
    (films / "film.fr.srt").mkdir()
    os.mkfifo(films / "film.it.srt")
    beside(films, "film.de.srt")
    found = await reader.subtitles(("films", "film.mkv"))
    assert [each.language for each in found if isinstance(each.source, SideCar)] == ["de"]


async def test_remembered(reader: SubtitleReader, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is not read again until it changes."""
    read: list[str] = []

    def counted(name: str) -> None:
        function = getattr(subtitlereader, name)
        monkeypatch.setattr(subtitlereader, name, lambda path, *rest: read.append(name) or function(path, *rest))

    for name in ("findEmbedded", "readEmbedded", "readSideCar"):
        counted(name)
    beside(films, "film.de.srt")
    monkeypatch.setattr(subtitlereader, "_BELIEVED", 0)
    for _ in range(3):
        found = await reader.subtitles(("films", "film.mkv"))
        for each in found:
            await reader.cues(each)
    assert sorted(read) == ["findEmbedded", "readEmbedded", "readSideCar"]
    (films / "film.de.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nchanged")
    *_, last = await reader.subtitles(("films", "film.mkv"))
    assert (await reader.cues(last)).cues == [Cue(1.0, 2.0, "changed")]


async def test_openedOnce(reader: SubtitleReader, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has opened the film knows what is in it; unless it is another one by now."""
    presentation = await reader._library.presentation(("films", "film.mkv"))
    wanted = await reader.subtitles(("films", "film.mkv"))
    reader.close()
    opened: list[str] = []
    monkeypatch.setattr(subtitlereader, "findEmbedded", lambda path: opened.append(path) or findEmbedded(path))
    assert await reader.subtitles(("films", "film.mkv"), presentation) == wanted
    assert not opened
    reader.close()
    os.utime(films / "film.mkv", (1, 1))
    assert len(await reader.subtitles(("films", "film.mkv"), presentation)) == len(wanted)
    assert len(opened) == 1


async def test_believedForAMoment(reader: SubtitleReader, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A player that asks for a hundred parts does not have the folder looked at a hundred times."""
    before = await reader.subtitles(("films", "film.mkv"))
    beside(films, "film.de.srt")
    assert await reader.subtitles(("films", "film.mkv")) == before
    monkeypatch.setattr(subtitlereader, "_BELIEVED", 0)
    assert len(await reader.subtitles(("films", "film.mkv"))) == 3


async def test_nothing(reader: SubtitleReader) -> None:
    for segments in (("films", "none.mkv"), ("films",), ("other",), ()):
        with pytest.raises(NotFound):
            await reader.subtitles(segments)


async def test_noFilm(reader: SubtitleReader, films: Path) -> None:
    """A song or a playlist has what lies beside it."""
    (films / "song.txt").write_text("no media")
    beside(films, "song.en.srt")
    (only,) = await reader.subtitles(("films", "song.txt"))
    assert (only.number, only.language) == (0, "en")
