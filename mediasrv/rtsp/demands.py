"""
What a SETUP may demand besides a transport, and cannot always have: the headers Conference, Bandwidth and KeyMgmt.
"""

from __future__ import annotations

from collections.abc import Iterable

from mediasrv.media.presentation import Presentation
from mediasrv.rtsp.headers import parseBandwidth
from mediasrv.rtsp.messages import Headers
from mediasrv.rtsp.replies import Refused


def checkDemands(headers: Headers, presentation: Presentation, tracks: Iterable[int]) -> None:
    """
    Says whether a SETUP demands nothing that cannot be had.

    @param tracks: indices of those that the session would have.
    @raise Refused: 452, 453 or 463.
    @raise HeaderError: for a Bandwidth that is no number.
    """
    if "Conference" in headers:
        # media are streamed to who asks, not invited into a conference: no server ever knew one (section 12.9)
        raise Refused(452)
    if "KeyMgmt" in headers:
        # no SRTP: the keys cannot be used, and to send in the clear what they were meant for is no answer (RFC 4567
        # section 4.2)
        raise Refused(463)
    bandwidth = headers.get("Bandwidth")
    if bandwidth is not None and parseBandwidth(bandwidth) < _bitRate(presentation, tracks):
        raise Refused(453)


def _bitRate(presentation: Presentation, tracks: Iterable[int]) -> int:
    """
    Bits per second that tracks have on average, as C{b=AS:} of their description says; a track of which nobody knows
    counts nothing. Neither headers nor peaks count: who is refused could certainly not have followed (section 11.3.4).
    """
    return sum(presentation.tracks[index].bitRate for index in set(tracks))
