"""
SETUP of a transport stream as it is: C{MP2T/H2221/UDP}, or C{RAW/RAW/UDP}, as live555 and set-top boxes for IPTV call
it. They set up the presentation, not a track, and often without having asked for a description.
"""

from __future__ import annotations

from itertools import takewhile

from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import Presentation
from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.transport import TransportSpec
from mediasrv.rtsp.urls import MediaURL

_NAMES = frozenset({("MP2T", "H2221"), ("RAW", "RAW")})


def isMeant(spec: TransportSpec) -> bool:
    """Whether an alternative is one without RTP."""
    return (spec.protocol, spec.profile) in _NAMES and spec.lower == "UDP"


def isRaw(presentation: Presentation) -> bool:
    """Whether a presentation goes without RTP, and in no other way."""
    return presentation.tracks[0].codec == "mpegts"


async def choose(
    dialogue: Dialogue, url: MediaURL, presentation: Presentation, specs: list[TransportSpec]
) -> Presentation:
    """
    What a session is to play whose client sets up a whole presentation: its transport stream, if that is what the
    client prefers among what can be had (SET-3), or the presentation as it is described.

    @raise Refused: 461 if there is no transport stream, and of several tracks nothing else can be meant.
    """
    if not any(map(isMeant, specs)):
        return presentation
    isSingle = len(presentation.tracks) == 1
    preferred = takewhile(lambda spec: not isMeant(spec), specs)
    if isSingle and any(spec.protocol == "RTP" for spec in preferred):
        return presentation
    try:
        return await dialogue.transportStream(url)
    except NotMedia:
        if isSingle:
            return presentation
        raise Refused(461) from None
