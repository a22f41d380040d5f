"""What the benchmarks' viewers count must be what was sent: losses, order, silences, the media clock."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from counting import TrackCount
from datagrams import DatagramReader, droppedHere, openPair
from hypothesis import given
from hypothesis import strategies as st
from interleaving import ConnectionReader


def packet(sequence: int, stamp: int = 0, ssrc: int = 7, size: int = 20) -> bytes:
    return struct.pack(">BBHII", 0x80, 96, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc).ljust(size, b"$")


def counted(*sequences: int) -> TrackCount:
    track = TrackCount("video", 90000)
    for sequence in sequences:
        track.add(sequence & 0xFFFF, 1, 100, 0, 0.0)
    return track


@pytest.mark.parametrize(
    ("sequences", "lost", "late", "duplicates"),
    [
        ((1, 2, 3), 0, 0, 0),
        ((65534, 65535, 65536, 65537), 0, 0, 0),
        ((1, 2, 5), 2, 0, 0),
        ((65535, 65538), 2, 0, 0),
        ((1, 3, 2, 4), 0, 1, 0),
        ((1, 4, 2, 5), 1, 1, 0),
        ((1, 2, 2, 3), 0, 0, 1),
    ],
)
def test_sequenceNumbersTellWhatIsMissing(sequences: tuple[int, ...], lost: int, late: int, duplicates: int) -> None:
    track = counted(*sequences)
    assert (track.packets, track.bytes) == (len(sequences), 100 * len(sequences))
    assert (track.lost, track.late, track.duplicates) == (lost, late, duplicates)
    assert track.highest == max(sequences) & 0xFFFF


def test_anIntervalCountsOnlyWhatComesInIt() -> None:
    track = counted(1, 2, 5)
    track.mark()
    track.add(6, 3, 300, 90000, 4.0)
    track.add(10, 1, 50, 180000, 4.5)
    found = track.since(4.75)
    assert {name: found[name] for name in ("packets", "bytes", "lost", "media")} == {
        "packets": 4,
        "bytes": 350,
        "lost": 1,
        "media": 180000,
    }
    assert found["gap"] == 4.0


def test_aSilenceBeforeTheIntervalDoesNotCount() -> None:
    track = counted(1)
    track.add(2, 1, 100, 0, 9.0)
    track.mark()
    assert track.since(9.5)["gap"] == 0.5


def test_theSilenceBetweenTheEndAndTheNextPlayDoesNotCount() -> None:
    track = counted(1)
    track.await_()
    track.add(2, 1, 100, 0, 9.0)
    assert track.gap == 0.0


def test_aSilenceThatLastsCounts() -> None:
    track = counted(1)
    track.mark()
    track.add(2, 1, 100, 0, 0.5)
    assert track.since(3.0)["gap"] == 2.5


def test_theMediaClockWrapsAndDoesNotGoBack() -> None:
    track = TrackCount("video", 90000)
    for sequence, stamp in enumerate((0xFFFFFF00, 0x100, 0x80, 0x200)):
        track.add(sequence, 1, 100, stamp, 0.0)
    assert track.media == 0x300


def test_thePauseOfASeekIsNoSilenceAndItsFirstPacketIsTimed() -> None:
    track = counted(1, 2)
    track.mark()
    track.pause()
    track.await_()
    assert track.first is None
    track.add(3, 1, 100, 0, 10.0)
    track.add(4, 1, 100, 0, 10.25)
    assert (track.first, track.gap, track.lost) == (10.0, 0.25, 0)


def test_aServerMayBeginANewSequenceAtPlay() -> None:
    track = counted(1, 2)
    track.await_()
    track.add(30000, 1, 100, 5000, 1.0)
    track.add(30002, 1, 100, 5000, 1.0)
    assert track.lost == 1


def test_lossAfterPlayIsStillLoss() -> None:
    track = counted(1, 2)
    track.await_()
    track.add(5, 1, 100, 0, 1.0)
    assert track.lost == 2


@contextmanager
def receivingPair() -> Iterator[tuple[socket.socket, socket.socket]]:
    rtp, rtcp = openPair("127.0.0.1")
    with rtp, rtcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(rtp.getsockname())
        assert rtcp.getsockname()[1] == rtp.getsockname()[1] + 1
        yield rtp, sender


def test_datagramsAreCountedForWhomTheyAre() -> None:
    tracks = {7: TrackCount("video", 90000), 8: TrackCount("audio", 48000)}
    reader = DatagramReader()
    with receivingPair() as (rtp, sender):
        for sequence in range(600):  # more than one call brings
            sender.send(packet(sequence, sequence * 10, 7, 1400))
            if sequence % 3 == 0 and sequence != 300:
                sender.send(packet(sequence // 3, 0, 8, 50))
        sender.send(packet(0, ssrc=9))
        reader.read(rtp.fileno(), tracks.get, time.monotonic)
        assert droppedHere(rtp) == 0
    video, audio = tracks[7], tracks[8]
    assert (video.packets, video.bytes, video.lost, video.media) == (600, 600 * 1400, 0, 5990)
    assert (audio.packets, audio.bytes, audio.lost) == (199, 199 * 50, 1)
    assert reader.unknown == 1


def test_whatOurOwnBufferHasNoRoomForIsToldFromLoss() -> None:
    with receivingPair() as (rtp, sender):
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for sequence in range(50):
            sender.send(packet(sequence, size=1000))
        track = TrackCount("video", 90000)
        DatagramReader().read(rtp.fileno(), lambda ssrc: track, time.monotonic)
        assert 0 < track.packets < 50
        assert droppedHere(rtp) == 50 - track.packets


def frame(channel: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0x24, channel, len(data)) + data


STREAM = b"".join(
    [
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 7\r\n\r\n$0\r\n\r\n$",
        frame(0, packet(65534, 10)),
        frame(0, packet(65535, 20, size=1400)),
        frame(0, packet(0, 30)),
        frame(1, b"\x80\xcb\x00\x01\x00\x00\x00\x07"),
        frame(2, packet(5, 0, size=12)),
        b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n",
        frame(0, packet(2, 50)),
        frame(9, b""),
        frame(2, packet(6, 0, size=300)),
    ]
)


def checkCut(cuts: Iterable[int]) -> None:
    messages: list[tuple[bytes, bytes]] = []
    controls: list[bytes] = []
    reader = ConnectionReader(lambda head, body: messages.append((head, body)), controls.append)
    video, audio = TrackCount("video", 90000), TrackCount("audio", 48000)
    reader.tracks = {0: video, 2: audio}
    video.add(65533, 1, 0, 0, 0.0)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for begin, end in pairwise(sorted({0, *cuts, len(STREAM)})):
            theirs.send(STREAM[begin:end])
            reader.read(ours, lambda: 1.0)
    assert (video.packets, video.bytes, video.lost, video.media) == (5, 20 + 1400 + 20 + 20, 1, 50)
    assert (audio.packets, audio.bytes, audio.lost) == (2, 312, 0)
    assert [body for _, body in messages] == [b"$0\r\n\r\n$", b""]
    assert controls == [b"\x80\xcb\x00\x01\x00\x00\x00\x07", b""]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_howAConnectionsBytesAreCutMakesNoDifference(cuts: list[int]) -> None:
    checkCut(cuts)


def test_aConnectionsBytesMayBeCutAnywhere() -> None:
    for cut in range(len(STREAM)):
        checkCut([cut])
    checkCut(range(len(STREAM)))


def readAll(reader: ConnectionReader, connection: socket.socket) -> None:
    while True:
        reader.read(connection, lambda: 1.0)


@pytest.mark.parametrize("data", [b"\x00\x00\x00\x00", b"A" * 70000])
def test_aConnectionThatTalksSomethingElseIsRefused(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = ConnectionReader(lambda head, body: None, lambda control: None)
        theirs.sendall(data)
        with pytest.raises(ConnectionError, match="neither"):
            readAll(reader, ours)


def test_aClosedConnectionIsNoticed() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    nothing: Any = None
    with ours, pytest.raises(ConnectionError, match="closed"):
        ConnectionReader(nothing, nothing).read(ours, lambda: 1.0)
