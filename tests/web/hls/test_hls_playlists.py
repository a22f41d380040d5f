"""Playlists: a lint of our own and PyPI's m3u8 find nothing wrong, and what they say is so."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from pathlib import Path

import m3u8
import pytest
from hlslint import attributes, lint
from hlsrig import FILMS, FakeSequence, packageOf
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.presentation import FilePresentation
from mediasrv.web.browsers import carriedByBrowsers
from mediasrv.web.hls.naming import Name
from mediasrv.web.hls.package import Package
from mediasrv.web.hls.playlists import Entry, Rendition, Subtitle, Variant, mediaPlaylist, multivariantPlaylist
from mediasrv.web.hls.texts import indexOf, playlistOf


def playlistsOf(package: Package, *subtitles: Subtitle) -> dict[str, str]:
    """All of them, by what they are called below the file."""
    index = indexOf(package, subtitles)
    found = {"index.m3u8": index}
    for uri in re.findall(rf"hls/{package.version}/(\S+?\.m3u8)", index):
        name = nameOf(uri)
        found[uri] = playlistOf(package, name)
    return found


def nameOf(uri: str) -> Name:
    kinds = {"t": "playlist", "s": "captions"}
    track = int(re.findall(r"\d+", uri)[0])
    return Name("keyFrames" if "key" in uri else kinds[uri[0]], track)  # type: ignore[arg-type]  # one of the kinds


@pytest.mark.requirement("HLS-1", "HLS-2", "HLS-3", "HLS-5")
@pytest.mark.parametrize("kind", FILMS)
def testNothingIsWrong(kind: str, tmp_path: Path) -> None:
    package = packageOf(FILMS[kind].make(tmp_path))
    found = playlistsOf(package, Subtitle(0, "eng"), Subtitle(1, "de", 'Für "Kenner"', forced=True))
    assert len(found) > 2
    for name, text in found.items():
        assert (name, lint(text.encode())) == (name, [])
        parsed = m3u8.loads(text)
        assert parsed.is_variant == (name == "index.m3u8")
        if not parsed.is_variant:
            assert parsed.is_endlist
            assert parsed.target_duration == ceil(max(each.duration for each in parsed.segments))
            # EXTINF has six decimals
            assert sum(Fraction(each) for each in re.findall("#EXTINF:([0-9.]+)", text)) == Fraction(
                f"{package.presentation.duration:.6f}"
            )


@pytest.mark.requirement("HLS-3")
@pytest.mark.parametrize("kind", FILMS)
def testBandwidthIsEnough(kind: str, tmp_path: Path) -> None:
    """No segment takes more; and the numbers are not made up."""
    package = packageOf(FILMS[kind].make(tmp_path))
    variant = attributes(next(line for line in indexOf(package).splitlines() if "STREAM-INF" in line))
    tracks = [each for each in (package.video, *package.sounds[:1]) if each is not None]
    segments = [package.make(number) for number in range(len(package.segments))]
    sizes = [sum(len(made.data[track.index]) for track in tracks) for made in segments]
    peak = max(
        size * 8 / segment.duration
        for size, segment in zip(sizes, package.segments, strict=True)
        if segment.duration >= 2
    )
    average = sum(sizes) * 8 / package.presentation.duration
    assert peak <= int(variant["BANDWIDTH"]) <= 3 * peak + 50_000
    # what the other sounds take is not known of Matroska
    most = 5 if kind == "several sounds" else 2
    assert average * 0.9 <= int(variant["AVERAGE-BANDWIDTH"]) <= most * average + 50_000


@pytest.mark.requirement("HLS-3", "HLS-5")
def testChoices(tmp_path: Path) -> None:
    """The sounds by language, of the codec of the one that is played if nobody says anything."""
    package = packageOf(FILMS["several sounds"].but(audio=("aac", "aac", "libopus")).make(tmp_path))
    for track, (language, title) in zip(
        package.sounds, [("eng", ""), ("ger", 'Der "Kommentar"'), ("fre", "")], strict=True
    ):
        object.__setattr__(track, "language", language)
        object.__setattr__(track, "title", title)
    text = indexOf(package)
    media = [attributes(line) for line in text.splitlines() if line.startswith("#EXT-X-MEDIA")]
    assert [(each["NAME"], each["LANGUAGE"], each.get("DEFAULT")) for each in media] == [
        ('"English"', '"en"', "YES"),
        ("\"Der 'Kommentar'\"", '"de"', None),
    ]
    second = indexOf(package, audio=2)
    assert [attributes(line).get("DEFAULT") for line in second.splitlines() if "X-MEDIA:" in line] == [None, "YES"]
    french = indexOf(package, audio=3)
    assert re.findall('LANGUAGE="(..)"', french) == ["fr"]
    assert "opus" in french
    assert "mp4a" not in french
    for each in (text, second, french):
        assert lint(each.encode()) == []
    assert indexOf(package, audio=99) == text


def testSoundAlone(tmp_path: Path) -> None:
    """One needs no choice, several do."""
    package = packageOf(FILMS["ogg"].make(tmp_path))
    assert "EXT-X-MEDIA" not in indexOf(package)
    several = packageOf(
        FILMS["several sounds"].but(name="b.mka", video=(), audio=("aac", "aac"), format="matroska").make(tmp_path)
    )
    text = indexOf(several)
    assert text.count("#EXT-X-MEDIA:TYPE=AUDIO") == 2
    assert lint(text.encode()) == []


@pytest.mark.requirement("HLS-2")
def testSeams(tmp_path: Path) -> None:
    """Each section after the first begins with a discontinuity and an init segment of its own."""
    (tmp_path / "b").mkdir()
    paths = FILMS["B-frames"].make(tmp_path), FILMS["ts"].but(seconds=6).make(tmp_path / "b")
    sequence = FakeSequence([FilePresentation(path, carriedByBrowsers, 2.0, "web") for path in paths])
    package = Package(sequence, 4.0)  # type: ignore[arg-type]  # it has what is needed
    assert set(package.codecStrings(0)) == set(
        attributes(indexOf(package).splitlines()[4])["CODECS"].strip('"').split(",")[:-1]
    )
    for name, text in playlistsOf(package).items():
        assert (name, lint(text.encode())) == (name, [])
    lines = playlistOf(package, Name("playlist", 1)).splitlines()
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at + 1] == '#EXT-X-MAP:URI="t1-init1.mp4"'
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert "t1-2.m4s" in lines[:at]
    assert "t1-3.m4s" in lines[at:]


def testNoSuchTrack(tmp_path: Path) -> None:
    package = packageOf(FILMS["mp4"].make(tmp_path))
    for name in (Name("playlist", 2), Name("keyFrames", 1)):
        with pytest.raises(KeyError):
            playlistOf(package, name)


def testIndependence() -> None:
    """It is promised only where it holds."""
    entries = [Entry("a", 0.0, 4.0, "i"), Entry("b", 4.0, 8.0, "i")]
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in mediaPlaylist(entries)
    assert "#EXT-X-INDEPENDENT-SEGMENTS" not in mediaPlaylist(entries, independent=False)


def testRanges() -> None:
    """Of brightness, if they are known."""
    found = [
        multivariantPlaylist([Variant("a", 1, codecs=["avc1.4D401F"], size=(4, 3), transfer=each)])
        for each in (1, 2, 16, 18)
    ]
    assert [re.findall("VIDEO-RANGE=(...?)", each) for each in found] == [["SDR"], [], ["PQ"], ["HLG"]]
    assert all(lint(each.encode()) == [] for each in found)


@given(st.text())
def testNames(name: str) -> None:
    """Any title fits into a line."""
    text = multivariantPlaylist(
        [Variant("a", 1, codecs=["opus"], audio="s")], [Rendition("AUDIO", "s", "b", name, "en", True, channels=2)]
    )
    assert lint(text.encode(errors="replace")) == []


_MEDIA = mediaPlaylist([Entry("a.m4s", 0.0, 4.0, "i"), Entry("b.m4s", 4.0, 9.5, "i")])
_INDEX = multivariantPlaylist(
    [Variant("a", 2, 1, ["avc1.4D401F", "mp4a.40.2"], (4, 3), Fraction(25), audio="s")],
    [Rendition("AUDIO", "s", "b", "one", "en", True, channels=2), Rendition("AUDIO", "s", "c", "two", channels=2)],
    [Variant("k", 1, codecs=["avc1.4D401F"], size=(4, 3))],
)


@pytest.mark.parametrize(
    ("text", "former", "later"),
    [
        (_MEDIA, "#EXTM3U\n", ""),
        (_MEDIA, "#EXTM3U", "\ufeff#EXTM3U"),
        (_MEDIA, "VERSION:6", "VERSION:5"),
        (_MEDIA, "TARGETDURATION:6", "TARGETDURATION:5"),
        (_MEDIA, "#EXT-X-TARGETDURATION:6\n", ""),
        (_MEDIA, "#EXT-X-ENDLIST\n", ""),
        (_MEDIA, "TYPE:VOD", "TYPE:EVENT"),
        (_MEDIA, "5.500000", "5.5"),
        (_MEDIA, "#EXTINF:5.500000,\n", ""),
        (_MEDIA, "b.m4s\n", ""),
        (_MEDIA, "b.m4s", "a.m4s"),
        (_MEDIA, '#EXT-X-MAP:URI="i"\n', ""),
        (_MEDIA, "#EXTINF:5", '#EXT-X-MAP:URI="j"\n#EXTINF:5'),
        (_MEDIA, "#EXT-X-PLAYLIST", "#EXT-X-PLAYLISTS"),
        (_INDEX, 'NAME="two"', 'NAME="one"'),
        (_INDEX, "DEFAULT=YES,", ""),
        (_INDEX, "AUTOSELECT=YES,", ""),
        (_INDEX, 'LANGUAGE="en"', 'LANGUAGE="English!"'),
        (_INDEX, 'CHANNELS="2",URI="c"', 'URI="c"'),
        (_INDEX, 'AUDIO="s"', 'AUDIO="t"'),
        (_INDEX, "BANDWIDTH=2,", "BANDWIDTH=0,"),
        (_INDEX, "AVERAGE-BANDWIDTH=1", "AVERAGE-BANDWIDTH=3"),
        (_INDEX, "avc1.4D401F,mp4a", "h264,mp4a"),
        (_INDEX, "RESOLUTION=4x3,FRAME", "FRAME"),
        (_INDEX, "FRAME-RATE=25.000", "FRAME-RATE=25"),
        (_INDEX, ',URI="k"', ""),
    ],
)
def testTheLintSeesIt(text: str, former: str, later: str) -> None:
    """A judge who finds nothing is worth something only if he would."""
    assert lint(text.encode()) == []
    assert text.count(former) >= 1
    assert lint(text.replace(former, later, 1).encode()) != []
