"""
All payload formats: which carries a track, and which reads a stream that a session description names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mediasrv.media.tracks import Track
from mediasrv.rtp.payloads.aac import AACFormat
from mediasrv.rtp.payloads.ac3 import AC3Format
from mediasrv.rtp.payloads.av1 import AV1Format
from mediasrv.rtp.payloads.eac3 import EAC3Format
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat, Unpacker
from mediasrv.rtp.payloads.g722 import G722Format
from mediasrv.rtp.payloads.h264 import H264Format
from mediasrv.rtp.payloads.h265 import H265Format
from mediasrv.rtp.payloads.jpeg import JPEGFormat
from mediasrv.rtp.payloads.mpeg4visual import MPEG4VisualFormat
from mediasrv.rtp.payloads.mpegaudio import MPEGAudioFormat
from mediasrv.rtp.payloads.mpegts import TransportStreamFormat
from mediasrv.rtp.payloads.mpegvideo import MPEGVideoFormat
from mediasrv.rtp.payloads.opus import OpusFormat
from mediasrv.rtp.payloads.pcm import L8Format, L16Format, L24Format, PCMAFormat, PCMUFormat
from mediasrv.rtp.payloads.vorbis import VorbisFormat
from mediasrv.rtp.payloads.vp8 import VP8Format
from mediasrv.rtp.payloads.vp9 import VP9Format

FORMATS: tuple[type[PayloadFormat], ...] = (
    H264Format,
    H265Format,
    AV1Format,
    VP8Format,
    VP9Format,
    MPEG4VisualFormat,
    MPEGVideoFormat,
    JPEGFormat,
    TransportStreamFormat,
    AACFormat,
    OpusFormat,
    MPEGAudioFormat,
    AC3Format,
    EAC3Format,
    VorbisFormat,
    PCMUFormat,
    PCMAFormat,
    L8Format,
    L16Format,
    L24Format,
    G722Format,
)


class Encoding(NamedTuple):
    """What C{a=rtpmap} says: the encoding's name, RTP ticks per second, and channels (1 for video)."""

    name: str
    clockRate: int
    channels: int


#: what a payload type means without C{a=rtpmap} (RFC 3551 tables 4 and 5), where we have the format
STATIC_ENCODINGS: dict[int, Encoding] = {
    0: Encoding("PCMU", 8000, 1),
    8: Encoding("PCMA", 8000, 1),
    9: Encoding("G722", 8000, 1),
    10: Encoding("L16", 44100, 2),
    11: Encoding("L16", 44100, 1),
    14: Encoding("MPA", 90000, 1),
    26: Encoding("JPEG", 90000, 1),
    32: Encoding("MPV", 90000, 1),
    33: Encoding("MP2T", 90000, 1),
}

_BY_CODEC = {codec: found for found in FORMATS for codec in found.codecs}
_BY_NAME = {found.encodingName.lower(): found for found in FORMATS}


def carries(codec: str) -> bool:
    """Whether some format carries the codec that FFmpeg calls so; a track of it may still be refused."""
    return codec in _BY_CODEC


def formatFor(track: Track) -> PayloadFormat:
    """
    The format that carries a track.

    @raise PayloadError: if there is none, or it cannot carry this one.
    """
    found = _BY_CODEC.get(track.codec)
    if found is None:
        raise PayloadError(f"{track.codec or 'an unknown codec'} has no RTP payload format")
    return found(track)


def unpackerFor(encodingName: str, clockRate: int, channels: int, parameters: Mapping[str, str]) -> Unpacker:
    """
    An unpacker for a stream that C{a=rtpmap} and C{a=fmtp} describe.

    @param encodingName: in any case, as all names here (RFC 8866 section 6.6, RFC 3640 section 4.1).
    @param channels: 0 if the line leaves them out, which means 1.
    @param parameters: the format parameters.
    @raise PayloadError: if no format has this name, or a parameter is missing or wrong.
    """
    found = _BY_NAME.get(encodingName.lower())
    if found is None:
        raise PayloadError(f"{encodingName} is no RTP payload format that we read")
    lowered = {name.lower(): value for name, value in parameters.items()}
    return found.unpacker({**lowered, "clockrate": str(clockRate), "channels": str(max(channels, 1))})


def unpackerForPayloadType(payloadType: int, parameters: Mapping[str, str]) -> Unpacker:
    """
    An unpacker for a stream without C{a=rtpmap}.

    @raise PayloadError: if the payload type is not static, or of a format that we do not have.
    """
    encoding = STATIC_ENCODINGS.get(payloadType)
    if encoding is None:
        raise PayloadError(f"payload type {payloadType} without a=rtpmap")
    return unpackerFor(*encoding, parameters)
