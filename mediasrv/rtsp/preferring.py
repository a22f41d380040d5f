"""
What a client prefers, where a presentation has alternatives (RFC 2326 sections 12.3 and 12.6): by its URL, where
DESCRIBE put it or the query has C{lang} and C{bitrate}, else by Accept-Language and Bandwidth.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from mediasrv.media.descriptions.choosing import Preferences
from mediasrv.rtsp.messages import Headers
from mediasrv.rtsp.urls import MediaURL

#: parameters of a query that are looked at
_MOST_PARAMETERS = 100


def preferencesOf(url: MediaURL, headers: Headers) -> Preferences:
    """
    The preferences of who sends a request.

    @param url: of a presentation, as L{mediasrv.rtsp.urls.splitTrack} gives it.
    """
    if url.preference is not None:
        # what was described once is that for ever, whatever the headers of SETUP say
        return Preferences.ofToken(url.preference)
    try:
        query = parse_qs(url.query, max_num_fields=_MOST_PARAMETERS, errors="replace")
    except ValueError:
        query = {}
    language = query.get("lang", [headers.get("Accept-Language", "")])[0]
    bitRate = query.get("bitrate", [headers.get("Bandwidth", "")])[0]
    return Preferences.of(language, bitRate)
