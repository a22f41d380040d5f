"""
What H.264 (RFC 6184) and H.265 (RFC 7798) have in common as payload formats: NAL units to payloads.

A picture's NAL units are sent in their order. Small ones share an aggregation packet as long as they fit, those larger
than a payload are cut into fragmentation units that all have the full size except the last, so that one system call
with segmentation offload sends them.

A client that copies what it receives gets the elementary stream of the file. Three things differ, none of which a
decoder sees: access unit delimiters and filler data are left out (the RTP timestamp and marker say the same as the
former, and the latter says nothing), parameter sets are repeated before each key picture that comes without, because a
client may start there, and NAL unit types that have another meaning in RTP are left out, because they cannot be sent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, PayloadGroup
from mediasrv.rtp.payloads.nalunits import isAnnexB, splitAnnexB, splitLengthPrefixed

# A NAL unit: the bytes that hold it, where it starts in them, where it ends.
_Piece = tuple[bytes, int, int]

_LARGEST = 0xFFFF  # what the length fields of aggregation packets can say


class ParameterSets:
    """
    The parameter sets of a stream, by NAL unit type.

    @ivar byType: for each type of parameter set, in the order in which they are to be sent, those that are known.
    """

    def __init__(self, types: bytes, setTypes: Sequence[int]) -> None:
        """
        @param types: the NAL unit type for each first byte of a NAL unit.
        """
        self._types = types
        self.byType: dict[int, list[bytes]] = {setType: [] for setType in setTypes}

    def add(self, nalUnit: bytes) -> None:
        """Takes a NAL unit, if it is a parameter set and not known yet."""
        known = self.byType.get(self._types[nalUnit[0]]) if nalUnit else None
        if known is not None and nalUnit not in known:
            known.append(nalUnit)

    def first(self, setType: int) -> bytes:
        """The first one of a type, or C{b""}."""
        return next(iter(self.byType[setType]), b"")

    def missing(self, types: set[int]) -> list[bytes]:
        """What a picture lacks that holds NAL units of these types."""
        return [one for setType, known in self.byType.items() if setType not in types for one in known]


class NALFormat(PayloadFormat):
    """
    A track that consists of NAL units.

    @cvar types: the NAL unit type for each first byte of a NAL unit.
    @cvar headerSize: bytes of a NAL unit's header.
    @cvar setTypes: the types of parameter sets, in sending order.
    @cvar dropped: the types that are not sent.
    @ivar lengthSize: bytes of the length before each NAL unit; 0 for start codes.
    @ivar sets: the parameter sets that the container knows.
    """

    kind: ClassVar[Literal["video"]] = "video"
    isSelfContained = True
    types: ClassVar[bytes]
    headerSize: ClassVar[int]
    setTypes: ClassVar[tuple[int, ...]]
    dropped: ClassVar[frozenset[int]]

    def __init__(self, track: Track) -> None:
        """
        @raise PayloadError: if the track's extradata is neither empty nor parameter sets with start codes nor the
            configuration record of the codec.
        """
        super().__init__(track)
        self.lengthSize = 0
        self.sets = ParameterSets(self.types, self.setTypes)
        extradata = track.extradata
        if isAnnexB(extradata):
            for start, end in splitAnnexB(extradata):
                self.sets.add(extradata[start:end])
        elif extradata:
            self._readConfiguration(extradata)

    @abstractmethod
    def _readConfiguration(self, record: bytes) -> None:
        """
        Sets L{lengthSize} and L{sets} from a decoder configuration record (ISO/IEC 14496-15).

        @raise PayloadError: if it is none.
        """

    @abstractmethod
    def _aggregationHeader(self, nalUnits: Sequence[bytes]) -> bytes:
        """What the aggregation packet of these NAL units starts with; C{headerSize} bytes."""

    @abstractmethod
    def _fragmentHeaders(self, header: bytes) -> tuple[bytes, bytes, bytes]:
        """What the first, the middle and the last fragments of a NAL unit start with; one more than C{headerSize}."""

    def _readSets(self, record: bytes, at: int, count: int) -> int:
        """
        Reads parameter sets with 16-bit lengths.

        @return: where they end, which for a truncated record is behind its end.
        """
        for _ in range(count):
            start = at + 2
            at = start + int.from_bytes(record[at:start], "big")
            if at > len(record):
                break
            self.sets.add(record[start:at])
        return at

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        """See L{PayloadFormat.pack}. A picture with a damaged length field is left out."""
        limit = min(limit, _LARGEST)
        groups = []
        for unit in units:
            try:
                pieces = self._pieces(unit)
            except PayloadError:
                continue
            payloads = self._payloads(pieces, limit)
            if payloads:
                groups.append(PayloadGroup(unit.dts, unit.pts, unit.key, True, payloads))
        return groups

    def _pieces(self, unit: Unit) -> list[_Piece]:
        """
        The NAL units to be sent for C{unit}.

        @raise PayloadError: if it is damaged.
        """
        data, types, dropped, headerSize = unit.data, self.types, self.dropped, self.headerSize
        spans = splitLengthPrefixed(data, self.lengthSize) if self.lengthSize else splitAnnexB(data)
        pieces = [
            (data, start, end)
            for start, end in spans
            if types[data[start]] not in dropped and end - start >= headerSize
        ]
        if unit.key and pieces:
            missing = self.sets.missing({types[data[start]] for _, start, _ in pieces})
            pieces[:0] = [(one, 0, len(one)) for one in missing]
        return pieces

    def _payloads(self, pieces: list[_Piece], limit: int) -> list[bytes]:
        """Aggregates what is small and cuts what is large."""
        payloads: list[bytes] = []
        small: list[bytes] = []
        filled = self.headerSize
        for data, start, end in pieces:
            size = end - start
            if small and filled + 2 + size > limit:
                payloads.append(self._together(small))
                small = []
                filled = self.headerSize
            if size > limit:
                payloads += self._fragments(data, start, end, limit)
            else:
                small.append(data[start:end])
                filled += 2 + size
        if small:
            payloads.append(self._together(small))
        return payloads

    def _together(self, nalUnits: list[bytes]) -> bytes:
        """One NAL unit as it is, or several as an aggregation packet."""
        if len(nalUnits) == 1:
            return nalUnits[0]
        parts = [self._aggregationHeader(nalUnits)]
        for nalUnit in nalUnits:
            parts += (len(nalUnit).to_bytes(2, "big"), nalUnit)
        return b"".join(parts)

    def _fragments(self, data: bytes, start: int, end: int, limit: int) -> list[bytes]:
        """Cuts the NAL unit C{data[start:end]}, which is larger than C{limit}: two fragments at least."""
        payload = start + self.headerSize
        first, middle, last = self._fragmentHeaders(data[start:payload])
        step = limit - len(first)
        second = payload + step
        tail = payload + (end - payload - 1) // step * step
        fragments = [first + data[payload:second]]
        fragments += [middle + data[at : at + step] for at in range(second, tail, step)]
        fragments.append(last + data[tail:end])
        return fragments
