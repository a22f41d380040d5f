"""Transport streams as they are: every byte of the file, on time, and where one can start."""

from __future__ import annotations

import io
import os

import av
import pytest

from mediasrv.media.files import NotMedia
from mediasrv.media.presentation import PresentationChanged
from mediasrv.media.programclock import PACKET
from mediasrv.media.tracks import Unit
from mediasrv.media.transportstream import TransportStream
from tests.media.films import Film

FILM = Film("film.ts", video=("mpeg2video",), audio=("mp2",), seconds=9.0, rate=25, gop=25)


@pytest.fixture
def film(tmp_path) -> str:
    return FILM.make(tmp_path)


def opened(path: str) -> TransportStream:
    return TransportStream(path, 2.0)


def unitsOf(stream: TransportStream) -> list[Unit]:
    return [unit for number in range(len(stream.cuts)) for unit in stream.read(number).units[0]]


def contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_everyByteInItsOrder(film):
    stream = opened(film)
    units = unitsOf(stream)
    assert b"".join(unit.data for unit in units) == contents(film)
    assert all(len(unit.data) % PACKET == 0 for unit in units)
    assert [(each.codec, each.index) for each in stream.tracks] == [("mpegts", 0)]
    assert stream.title == "film"


def test_onTime(film):
    """The stream's own clock is that of the pictures, less what decoders need to begin."""
    stream = opened(film)
    assert stream.duration == pytest.approx(9.0, abs=0.3)
    units = unitsOf(stream)
    times = [unit.dts for unit in units]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert all(unit.pts == unit.dts for unit in units)
    assert all(unit.duration < 0.2 for unit in units)
    for number, cut in enumerate(stream.cuts):
        fragment = stream.read(number)
        assert fragment.start == cut.pts == fragment.units[0][0].pts
        assert (fragment.number, fragment.last) == (number, number == len(stream.cuts) - 1)
        assert fragment.end == (stream.duration if fragment.last else stream.cuts[number + 1].pts)
        assert stream.fragmentAt(cut.pts) == number
    assert len(stream.cuts) == 4


def test_wholeDatagrams(film):
    """Seven packets each, but for those in front of a place to start at and at the end."""
    for unit, following in zip(unitsOf(opened(film)), unitsOf(opened(film))[1:], strict=False):
        assert len(unit.data) % (7 * PACKET) == 0 or following.key or following.dts > unit.dts


def test_placesToStartAt(film):
    """A second of pictures apart; what begins there can be decoded from its first picture on."""
    units = unitsOf(opened(film))
    starts = [at for at, unit in enumerate(units) if unit.key]
    assert len(starts) in (9, 10)  # and the very beginning
    for at in starts:
        rest = b"".join(unit.data for unit in units[at:])
        with av.open(io.BytesIO(rest), format="mpegts") as container:
            frames = list(container.decode(video=0))
            assert frames[0].key_frame
            assert len(frames) >= round(25 * (9.0 - units[at].pts)) - 10


def test_soundAlone(tmp_path):
    """Anywhere."""
    path = Film("sound.ts", video=(), audio=("mp2",), seconds=9.0).make(tmp_path)
    stream = opened(path)
    units = unitsOf(stream)
    assert b"".join(unit.data for unit in units) == contents(path)
    assert sum(unit.key for unit in units) == len(stream.cuts) == 4


def test_aFileThatIsCutOff(film):
    data = contents(film)
    with open(film, "wb") as file:
        file.write(data[:-100])
    stream = opened(film)
    assert b"".join(unit.data for unit in unitsOf(stream)) == data[:-PACKET]
    assert stream.omitted == []


@pytest.mark.parametrize("place", [100_000, 100_001])
def test_aDamagedFile(film, place):
    """It ends there, and the log is told."""
    data = bytearray(contents(film))
    del data[place : place + 50]
    with open(film, "wb") as file:
        file.write(data)
    stream = opened(film)
    whole = place // PACKET * PACKET
    read = b"".join(unit.data for unit in unitsOf(stream))
    assert data.startswith(read)
    assert whole <= len(read) <= whole + PACKET
    assert stream.omitted == [f"damaged after {len(read)} bytes: as a transport stream it ends there"]


@pytest.mark.parametrize(
    "data", [b"", b"G", b"G" * 187, b"G" * 5000, bytes(10_000), b"\0" + b"G" * 10_000, b"RIFF" * 1000]
)
def test_noTransportStream(tmp_path, data):
    path = tmp_path / "film.ts"
    path.write_bytes(data)
    with pytest.raises(NotMedia, match="transport stream"):
        opened(str(path))


def test_otherFiles(tmp_path):
    with pytest.raises(NotMedia, match="no transport stream"):
        opened(Film("film.mp4", seconds=1.0).make(tmp_path))
    with pytest.raises(FileNotFoundError):
        opened(str(tmp_path / "nothing.ts"))
    os.mkfifo(tmp_path / "pipe.ts")
    with pytest.raises(FileNotFoundError):
        opened(str(tmp_path / "pipe.ts"))


def test_aFileThatChanges(film, tmp_path):
    stream = opened(film)
    data = contents(film)
    with open(film, "ab") as file:  # somebody still writes it
        file.write(data)
    assert b"".join(unit.data for unit in unitsOf(stream)) == data
    with open(film, "wb") as file:
        file.write(data[:1000])
    with pytest.raises(PresentationChanged, match="truncated"):
        stream.read(1)
    os.remove(film)
    with pytest.raises(PresentationChanged, match="No such file"):
        stream.read(0)


def test_nothingStaysOpen(film):
    stream = opened(film)
    before = os.listdir("/proc/self/fd")
    stream.read(0)
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert not stream.isOpen
    stream.close()
    assert stream.read(1).units


def test_aClockThatLies(film, monkeypatch):
    """A fragment has a size at most; the rest of it is left out."""
    from mediasrv.media import transportstream

    monkeypatch.setattr(transportstream, "_LARGEST", 70 * PACKET)
    stream = opened(film)
    assert len(b"".join(unit.data for unit in stream.read(0).units[0])) == 70 * PACKET
