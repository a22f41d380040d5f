"""Sound that becomes PCM, and pictures that are coded anew."""

from __future__ import annotations

import os
import random
from array import array
from fractions import Fraction
from pathlib import Path

import av
import pytest

from mediasrv.media.converting import _qualityOf
from mediasrv.media.presentation import FilePresentation
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.jpeg import JPEGFormat
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film


def sent(path: str, index: int = 0) -> list[bytes]:
    presentation = FilePresentation(path, carriesTrack, 2.0)
    units = [unit.data for number in range(len(presentation.cuts)) for unit in presentation.read(number).units[index]]
    presentation.close()
    return units


def samplesOf(path: str) -> array[int]:
    """What FFmpeg decodes, as 16-bit samples."""
    samples = array("h")
    resampler = av.AudioResampler(format="s16", layout="mono")
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            for converted in resampler.resample(frame):
                samples.frombytes(bytes(converted.planes[0])[: converted.samples * 2])
    return samples


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.flac", "flac"), ("a.mov", "pcm_f32le"), ("a.m4a", "alac"), ("a.mka", "pcm_s32le"), ("a.wav", "adpcm_ms")],
)
def test_sound(name, codec, tmp_path):
    path = Film(name, video=(), audio=(codec,), seconds=5).make(tmp_path)
    presentation = FilePresentation(path, carriesTrack, 2.0)
    [track] = presentation.tracks
    assert (track.codec, track.sampleRate, track.channels, track.bitRate) == ("pcm_s16le", 48000, 1, 768000)
    assert presentation.omitted == []
    presentation.close()
    samples = array("h")
    samples.frombytes(b"".join(sent(path)))
    expected = samplesOf(path)
    assert len(samples) == len(expected)
    assert max(abs(ours - theirs) for ours, theirs in zip(samples, expected, strict=True)) <= 1


def test_soundThatChanges(tmp_path):
    """Half of it is mono, the other half 8,000 Hz and stereo: all comes as what the track was said to be."""
    path = Path(Film("a.flac", video=(), audio=("flac",), seconds=4).make(tmp_path))
    noise = random.Random(1)
    with av.open(str(tmp_path / "b.flac"), "w") as container:
        stream = container.add_stream("flac", rate=8000, layout="stereo")
        for start in range(0, 32000, 4000):
            frame = av.AudioFrame(format="s16", layout="stereo", samples=4000)
            # noise, and always the same: where the other half begins FFmpeg makes more or less of quieter sound
            frame.planes[0].update(noise.randbytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts, frame.time_base = 8000, start, Fraction(1, 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes() + (tmp_path / "b.flac").read_bytes())
    presentation = FilePresentation(str(path), carriesTrack, 2.0)
    assert (presentation.tracks[0].sampleRate, presentation.tracks[0].channels) == (48000, 1)
    presentation.close()
    assert len(b"".join(sent(str(path)))) == pytest.approx(8 * 96000, rel=0.1)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted by Linux")
def test_noThreadsOfItsOwn(tmp_path):
    """However many files are open, and processors there are."""
    path = Film("a.wv", video=(), audio=("wavpack",)).make(tmp_path)
    before = len(os.listdir("/proc/self/task"))
    presentations = [FilePresentation(path, carriesTrack, 2.0) for _ in range(3)]
    for presentation in presentations:
        presentation.read(0)
    assert len(os.listdir("/proc/self/task")) == before
    for presentation in presentations:
        presentation.close()


def lumaOf(frame: av.VideoFrame) -> bytes:
    plane = frame.planes[0]
    data = bytes(plane)
    return b"".join(data[row * plane.line_size :][: plane.width] for row in range(plane.height))


@pytest.mark.parametrize("kind", ["jpeg", "jpeg in avi"])
@pytest.mark.parametrize("quality", [2, 8])
def test_pictures(kind, quality, tmp_path):
    """Pictures with Huffman tables of their own come out carriable, as good as they were, and at their time."""
    options = {"qmin": str(quality), "qmax": str(quality), "huffman": "optimal"}
    path = FILMS[kind].but(codecOptions=options, audio=(), seconds=3).make(tmp_path)
    with av.open(path) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        with pytest.raises(PayloadError):
            JPEGFormat.check(bytes(packets[0]))
        source = [lumaOf(frame) for packet in packets for frame in packet.decode()]
        times = [float(packet.pts * packet.time_base) for packet in packets]
    units = sent(path)
    decoder = av.CodecContext.create("mjpeg", "r")
    assert len(units) == len(source) == 30
    for data, expected in zip(units, source, strict=True):
        JPEGFormat.check(data)
        luma = lumaOf(decoder.decode(av.Packet(data))[0])
        assert sum((ours - theirs) ** 2 for ours, theirs in zip(luma, expected, strict=True)) / len(luma) < 2 * quality
    presentation = FilePresentation(path, carriesTrack, 2.0)
    fragments = [presentation.read(number) for number in range(len(presentation.cuts))]
    got = [(unit.dts, unit.pts, unit.key) for fragment in fragments for unit in fragment.units[0]]
    assert got == [(pytest.approx(time), pytest.approx(time), True) for time in times]
    presentation.close()


def test_carriablePicturesStayAsTheyAre(tmp_path):
    path = FILMS["jpeg"].but(codecOptions={"huffman": "default"}, audio=(), seconds=1).make(tmp_path)
    with av.open(path) as container:
        assert sent(path) == [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("quality", [1, 2, 5, 12, 20])
def test_quality(quality, tmp_path):
    """Read off the quantization table of FFmpeg's own encoder exactly."""
    options = {"qmin": str(quality), "qmax": str(quality)}
    path = FILMS["jpeg"].but(codecOptions=options, audio=(), seconds=0.1).make(tmp_path)
    with av.open(path) as container:
        packet = next(iter(container.demux(video=0)))
    assert _qualityOf(bytes(packet)) == quality


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\x00\x43\x00\x01", b"\xff\xdb\x00\x83\x10" + b"\1" * 128]
)
def test_qualityOfRubbish(data):
    assert _qualityOf(data) == 3


def test_damagedPicture(tmp_path):
    """It is left out; the others come."""
    path = FILMS["jpeg"].but(audio=(), seconds=1).make(tmp_path)
    with open(path, "r+b") as file:
        data = file.read()
        at = data.index(b"\xff\xd8\xff", data.index(b"\xff\xd8\xff", data.index(b"\xff\xd8\xff") + 3) + 3)
        file.seek(at)
        file.write(b"\0" * 600)
    assert 8 <= len(sent(path)) <= 10
