"""
AC-3 in RTP: RFC 4184. Two bytes of header, FT (what kind of payload) and NF (how many frames, or pieces of the frame).

A frame is 32 ms or longer, so a packet never holds more than one when we send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, ReceivedUnit, Unpacker
from mediasrv.rtp.payloads.frames import Assembly, cut

#: sampling rates that both RFCs permit (RFC 4184 section 5.1, RFC 4598 section 5.1)
RATES = (48000, 44100, 32000)
SYNC_WORD = b"\x0b\x77"
_BIT_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_COMPLETE, _HEAD, _SHORT_HEAD, _REST = range(4)


class SyncFrame(NamedTuple):
    """
    What the start of a frame says (ATSC A/52 sections 5.3 and E.2.2).

    @ivar size: bytes.
    @ivar samples: per channel; 1536 in AC-3.
    @ivar leads: whether it begins an access unit: false for what belongs to the frame before it, that is dependent
        substreams and further programs of E-AC-3.
    """

    size: int
    samples: int
    leads: bool


class AC3Format(PayloadFormat):
    """AC-3 (A/52), one frame or piece of a frame in each packet."""

    codecs = frozenset({"ac3"})
    kind: ClassVar[Kind] = "audio"
    encodingName = "ac3"
    isSelfContained = True

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self.clockRate = checkedRate(track)
        if track.channels > 6:
            raise PayloadError(f"AC-3 of {track.channels} channels")
        self.channels = track.channels

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        groups = []
        for unit in units:
            try:
                frames = list(splitFrames(unit.data, readFrame))
            except PayloadError:
                continue
            for number, (_, frame) in enumerate(frames):
                later = number * 1536 / self.clockRate
                groups.append(PayloadGroup(unit.dts + later, unit.pts + later, True, True, _payloads(frame, limit - 2)))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        return _AC3Unpacker()


class _AC3Unpacker:
    def __init__(self) -> None:
        self._pieces = PieceCounter(3840, readFrame)

    def push(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> list[ReceivedUnit]:
        data = payload[2:]
        if not data or not payload[1]:
            raise PayloadError(f"an AC-3 payload of {len(payload)} bytes")
        kind = payload[0] & 3
        if kind == _COMPLETE:
            self._pieces.clear()
            return list(gatherUnits(timestamp, splitFrames(data, readFrame)))
        return self._pieces.push(sequence, timestamp, payload[1], data, first=kind != _REST)


class PieceCounter:
    """Puts frames together whose pieces say how many they are, as in AC-3 and E-AC-3."""

    def __init__(self, most: int, read: Callable[[bytes, int], SyncFrame]) -> None:
        """
        @param most: the largest frame in bytes.
        @param read: reads the start of a frame.
        """
        self._assembly = Assembly(most)
        self._read = read

    def clear(self) -> None:
        """Forgets the frame under way."""
        self._assembly.clear()

    def continues(self, sequence: int, timestamp: int) -> bool:
        """Whether a packet can carry the next piece of a frame under way."""
        return self._assembly.continues(sequence, timestamp)

    def push(self, sequence: int, timestamp: int, total: int, piece: bytes, *, first: bool) -> list[ReceivedUnit]:
        """
        @param total: the number of pieces that this one says the frame has.
        @raise PayloadError: if the pieces make no frame.
        """
        assembly = self._assembly
        if first:
            assembly.begin(sequence, timestamp, piece, total)
        elif not assembly.extend(sequence, timestamp, piece):
            return []
        if total != assembly.total:
            assembly.clear()
            raise PayloadError(f"a piece of {total} in a frame of {assembly.total} pieces")
        if assembly.count < total:
            return []
        data = assembly.take()
        if self._read(data, 0).size != len(data):
            raise PayloadError(f"a frame of {len(data)} bytes whose header says otherwise")
        return [ReceivedUnit(timestamp, True, data)]


def checkedRate(track: Track) -> int:
    """The track's sampling rate, which is the clock rate."""
    if track.sampleRate not in RATES:
        raise PayloadError(f"{track.codec} at {track.sampleRate} Hz")
    return track.sampleRate


def readFrame(data: bytes, start: int) -> SyncFrame:
    """
    Reads the start of an AC-3 frame.

    @raise PayloadError: if none begins there.
    """
    header = data[start : start + 6]
    if len(header) < 6 or not header.startswith(SYNC_WORD) or header[5] >> 3 > 10:
        raise PayloadError(f"{header.hex()} begins no AC-3 frame")
    rate, code = header[4] >> 6, header[4] & 0x3F
    if rate == 3 or code >= 2 * len(_BIT_RATES):
        raise PayloadError(f"an AC-3 frame of rate {rate} and size {code}")
    bitRate = _BIT_RATES[code >> 1]
    # ATSC A/52 table 5.18: 1536 samples at this bit rate, in 16-bit words; at 44.1 kHz every other frame is one longer
    words = (bitRate * 2, bitRate * 320 // 147 + (code & 1), bitRate * 3)[rate]
    return SyncFrame(words * 2, 1536, True)


def splitFrames(data: bytes, read: Callable[[bytes, int], SyncFrame]) -> Iterator[tuple[SyncFrame, bytes]]:
    """
    The frames that follow each other in C{data}.

    @param read: reads the start of a frame at an offset.
    @raise PayloadError: if one is damaged or cut off.
    """
    start = 0
    while start < len(data):
        frame = read(data, start)
        if start + frame.size > len(data):
            raise PayloadError("a frame is cut off")
        yield frame, data[start : start + frame.size]
        start += frame.size


def gatherUnits(timestamp: int, frames: Iterator[tuple[SyncFrame, bytes]]) -> Iterator[ReceivedUnit]:
    """Puts frames that belong together in one unit and reckons each unit's time, the first being at C{timestamp}."""
    unit: list[bytes] = []
    start = due = timestamp
    for frame, data in frames:
        if frame.leads and unit:
            yield ReceivedUnit(start & 0xFFFFFFFF, True, b"".join(unit))
            unit = []
        if not unit:
            start = due
            due += frame.samples
        unit.append(data)
    if unit:
        yield ReceivedUnit(start & 0xFFFFFFFF, True, b"".join(unit))


def _payloads(frame: bytes, room: int) -> list[bytes]:
    if len(frame) <= room:
        return [bytes((_COMPLETE, 1)) + frame]
    pieces = cut(frame, room)
    # The first 5/8 are enough to decode two of the six blocks (section 4.2); ATSC A/52 table 7.34, in words.
    words = len(frame) // 2
    enough = 2 * (words // 2 + words // 8)
    first = _HEAD if room >= enough else _SHORT_HEAD
    return [bytes((_REST if number else first, len(pieces))) + piece for number, piece in enumerate(pieces)]
