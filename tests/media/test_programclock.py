"""The clock of a transport stream, and where it can be entered, from packets made by hand."""

from __future__ import annotations

import random

import pytest

from mediasrv.media.programclock import PACKET, ProgramClock

MAP, VIDEO, AUDIO = 0x100, 0x101, 0x102
RATE = 40_000  # bytes per second, where nothing else is said


def packet(pid: int, payload: bytes = b"", adaptation: bytes = b"", start: bool = False) -> bytes:
    """One packet; the adaptation field without its length."""
    control = 0x10 | (0x20 if adaptation else 0)
    head = bytes((0x47, (0x40 if start else 0) | pid >> 8, pid & 0xFF, control))
    field = bytes((len(adaptation),)) + adaptation if adaptation else b""
    return (head + field + payload).ljust(PACKET, b"\xff")


def section(table: int, content: bytes) -> bytes:
    length = len(content) + 9
    return b"\0" + bytes((table, 0xB0 | length >> 8, length & 0xFF, 0, 1, 0xC1, 0, 0)) + content + bytes(4)


def association(program: int = 1) -> bytes:
    """A PAT: the network's PID, which is no program, and one program."""
    return packet(0, section(0, bytes((0, 0, 0xE0, 0x10, 0, program, 0xE0 | MAP >> 8, MAP & 0xFF))), start=True)


def programMap(*streams: tuple[int, int], clock: int = VIDEO, descriptors: bytes = b"") -> bytes:
    """A PMT with stream types and PIDs."""
    content = bytes((0xE0 | clock >> 8, clock & 0xFF, 0xF0, len(descriptors))) + descriptors
    for kind, pid in streams:
        content += bytes((kind, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 3)) + b"abc"
    return packet(MAP, section(2, content), start=True)


def reference(seconds: float, pid: int = VIDEO, entry: bool = False) -> bytes:
    """A packet with a PCR."""
    base = round(seconds * 90000) % (1 << 33)
    flags = bytes((0x10 | (0x40 if entry else 0),))
    return packet(pid, adaptation=flags + (base << 15 | 0x7E00).to_bytes(6, "big"))


def filled(packets: list[bytes], size: int) -> list[bytes]:
    """With packets of sound behind them, up to so many bytes."""
    return packets + [packet(AUDIO)] * (size // PACKET - len(packets))


def stream(*times: float, entries: bool = True) -> bytes:
    """A tenth of a second at 40,000 bytes per second behind each clock reference."""
    tables = [association(), programMap((0x0F, AUDIO), (0x1B, VIDEO))]
    return b"".join(b"".join(filled([*tables, reference(time, entry=entries)], RATE // 10)) for time in times)


def clockOf(data: bytes, step: int = 0) -> ProgramClock:
    clock = ProgramClock()
    for at in range(0, len(data), step * PACKET or len(data)):
        clock.push(data[at : at + step * PACKET] if step else data)
    return clock


TIMES = [7 + at / 10 for at in range(30)]
PIECE = RATE // 10 // PACKET * PACKET


def test_timesAndPlaces() -> None:
    clock = clockOf(stream(*TIMES))
    assert (clock.isKnown, clock.hasVideo, clock.size) == (True, True, 30 * PIECE)
    assert clock.timeAt(0) == pytest.approx(0.0, abs=1e-9)
    for at in range(30):
        assert clock.timeAt(at * PIECE) == pytest.approx(at / 10, abs=1e-6)
    assert clock.timeAt(clock.size) == pytest.approx(3.0, abs=1e-6)
    for time in (0.0, 0.05, 1.234, 2.95):
        offset = clock.offsetAt(time)
        assert offset % PACKET == 0
        assert 0 <= time - clock.timeAt(offset) < PACKET / RATE * 1.1
    assert (clock.offsetAt(-5.0), clock.offsetAt(1e9)) == (0, clock.size)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_inPieces(step: int) -> None:
    data = stream(*TIMES)
    whole, pieces = clockOf(data), clockOf(data, step)
    assert list(pieces.entries) == list(whole.entries)
    assert pieces.timeAt(50_000) == whole.timeAt(50_000)


def test_entriesBeginWithTheTables() -> None:
    clock = clockOf(stream(*TIMES))
    assert list(clock.entries) == [at * PIECE for at in range(30)]
    assert list(clock.entriesWithin(PIECE, 3 * PIECE)) == [PIECE, 2 * PIECE]


def test_anEntryFarFromTheTables() -> None:
    """Whoever would begin there would get a megabyte and more that is of no use."""
    filler = packet(AUDIO) * 6000
    clock = clockOf(stream(1.0) + filler + reference(2.0, entry=True))
    assert list(clock.entries) == [0, PIECE + 6000 * PACKET]


def test_theFirstVideoCounts() -> None:
    """Sound has random access points as well, and other programs have clocks."""
    data = association() + programMap((0x0F, AUDIO), (0x24, VIDEO), (0x1B, 0x103), descriptors=b"x" * 20)
    for at in range(20):
        data += reference(at / 10) + reference(99.0, pid=0x200, entry=True) + packet(AUDIO, adaptation=b"\x40")
    data += packet(VIDEO, adaptation=b"\x40")
    clock = clockOf(data)
    assert len(clock.entries) == 1
    assert 2.0 < clock.timeAt(clock.size) < 2.2


def test_soundAlone() -> None:
    data = association() + programMap((0x0F, AUDIO), clock=AUDIO)
    clock = clockOf(data + b"".join(reference(at / 10, pid=AUDIO, entry=True) for at in range(5)))
    assert (clock.isKnown, clock.hasVideo, list(clock.entries)) == (True, False, [])


def test_theClockBeginsAnew() -> None:
    """After 26.5 hours, in the middle of the stream."""
    end = (1 << 33) / 90000
    clock = clockOf(stream(*[end - 1.05 + at / 10 for at in range(30)]))
    assert clock.timeAt(clock.size) == pytest.approx(3.0, abs=1e-3)


@pytest.mark.parametrize("jump", [1000.0, -5.0, 40_000.0])
def test_theClockIsSet(jump: float) -> None:
    """As where recordings were put together: it goes on as it went before."""
    times = [7 + at / 10 + (jump if at >= 15 else 0) for at in range(30)]
    clock = clockOf(stream(*times))
    assert clock.timeAt(clock.size) == pytest.approx(3.0, abs=1e-3)
    assert clock.timeAt(15 * PIECE) == pytest.approx(1.5, abs=1e-3)


@pytest.mark.parametrize(
    "data", [b"", stream(1.0), b"".join(reference(at / 10) for at in range(9)), association() * 9, bytes(PACKET) * 9]
)
def test_noClock(data: bytes) -> None:
    assert not clockOf(data, 5).isKnown


def test_aClockThatStands() -> None:
    clock = clockOf(stream(*[7.0] * 30))
    assert not clock.isKnown


def test_junk() -> None:
    """Tables and fields that lie about their lengths: nothing but odd numbers comes of it."""
    chance = random.Random(5)
    good = stream(*TIMES[:5])
    for _ in range(200):
        data = bytearray(good)
        for _ in range(30):
            data[chance.randrange(len(data))] = chance.randrange(256)
        clock = clockOf(bytes(data))
        assert list(clock.entries) == sorted(set(clock.entries))
        if clock.isKnown:
            times = [clock.timeAt(at) for at in range(0, clock.size, PACKET)]
            assert times == sorted(times)
