"""
Refusals: how a method says no.
"""

from __future__ import annotations

from mediasrv.rtsp.messages import Headers, Response

#: what this server does, in one header (OPT-1). ffmpeg and VLC look for GET_PARAMETER in it to know how to stay alive,
#: ExoPlayer gives up if DESCRIBE is missing (Q-9), and what GStreamer finds must never be 405, 501 or 551 (Q-8)
PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"

#: seconds after which a client that found no room, or a server that is being emptied, may try again
RETRY_AFTER = "30"


class Refused(Exception):
    """
    A request that is answered with an error.

    @ivar response: the answer, without the headers that every answer has.
    """

    def __init__(self, code: int, *headers: tuple[str, str], body: bytes = b"") -> None:
        super().__init__(code)
        self.response = Response(code, Headers(headers), body)
