"""
Session descriptions as files: what DESCRIBE answers, for who has it from somewhere else (RFC 2326 appendix C.1.1).

In an answer to DESCRIBE the URLs for control are relative to where it was asked for; in a file they have to be
absolute. The player then sets up what the description says without asking for it again. GStreamer does (C{sdpdemux
redirect=true}, C{rtsp-sdp:}); FFmpeg listens for RTP instead, which nobody sends to it.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"^a=control:(?!rtsps?://)(\S+)", re.M)


def absolute(description: str, url: str) -> bytes:
    """
    A session description of ours with absolute URLs.

    @param url: of the presentation, for RTSP, without query.
    """
    base = url.rstrip("/")

    def control(match: re.Match[str]) -> str:
        return f"a=control:{base}" if match[1] == "*" else f"a=control:{base}/{match[1]}"

    return _CONTROL.sub(control, description).encode("utf-8", "replace")
