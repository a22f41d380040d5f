"""
All formats of samples: which one a track has in MP4.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediasrv.media.tracks import Track, Unit
from mediasrv.streaming.fmp4.formats import NotPackaged, SampleFormat
from mediasrv.streaming.fmp4.nalsamples import H264Samples, H265Samples
from mediasrv.streaming.fmp4.opensamples import AV1Samples, VP9Samples
from mediasrv.streaming.fmp4.soundsamples import AACSamples, FLACSamples, MP3Samples, OpusSamples

FORMATS: tuple[type[SampleFormat], ...] = (
    H264Samples,
    H265Samples,
    AV1Samples,
    VP9Samples,
    AACSamples,
    MP3Samples,
    OpusSamples,
    FLACSamples,
)

_BY_CODEC = {codec: found for found in FORMATS for codec in found.codecs}


def packages(codec: str) -> bool:
    """Whether there is a format for the codec that FFmpeg calls so; a track of it may still be refused."""
    return codec in _BY_CODEC


def sampleFormatFor(track: Track, units: Sequence[Unit] = ()) -> SampleFormat:
    """
    The format that a track has in MP4.

    @param units: its first ones.
    @raise NotPackaged: if there is none, or the track cannot be described.
    """
    found = _BY_CODEC.get(track.codec)
    if found is None:
        raise NotPackaged(f"{track.codec or 'an unknown codec'} is not put into MP4")
    return found(track, units)
