"""
Decoding of audio that no RTP payload format carries (FLAC, DTS, float PCM, …) to 16-bit PCM, on the fly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import av
import av.error

from mediasrv.media.tracks import Track

#: more than eight channels or 192 kHz are no audio that a player of RTP knows
_MAXIMUM_CHANNELS = 8


class PCMDecoder:
    """Turns packets of one audio stream into interleaved little-endian 16-bit samples at the stream's own rate."""

    def __init__(self, context: Any) -> None:
        """
        @param context: the codec context of the stream, from PyAV.
        """
        self._context = context
        self._channels = min(context.layout.nb_channels, _MAXIMUM_CHANNELS)
        self._layout = context.layout.name if self._channels == context.layout.nb_channels else "stereo"
        self._resampler: Any = None

    def describe(self, track: Track) -> Track:
        """The track that comes out, for the one that went in."""
        channels = self._channels if self._layout != "stereo" else 2
        return replace(
            track,
            codec="pcm_s16le",
            extradata=b"",
            channels=channels,
            bitRate=track.sampleRate * channels * 16,
            profile=-99,
        )

    def reset(self) -> None:
        """Forgets what went before: the next packet follows a seek."""
        self._context.flush_buffers()
        self._resampler = None

    def decode(self, packet: Any) -> list[tuple[float, float, bytes]]:
        """
        The sound of one packet.

        @return: for each frame the seconds of its first sample by the container's clock, its length in seconds, and
            the samples. A damaged packet gives nothing.
        """
        try:
            frames = self._context.decode(packet)
        except (av.error.FFmpegError, ValueError):
            return []
        sounds = []
        for frame in frames:
            start = frame.time
            if start is None or not frame.samples:
                continue
            samples = b"".join(self._convert(frame))
            sounds.append((start, frame.samples / frame.sample_rate, samples))
        return sounds

    def _convert(self, frame: Any) -> list[bytes]:
        if frame.format.name == "s16" and frame.layout.name == self._layout:
            return [self._samples(frame)]
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="s16", layout=self._layout, rate=frame.sample_rate)
        return [self._samples(converted) for converted in self._resampler.resample(frame)]

    def _samples(self, frame: Any) -> bytes:
        # a plane is padded beyond its samples
        return bytes(frame.planes[0])[: frame.samples * 2 * frame.layout.nb_channels]
