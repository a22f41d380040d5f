"""What is read of files of every kind, in order and out of order."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from mediasrv.media.containers import Container
from mediasrv.media.files import NotMedia
from mediasrv.media.presentation import FilePresentation
from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:av")


def readAll(presentation: FilePresentation) -> list[Fragment]:
    return [presentation.read(number) for number in range(len(presentation.cuts))]


def joined(units: list[Unit]) -> bytes:
    return b"".join(unit.data for unit in units)


def packetsOf(path: str) -> dict[int, list[bytes]]:
    """What PyAV alone finds in the file, by stream."""
    packets: dict[int, list[bytes]] = {}
    with av.open(path) as container:
        for packet in container.demux():
            if packet.size:
                packets.setdefault(packet.stream.index, []).append(bytes(packet))
    return packets


@pytest.mark.parametrize("kind", FILMS)
def test_fragments(kind, tmp_path):
    """Fragments in order hold all of the file once; any order gives the same ones; each starts as it was planned."""
    path = FILMS[kind].make(tmp_path)
    presentation = FilePresentation(path, carriesTrack, 2.0)
    fragments = readAll(presentation)
    streams = sorted(packetsOf(path).items())
    assert len(presentation.tracks) == len(streams)
    for index, (_, packets) in enumerate(streams):
        units = [unit for fragment in fragments for unit in fragment.units[index]]
        # cut or decoded, PCM comes in other pieces; a JPEG may be coded anew
        if not presentation.tracks[index].codec.startswith(("pcm_", "mjpeg")):
            assert [unit.data for unit in units] == packets
        times = [unit.dts for unit in units]
        assert times == sorted(times)
    order = list(range(len(fragments))) * 2
    random.Random(1).shuffle(order)
    for number in order:
        again = presentation.read(number)
        assert again.start == fragments[number].start
        for expected, units in zip(fragments[number].units, again.units, strict=True):
            assert joined(units) == joined(expected)
            assert [unit.pts for unit in units[:1]] == [unit.pts for unit in expected[:1]]
    for cut, fragment in zip(presentation.cuts, fragments, strict=True):
        if cut.key and presentation.tracks[0].kind == "video":
            assert fragment.units[0][0].key
            assert fragment.start == fragment.units[0][0].pts == pytest.approx(cut.pts, abs=1e-6)
    presentation.close()


CUTS = {
    "two key frames a second": [0, 2, 4],
    "all key frames": [0, 2, 4],
    "B-frames": [0, 2, 4],
    "key frames far apart": [0, 10, 20, 30],
    "one key frame": [0, 10, 20],
    "sound goes on": [0, 2, 12, 22, 32],
    "varying rate": [0, 2.6, 4.9],
}


@pytest.mark.parametrize("kind", CUTS)
def test_cuts(kind, tmp_path):
    presentation = FilePresentation(FILMS[kind].make(tmp_path), carriesTrack, 2.0)
    assert [cut.pts for cut in presentation.cuts] == pytest.approx(CUTS[kind], abs=0.001)
    presentation.close()


def test_nothingTimed(tmp_path):
    """A raw stream of H.264 says of no picture when it is shown: they follow each other."""
    presentation = FilePresentation(
        Film("a.h264", video=("libx264",), audio=(), rate=25).make(tmp_path), carriesTrack, 2.0
    )
    assert [cut.pts for cut in presentation.cuts] == pytest.approx([0, 2, 4])
    assert presentation.duration == pytest.approx(6)
    inOrder = [joined(fragment.units[0]) for fragment in readAll(presentation)]
    assert [joined(presentation.read(number).units[0]) for number in (2, 0, 1)] == [inOrder[2], *inOrder[:2]]
    presentation.close()


JOINED = {
    "back, ts": (Film("a.ts", video=("libx264",), bFrames=2, offset=100.0), Film("b.ts", video=("libx264",))),
    "ahead, ts": (Film("a.ts", video=("libx264",), bFrames=2), Film("b.ts", video=("libx264",), offset=100.0)),
    "mpeg": (FILMS["mpeg"].but(seconds=6), FILMS["mpeg"].but(seconds=6, name="b.mpg")),
    "ogg": (FILMS["ogg"], FILMS["ogg"].but(name="b.ogg")),
}


@pytest.mark.parametrize("kind", JOINED)
def test_joinedFiles(kind, tmp_path):
    """Where the clock jumps NPT goes straight on, for all tracks alike and in any order of reading."""
    former, latter = (Path(film.make(tmp_path)) for film in JOINED[kind])
    path = tmp_path / f"joined{former.suffix}"
    path.write_bytes(former.read_bytes() + latter.read_bytes())
    presentation = FilePresentation(str(path), carriesTrack, 2.0)
    assert presentation.duration == pytest.approx(12, abs=0.3)
    fragments = readAll(presentation)
    for index in range(len(presentation.tracks)):
        units = [unit for fragment in fragments for unit in fragment.units[index]]
        steps = [later.dts - sooner.dts for sooner, later in pairwise(units)]
        assert min(steps) >= 0
        assert max(steps) < 0.4
    starts = [units[0].pts for units in fragments[-2].units]
    assert max(starts) - min(starts) < 0.1
    again = FilePresentation(str(path), carriesTrack, 2.0)
    order = list(range(len(fragments)))
    random.Random(1).shuffle(order)
    for number in order:
        again.close()  # what is learnt of the clock outlives the open file
        assert again.read(number) == fragments[number]
    again.close()
    presentation.close()


def test_cutOffMatroska(tmp_path):
    """Its cues were to come at the end: what FFmpeg came across at the beginning is not all that there is."""
    path = Path(FILMS["mkv"].but(seconds=20).make(tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    presentation = FilePresentation(str(path), carriesTrack, 2.0)
    assert presentation.duration == pytest.approx(15, abs=1)
    assert [cut.pts for cut in presentation.cuts] == pytest.approx([0, 2, 4, 6, 8, 10, 12, 14], abs=0.3)
    presentation.close()


def test_chainOfDifferentStreams(tmp_path):
    """FFmpeg gives up where an Ogg file goes on with other parameters: what comes before plays, and again."""
    former = Path(FILMS["ogg"].make(tmp_path)).read_bytes()
    with av.open(str(tmp_path / "b.ogg"), "w") as container:
        stream = container.add_stream("libopus", rate=48000, layout="stereo")
        frame = av.AudioFrame(format="s16", layout="stereo", samples=48000)
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    path = tmp_path / "chain.ogg"
    path.write_bytes(former + (tmp_path / "b.ogg").read_bytes())
    presentation = FilePresentation(str(path), carriesTrack, 2.0)
    for _ in range(2):
        assert len([unit for fragment in readAll(presentation) for unit in fragment.units[0]]) > 250
    presentation.close()


def test_soundGridOfMilliseconds(tmp_path):
    """Matroska rounds to milliseconds; frames of 1024 samples are 64/3 ms long."""
    presentation = FilePresentation(FILMS["mkv"].make(tmp_path), carriesTrack, 2.0)
    times = [unit.pts for fragment in readAll(presentation) for unit in fragment.units[1]]
    steps = {round((later - sooner) * 48000, 6) for sooner, later in pairwise(times)}
    assert steps == {1024}
    presentation.close()


@pytest.mark.parametrize("kind", ["starts late", "starts late, ts"])
def test_startsAtZero(kind, tmp_path):
    """Whatever the clock of the file says at its beginning."""
    presentation = FilePresentation(FILMS[kind].make(tmp_path), carriesTrack, 2.0)
    first = presentation.read(0)
    assert min(units[0].pts for units in first.units) == pytest.approx(0, abs=1e-6)
    assert presentation.duration == pytest.approx(6, abs=0.05)
    presentation.close()


def test_priming(tmp_path):
    """The edit list of MP4 says that the first AAC frame comes before the beginning."""
    container = Container(FILMS["B-frames"].make(tmp_path), carriesTrack)
    units = list(container.reader.units())
    assert next(unit.pts for index, unit in units if index == 1) == pytest.approx(-1024 / 48000)
    assert next(unit.pts for index, unit in units if index == 0) == 0
    container.close()


def test_tracks(tmp_path):
    container = Container(FILMS["two videos"].make(tmp_path), carriesTrack)
    assert [(track.index, track.kind, track.codec) for track in container.tracks] == [
        (0, "video", "mpeg4"),
        (1, "video", "mpeg4"),
        (2, "audio", "aac"),
        (3, "audio", "aac"),
    ]
    video, sound = container.tracks[0], container.tracks[2]
    assert (video.width, video.height, video.frameRate) == (64, 48, Fraction(10))
    assert (sound.sampleRate, sound.channels, sound.extradata[:2]) == (48000, 1, b"\x11\x88")
    container.close()


def test_rewindGivesTheFirstPacket(tmp_path):
    for kind in ("mp4", "mkv", "ts", "mpeg", "avi", "flv", "ogg", "flac"):
        container = Container(FILMS[kind].make(tmp_path), carriesTrack)
        first = next(container.reader.units())
        container.reader.seek(4.0)
        assert next(container.reader.units()) != first
        container.reader.rewind()
        assert next(container.reader.units()) == first
        container.close()


def test_titleInAnotherEncoding(tmp_path):
    path = FILMS["avi"].but(metadata={"title": "AAAAAAAA"}).make(tmp_path)
    with open(path, "r+b") as file:
        data = file.read()
        file.seek(data.index(b"AAAAAAAA"))
        file.write(b"\xe9\xe9\xe9\xe9")
    container = Container(path, carriesTrack)
    assert len(container.tracks) == 2
    container.close()


@pytest.mark.requirement("SDP-6")
def test_uncarriableVideoIsLeftOut(tmp_path):
    container = Container(Film("a.mkv", video=("ffv1",), seconds=1).make(tmp_path), carriesTrack)
    assert [track.codec for track in container.tracks] == ["aac"]
    assert container.omitted == ["stream 0 (ffv1): RTP has no format for it"]
    container.close()
    with pytest.raises(NotMedia, match="ffv1"):
        Container(Film("b.mkv", video=("ffv1",), audio=(), seconds=1).make(tmp_path), carriesTrack)


def test_coverPicture(tmp_path):
    """A picture of the disc is no video."""
    path = str(tmp_path / "a.mp4")
    sound = Film("sound.mp4", video=(), seconds=1).make(tmp_path)
    with av.open(sound) as source, av.open(path, "w") as container:
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        copied = container.add_stream_from_template(source.streams.audio[0])
        container.mux(cover.encode(av.VideoFrame(16, 16, "rgb24")))
        container.mux(cover.encode(None))
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = copied
                container.mux(packet)
    opened = Container(path, carriesTrack)
    assert [track.kind for track in opened.tracks] == ["audio"]
    assert opened.omitted == []
    opened.close()


@pytest.mark.requirement("SEC-7")
def test_manyTracks(tmp_path):
    path = Film("a.mkv", video=(), audio=("pcm_s16le",) * 40, seconds=0.1).make(tmp_path)
    container = Container(path, carriesTrack)
    assert len(container.tracks) == 32
    assert len(container.omitted) == 8
    container.close()


def test_asksWithAUnitOnlyWhereThatMatters(tmp_path):
    asked: list[tuple[str, bool]] = []

    def carries(track: Track, sample: bytes | None) -> bool:
        asked.append((track.codec, sample is not None))
        return True

    Container(FILMS["mp4"].make(tmp_path), carries).close()
    assert asked == [("h264", False), ("aac", False)]
    asked.clear()
    Container(FILMS["jpeg"].make(tmp_path), carries).close()
    assert asked == [("mjpeg", False), ("mjpeg", True), ("pcm_s16le", False)]
