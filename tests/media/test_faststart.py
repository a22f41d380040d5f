"""MP4 with its index in front, and what is sent as it is."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.media import faststart
from mediasrv.media.faststart import FastStart, fastStart
from mediasrv.media.pieces import Piece, lengthOf
from tests.media.films import Film

FOUR_GIGABYTES = 1 << 32


def box(kind: str, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", len(content) + 8, kind.encode()) + content


def stco(*places: int) -> bytes:
    return box("stco", struct.pack(f">II{len(places)}I", 0, len(places), *places))


def co64(*places: int) -> bytes:
    return box("co64", struct.pack(f">II{len(places)}Q", 0, len(places), *places))


def moov(*tables: bytes, extra: bytes = b"") -> bytes:
    """An index with a track for each table of places."""
    head = box("mvhd", bytes(100))
    dinf = box("dinf", box("dref", struct.pack(">II", 0, 1), box("url ", b"\0\0\0\1")))
    tracks = [
        box("trak", box("mdia", box("mdhd", bytes(24)), box("minf", dinf, box("stbl", box("stsd", bytes(8)), table))))
        for table in tables
    ]
    return box("moov", head, *tracks, extra)


FTYP = box("ftyp", b"isom\0\0\2\0isomiso2")


def write(path: Path, *contents: bytes) -> Path:
    path.write_bytes(b"".join(contents))
    return path


def make(path: Path) -> FastStart:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return fastStart(descriptor, os.stat(path).st_size)
    finally:
        os.close(descriptor)


def read(path: Path, pieces: list[Piece]) -> bytes:
    data = path.read_bytes()
    return b"".join(
        piece if isinstance(piece, bytes) else data[piece.start : piece.start + piece.length] for piece in pieces
    )


def moved(path: Path) -> bytes:
    """The file with its index in front."""
    found = make(path)
    assert found.pieces is not None, found.reason
    data = read(path, found.pieces)
    assert lengthOf(found.pieces) == len(data)
    assert found.size > len(data) - path.stat().st_size
    return data


def packets(data: bytes) -> list[Any]:
    with av.open(io.BytesIO(data)) as container:
        return [(packet.stream_index, packet.pts, packet.dts, bytes(packet)) for packet in container.demux()]


@pytest.mark.parametrize(
    "film",
    [
        Film("a.mp4", seconds=3.0),
        Film("a.mov", video=("mjpeg",), audio=("pcm_s16le", "aac"), pixels="yuvj420p", seconds=1.0),
        Film("a.m4a", format="ipod", video=(), seconds=2.0),
    ],
    ids=lambda film: film.name,
)
def testFilms(film: Film, tmp_path: Path) -> None:
    """Every packet is the same, and the index comes before them."""
    path = Path(film.make(tmp_path))
    data = moved(path)
    before = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert before.index(b"moov") > before.index(b"mdat")
    assert len(data) == len(before)
    assert packets(data) == packets(before)
    # and it is one that is sent as it is
    assert make(write(tmp_path / "again.mp4", data)).pieces is None


def testAgainstFFmpeg(tmp_path: Path) -> None:
    """FFmpeg's own, when it writes the index in front, has the same places."""
    path = Path(Film("a.mp4", seconds=1.0).make(tmp_path))
    other = Path(Film("b.mp4", seconds=1.0, options={"movflags": "faststart"}).make(tmp_path)).read_bytes()
    data = moved(path)

    def places(file: bytes) -> set[int]:
        with av.open(io.BytesIO(file)) as container:
            return {entry.pos for stream in container.streams for entry in stream.index_entries}

    shift = other.index(b"mdat") - data.index(b"mdat")
    assert {place + shift for place in places(data)} == places(other)


def testPlacesOnBothSides(tmp_path: Path) -> None:
    """Media in front of the index and behind it, and places that mean neither."""
    before, after = box("mdat", bytes(range(100))), box("mdat", bytes(range(100, 200)))
    first = len(FTYP) + 8
    size = len(moov(stco(0, 0, 0)))
    behind = len(FTYP) + len(before) + size + 8
    path = write(tmp_path / "a.mp4", FTYP, before, moov(stco(0, first + 3, behind + 5)), after)
    data = moved(path)
    zero, one, two = struct.unpack(">III", data[data.index(b"stco") + 12 :][:12])
    assert zero == 0
    assert data[one] == 3
    assert data[two] == 105
    assert len(data) == path.stat().st_size


def testWithoutABrand(tmp_path: Path) -> None:
    """As old QuickTime files are: the index comes first of all."""
    path = write(tmp_path / "a.mov", box("wide"), box("mdat", b"media"), moov(stco(16)))
    data = moved(path)
    assert data[4:8] == b"moov"
    (place,) = struct.unpack(">I", data[data.index(b"stco") + 12 :][:4])
    assert data[place : place + 5] == b"media"


def testWhatIsAroundItStays(tmp_path: Path) -> None:
    """Other boxes, in the index and beside it, with the zeros that QuickTime has at the end of its lists."""
    extra = box("udta", box("name", b"a film")) + bytes(4)
    path = write(
        tmp_path / "a.mp4", FTYP, box("free", b"1"), box("mdat", b"2"), moov(stco(0), extra=extra), box("uuid", b"3")
    )
    data = moved(path)
    order = [data.index(each) for each in (b"ftyp", b"moov", b"free", b"mdat", b"uuid")]
    assert order == sorted(order)
    assert extra in data


def sparse(path: Path, media: int, *tables: bytes) -> Path:
    """A film with so many bytes of media, all zeros that take no room."""
    with open(path, "wb") as file:
        file.write(FTYP + struct.pack(">I4sQ", 1, b"mdat", 16 + media))
        file.truncate(len(FTYP) + 16 + media)
        file.seek(0, os.SEEK_END)
        file.write(moov(*tables))
    return path


def tables(pieces: list[Piece] | None) -> list[tuple[bytes, list[int]]]:
    """The places that an index names."""
    assert pieces is not None
    (index,) = (piece for piece in pieces if isinstance(piece, bytes))
    found = []
    for kind, letter in ((b"stco", "I"), (b"co64", "Q")):
        start = -1
        while (start := index.find(kind, start + 1)) >= 0:
            (count,) = struct.unpack_from(">I", index, start + 8)
            found.append((kind, list(struct.unpack_from(f">{count}{letter}", index, start + 12))))
    return found


def testPlacesBeyondFourGigabytes(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a.mp4", FOUR_GIGABYTES + 1000, co64(100, FOUR_GIGABYTES + 500))
    found = make(path)
    size = len(moov(co64(0, 0)))
    assert tables(found.pieces) == [(b"co64", [100 + size, FOUR_GIGABYTES + 500 + size])]
    assert lengthOf(found.pieces or []) == path.stat().st_size


def testPlacesThatComeToBeBeyond(tmp_path: Path) -> None:
    """The last ones that four bytes could name: they are given eight, which moves them further."""
    last = FOUR_GIGABYTES - 100
    path = sparse(tmp_path / "a.mp4", FOUR_GIGABYTES - 50, stco(100, last), stco(200))
    found = make(path)
    size = len(moov(co64(0, 0), co64(0)))
    assert tables(found.pieces) == [(b"co64", [100 + size, last + size]), (b"co64", [200 + size])]
    assert lengthOf(found.pieces or []) == path.stat().st_size + 12


def testPlacesThatCannotBe(tmp_path: Path) -> None:
    path = sparse(tmp_path / "a.mp4", FOUR_GIGABYTES - 50, stco(FOUR_GIGABYTES - 100), co64((1 << 64) - 1))
    assert "broken" in make(path).reason


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ([], "no MP4"),
        ([b"RIFF" + bytes(100)], "no MP4"),
        ([FTYP], "no film"),
        ([FTYP, moov(stco(0)), box("mdat")], "in front already"),
        ([FTYP, box("mdat"), moov(stco(0)), moov(stco(0))], "no film"),
        ([FTYP, box("mdat"), moov(stco(0)), box("moof")], "in fragments"),
        ([FTYP, box("mdat"), moov(stco(0), extra=box("mvex"))], "mvex"),
        ([FTYP, box("mdat"), moov(stco(0), extra=box("cmov"))], "cmov"),
        ([FTYP, box("mdat"), moov(stco(0), extra=box("meta", box("iloc")))], "iloc"),
        ([FTYP, box("mdat"), moov(stco(0) + box("saio"))], "saio"),
        ([FTYP, box("mdat"), moov(box("dinf", box("dref", bytes(8), box("url ", bytes(4)))))], "another file"),
        ([FTYP, box("mdat"), moov(box("stco", struct.pack(">II", 0, 2), bytes(4)))], "broken"),
        ([FTYP, box("mdat"), moov(box("stco", bytes(4)))], ""),
        ([FTYP, box("mdat"), box("moov", struct.pack(">I4s", 1000, b"trak"))], "broken"),
        ([FTYP, box("mdat"), box("moov", struct.pack(">I4s", 7, b"trak"))], "broken"),
        ([FTYP, box("mdat"), box("moov", b"abc")], "broken"),
        ([FTYP, box("mdat"), moov(stco(0))[:-1]], "not all of it"),
        ([FTYP, struct.pack(">I4s", 0, b"mdat"), moov(stco(0))], "no film"),
        ([FTYP, struct.pack(">I4sQ", 1, b"mdat", 15), moov(stco(0))], "not all of it"),
        ([FTYP, *[box("free")] * 1000, box("mdat"), moov(stco(0))], "too many"),
        ([FTYP, box("mdat"), moov(*[stco(0)] * 3000)], "too many"),
    ],
)
def testAsItIs(contents: list[bytes], reason: str, tmp_path: Path) -> None:
    found = make(write(tmp_path / "a.mp4", *contents))
    if not reason:
        return  # anything but an error
    assert found.pieces is None
    assert reason in found.reason


def testLimits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4", FTYP, box("mdat", b"a"), moov(stco(0, 0), stco(0)))
    assert make(path).pieces is not None
    with monkeypatch.context() as patch:
        patch.setattr(faststart, "_MOST_PLACES", 2)
        assert make(path).pieces is None
    with monkeypatch.context() as patch:
        patch.setattr(faststart, "_LARGEST", 100)
        assert "too large" in make(path).reason


@pytest.mark.requirement("SEC-7")
@settings(max_examples=300, deadline=None)
@given(st.data())
def testDamagedFiles(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever is wrong with it, something is sent, and that is no shorter than what it says."""
    whole = bytearray(FTYP + box("mdat", bytes(50)) + moov(stco(1, 2), co64(3), extra=box("udta", b"abc")))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    cutOff = data.draw(st.integers(0, len(whole)))
    path = write(tmp_path_factory.getbasetemp() / "damaged.mp4", whole[: cutOff or None])
    found = make(path)
    if found.pieces is not None:
        assert len(read(path, found.pieces)) == lengthOf(found.pieces)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def testGarbage(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.mp4"
    for start in (b"", FTYP, FTYP + box("mdat")):
        make(write(path, start, data))
        make(write(path, start, box("moov", data)))


def testAFileThatBecameShorter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", FTYP, box("mdat"), moov(stco(0)))
    size = path.stat().st_size
    descriptor = os.open(path, os.O_RDONLY)
    os.truncate(path, size - 5)
    try:
        assert fastStart(descriptor, size).pieces is None
    finally:
        os.close(descriptor)
