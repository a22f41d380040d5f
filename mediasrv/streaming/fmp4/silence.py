"""
Silence where sound is missing beside pictures: before it starts, and after it has ended.

Media Source Extensions play a moment only when every track has something for it. So a film whose sound is shorter than
its pictures would stop there, in every browser, and for ever. What is missing in a segment is made up for by silent
frames, for codecs where such a frame is a matter of a few bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Unit
from mediasrv.streaming.fmp4.initsegment import PackagedTrack

#: seconds of missing sound that are left as they are: players have to bear that much anyway
_BEARABLE = 0.25

#: elements of AAC by number of channels (ISO/IEC 14496-3 table 1.19): single, pair, low frequencies
_ELEMENTS = {1: "s", 2: "p", 3: "sp", 4: "sps", 5: "spp", 6: "sppl", 8: "spppl"}
#: an element of which all is zero (table 4.4 and following): its identifier, an instance tag of 4 bits, and the rest
_ELEMENT = {"s": ("000", "0" * 22), "p": ("001", "1" + "0" * 35), "l": ("011", "0" * 22)}
_END = "111"


def silentAAC(channels: int) -> bytes:
    """A silent frame of AAC-LC, or C{b""} for an arrangement that is not a standard one."""
    elements = _ELEMENTS.get(channels)
    if elements is None:
        return b""
    bits = ""
    for place, kind in enumerate(elements):
        identifier, rest = _ELEMENT[kind]
        bits += f"{identifier}{elements[:place].count(kind):04b}{rest}"
    bits += _END
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def silentOpus(channels: int) -> bytes:
    """A silent frame of Opus of 20 ms (RFC 6716 section 3.1: CELT, full band), for one stream."""
    return {1: b"\xf8\xff\xfe", 2: b"\xfc\xff\xfe"}.get(channels, b"")


def filled(packaged: PackagedTrack, units: Sequence[Unit], start: float, end: float) -> list[Unit]:
    """
    The units of a segment, with silence where a track of sound has none.

    @param start: NPT seconds of the segment's start.
    @param end: NPT seconds of the next one's start.
    """
    format, timeline = packaged.format, packaged.timeline
    silence, ticks = format.silence, format.silentTicks
    if not silence or not ticks:
        return list(units)
    first = timeline.decoding(units[0].dts) if units else None
    last = None
    if units:
        # the last frame of a file is often said to be shorter than it is
        length = format.frameTicks or round(units[-1].duration * timeline.timescale) or ticks
        last = timeline.decoding(units[-1].dts) + length
    begin, stop = timeline.tick(max(0.0, start)), timeline.tick(end)
    grid = first if first is not None else timeline.grid
    before = _frames(begin, first if first is not None else stop, grid, ticks, timeline.timescale)
    after = _frames(last, stop, last, ticks, timeline.timescale) if last is not None else []

    def silent(tick: int) -> Unit:
        time = (tick - timeline.lead) / timeline.timescale
        return Unit(time, time, ticks / timeline.timescale, True, silence)

    return [*map(silent, before), *units, *map(silent, after)]


def _frames(begin: int, stop: int, grid: int, ticks: int, timescale: int) -> Sequence[int]:
    """The ticks between two where a frame starts, if there is enough missing."""
    if stop - begin <= _BEARABLE * timescale:
        return []
    first = begin + (grid - begin) % ticks
    return range(first, stop if grid <= begin else stop - ticks + 1, ticks)
