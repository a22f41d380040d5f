"""
What H.264 (RFC 6184) and H.265 (RFC 7798) have in common as payload formats: payloads to pictures of NAL units.

Pictures come out with start codes. A key picture that comes without parameter sets, as many publishers send them, gets
those last seen in the stream, or in the session description, so that it can be recorded and decoded by itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from mediasrv.rtp.payloads.assembly import UnitAssembler
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.nalformat import ParameterSets
from mediasrv.rtp.payloads.nalunits import START_CODE, joinAnnexB

_MOST_NAL_UNITS = 16384  # in one picture; more is no video


class NALUnpacker(UnitAssembler):
    """
    Puts pictures together from NAL units.

    @cvar types: the NAL unit type for each first byte of a NAL unit.
    @cvar headerSize: bytes of a NAL unit's header.
    @cvar setTypes: the types of parameter sets, in sending order.
    @cvar sliceTypes: the types whose first bit after the header says "first slice of the picture".
    @cvar startTypes: the types that come before everything else in a picture.
    @cvar delimiter: the type of access unit delimiters.
    """

    types: ClassVar[bytes]
    headerSize: ClassVar[int]
    setTypes: ClassVar[tuple[int, ...]]
    sliceTypes: ClassVar[frozenset[int]]
    startTypes: ClassVar[frozenset[int]]
    delimiter: ClassVar[int]

    def __init__(self, sets: Iterable[bytes] = ()) -> None:
        """
        @param sets: the parameter sets of the session description.
        """
        super().__init__()
        self._picture = bytearray()
        self._starts: list[int] = []  # where in the picture each NAL unit starts, after its start code
        self._fragmented = False  # the last NAL unit is not complete
        # Whether key and other pictures of this stream have something before their first slice, once one was seen.
        self._preceded: dict[bool, bool] = {}
        self._sets = ParameterSets(self.types, self.setTypes)
        for one in sets:
            self._sets.add(one)

    def _clear(self) -> None:
        self._picture = bytearray()
        self._starts = []
        self._fragmented = False

    @abstractmethod
    def _isKey(self, types: list[int]) -> bool:
        """Whether decoding can start at the picture under way, whose NAL units have these types."""

    def _begin(self, header: bytes) -> None:
        if self._fragmented:
            raise PayloadError("a NAL unit starts before the last one ended")
        if len(self._starts) >= _MOST_NAL_UNITS:
            raise PayloadError(f"more than {_MOST_NAL_UNITS} NAL units in a picture")
        self._picture += START_CODE
        self._starts.append(len(self._picture))
        self._picture += header

    def _addWhole(self, nalUnit: bytes) -> None:
        self._begin(nalUnit)

    def _addPart(self, header: bytes, part: bytes, first: bool, last: bool) -> None:
        """Takes a fragment of the NAL unit with this header."""
        if first:
            self._begin(header)
        elif not self._fragmented:
            self._damage()  # nothing wrong with it: the stream was joined in the middle of a picture
            return
        self._picture += part
        self._fragmented = not last

    def _aggregated(self, payload: bytes) -> Iterator[bytes]:
        """
        The NAL units of an aggregation packet, without the empty ones.

        @raise PayloadError: if a length points outside.
        """
        at, stop = self.headerSize, len(payload)
        while at < stop:
            start = at + 2
            at = start + int.from_bytes(payload[at:start], "big")
            if at > stop:
                raise PayloadError("a NAL unit ends after its aggregation packet")
            if at > start:
                yield payload[start:at]

    def _nalUnit(self, number: int) -> bytes:
        """A NAL unit of the picture under way."""
        start = self._starts[number]
        following = self._starts[number + 1 : number + 2]
        return bytes(self._picture[start : following[0] - len(START_CODE) if following else None])

    def _finish(self, sure: bool) -> tuple[bool, bytes] | None:
        if self._fragmented or not self._starts:
            return None
        types = [self.types[self._picture[start]] for start in self._starts]
        key = self._isKey(types)
        if not sure and not self._hasStart(types, key):
            return None
        self._preceded[key] = self._preceded.get(key, False) or types[0] not in self.sliceTypes
        self._learnSets(types)
        return key, self._withSets(types) if key else bytes(self._picture)

    def _hasStart(self, types: list[int], key: bool) -> bool:
        """
        Whether the picture has its start although packets before it were lost: it starts with what only starts a
        picture, or it has the first slice and pictures of this stream start with that. The first unit of all is trusted
        if it has the first slice. (Not noticed: the loss of the whole first field of a picture coded in two.)
        """
        if types[0] in self.startTypes:
            return True
        if self._preceded.get(key, bool(self._preceded)):
            return False
        for start, nalType in zip(self._starts, types, strict=True):
            if nalType in self.sliceTypes:
                return bool(self._picture[start + self.headerSize : start + self.headerSize + 1] >= b"\x80")
        return False

    def _learnSets(self, types: list[int]) -> None:
        """Remembers the parameter sets of the picture in place of older ones of their type."""
        for setType in self._sets.byType.keys() & set(types):
            known = [self._nalUnit(number) for number, nalType in enumerate(types) if nalType == setType]
            self._sets.byType[setType] = known

    def _withSets(self, types: list[int]) -> bytes:
        """The picture, with the parameter sets that it lacks put before it, but after an access unit delimiter."""
        missing = joinAnnexB(self._sets.missing(set(types)))
        at = 0
        if types[0] == self.delimiter:
            at = self._starts[1] - len(START_CODE) if len(types) > 1 else len(self._picture)
        return bytes(self._picture[:at] + missing + self._picture[at:])
