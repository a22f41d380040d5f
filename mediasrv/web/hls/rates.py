"""
Bit rates for C{BANDWIDTH} and C{AVERAGE-BANDWIDTH} (RFC 8216 section 4.3.4.2), without reading the file.

A peak is the highest rate of a segment. What lies in the file between the places of two key frames is what a segment
has, of all tracks together; where a container does not say, the average with some room has to do. The numbers are upper
bounds: a player that trusts them never stalls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mediasrv.media.presentation import Presentation
from mediasrv.media.tracks import Track
from mediasrv.web.hls.segmenting import Segment

#: bits a second of the boxes around each segment, and bits for each picture and each frame of sound in them
_PER_SEGMENT, _PER_PICTURE, _PER_FRAME = 600, 16 * 8, 8 * 8
#: samples in a frame of sound, as a rule
_FRAME = 1024
#: a peak where nothing is known of it, as a multiple of the average; and the share of the sound that may lie on the
#: other side of a key frame
_ROOM, _STRAY = 1.5, 0.25


def framing(tracks: Sequence[Track]) -> float:
    """Bits a second of the boxes around the samples of tracks."""
    return sum(
        _PER_SEGMENT
        + (_PER_PICTURE * float(track.frameRate or 30) if track.kind == "video" else 0.0)
        + (_PER_FRAME * track.sampleRate / _FRAME)
        for track in tracks
    )


def rates(presentation: Presentation, segments: Sequence[Segment], tracks: Sequence[Track]) -> tuple[int, int]:
    """
    The peak and the average bit rate of some tracks of a presentation played together, bits per second.
    """
    duration = presentation.duration or 1.0
    everything = presentation.version.size * 8 / duration
    others = sum(track.bitRate for track in presentation.tracks if track not in tracks)
    stated = sum(track.bitRate for track in tracks) if all(track.bitRate for track in tracks) else 0
    average = float(min(stated, everything) or max(everything - others, everything / 10))
    boxes = framing(tracks)
    peak = max(_peak(presentation, segments) - others, 0.0)
    if tracks != presentation.tracks and not any(track.kind == "video" for track in tracks):
        peak = 0.0  # the places in the file are those of pictures
    stray = _STRAY * sum(track.bitRate for track in tracks if track.kind == "audio")
    peak = peak + stray if peak else _ROOM * average
    return round(max(peak, average) + boxes), round(average + boxes)


def _peak(presentation: Presentation, segments: Sequence[Segment]) -> float:
    """The highest rate of a segment with a place in the file at both ends; 0.0 if there is none."""
    placed = [(each.start, presentation.cuts[each.first].position) for each in segments]
    spans = [
        (later[0] - former[0], later[1] - former[1])
        for former, later in pairwise([(start, position) for start, position in placed if position >= 0])
    ]
    typical = max((length for length, _ in spans), default=0.0)
    # what is much shorter than the others never comes alone (RFC 8216: from half a target duration on)
    return max((size * 8 / length for length, size in spans if size > 0 and length >= typical / 2), default=0.0)
