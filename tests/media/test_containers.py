"""Which streams of a file are played, and what is said of the others."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from mediasrv.media.containers import Container
from mediasrv.media.files import NotMedia
from mediasrv.media.tracks import Track
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:av")


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
