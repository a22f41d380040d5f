"""
AV1: "RTP Payload Format For AV1", version 1.0, of the Alliance for Open Media.

Temporal units travel as OBUs without size fields; temporal delimiters, tile lists and padding stay behind (section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.assembly import UnitAssembler
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup, Unpacker
from mediasrv.rtp.payloads.obus import (
    FRAME,
    FRAME_HEADER,
    PADDING,
    REDUNDANT_FRAME_HEADER,
    SEQUENCE_HEADER,
    TEMPORAL_DELIMITER,
    TILE_GROUP,
    TILE_LIST,
    decodeSize,
    encodeSize,
    obuLayer,
    obuPayload,
    obuType,
    sequenceLevel,
    splitOBUs,
    withoutSize,
    withSize,
)

# The aggregation header, section 4.4.
_CONTINUES, _CONTINUED, _NEW_SEQUENCE = 0x80, 0x40, 0x08  # Z, Y, N
_COUNT_SHIFT = 4  # W
_MOST_ELEMENTS = 3  # as many as W can count

_DROPPED = frozenset({TEMPORAL_DELIMITER, TILE_LIST, PADDING})
_FRAME_STARTS = frozenset({FRAME, FRAME_HEADER})
_FRAME_PARTS = frozenset({FRAME, FRAME_HEADER, TILE_GROUP, REDUNDANT_FRAME_HEADER})

_MOST_OBUS = 16384  # in one received temporal unit


class AV1Format(PayloadFormat):
    """AV1 from av1C (AV1 in ISOBMFF, section 2.3) or with a bare sequence header as extradata, or with none."""

    codecs: ClassVar[frozenset[str]] = frozenset({"av1"})
    kind: ClassVar[Literal["video"]] = "video"
    encodingName = "AV1"
    isSelfContained = True

    def __init__(self, track: Track) -> None:
        """
        @raise PayloadError: if the track's extradata is neither empty nor av1C nor OBUs.
        """
        super().__init__(track)
        record = track.extradata
        self._record = record if record[:1] == b"\x81" and len(record) >= 4 else b""
        obus = splitOBUs(record[4:] if self._record else record)
        self._sequenceHeader = next((obu for obu in obus if obuType(obu) == SEQUENCE_HEADER), b"")
        self._parameters = self._describe()

    def formatParameters(self) -> str:
        """Section 7.2.1."""
        return self._parameters

    def _describe(self) -> str:
        if self._record:
            profile, level, tier = self._record[1] >> 5, self._record[1] & 0x1F, self._record[2] >> 7
        elif self._sequenceHeader:
            profile, level, tier = sequenceLevel(obuPayload(self._sequenceHeader))
        else:
            return ""
        return f"profile={profile};level-idx={level};tier={tier}"

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """See L{PayloadFormat.pack}. A temporal unit with a damaged OBU is left out."""
        groups = []
        for unit in units:
            try:
                obus = [obu for obu in splitOBUs(unit.data) if obuType(obu) not in _DROPPED]
            except PayloadError:
                continue
            if not obus:
                continue
            # A client may start at a key frame: it needs the sequence header.
            if unit.key and self._sequenceHeader and all(obuType(obu) != SEQUENCE_HEADER for obu in obus):
                obus.insert(0, self._sequenceHeader)
            payloads = [payload for frame in _frames(obus) for payload in _packets(frame, limit)]
            if unit.key:
                payloads[0] = bytes((payloads[0][0] | _NEW_SEQUENCE,)) + payloads[0][1:]
            groups.append(PayloadGroup(unit.dts, unit.pts, unit.key, True, payloads))
        return groups

    @classmethod
    def unpacker(cls, parameters: dict[str, str]) -> Unpacker:
        """No parameter matters: they tell what a receiver is capable of."""
        return AV1Unpacker()


def _frames(obus: list[bytes]) -> Iterator[list[bytes]]:
    """What may share packets: OBUs of one frame (section 1) and one layer (section 5), with what precedes the frame."""
    frame: list[bytes] = []
    layer = -1
    hasFrame = False
    for obu in obus:
        kind, own = obuType(obu), obuLayer(obu)
        ended = hasFrame and kind not in (TILE_GROUP, REDUNDANT_FRAME_HEADER)
        if frame and (ended or (own >= 0 and 0 <= layer != own)):
            yield frame
            frame, layer, hasFrame = [], -1, False
        frame.append(obu)
        layer = max(layer, own)
        hasFrame = hasFrame or kind in _FRAME_PARTS
    yield frame


def _packets(obus: list[bytes], limit: int) -> list[bytes]:
    """
    Fills packets with OBUs up to the last byte, so that all but the last have the same size. Only a packet in which the
    next OBU would find no room beside the length fields, or more than three would meet, is shorter.
    """
    packets: list[bytes] = []
    elements: list[bytes] = []
    step = room = limit - 1
    continues = 0
    for number, obu in enumerate(obus):
        at = 0
        if len(obu) > room:
            packets.append(_packet([*elements, obu[:room]], continues | _CONTINUED))
            tail = room + (len(obu) - room - 1) // step * step
            middle = bytes((_CONTINUES | _CONTINUED | 1 << _COUNT_SHIFT,))
            packets += [middle + obu[at : at + step] for at in range(room, tail, step)]
            elements, room, continues, at = [], step, _CONTINUES, tail
        elements.append(obu[at:])
        room -= len(elements[-1]) + len(encodeSize(len(elements[-1])))
        if room <= 0 or len(elements) == _MOST_ELEMENTS or number == len(obus) - 1:
            packets.append(_packet(elements, continues))
            elements, room, continues = [], step, 0
    return packets


def _packet(elements: list[bytes], flags: int) -> bytes:
    """One payload; its last element goes without a length."""
    parts = [bytes((flags | len(elements) << _COUNT_SHIFT,))]
    for element in elements[:-1]:
        parts += (encodeSize(len(element)), element)
    parts.append(elements[-1])
    return b"".join(parts)


class AV1Unpacker(UnitAssembler):
    """
    Puts temporal units together, in the low-overhead format (OBUs with sizes, no temporal delimiter), as MP4 and
    Matroska hold them.
    """

    def __init__(self) -> None:
        super().__init__()
        # Whether key and other temporal units of this stream have more than a frame, once one was seen.
        self._preceded: dict[bool, bool] = {}
        self._clear()

    def _clear(self) -> None:
        self._unit = bytearray()
        self._types: list[int] = []
        self._obu: bytearray | None = None  # the one of which fragments have come
        self._newSequence = False
        self._keyFrame: bool | None = None  # whether the first frame is a key frame to be shown

    def _add(self, payload: bytes) -> None:
        flags = payload[0]
        if flags & _NEW_SEQUENCE:
            if flags & _CONTINUES:
                raise PayloadError("a coded video sequence starts in the middle of an OBU")
            self._newSequence |= not self._types and self._obu is None
        if flags & _CONTINUES and self._obu is None:
            self._damage()  # nothing wrong with it: the stream was joined in the middle of a temporal unit
            return
        if self._obu is not None and not flags & _CONTINUES:
            raise PayloadError("an OBU starts before the last one ended")
        elements = _elements(payload)
        for number, element in enumerate(elements):
            if self._obu is None:
                self._obu = bytearray()
            self._obu += element
            if number < len(elements) - 1 or not flags & _CONTINUED:
                obu, self._obu = bytes(self._obu), None
                self._addOBU(obu)

    def _addOBU(self, obu: bytes) -> None:
        obu = withoutSize(obu)
        kind = obuType(obu)
        if kind in _DROPPED:
            return
        if len(self._types) >= _MOST_OBUS:
            raise PayloadError(f"more than {_MOST_OBUS} OBUs in a temporal unit")
        if self._keyFrame is None and kind in _FRAME_STARTS:
            # show_existing_frame 0, frame_type 0, show_frame 1 (AV1 section 5.9.2)
            header = obuPayload(obu)[:1]
            self._keyFrame = header != b"" and header[0] & 0xF0 == 0x10
        self._types.append(kind)
        self._unit += withSize(obu)

    def _finish(self, sure: bool) -> tuple[bool, bytes] | None:
        if self._obu is not None or not self._types:
            return None
        hasSequence = SEQUENCE_HEADER in self._types
        key = self._newSequence or (hasSequence and bool(self._keyFrame))
        if not sure and not self._hasStart(key):
            return None
        more = self._types[0] not in _FRAME_STARTS or sum(kind in _FRAME_STARTS for kind in self._types) > 1
        self._preceded[key] = self._preceded.get(key, False) or more
        return key, bytes(self._unit)

    def _hasStart(self, key: bool) -> bool:
        """
        Whether the temporal unit has its start although packets before it were lost: it starts with what only starts
        one, or with a frame, and a frame is all that temporal units of this stream have. The first of all is trusted if
        it starts with a frame that is no key frame: those have a sequence header before them.
        """
        if self._newSequence or self._types[0] == SEQUENCE_HEADER:
            return True
        if self._preceded.get(key, bool(self._preceded)) or self._keyFrame:
            return False
        return self._types[0] in _FRAME_STARTS


def _elements(payload: bytes) -> list[bytes]:
    """
    The OBU elements of a payload (section 4.5).

    @raise PayloadError: if there are not as many as the header says, or one is empty or ends outside.
    """
    count = payload[0] >> _COUNT_SHIFT & 3
    elements: list[bytes] = []
    at, stop = 1, len(payload)
    while at < stop:
        size = stop - at
        if len(elements) + 1 != count:
            size, at = decodeSize(payload, at)
        if not size or at + size > stop:
            raise PayloadError("damaged length of an OBU element")
        elements.append(payload[at : at + size])
        at += size
    if not elements or (count and len(elements) != count):
        raise PayloadError(f"{len(elements)} OBU elements instead of {count}")
    return elements
