"""
Conditional requests (RFC 9110 section 13): whether a client has what it asks for already, or still has the same of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_tz

from twisted.web.http import RESPONSES
from twisted.web.server import Request

_ETAG = re.compile(r'[ \t]*(?:,[ \t]*)*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|\Z)')
#: the preferred form and the two obsolete ones (section 5.6.7)
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:, \d\d \w{3} [1-9]\d{3} \d\d:\d\d:\d\d GMT"
    r"|\w{3,6}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT"
    r"| \w{3} [ \d]\d \d\d:\d\d:\d\d [1-9]\d{3})",
    re.ASCII,
)

#: the headers of a request, by names as L{twisted.web.http_headers.Headers} has them
Said = Mapping[bytes, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Validators:
    """
    What tells one version of a resource from another.

    @ivar etag: strong, without its quotes.
    @ivar modified: Unix seconds; None if the time is not to be had or says too little. See L{validatorsOf}.
    """

    etag: str
    modified: int | None


def validatorsOf(etag: str, modified: float, now: float) -> Validators:
    """
    The validators of a file.

    It has a time only when the second in which it was changed is over: until then it may change once more within the
    same second, and the time would not tell (section 8.8.2.2). Nor does a time in the future say anything.

    @param modified: Unix seconds of its last change.
    @param now: Unix seconds.
    """
    second = int(modified)
    return Validators(etag, second if 0 <= second < int(now) else None)


def formatTime(seconds: int) -> str:
    """A time as HTTP writes it (section 5.6.7)."""
    return formatdate(seconds, usegmt=True)


def parseTime(text: str) -> int | None:
    """
    Unix seconds of a time in any of the three forms of HTTP; None if it is none.
    """
    text = text.strip(" \t")
    if not _DATE.fullmatch(text):
        return None
    fields = parsedate_tz(text)
    try:
        return None if fields is None else int(datetime(*fields[:6], tzinfo=UTC).timestamp())
    except ValueError:  # the 30th of February
        return None


def parseETags(text: str) -> list[tuple[bool, str]] | None:
    """
    The entity tags of If-Match or If-None-Match.

    @return: whether each is weak, and its text without quotes; None for a star, which means any.
    """
    if text.strip(" \t") == "*":
        return None
    found = []
    position = 0
    # what is none ends the list: a browser's broken header costs it a download, nothing more
    while match := _ETAG.match(text, position):
        found.append((match[1] is not None, match[2]))
        position = match.end()
    return found


def valueOf(said: Said, name: bytes) -> str | None:
    """A header of a request; of several lines the list that they are together (RFC 9110 section 5.3)."""
    values = said.get(name)
    return b", ".join(values).decode("latin-1") if values else None


def preconditions(said: Said, validators: Validators) -> int | None:
    """
    What the conditions of a GET or HEAD come to, in the order of section 13.2.2.

    @param said: the headers of the request.
    @return: the code to answer with, 304 or 412; None to go on.
    """
    if (wanted := valueOf(said, b"If-Match")) is not None:
        if not _matches(wanted, validators.etag, weakly=False):
            return 412
    elif (since := _time(said, b"If-Unmodified-Since")) is not None and (
        validators.modified is None or validators.modified > since
    ):
        return 412
    if (had := valueOf(said, b"If-None-Match")) is not None:
        return 304 if _matches(had, validators.etag, weakly=True) else None
    since = _time(said, b"If-Modified-Since")
    if since is not None and validators.modified is not None and validators.modified <= since:
        return 304
    return None


def answeredByTag(request: Request, etag: str) -> bool:
    """
    Names the version that an answer will have, and answers the request itself if that is all that is left to do.

    @param etag: strong, without its quotes.
    @return: whether the request is finished: the client has this version already (304), or wants another one (412).
    """
    request.setHeader("ETag", f'"{etag}"')
    code = preconditions(dict(request.requestHeaders.getAllRawHeaders()), Validators(etag, None))
    if code is None:
        return False
    request.setResponseCode(code, RESPONSES[code])
    request.finish()
    return True


def isSame(said: Said, validators: Validators) -> bool:
    """
    Whether a range may be given to a client that has a part already (If-Range, section 13.1.5).

    @param said: the headers of the request; without this one there is no condition.
    """
    ifRange = valueOf(said, b"If-Range")
    if ifRange is None:
        return True
    text = ifRange.strip(" \t")
    if text.startswith(('"', "W/")):
        return text == f'"{validators.etag}"'
    return validators.modified is not None and parseTime(text) == validators.modified


def _matches(text: str, etag: str, weakly: bool) -> bool:
    tags = parseETags(text)
    return tags is None or any(tag == etag and (weakly or not isWeak) for isWeak, tag in tags)


def _time(said: Said, name: bytes) -> int | None:
    text = valueOf(said, name)
    return None if text is None else parseTime(text)
