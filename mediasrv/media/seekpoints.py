"""
Seek points: where in a file decoding can start, and where the file ends.

From the container's own index where that can be trusted; else the whole file is read once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from mediasrv.media.breaks import Breaks
from mediasrv.media.files import NotMedia
from mediasrv.media.streamreader import StreamReader
from mediasrv.media.streams import keyEntries

#: samples of a track whose index is worked on: two days of video at 60 pictures a second
_MAXIMUM_INDEX = 10_000_000

#: bytes after the last cue of a Matroska file; with more, its cues do not cover it
_UNCUED = 64 << 20

#: containers whose index of samples is whole and exact as soon as the file is open
_INDEXED = frozenset({"mov", "avi", "matroska"})


@dataclass(frozen=True, slots=True)
class SeekPoint:
    """
    A place where decoding can start.

    @ivar dts: NPT seconds in decoding order.
    @ivar pts: NPT seconds in presentation order.
    @ivar position: bytes of the file before it; negative where the container does not say.
    """

    dts: float
    pts: float
    position: int = -1


def findSeekPoints(reader: StreamReader, duration: float) -> tuple[list[SeekPoint], float]:
    """
    The seek points of the first track in order, and the NPT seconds of the end. For audio every frame is a seek point,
    and the list is empty. Where that takes reading the whole file, the reader learns of its L{Breaks} too.

    @param duration: NPT seconds of the end, as the container says; 0.0 where it does not.
    @raise NotMedia: if there are too many.
    """
    found = _indexed(reader, duration) if _INDEXED & reader.demuxer.names else None
    return _scanned(reader) if found is None else found


def _indexed(reader: StreamReader, duration: float) -> tuple[list[SeekPoint], float] | None:
    """From the container's index; None if that is not to be trusted."""
    names, size, reference = reader.demuxer.names, reader.demuxer.version.size, reader.reference
    if "matroska" in names:
        # its cues are read at the first seek
        reader.seek(0.0)
    # only now: seeking may have opened the file again
    entries = reference.stream.index_entries
    count = len(entries)
    if not count or not duration:
        return None
    if count > _MAXIMUM_INDEX:
        raise NotMedia(f"its index has {count} samples")
    final = entries[count - 1]
    last = reference.npt(final.timestamp)
    if "matroska" in names and (size - final.pos > _UNCUED or last > duration):
        return None
    # whatever it says of its duration
    duration = max(duration, last)
    keys = keyEntries(entries)
    if "matroska" in names and _isCutOff([position for _, position in keys], size):
        return None
    # A fragmented MP4 knows only the fragments that it came across; cues may be missing from where a muxer died.
    slack = 1.0 if "mov" in names else 60.0
    if last < duration - slack - reference.nextDTS and "avi" not in names:
        return None
    if reference.track.kind == "audio":
        return [], duration
    delay = _reorderingDelay(reader) if "mov" in names else 0.0
    times = [(reference.npt(ticks), position) for ticks, position in keys]
    return [SeekPoint(time, time + delay, position) for time, position in times], duration


def _isCutOff(positions: list[int], size: int) -> bool:
    """
    Whether there is more after the last key frame of an index than there ever is from one to the next. Where a muxer
    died there are no cues, and FFmpeg knows only what it came across when it opened the file.
    """
    widest = max((later - former for former, later in pairwise(positions)), default=0)
    return size - positions[-1] > 2 * widest


def _reorderingDelay(reader: StreamReader) -> float:
    """
    Seconds from decoding a key frame to showing it, by the first one; an index of MP4 knows only decoding times. Later
    ones that open a group with pictures shown before them have more, which the first unit read will tell.
    """
    reader.rewind()
    packet = reader.demuxer.firstPacket(reader.reference.stream.index)
    if packet is None or not packet.is_keyframe or packet.pts is None or packet.dts is None:
        return 0.0
    return max(0.0, reader.reference.seconds(packet.pts - packet.dts))


def _scanned(reader: StreamReader) -> tuple[list[SeekPoint], float]:
    """Reads the whole file once."""
    points: list[SeekPoint] = []
    end = 0.0
    reference = reader.reference
    isVideo = reference.track.kind == "video"
    isTimed = False
    breaks = Breaks(isMultiplex=reader.demuxer.isMultiplex)
    for packet in reader.packets():
        entry = reader.streams[packet.stream_index]
        pts = packet.pts if packet.pts is not None else packet.dts
        isTimed = isTimed or pts is not None
        if pts is None and isTimed:
            continue
        # a raw stream of H.264 knows no time at all: then pictures follow each other, as when its units are read
        time = entry.nextDTS if pts is None else entry.npt(pts)
        decoding = time if packet.dts is None else entry.npt(packet.dts)
        duration = entry.seconds(packet.duration)
        shift = breaks.learn(packet.stream_index, packet.pos, decoding, duration)
        time, decoding = time + shift, decoding + shift
        entry.nextDTS = time + duration
        end = max(end, entry.nextDTS)
        if isVideo and entry is reference and packet.is_keyframe:
            points.append(SeekPoint(decoding, time, -1 if packet.pos is None else packet.pos))
    if breaks.isBroken:
        reader.breaks = breaks
    reader.rewind()
    points.sort(key=lambda point: point.pts)
    return points, end
