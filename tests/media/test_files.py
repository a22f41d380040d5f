"""Opening: nothing but the file itself, and never for ever (SEC-6, SEC-7)."""

from __future__ import annotations

import os
import shutil
import stat
import sys

import av
import pytest

from mediasrv.media.containers import Container
from mediasrv.media.files import FileVersion, NotMedia, openContainer, openFile
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film

#: texts that make FFmpeg open other files, or look for them in the network, if it is let
SCRIPTS = {
    "list.ffconcat": "ffconcat version 1.0\nfile a.mp4\n",
    "list.mp4": "ffconcat version 1.0\nfile a.mp4\n",
    "list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\na.mp4\n#EXT-X-ENDLIST\n",
    "list.ts": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:6,\na.mp4\n#EXT-X-ENDLIST\n",
    "list.m3u": "#EXTM3U\na.mp4\n",
    "call.sdp": "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "graph.lavfi": "movie=a.mp4",
    "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "text.txt": "Nothing to hear and nothing to see.\n" * 100,
    "text.nfo": "\x1b[1mcolours\x1b[0m\n" * 100,
    "title.srt": "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n",
    "meta.ffmeta": ";FFMETADATA1\ntitle=a.mp4\n",
}


@pytest.mark.requirement("SEC-7")
@pytest.mark.parametrize("name", SCRIPTS)
def test_textIsNoMedia(name, tmp_path):
    opened: list[str] = []
    Film("a.mp4", seconds=0.5).make(tmp_path)
    path = tmp_path / name
    path.write_text(SCRIPTS[name])
    _auditOpens(opened)
    with pytest.raises(NotMedia):
        Container(str(path), carriesTrack)
    assert opened == [str(path)]


_watched: list[list[str]] = []


def _auditOpens(opened: list[str]) -> None:
    """Notes what Python opens from here on; FFmpeg itself gets no way to open anything (see below)."""
    if not _watched:

        def audit(event: str, arguments: tuple[object, ...]) -> None:
            if event == "open" and isinstance(arguments[0], str) and "pytest" in arguments[0]:
                _watched[-1].append(arguments[0])

        sys.addaudithook(audit)
    _watched.append(opened)


@pytest.mark.requirement("SEC-6")
def test_ffmpegOpensNothing(tmp_path):
    """Even a script that was let through could not name a file."""
    Film("a.mp4", seconds=0.5).make(tmp_path)
    script = tmp_path / "list.ffconcat"
    script.write_text(SCRIPTS["list.ffconcat"])
    with av.open(str(script), format="concat") as container:
        assert len(container.streams) == 2  # this is what is not to happen
    descriptor = openFile(str(script))
    options = {"fd": str(descriptor), "protocol_whitelist": "fd", "safe": "0"}
    with pytest.raises(av.error.FFmpegError):
        av.open("fd:", format="concat", options=options)
    os.close(descriptor)


@pytest.mark.parametrize(("ending", "codec", "pixels"), [("png", "png", "rgb24"), ("jpg", "mjpeg", "yuvj420p")])
def test_pictureIsNoMedia(ending, codec, pixels, tmp_path):
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 64, 48, pixels, 1
    encoder.time_base = 1
    frame = av.VideoFrame(64, 48, pixels)
    frame.pts = 0
    data = b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])
    for name in (f"a.{ending}", "a.mp4", "a"):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(NotMedia):
            Container(str(path), carriesTrack)


def test_stillPictureInISOFile(tmp_path):
    """AVIF and HEIC look like films of one picture."""
    path = Film("a.mp4", audio=(), seconds=0.1).make(tmp_path)
    with open(path, "r+b") as file:
        file.seek(8)
        file.write(b"avif")
    with pytest.raises(NotMedia, match="picture"):
        Container(path, carriesTrack)


def test_rawPictures(tmp_path):
    """JPEG pictures one after another are a film, if the name says so."""
    path = Film("a.mjpeg", video=("mjpeg",), audio=(), pixels="yuvj420p", seconds=1).make(tmp_path)
    container = Container(path, carriesTrack)
    assert len(list(container.reader.units())) == 10
    container.close()


@pytest.mark.parametrize("ending", ["ul", "al", "g722"])
def test_rawSound(ending, tmp_path):
    """Nothing in the file says what it is, only its name."""
    path = tmp_path / f"greeting.{ending}"
    path.write_bytes(bytes(range(256)) * 40)
    container = Container(str(path), carriesTrack)
    assert b"".join(unit.data for _, unit in container.reader.units()) == path.read_bytes()
    container.close()


@pytest.mark.requirement("SEC-7")
@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 100_000, bytes(range(256)) * 400, b"\xff" * 5000])
def test_rubbish(content, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(NotMedia):
        Container(str(path), carriesTrack)


@pytest.mark.requirement("SEC-6")
def test_whatIsNoFile(tmp_path):
    os.mkfifo(tmp_path / "fifo.mp4")
    (tmp_path / "folder.mp4").mkdir()
    for path in (str(tmp_path / "fifo.mp4"), str(tmp_path / "folder.mp4"), os.devnull, str(tmp_path / "none.mp4")):
        with pytest.raises(OSError, match=r"."):
            openFile(path)
        with pytest.raises(OSError, match=r"."):
            Container(path, carriesTrack)


@pytest.mark.parametrize(
    "name",
    [
        "Fleur d'été – тест 100% #1; 時間.mp4",
        "a\nb.mp4",
        "concat:a|b.mp4",
        "http:example.mp4",
        "%05d.mp4",
        "-i.mp4",
        "fd:",
        "\udcff\udcfe.mp4",
        "x" * 240 + ".mp4",
    ],
)
def test_names(name, tmp_path):
    film = Film("plain.mp4", seconds=0.5).make(tmp_path)
    path = os.path.join(str(tmp_path), name)
    shutil.copy(film, path)
    container = Container(path, carriesTrack)
    assert [track.codec for track in container.tracks] == ["mpeg4", "aac"]
    container.close()


@pytest.mark.requirement("TDN-2")
def test_noDescriptorIsLeft(tmp_path):
    film = FILMS["mkv"].but(seconds=0.5).make(tmp_path)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing" * 50)
    before = len(os.listdir("/dev/fd"))
    container, _ = openContainer(film)
    assert len(os.listdir("/dev/fd")) == before + 1
    container.close()
    for path in (str(broken), os.devnull):
        with pytest.raises((NotMedia, OSError)):
            openContainer(path)
    assert len(os.listdir("/dev/fd")) == before


def test_notInherited(tmp_path):
    path = tmp_path / "a"
    path.touch()
    descriptor = openFile(str(path))
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_version(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = FileVersion.of(str(path))
    assert FileVersion.of(str(path)) == first
    assert stat.S_ISREG(os.stat(path).st_mode)
    with path.open("ab") as file:
        file.write(b"two")
    second = FileVersion.of(str(path))
    assert second != first
    assert second.etag != first.etag
    assert second.isSameFile(first)
    other = tmp_path / "b"
    other.write_bytes(b"onetwo")
    os.replace(other, path)
    assert not FileVersion.of(str(path)).isSameFile(first)
