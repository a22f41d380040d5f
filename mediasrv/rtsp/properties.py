"""
What a client may ask of a presentation, told in the headers of RFC 7826: Accept-Ranges (its section 18.5) and
Media-Properties (18.29). Clients of RTSP 1.0 that do not know them ignore them (RFC 2326 section 12).
"""

from __future__ import annotations

from mediasrv.media.presentation import Presentation
from mediasrv.rtsp.messages import Headers
from mediasrv.rtsp.orders import PlayRules
from mediasrv.rtsp.ranges import UNITS
from mediasrv.streaming.courses import slowestScale

#: the two headers, as GET_PARAMETER may name them in its head or in its body
NAMES = ("Accept-Ranges", "Media-Properties")


def acceptRanges() -> str:
    """The units of Range that PLAY and PAUSE take."""
    return ", ".join(UNITS)


def scales(presentation: Presentation, rules: PlayRules) -> str:
    """The values of Scale that PLAY takes, as ranges such as C{-8:-0.125, 0.125:8}."""
    if presentation.tracks[0].codec == "mpegts":
        return "1"
    slowest = f"{slowestScale(presentation, rules.maxScale):.6g}"
    fastest = f"{rules.maxScale:.6g}"
    return f"-{fastest}:-{slowest}, {slowest}:{fastest}"


def mediaProperties(presentation: Presentation, rules: PlayRules) -> str:
    """
    The properties of an on-demand presentation: it can be sought, and while somebody plays it it neither changes nor
    goes away.
    """
    access = f"Random-Access={presentation.randomAccess:.3f}"
    return f'{access}, Immutable, Unlimited, Scales="{scales(presentation, rules)}"'


def values(presentation: Presentation, rules: PlayRules) -> dict[str, str]:
    """Both headers, by name."""
    return dict(zip(NAMES, (acceptRanges(), mediaProperties(presentation, rules)), strict=True))


def addProperties(headers: Headers, presentation: Presentation, rules: PlayRules) -> None:
    """Adds both to an answer."""
    for name, value in values(presentation, rules).items():
        headers.set(name, value)
