"""Films of telephones: which way up they are to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediasrv.media.containers import Container
from mediasrv.media.uprightness import rotations
from tests.media.films import Film


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "film",
    [Film("a.mp4"), Film("a.mov"), Film("a.mp4", options={"movflags": "frag_keyframe+empty_moov"})],
    ids=["mp4", "mov", "fragmented"],
)
def testTurned(film: Film, degrees: int, tmp_path: Path) -> None:
    """Tracks say how they are turned, those of sound that they are not."""
    path = film.but(rotation=degrees, seconds=2).make(tmp_path)
    container = Container(path, lambda track, unit: True)
    assert [track.rotation for track in container.tracks] == [degrees, 0]
    assert container.tracks[0].shownSize == ((48, 64) if degrees in (90, 270) else (64, 48))


@pytest.mark.parametrize("degrees", [45, 90])
def testLongHeader(degrees: int, tmp_path: Path) -> None:
    """The header of a track comes with times of eight bytes too; other angles are left as they are."""
    path = Path(Film("a.mp4", audio=(), rotation=degrees, seconds=2).make(tmp_path))
    data = path.read_bytes()
    at = data.index(b"tkhd") - 4
    head = data[at : at + 92]
    long = (104).to_bytes(4, "big") + b"tkhd\1" + head[9:12] + bytes(16) + head[20:28] + bytes(8) + head[32:]
    track = data.rindex(b"trak", 0, at) - 4
    index = data.index(b"moov") - 4
    for place in (track, index):
        size = int.from_bytes(data[place : place + 4], "big") + 12
        data = data[:place] + size.to_bytes(4, "big") + data[place + 4 :]
    path.write_bytes(data[:at] + long + data[at + 92 :])
    assert rotations(str(path)) == ({1: 90} if degrees == 90 else {})


def testBroken(tmp_path: Path) -> None:
    """Whatever is cut off, what is left of the index counts."""
    path = Path(Film("a.mp4", rotation=90, seconds=1, options={"movflags": "faststart"}).make(tmp_path))
    data = path.read_bytes()
    whole = data.index(b"moov") - 4 + int.from_bytes(data[data.index(b"moov") - 4 :][:4], "big")
    for end in range(0, whole, 7):
        path.write_bytes(data[:end])
        assert rotations(str(path)) == {}
    path.write_bytes(data[:whole])
    assert rotations(str(path)) == {1: 90}


@pytest.mark.parametrize("content", [b"", b"no film", b"\0\0\0\x08moov", b"\0\0\0\x08free" * 2000, b"\xff" * 100])
def testNoFilm(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert rotations(str(path)) == {}
