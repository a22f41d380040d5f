"""
What a client may ask of a presentation, told in the headers of RFC 7826: Accept-Ranges (its section 18.5) and
Media-Properties (18.29). Clients of RTSP 1.0 that do not know them ignore them (RFC 2326 section 12).
"""

from __future__ import annotations

from mediasrv.media.presentation import Presentation
from mediasrv.rtsp.messages import Headers
from mediasrv.rtsp.ranges import UNITS

#: the values of Scale that PLAY takes, as Media-Properties writes them: single ones, and ranges such as 0.25:8
SCALES = "1"

#: the two headers, as GET_PARAMETER may name them in its head or in its body
NAMES = ("Accept-Ranges", "Media-Properties")


def acceptRanges() -> str:
    """The units of Range that PLAY and PAUSE take."""
    return ", ".join(UNITS)


def mediaProperties(presentation: Presentation, scales: str) -> str:
    """
    The properties of an on-demand presentation: it can be sought, and while somebody plays it it neither changes nor
    goes away.

    @param scales: such as C{"-8:-1, 0.25:8"}.
    """
    return f'Random-Access={presentation.randomAccess:.3f}, Immutable, Unlimited, Scales="{scales}"'


def values(presentation: Presentation) -> dict[str, str]:
    """Both headers, by name."""
    return dict(zip(NAMES, (acceptRanges(), mediaProperties(presentation, SCALES)), strict=True))


def addProperties(headers: Headers, presentation: Presentation) -> None:
    """Adds both to an answer."""
    for name, value in values(presentation).items():
        headers.set(name, value)
