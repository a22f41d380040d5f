"""
G.722 in RTP: RFC 3551 section 4.5.2.

It codes two 16 kHz samples in a byte, and its clock rate is 8000, "erroneously assigned in RFC 1890" and unchanged
since: one tick is one byte, which makes it look like PCMU.
"""

from __future__ import annotations

from mediasrv.media.tracks import Track
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.pcm import SampleFormat


class G722Format(SampleFormat):
    """G.722 at 64 kbit/s, one channel."""

    codecs = frozenset({"adpcm_g722"})
    encodingName = "G722"
    staticTypes = {(8000, 1): 9}

    def __init__(self, track: Track) -> None:
        if track.channels > 1 or track.sampleRate != 16000:
            raise PayloadError(f"G.722 of {track.channels} channels at {track.sampleRate} Hz")
        super().__init__(track)

    def _clockRate(self) -> int:
        return 8000
