"""
MP4 with its index in front (ISO/IEC 14496-12), made on the fly from one that has it at the end.

A player has to have the index (C{moov}) before it can show anything. Where that comes last, it has to fetch the end of
the file first, and some play nothing until all of it is there. The same boxes in another order are the same film, but
for one thing: the index says where in the file the media are, and these places move.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mediasrv.media.fileboxes import FileBox, FileBoxError, fileBoxes
from mediasrv.media.pieces import Extent, Piece

#: bytes of the largest index that is moved, and the places that it may name; those of a film of a day have less
_LARGEST = 48 << 20
_MOST_PLACES = 4_000_000
#: boxes that are looked at: at the top of a file, and in the index
_MOST_BOXES = 1000
_MOST_INNER = 20_000
#: bytes that a result takes besides its pieces
_OVERHEAD = 500
_HEAD = struct.Struct(">I4s")
_FOUR_BYTES = 1 << 32

#: the boxes that lead from the index to what says where the media are
_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class _AsItIs(Exception):
    """The file is sent as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class FastStart:
    """
    How a file is sent so that it starts at once.

    @ivar pieces: in this order; None if it is to be sent as it is.
    @ivar reason: why.
    @ivar size: bytes of memory.
    """

    pieces: list[Piece] | None
    reason: str
    size: int


def fastStart(descriptor: int, size: int) -> FastStart:
    """
    Puts the index in front; for a reader thread.

    @param size: of the file.
    @raise OSError: if it cannot be read.
    """
    try:
        pieces = _reordered(descriptor, size)
    except _AsItIs as reason:
        return FastStart(None, str(reason), _OVERHEAD)
    memory = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
    return FastStart(pieces, "its index is at its end", memory + _OVERHEAD)


def _reordered(descriptor: int, size: int) -> list[Piece]:
    """
    @raise _AsItIs: if that is not to be done.
    """
    try:
        boxes = list(fileBoxes(descriptor, 0, size, _MOST_BOXES))
    except FileBoxError as error:
        raise _AsItIs(f"no MP4: {error}") from None
    if not boxes or boxes[0].kind not in _FIRST:
        raise _AsItIs("no MP4")
    kinds = [box.kind for box in boxes]
    if kinds.count(b"moov") != 1 or b"mdat" not in kinds:
        raise _AsItIs("no film with one index")
    if b"moof" in kinds:
        raise _AsItIs("it comes in fragments")
    index = boxes[kinds.index(b"moov")]
    if kinds.index(b"moov") < kinds.index(b"mdat"):
        raise _AsItIs("its index is in front already")
    if index.size > _LARGEST:
        raise _AsItIs("its index is too large")
    place = boxes[0].end if kinds[0] == b"ftyp" else 0
    content = os.pread(descriptor, index.size, index.start)[index.head :]
    if len(content) != index.size - index.head:
        raise _AsItIs("it became shorter")
    moved = _moved(content, place, index)
    pieces: list[Piece] = [
        Extent(0, place),
        moved,
        Extent(place, index.start - place),
        Extent(index.end, size - index.end),
    ]
    return [piece for piece in pieces if isinstance(piece, bytes) or piece.length]


#: with what an MP4 or a QuickTime file whose index is at its end may begin
_FIRST = (b"ftyp", b"wide", b"mdat", b"free", b"skip", b"pnot")


def _moved(content: bytes, place: int, index: FileBox) -> bytes:
    """
    The index as it has to be in its new place.

    @param content: of the box C{moov}.
    @param place: where it comes to be.
    """
    isWide = False
    size = index.size
    while True:
        rewriter = _Rewriter(place, index, size, isWide)
        moved = rewriter.box(_PATH[0], content, 0)
        if rewriter.highest >= _FOUR_BYTES and not isWide:
            isWide = True
        elif len(moved) == size:
            return moved
        # what it takes itself moves the media, so that its size has to be known before
        size = len(moved)


class _Rewriter:
    """
    Writes an index anew.

    @ivar highest: the highest place that it names.
    """

    def __init__(self, place: int, index: FileBox, size: int, isWide: bool) -> None:
        """
        @param size: bytes that it is going to have.
        @param isWide: whether places take eight bytes, not four.
        """
        self.highest = 0
        self._place = place
        self._index = index
        self._size = size
        self._isWide = isWide
        self._boxes = 0
        self._count = 0

    def box(self, kind: bytes, content: bytes, depth: int) -> bytes:
        """
        A box with its header.

        @param depth: how many boxes it is in.
        """
        if depth < len(_PATH) and kind == _PATH[depth]:
            content = b"".join(self._child(child, body, whole, depth + 1) for child, body, whole in _boxesIn(content))
        if len(content) + 8 >= _FOUR_BYTES:
            raise _AsItIs("its index is too large")
        return _HEAD.pack(len(content) + 8, kind) + content

    def _child(self, kind: bytes, content: bytes, whole: bytes, depth: int) -> bytes:
        self._boxes += 1
        if self._boxes > _MOST_INNER:
            raise _AsItIs("its index has too many boxes")
        if depth < len(_PATH) and kind == _PATH[depth]:
            return self.box(kind, content, depth)
        if kind in (b"stco", b"co64") and depth == len(_PATH):
            return self._places(kind, content)
        if kind in (b"cmov", b"mvex", b"saio", b"iloc"):
            raise _AsItIs(f"its index has {kind.decode()}")
        if kind == b"meta" and b"iloc" in content:
            raise _AsItIs("its index has iloc")
        if kind == b"dinf" and _isElsewhere(content):
            raise _AsItIs("its media are in another file")
        return whole

    def _places(self, kind: bytes, content: bytes) -> bytes:
        """Where the chunks of a track are (section 8.7.5)."""
        places = array("I" if kind == b"stco" else "Q")
        count = int.from_bytes(content[4:8], "big")
        self._count += count
        if len(content) < 8 + count * places.itemsize or self._count > _MOST_PLACES:
            raise _AsItIs("its index is broken")
        places.frombytes(content[8 : 8 + count * places.itemsize])
        _swap(places)
        try:
            moved = array("Q", map(self._mover(), places))
        except OverflowError:
            raise _AsItIs("its index is broken") from None
        self.highest = max(self.highest, max(moved, default=0))
        isWide = kind == b"co64" or self._isWide
        if self.highest >= _FOUR_BYTES and not isWide:
            return b""  # it has to be done again
        result = moved if isWide else array("I", moved)
        _swap(result)
        body = content[:8] + result.tobytes()
        return _HEAD.pack(len(body) + 8, b"co64" if isWide else b"stco") + body

    def _mover(self) -> Callable[[int], int]:
        place, start = self._place, self._index.start
        before, behind = self._size, self._size - self._index.size

        def move(offset: int) -> int:
            return offset if offset < place else offset + before if offset < start else offset + behind

        return move


def _swap(numbers: array[int]) -> None:
    if sys.byteorder == "little":
        numbers.byteswap()


def _boxesIn(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The boxes in a box: kind, content, and all of it. A few zeros at the end may be there, as QuickTime has them."""
    position = 0
    while position < len(content):
        if len(content) - position < 8:
            if any(content[position:]):
                raise _AsItIs("its index is broken")
            yield b"", b"", content[position:]
            return
        length, kind = _HEAD.unpack_from(content, position)
        head = 8
        if length == 1:
            head, length = 16, int.from_bytes(content[position + 8 : position + 16], "big")
        elif length == 0:
            length = len(content) - position
        if length < head or position + length > len(content):
            raise _AsItIs("its index is broken")
        whole = content[position : position + length]
        yield kind, whole[head:], whole
        position += length


def _isElsewhere(content: bytes) -> bool:
    """Whether data references (C{dinf}, section 8.7.1) lead out of the file."""
    for kind, body, _ in _boxesIn(content):
        if kind == b"dref":
            return any(not entry[3:4] or not entry[3] & 1 for _, entry, _ in _boxesIn(body[8:]))
    return False
