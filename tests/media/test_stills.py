"""Stills: the picture that is wanted, the right way up, in the right colours, whatever the file is."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediasrv.media import stills as module
from mediasrv.media.pictures import codeJPEG, shrink
from mediasrv.media.stills import NoPicture, StillSource, TookTooLong, stillStep, widthFor
from tests.media.films import FILMS, Film
from tests.media.picturebook import BLACK, BLUE, COMPASS, GREEN, RED, WHITE, Look, isLike, makeFilm, painted, rainbow


def stillOf(path: Any, seconds: float, width: int = 160) -> Look:
    with StillSource(str(path)) as source:
        return Look(source.still(seconds, width))


def posterOf(path: Any, width: int = 640) -> Look:
    with StillSource(str(path)) as source:
        return Look(source.poster(width))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mp4", {"bFrames": 2}),
        ("a.mkv", {"bFrames": 2}),
        ("a.webm", {"codec": "libvpx"}),
        ("a.avi", {"codec": "mpeg4"}),
        ("a.ts", {}),
        ("a.ts", {"offset": 60.0}),
        ("a.mpg", {"codec": "mpeg2video", "rate": 25, "gop": 25}),
        ("a.flv", {}),
        ("a.mov", {"codec": "mjpeg", "pixels": "yuvj420p"}),
        ("a.mp4", {"codec": "libx265", "pixels": "yuv420p10le"}),
        ("a.mp4", {"offset": 5.0}),
    ],
)
def test_place(name: str, options: Any, tmp_path: Path) -> None:
    """The key frame at or before a place, in any container."""
    path = makeFilm(tmp_path / name, rainbow, seconds=6, **options)
    for place in (0, 2.7, 4.1, 5.2):
        assert isLike(stillOf(path, place).quarters, rainbow(int(place)))
    assert isLike(stillOf(path, 1000).quarters, rainbow(5))


def test_keyFramesFarApart(tmp_path: Path) -> None:
    """The last one before: never what is still to come."""
    for name in ("a.mp4", "a.mkv", "a.ts"):
        path = makeFilm(tmp_path / name, rainbow, seconds=9, gop=32)
        assert [isLike(stillOf(path, at).quarters, rainbow(4)) for at in (3.9, 4.1, 7.9, 8.1)] == [
            False,
            True,
            True,
            False,
        ]


@pytest.mark.parametrize("name", sorted(FILMS))
def test_everyFilm(name: str, tmp_path: Path) -> None:
    film = FILMS[name]
    path = film.make(tmp_path)
    if not film.video:
        with pytest.raises(NoPicture):
            StillSource(path)
        return
    assert (posterOf(path).width, posterOf(path).height) == (64, 48)
    with StillSource(path) as source:
        # what it says, or is estimated from a bit rate
        assert source.duration > 1
        Look(source.still(source.duration / 2, 160))


@pytest.mark.parametrize(
    ("rotation", "turned"),
    [
        (0, COMPASS),
        (90, (GREEN, WHITE, RED, BLUE)),
        (180, (WHITE, BLUE, GREEN, RED)),
        (-90, (BLUE, RED, WHITE, GREEN)),
    ],
)
def test_upright(rotation: int, turned: Any, tmp_path: Path) -> None:
    path = makeFilm(tmp_path / "a.mp4", seconds=1, rotation=rotation)
    look = posterOf(path)
    assert isLike(look.quarters, turned)
    assert (look.width, look.height) == ((96, 192) if rotation % 180 else (192, 96))


@pytest.mark.parametrize(
    ("size", "aspect", "rotation", "width", "expected"),
    [
        ((192, 96), None, 0, 160, (160, 80)),
        ((192, 96), None, 0, 640, (192, 96)),
        ((192, 96), Fraction(2), 0, 640, (384, 96)),
        ((192, 96), Fraction(2), 0, 160, (160, 40)),
        ((192, 96), Fraction(1, 2), 0, 640, (192, 192)),
        ((192, 96), Fraction(2), 90, 640, (96, 384)),
        ((192, 96), Fraction(50), 0, 160, (160, 80)),
        ((96, 1000), None, 0, 160, (46, 480)),
    ],
)
def test_shape(size: Any, aspect: Any, rotation: int, width: int, expected: Any, tmp_path: Path) -> None:
    """Square pixels, not larger than there are, not endlessly high."""
    path = makeFilm(tmp_path / "a.mkv", seconds=1, size=size, aspect=aspect)
    if rotation:
        path = makeFilm(tmp_path / "a.mp4", seconds=1, size=size, aspect=aspect, rotation=rotation)
    look = posterOf(path, width)
    assert (look.width, look.height) == expected
    assert isLike(look.quarters, COMPASS if not rotation else (GREEN, WHITE, RED, BLUE))


def test_colours(tmp_path: Path) -> None:
    """JPEG is BT.601 with full range, television BT.709 with half of it."""
    frame = painted(COMPASS, 64, 48)
    for name in ("ITU601", "ITU709"):
        for pixels in ("yuv420p", "yuv422p10le"):
            coded = frame.reformat(format=pixels, dst_colorspace=name, dst_color_range="MPEG")
            assert isLike(Look(codeJPEG(shrink(coded, 64, None))).quarters, COMPASS, 6)
    assert isLike(Look(codeJPEG(shrink(frame, 64, None))).quarters, COMPASS, 6)


def test_highDynamicRange() -> None:
    """Brightness beyond that of screens comes down: what was 100 of 10000 candela is not black."""
    frame = painted((WHITE,) * 4, 64, 48)
    coded = frame.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range="MPEG")
    plain = Look(codeJPEG(shrink(coded, 64, None))).at(0.5, 0.5)[0]
    half = painted(((128,) * 3,) * 4, 64, 48)
    coded = half.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range="MPEG")
    asIs = Look(codeJPEG(shrink(coded, 64, None))).at(0.5, 0.5)[0]
    coded.color_trc, coded.color_primaries = 16, 9
    mapped = Look(codeJPEG(shrink(coded, 64, None))).at(0.5, 0.5)[0]
    assert plain > 220
    assert mapped > asIs + 20


def test_metadata(tmp_path: Path) -> None:
    """A JFIF file with nothing in it that says who made it, or where."""
    with StillSource(Film("a.mp4", metadata={"title": "secret"}).make(tmp_path)) as source:
        data = source.poster(640)
    assert data[6:10] == b"JFIF"
    assert b"Lavc" not in data
    assert b"secret" not in data


@pytest.mark.parametrize(
    ("shown", "second"),
    [
        (lambda second: (BLACK,) * 4 if second < 3 else COMPASS, 3),
        (lambda second: COMPASS if second == 5 else ((20, 20, 20),) * 4, 5),
        (lambda second: COMPASS if second == 2 else (WHITE,) * 4, 2),
        (lambda second: (WHITE,) * 4, 0),
        (lambda second: (BLACK,) * 4, 0),
    ],
)
def test_poster(shown: Any, second: int, tmp_path: Path) -> None:
    """Neither black nor empty, if there is something else where it looks."""
    path = makeFilm(tmp_path / "a.mp4", shown, seconds=10)
    assert isLike(posterOf(path).quarters, shown(second))


def test_posterOfOneKeyFrame(tmp_path: Path) -> None:
    """A clip that fades in from black and has no key frame afterwards."""
    path = makeFilm(tmp_path / "a.mp4", lambda second: (BLACK,) * 4 if second < 4 else COMPASS, seconds=10, gop=200)
    assert isLike(posterOf(path).quarters, COMPASS)


# Covers


def cover(codec: str = "mjpeg", size: tuple[int, int] = (96, 96)) -> bytes:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": "2", "qmax": "2"} if codec == "mjpeg" else {}
    frame = painted(COMPASS, *size).reformat(format=encoder.pix_fmt, dst_colorspace="ITU601", dst_color_range="JPEG")
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


def withCover(path: Path, audio: str, codec: str, data: bytes) -> str:
    """A piece of music with a cover."""
    # what FFmpeg calls ipod takes no covers
    with av.open(str(path), "w", format="mp4" if path.suffix == ".m4a" else None) as container:
        stream: Any = container.add_stream(audio, rate=48000, layout="mono")
        picture: Any = container.add_stream(codec, rate=25)
        picture.width, picture.height = 96, 96
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic
        packet = av.Packet(data)
        packet.stream = picture
        packet.pts = packet.dts = 0
        packet.time_base = Fraction(1, 25)
        packet.is_keyframe = True
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=48000)
        sound = []
        for start in range(0, 48000, 4800):
            frame = av.AudioFrame(format="s16", layout="mono", samples=4800)
            frame.planes[0].update(bytes(9600))
            frame.sample_rate, frame.pts = 48000, start
            for converted in resampler.resample(frame):
                sound += stream.encode(converted)
        for each in (packet, *sound, *stream.encode(None)):
            container.mux(each)
    return str(path)


@pytest.mark.parametrize(("name", "audio"), [("a.mp3", "mp3"), ("a.m4a", "aac"), ("a.flac", "flac")])
@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_cover(name: str, audio: str, codec: str, tmp_path: Path) -> None:
    path = withCover(tmp_path / name, audio, codec, cover(codec))
    assert isLike(posterOf(path).quarters, COMPASS)
    assert posterOf(path, 160).width == 96
    with StillSource(path) as source, pytest.raises(NoPicture):
        source.still(0, 160)


def test_damagedCover(tmp_path: Path) -> None:
    data = cover("png")
    path = withCover(tmp_path / "a.flac", "flac", "png", data[:40] + bytes(len(data) - 40))
    with StillSource(path) as source, pytest.raises(NoPicture):
        source.poster(160)


def test_coverOfAFilmWithoutPictures(tmp_path: Path) -> None:
    """Where nothing of the film can be decoded, its cover stands for it."""
    path = Path(withCover(tmp_path / "a.mp4", "aac", "mjpeg", cover()))
    with StillSource(str(path)) as source:
        source._video = None
        assert isLike(Look(source.poster(160)).quarters, COMPASS)


# Files that are no films


@pytest.mark.requirement("SEC-7")
def test_bomb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pixels are bounded, whether the container says how many there are or only the codec knows."""
    monkeypatch.setattr(module, "_LARGEST", 5000)
    film = makeFilm(tmp_path / "a.mp4", size=(96, 64), seconds=1)
    for ask in (lambda source: source.poster(160), lambda source: source.still(0, 160)):
        with StillSource(film) as source, pytest.raises(NoPicture, match="96 x 64"):
            ask(source)
    music = withCover(tmp_path / "a.mp3", "mp3", "png", cover("png"))
    with StillSource(music) as source, pytest.raises(NoPicture):
        source.poster(160)


@pytest.mark.requirement("SEC-7")
def test_bombLater(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The decoder keeps to the limit too: pictures may grow in the middle of a film."""
    small = makeFilm(tmp_path / "small.ts", size=(64, 48), seconds=3)
    large = makeFilm(tmp_path / "large.ts", size=(192, 96), seconds=3, offset=3.0)
    path = tmp_path / "both.ts"
    path.write_bytes(Path(small).read_bytes() + Path(large).read_bytes())
    assert [stillOf(path, seconds).width for seconds in (1, 4)] == [64, 160]
    monkeypatch.setattr(module, "_LARGEST", 10_000)
    assert stillOf(path, 1).width == 64
    with pytest.raises(NoPicture):
        stillOf(path, 4)


@pytest.mark.requirement("SEC-7")
@pytest.mark.parametrize("content", [b"", b"no media", b"ID3" + bytes(1000), b"\x1aE\xdf\xa3" * 100, b"RIFF" * 500])
def test_noMedia(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(NoPicture):
        posterOf(path)


@pytest.mark.requirement("SEC-7")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is wrong with a file: a picture, or our own error."""
    kind = data.draw(st.sampled_from(sorted(_bytesOf)))
    content = bytearray(_bytesOf[kind](tmp_path_factory))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=40)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / f"a.{kind}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for ask in (lambda source: source.poster(160), lambda source: source.still(1.5, 160)):
        try:
            with StillSource(str(path)) as source:
                Look(ask(source))
        except NoPicture:
            pass


_made: dict[str, bytes] = {}


def _sample(kind: str, factory: pytest.TempPathFactory) -> bytes:
    if kind not in _made:
        codec = {"avi": "mpeg4", "webm": "libvpx"}.get(kind, "libx264")
        path = makeFilm(factory.mktemp("sample") / f"a.{kind}", rainbow, seconds=2, codec=codec, size=(64, 48))
        _made[kind] = Path(path).read_bytes()
    return _made[kind]


_bytesOf = {kind: lambda factory, kind=kind: _sample(kind, factory) for kind in ("mp4", "mkv", "ts", "avi", "webm")}


def test_truncated(tmp_path: Path) -> None:
    """Its index promises pictures that are not there: the poster is made of those that are."""
    path = tmp_path / "a.mkv"
    makeFilm(path, rainbow, seconds=8)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    assert isLike(posterOf(path).quarters, rainbow(0))


def test_patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is not looked for without end; and what was not found in time may be found later."""
    path = makeFilm(tmp_path / "a.mp4", rainbow, seconds=2)
    monkeypatch.setattr(module, "_PATIENCE", -1.0)
    with StillSource(path) as source, pytest.raises(TookTooLong):
        source.poster(160)
    with StillSource(path) as source:
        source._deadline = time.monotonic() + 60
        frames = source._candidates

        def late(width: int) -> Any:
            yield next(frames(width))
            raise TookTooLong("late")

        monkeypatch.setattr(source, "_candidates", late)
        monkeypatch.setattr(module, "_FLAT", 1000)
        assert isLike(Look(source.poster(160)).quarters, rainbow(0))


def test_onlyInThreads(tmp_path: Path) -> None:
    """It is used in any thread, several at a time."""
    path = makeFilm(tmp_path / "a.mp4", rainbow, seconds=4)
    looks: list[Look] = []
    threads = [threading.Thread(target=lambda: looks.append(stillOf(path, 2))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [isLike(look.quarters, rainbow(2)) for look in looks] == [True] * 4


def test_quiet(tmp_path: Path) -> None:
    """FFmpeg's remarks on a damaged file do not get into the server's output."""
    path = tmp_path / "a.mkv"
    makeFilm(path, rainbow, seconds=2)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :: 50] = bytes(len(content[len(content) // 2 :: 50]))
    path.write_bytes(content)
    script = (
        "import sys; from mediasrv.media.stills import *\n"
        "try: StillSource(sys.argv[1]).poster(160)\nexcept NoPicture: pass"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_grid() -> None:
    """At most 240 stills of a file."""
    assert [stillStep(duration) for duration in (0, 10, 240, 241, 7200, 86400)] == [1, 1, 1, 2, 30, 360]
    assert [widthFor(wanted) for wanted in (0, 160, 161, 600, 640, 4000)] == [160, 160, 240, 640, 640, 640]
