"""What segments hold: every unit of the file once, with its bytes and at its time, as FFmpeg's demuxer reads them."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from hlsrig import FILMS, H264, FakeSequence, bare, decoded, packageOf, played, unitsOf, wholeOf

from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import FilePresentation, Presentation
from mediasrv.streaming.fmp4.boxes import boxesIn, find
from mediasrv.web.browsers import carriedByBrowsers
from mediasrv.web.hls.package import Package
from mediasrv.web.hls.texts import indexOf
from tests.media.films import Film

#: seconds: a tick of the coarsest clock (44.1 kHz is finer than 1 ms of Matroska)
_TICK = 1 / 44100


@pytest.mark.requirement("HLS-4")
@pytest.mark.parametrize("kind", FILMS)
def testEveryUnitOnce(kind: str, tmp_path: Path) -> None:
    package = packageOf(FILMS[kind].make(tmp_path))
    assert len(package.segments) > 1
    assert len(package.tracks) == len(FILMS[kind].video) + len(FILMS[kind].audio)
    for track in package.tracks:
        units, samples = unitsOf(package, track.index), played(wholeOf(package, track.index))
        assert [sample.data for sample in samples] == [bare(track, unit.data) for unit in units]
        assert [sample.key for sample in samples] == [unit.key for unit in units]
        for sample, unit in zip(samples, units, strict=True):
            assert sample.pts == pytest.approx(unit.pts, abs=_TICK)
            assert sample.dts == pytest.approx(unit.dts, abs=_TICK)


@pytest.mark.requirement("HLS-4")
@pytest.mark.parametrize("kind", ["B-frames", "ts", "mkv", "vp9", "av1", "hevc", "adts"])
def testItDecodes(kind: str, tmp_path: Path) -> None:
    """To the same pictures and sounds as the file."""
    path = FILMS[kind].make(tmp_path)
    package = packageOf(path)
    for track in package.tracks:
        with av.open(path) as file, av.open(io.BytesIO(wholeOf(package, track.index))) as segments:
            ours, theirs = decoded(segments, segments.streams[0]), decoded(file, file.streams[track.index])
        assert len(ours) > 10
        # WebM says how much of the last frame of Opus is to be left out
        assert (ours, len(ours)) == (theirs, len(theirs)) or (ours[:-1] == theirs[:-1] and track.codec == "opus")


@pytest.mark.parametrize("degrees", [90, 180, 270])
def testTurned(degrees: int, tmp_path: Path) -> None:
    """What a telephone was held like is said of the pictures, and of their size."""
    path = H264.but(rotation=degrees, seconds=2).make(tmp_path)
    package = packageOf(path)
    size = "64x48" if degrees == 180 else "48x64"
    assert indexOf(package).count(f"RESOLUTION={size}") == 2
    with av.open(io.BytesIO(wholeOf(package, 0))) as segments, av.open(path) as file:
        ours: Any = next(segments.decode(segments.streams[0]))
        theirs: Any = next(file.decode(file.streams[0]))
    assert (ours.rotation, ours.width, ours.height) == (theirs.rotation, theirs.width, theirs.height)
    assert ours.rotation % 360 == 360 - degrees
    # what is turned about the upper left corner is moved back to where it was
    header = find(package.init(0, 0), b"moov", b"trak", b"tkhd")
    a, b, _, c, d, _, x, y, _ = (number >> 16 for number in struct.unpack(">9i", header[40:76]))
    corners = {(a * across + c * down + x, b * across + d * down + y) for across in (0, 64) for down in (0, 48)}
    width, height = package.tracks[0].shownSize
    assert corners == {(0, 0), (width, 0), (0, height), (width, height)}


#: H.264 whose key frames, but for the first, are recovery points: pictures after them name pictures before them
OPEN = {
    "open-gop": "1",
    "bf": "2",
    "x264-params": "keyint=10:min-keyint=10:scenecut=0:bframes=2:open-gop=1:aud=1",
}


@pytest.mark.requirement("HLS-4")
@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def testNobodyStartsInAnOpenGroup(name: str, tmp_path: Path) -> None:
    """A player may start with a segment, and within it with an IDR alone; the pictures are what they were."""
    path = H264.but(name=name, bFrames=2, codecOptions=OPEN).make(tmp_path)
    package = packageOf(path)
    init = package.init(0, 0)
    assert sum(unit.key for unit in unitsOf(package, 0)) > 2 * len(package.segments)
    for number in range(len(package.segments)):
        first, *others = played(init + package.make(number).data[0])
        assert first.key
        assert not [sample for sample in others if sample.key]
    with av.open(path) as file, av.open(io.BytesIO(wholeOf(package, 0))) as segments:
        assert decoded(segments, segments.streams[0]) == decoded(file, file.streams[0])


@pytest.mark.requirement("HLS-4")
@pytest.mark.parametrize("kind", ["B-frames", "ts", "vp9"])
def testBoxes(kind: str, tmp_path: Path) -> None:
    """Each segment can be decoded by itself, starts where it says, and goes on where the one before ended."""
    package = packageOf(FILMS[kind].make(tmp_path))
    for track in package.tracks:
        assert [box for box, _ in boxesIn(package.init(track.index, 0))] == [b"ftyp", b"moov"]
        timescale = package.section(0)[track.index].format.timescale
        lead = package.section(0)[track.index].timeline.lead
        expected = None
        for number, segment in enumerate(package.segments):
            data = package.make(number).data[track.index]
            assert [box for box, _ in boxesIn(data)] == [b"styp", b"moof", b"mdat"]
            traf = find(data, b"moof", b"traf")
            start = int.from_bytes(find(traf, b"tfdt")[4:], "big")
            assert find(data, b"moof", b"mfhd")[4:] == (number + 1).to_bytes(4, "big")
            # within a picture, or a frame of sound
            assert (start - lead) / timescale == pytest.approx(segment.start, abs=0.25)
            if expected is not None:
                assert abs(start - expected) <= timescale * 0.002
            expected = start + durationOf(traf)
            samples = played(package.init(track.index, 0) + data)
            assert samples[0].key


def durationOf(traf: bytes) -> int:
    """Ticks of all samples of a run."""
    header, run = find(traf, b"tfhd"), find(traf, b"trun")
    count, flags = int.from_bytes(run[4:8], "big"), int.from_bytes(run[1:4], "big")
    if not flags & 0x100:
        return count * int.from_bytes(header[8:12], "big")
    size = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    return sum(int.from_bytes(run[12 + at * size : 16 + at * size], "big") for at in range(count))


@pytest.mark.requirement("HLS-4")
def testInitSegmentsHaveNoMedia(tmp_path: Path) -> None:
    """One track, C{mvex}, tables without entries."""
    package = packageOf(FILMS["mkv"].make(tmp_path))
    for track in package.tracks:
        moov = find(package.init(track.index, 0), b"moov")
        kinds = [kind for kind, _ in boxesIn(moov)]
        assert kinds == [b"mvhd", b"trak", b"mvex"]
        table = find(moov, b"trak", b"mdia", b"minf", b"stbl")
        assert [(kind, content[4:8]) for kind, content in boxesIn(table) if kind != b"stsd"] == [
            (kind, bytes(4)) for kind in (b"stts", b"stsc", b"stsz", b"stco")
        ]


def testWhatIsBesidesThePixels(tmp_path: Path) -> None:
    """The shape of pixels comes from the file."""
    path = str(tmp_path / "b.mp4")
    with av.open(H264.make(tmp_path)) as file, av.open(path, "w") as out:
        stream: Any = out.add_stream_from_template(file.streams.video[0])
        stream.sample_aspect_ratio = Fraction(4, 3)
        for packet in file.demux(file.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    package = packageOf(path)
    entry = find(package.init(0, 0), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
    assert b"pasp" + (4).to_bytes(4, "big") + (3).to_bytes(4, "big") in entry


def testSilence(tmp_path: Path) -> None:
    """Where sound is missing it is silent, so that browsers go on."""
    path = FILMS["mp4"].but(soundSeconds=1.5).make(tmp_path)
    package = packageOf(path)
    units, samples = unitsOf(package, 1), played(wholeOf(package, 1))
    assert [sample.data for sample in samples][: len(units)] == [unit.data for unit in units]
    times = [sample.dts for sample in samples]
    assert times[-1] > 9.9
    assert all(later - former == pytest.approx(1024 / 48000, abs=1e-4) for former, later in pairwise(times))
    with av.open(io.BytesIO(wholeOf(package, 1))) as container:
        late = decoded(container, container.streams[0])[100:]
    assert late
    assert not any(any(frame) for frame in late)


@pytest.mark.requirement("HLS-4")
def testKeyFrames(tmp_path: Path) -> None:
    """Each is a segment of its own, with the picture that the fragment starts with."""
    package = packageOf(FILMS["B-frames"].make(tmp_path))
    assert len(package.keyFrames) == len(package.presentation.cuts)
    units = unitsOf(package, 0)
    for number in package.keyFrames:
        (sample,) = played(package.init(0, 0) + package.makeKeyFrame(number).data[0])
        cut = package.presentation.cuts[number]
        assert sample.key
        assert sample.pts == pytest.approx(cut.pts, abs=_TICK)
        assert sample.data == next(unit.data for unit in units if abs(unit.pts - cut.pts) < _TICK)


def testSections(tmp_path: Path) -> None:
    """Clips with other parameters: each has its own init segment, and times go on."""
    (tmp_path / "b").mkdir()
    clips = [
        FilePresentation(each, carriedByBrowsers, 2.0, "web")
        for each in (FILMS["B-frames"].make(tmp_path), FILMS["ts"].but(seconds=6).make(tmp_path / "b"))
    ]
    sequence = FakeSequence(clips)
    package = Package(sequence, 4.0)  # type: ignore[arg-type]  # it has what is needed
    assert [segment.section for segment in package.segments] == [0, 0, 0, 1, 1]
    for track in (0, 1):
        first = played(package.init(track, 0) + b"".join(package.make(each).data[track] for each in range(3)))
        second = played(package.init(track, 1) + b"".join(package.make(each).data[track] for each in (3, 4)))
        wanted = unitsOf(package, track)
        own = [clip.tracks[track] for clip in clips for _ in range(unitCount(clip, track))]
        framed = [bare(each, unit.data) for each, unit in zip(own, wanted, strict=True)]
        assert [each.data for each in first + second] == framed
        assert [each.pts for each in first + second] == pytest.approx([unit.pts for unit in wanted], abs=_TICK)
    assert package.init(0, 0) != package.init(0, 1)


def unitCount(clip: Presentation, track: int) -> int:
    """How many units a track of a clip has."""
    return sum(len(clip.read(number).units[track]) for number in range(len(clip.cuts)))


def testNothingForBrowsers(tmp_path: Path) -> None:
    """What they do not decode is left out, with the reason; it is not made into something else."""
    path = Film("a.avi", audio=("mp3",), seconds=3).make(tmp_path)
    package = packageOf(path)
    assert [track.codec for track in package.tracks] == ["mp3"]
    assert package.presentation.omitted == ["stream 0 (mpeg4): browsers do not decode it"]
    with pytest.raises(NotMedia, match="browsers do not decode it"):
        packageOf(Film("b.mkv", audio=("pcm_s16le",), seconds=1).make(tmp_path))


def testVersions(tmp_path: Path) -> None:
    """Another file, or another way to cut it, has other URLs; the same has the same."""
    path = FILMS["mp4"].make(tmp_path)
    version = packageOf(path).version
    assert packageOf(path).version == version
    assert packageOf(path, 2.0).version != version
    FILMS["mp4"].but(seconds=9).make(tmp_path)
    assert packageOf(path).version != version
