"""
The library in the API: what a folder holds, and what is found below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from twisted.internet.threads import deferToThreadPool
from twisted.web.server import Request

from mediasrv.media.library import Entry
from mediasrv.media.searching import Found, TooManySearches
from mediasrv.web.api.answers import allow, encoded, setHeaders
from mediasrv.web.context import WebContext
from mediasrv.web.kinds import isMedia, kindOf
from mediasrv.web.oversight import Oversight
from mediasrv.web.refusals import Refusal

#: entries of one answer: the default, and at most
_LIMIT, _MOST = 500, 1000

#: characters of what is looked for
_LONGEST_SEARCH = 200

#: what a segment of a path has as it is (RFC 3986 section 3.3)
_SEGMENT = "!$&'()*+,;=:@"


async def answerFolder(
    context: WebContext, oversight: Oversight, request: Request, segments: tuple[str, ...], top: str
) -> bytes:
    """
    @param segments: of the folder.
    @param top: the reference to the top of our resources.
    """
    setHeaders(request, shared=True)
    allow(request)
    text = _text(request, "search").strip()
    limit = _number(request, "limit", _LIMIT, 1, _MOST)
    offset = _number(request, "offset", 0, 0, 1 << 31)
    if len(text) > _LONGEST_SEARCH:
        raise Refusal(400, f"{_LONGEST_SEARCH} characters are the limit of what can be looked for.")
    if text:
        try:
            finding = await oversight.search.find(segments, text, limit)
        except TooManySearches:
            raise Refusal(503, "Too many are searching.", {"Retry-After": "5"}) from None
        found, total, isComplete = finding.found, len(finding.found), finding.isComplete
    else:
        entries = await context.library.listing(segments)
        found = [Found(segments, entry) for entry in entries[offset : offset + limit]]
        total, isComplete = len(entries), len(found) == len(entries)
    # a thousand of them take longer than others may wait for the reactor
    return await deferToThreadPool(
        context.reactor, context.readers, _written, "/".join(segments), found, total, isComplete, top
    )


def _written(path: str, found: Sequence[Found], total: int, isComplete: bool, top: str) -> bytes:
    entries = [_entry(each.folder, each.entry, top) for each in found]
    return encoded({"path": path, "entries": entries, "total": total, "isComplete": isComplete})


def _entry(folder: tuple[str, ...], entry: Entry, top: str) -> dict[str, object]:
    """The schema C{Entry} of C{openapi.json}."""
    path = (*folder, entry.name)
    name = linked(path)
    if entry.isFolder:
        urls = {"page": f"{top}{name}/", "library": f"{top}-/api/library/{name}"}
    else:
        urls = {"file": f"{top}{name}"}
        if isMedia(entry.name):
            urls |= {"page": f"{top}{name}/", "presentation": f"{top}-/api/presentation/{name}"}
    return {
        "name": entry.name,
        "path": "/".join(path),
        "kind": "folder" if entry.isFolder else kindOf(entry.name),
        "size": None if entry.isFolder else entry.size,
        "modified": entry.modified,
        "urls": urls,
    }


def linked(segments: Sequence[str]) -> str:
    """A path as URLs have it."""
    return "/".join(quote(segment, safe=_SEGMENT) for segment in segments)


def _text(request: Request, name: str) -> str:
    """An argument of the query, C{""} if it is not there."""
    values: list[bytes] = (request.args or {}).get(name.encode(), [])
    if len(values) > 1:
        raise Refusal(400, f"{name} is there more than once.")
    return values[0].decode("utf-8", "replace") if values else ""


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = _text(request, name)
    if not text:
        return default
    value = int(text) if re.fullmatch("[0-9]{1,10}", text) else -1
    if not least <= value <= most:
        raise Refusal(400, f"{name} is not between {least} and {most}.")
    return value
