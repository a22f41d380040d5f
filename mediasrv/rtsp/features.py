"""
Features: the option tags of Require and Proxy-Require (RFC 2326 sections 12.27 and 12.32, HDR-1).
"""

from __future__ import annotations

from mediasrv.rtsp.headers import requiredFeatures
from mediasrv.rtsp.messages import Headers

#: The features with a name that this server has: none. Those that RFC 7826 registers (section 22.1.3) stand for
#: something else than they seem to: "play.basic" is "all normative parts of this specification for the setup and
#: control of playback" (its section 11.1), which is RTSP 2.0, and a client that requires it would be promised
#: PLAY_NOTIFY and "RTSP/2.0" in every answer. Tags of others, such as "onvif-replay", are for what is not here either.
FEATURES: frozenset[str] = frozenset()


def unsupported(headers: Headers) -> list[str]:
    """
    What a request requires and this server does not have: each tag once, in their order. Servers treat Proxy-Require
    as they do Require (section 12.27).
    """
    return [tag for tag in requiredFeatures(headers) if tag not in FEATURES]
