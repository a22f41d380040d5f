"""What is read of files of every kind, in order and out of order."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import av
import pytest

from mediasrv.media.containers import Container
from mediasrv.media.presentation import FilePresentation
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film
from tests.media.reading import joined, readAll

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:av")


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


def test_rewindGivesTheFirstPacket(tmp_path):
    for kind in ("mp4", "mkv", "ts", "mpeg", "avi", "flv", "ogg", "flac"):
        container = Container(FILMS[kind].make(tmp_path), carriesTrack)
        first = next(container.reader.units())
        container.reader.seek(4.0)
        assert next(container.reader.units()) != first
        container.reader.rewind()
        assert next(container.reader.units()) == first
        container.close()
