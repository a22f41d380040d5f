"""
RTSP messages as values: requests, responses, interleaved frames, and their headers (RFC 2326 sections 4 to 8, 10.12).

What is formatted here cannot be split: a CR or LF in a header, a URI or a reason phrase is refused where it enters,
whoever it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import overload

from mediasrv.rtsp.status import reasonPhrase

_NAMES = """
    Accept Accept-Encoding Accept-Language Accept-Ranges Allow Authorization Bandwidth Blocksize Cache-Control
    Conference Connection Content-Base Content-Encoding Content-Language Content-Length Content-Location Content-Type
    CSeq Date ETag Expires From Host If-Match If-Modified-Since KeyMgmt Last-Modified Location Media-Properties
    Pipelined-Requests Proxy-Authenticate Proxy-Require Public Range Rate-Control Referer Require Retry-After RTP-Info
    Scale Seek-Style Server Session Speed Timestamp Transfer-Encoding Transport Unsupported User-Agent Vary Via
    WWW-Authenticate
"""
#: header names in lower case, and as they are written
_CANONICAL = {name.lower(): name for name in _NAMES.split()}
#: a token of RFC 2068 section 2.2, of which methods and header names are made, less "$", which starts a frame
TOKEN = r"[!#%&'*+\-.^_`|~0-9A-Za-z]+"
_isToken = re.compile(TOKEN).fullmatch
_breaksLines = re.compile(r"[\r\n\0]").search


class HeaderError(ValueError):
    """
    A header or URI that means nothing.

    @ivar code: the status to answer with.
    """

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.code = code


class MessageError(Exception):
    """
    A message that the parser could not accept. It is yielded in its place in the stream, not raised.

    @ivar code: the status to answer with: 400, 411, 413, 414 or 505.
    @ivar cseq: the CSeq to answer with, or None if the message had none worth repeating (CON-1).
    @ivar fatal: whether the connection must close after the answer, because nobody knows where the next message starts.
    """

    def __init__(self, code: int, message: str, cseq: str | None = None, fatal: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.cseq = cseq
        self.fatal = fatal

    def __repr__(self) -> str:
        return f"MessageError({self.code}, {str(self)!r}, cseq={self.cseq!r}, fatal={self.fatal})"


def _oneLine(text: str) -> str:
    if _breaksLines(text):
        raise ValueError(f"a line break or NUL in {text[:80]!r}")
    return text


class Headers:
    """
    The headers of a message: names without regard to case, in the order of their first appearance, each with one or
    more values.
    """

    __slots__ = ("_fields",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        """
        @raise ValueError: for a name that is no token and a value with a line break.
        """
        self._fields: dict[str, list[str]] = {}
        for name, value in items:
            self.add(name, value)

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    @overload
    def get(self, name: str, default: None) -> str | None: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        """All values of a header as one, joined with a comma (RFC 2068 section 4.2), or the default."""
        values = self._fields.get(name.lower())
        if values is None:
            return default
        return values[0] if len(values) == 1 else ", ".join(values)

    def getAll(self, name: str) -> list[str]:
        """The values of a header, one for each line that it had."""
        return list(self._fields.get(name.lower(), ()))

    def set(self, name: str, value: str) -> None:
        """
        Makes this the only value of the header.

        @raise ValueError: see L{add}.
        """
        self._fields[self._key(name)] = [_oneLine(value)]

    def add(self, name: str, value: str) -> None:
        """
        Adds a line to the header.

        @raise ValueError: if the name is no token, or the value has a CR, LF or NUL in it (response splitting, SEC-26).
        """
        key, value = self._key(name), _oneLine(value)
        self._fields.setdefault(key, []).append(value)

    def remove(self, name: str) -> None:
        """Takes the header away, if it is there."""
        self._fields.pop(name.lower(), None)

    def items(self) -> Iterator[tuple[str, str]]:
        """Canonical name and value of every line."""
        for key, values in self._fields.items():
            name = _CANONICAL.get(key) or "-".join(part.capitalize() for part in key.split("-"))
            for value in values:
                yield name, value

    def copy(self) -> Headers:
        """The same headers, to be changed independently."""
        other = Headers()
        other._fields = {key: values[:] for key, values in self._fields.items()}
        return other

    def parseLines(self, lines: Iterable[str]) -> bool:
        """
        Adds received lines C{name: value}; the caller has cut the head at its line breaks.

        @return: whether all of them were headers. The others are left out.
        """
        fields = self._fields
        wellFormed = True
        for line in lines:
            name, colon, value = line.partition(":")
            key = name.lower()
            if key not in _CANONICAL:
                key = key.rstrip(" \t")  # RFC 2068 section 2.1 allows space between any two tokens
                if not _isToken(key):
                    colon = ""
            if not colon:
                wellFormed = False
            elif key in fields:
                fields[key].append(value.strip(" \t"))
            else:
                fields[key] = [value.strip(" \t")]
        return wellFormed

    @staticmethod
    def _key(name: str) -> str:
        key = name.lower()
        if key not in _CANONICAL and not _isToken(key):
            raise ValueError(f"not a header name: {name[:80]!r}")
        return key

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._fields

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"


def _format(startLine: str, headers: Headers, body: bytes) -> bytes:
    """A whole message. Content-Length is the body's, whatever the headers say; it appears if either has it."""
    lines = [_oneLine(startLine)]
    lines += [f"{name}: {value}" for name, value in headers.items() if name != "Content-Length"]
    if body or "Content-Length" in headers:
        lines.append(f"Content-Length: {len(body)}")
    lines.append("\r\n")
    # A lone surrogate (a file name that is no UTF-8) becomes "?", which cannot raise in the middle of an answer.
    return "\r\n".join(lines).encode("utf-8", "replace") + body


@dataclass(slots=True)
class Request:
    """
    A request (RFC 2326 section 6).

    @ivar method: as received; methods are case-sensitive.
    @ivar uri: the Request-URI as received, C{"*"} included.
    """

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    version: str = "RTSP/1.0"

    def toBytes(self) -> bytes:
        """
        As sent.

        @raise ValueError: if the method is no token, or there is white space in the URI.
        """
        if not _isToken(self.method) or not self.uri or len(self.uri.split()) != 1 or self.uri != self.uri.strip():
            raise ValueError(f"not a request: {self.method[:80]!r} {self.uri[:80]!r}")
        return _format(f"{self.method} {self.uri} {self.version}", self.headers, self.body)


@dataclass(slots=True)
class Response:
    """
    A response (RFC 2326 section 7).

    @ivar reason: the reason phrase; the usual one of the code where none is given (SYN-14).
    """

    code: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.reason:
            self.reason = reasonPhrase(self.code)

    def toBytes(self) -> bytes:
        """
        As sent.

        @raise ValueError: if there is a line break in the reason phrase.
        """
        return _format(f"RTSP/1.0 {int(self.code)} {self.reason}", self.headers, self.body)


@dataclass(slots=True)
class InterleavedFrame:
    """
    Binary data between messages: one RTP or RTCP packet (RFC 2326 section 10.12).

    @ivar channel: 0 to 255.
    """

    channel: int
    payload: bytes

    def toBytes(self) -> bytes:
        """
        As sent.

        @raise OverflowError: for a payload over 65535 bytes.
        """
        return b"$%c%b%b" % (self.channel, len(self.payload).to_bytes(2, "big"), self.payload)


Message = Request | Response | InterleavedFrame | MessageError
