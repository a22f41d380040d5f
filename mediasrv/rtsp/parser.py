"""
Bytes of a connection in, messages out (RFC 2326 sections 4 to 8 and 10.12).

Lines may end in CRLF, CR or LF (section 4), which leaves one doubt: where a head ends in a lone CR and nothing has come
after it, an LF may still belong to it. The message is handed out at once all the same; such an LF is then swallowed.

Every byte is looked at a bounded number of times, however the stream is cut: the search for the end of a head goes on
where it stopped, frames and bodies wait for a known number of bytes, and what was used up is cut off once per call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mediasrv.rtsp.messages import TOKEN, Headers, InterleavedFrame, Message, MessageError, Request, Response

_DOLLAR = 0x24
_CR = 0x0D
_LF = 0x0A
_TOKEN_BYTES = frozenset(byte for byte in range(128) if re.fullmatch(TOKEN, chr(byte)))

# Written so that the regular expression engine sees what each alternative starts with; {2} around a group hides it.
_HEAD_END = re.compile(rb"\r\n?\r\n?|\r\n\n|\n\r\n?|\n\n")
_LINE_END = re.compile(rb"[\r\n]")
_BLANK_LINES = re.compile(rb"[\r\n]*")

# "RTSP" may be written in any case (section 2.1). Without re.I, which makes the whole pattern twice as slow.
_RTSP = r"[Rr][Tt][Ss][Pp]/"
_REQUEST = re.compile(rf"({TOKEN})[ \t]+([^\0-\x20\x7f]+)[ \t]+{_RTSP}([0-9]{{1,4}}\.[0-9]{{1,4}})[ \t]*")
# FFmpeg sends what people type, and people have films with spaces in their names. No URL may have one; but with the
# scheme in front and the version behind it is plain what is meant.
_REQUEST_WITH_SPACES = re.compile(
    rf"({TOKEN})[ \t]+([Rr][Tt][Ss][Pp][SsUu]?://[^\0-\x1f\x7f]*[^\0-\x20\x7f])"
    rf"[ \t]+{_RTSP}([0-9]{{1,4}}\.[0-9]{{1,4}})[ \t]*"
)
_RESPONSE = re.compile(rf"{_RTSP}[0-9]{{1,4}}\.[0-9]{{1,4}}[ \t]+([1-9][0-9]{{2}})(?:[ \t]+(.*))?", re.S)
_RTSP_AT_END = re.compile(rf"[ \t]{_RTSP}[0-9.]+[ \t]*\Z")
_FOLD = re.compile(r"\n[ \t]+")
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")

#: 0 is one: ExoPlayer begins there (Q-9)
_CSEQ = re.compile(r"[0-9]{1,10}")
_DIGITS = re.compile(r"[0-9]+")

#: what needs a resource, so that C{*} is no URI for it (section 6.1)
_OF_RESOURCES = frozenset(("DESCRIBE", "ANNOUNCE", "SETUP", "PLAY", "PAUSE", "RECORD", "REDIRECT", "TEARDOWN"))


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a client may send (SYN-11).

    @ivar requestLine: bytes of the first line; more is answered with 414.
    @ivar head: bytes of first line and headers; more is answered with 400.
    @ivar headers: header lines after unfolding; more is answered with 400.
    @ivar body: bytes of the body; more is answered with 413.
    """

    requestLine: int = 8192
    head: int = 65536
    headers: int = 200
    body: int = 131072


class MessageParser:
    """
    Parses one direction of one connection. Holds at most one unfinished message, which L{Limits} bound.

    @ivar broken: whether a fatal error was handed out; everything after it is dropped.
    """

    __slots__ = (
        "_buffer",
        "_length",
        "_limits",
        "_need",
        "_offset",
        "_pending",
        "_scanned",
        "_startChecked",
        "_swallowLF",
        "broken",
    )

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._buffer = bytearray()
        self._offset = 0  # where the next message starts in the buffer
        self._need = 0  # bytes that must be there before looking is worth it
        self._scanned = 0  # bytes after the offset that are known not to end the head
        self._startChecked = False  # whether the first line of the unfinished head is known to be one
        self._pending: Request | Response | MessageError | None = None  # waits for its body
        self._length = 0  # of that body
        self._swallowLF = False  # the head ended in a lone CR at the end of the buffer
        self.broken = False

    @property
    def isAmidMessage(self) -> bool:
        """Whether the beginning of a message waits for its rest."""
        return (not self.broken and len(self._buffer) > self._offset) or self._pending is not None

    def feed(self, data: bytes) -> list[Message]:
        """
        Takes what the connection received and returns what it completes, errors included, in order. Raises nothing.
        """
        messages: list[Message] = []
        if self.broken:
            return messages
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._need:
            return messages
        self._need = 0
        try:
            while self._step(messages):
                pass
        except MessageError as error:
            messages.append(error)
            self.broken = True
            buffer.clear()
            self._pending = None
        del buffer[: self._offset]
        self._offset = 0
        return messages

    def _step(self, messages: list[Message]) -> bool:
        """
        Takes the next thing from the buffer.

        @return: whether there may be more; no means that bytes are missing.
        @raise MessageError: if it is fatal.
        """
        if self._pending is not None:
            return self._takeBody(messages)
        if self._offset >= len(self._buffer):
            return False
        first = self._buffer[self._offset]
        if first in _TOKEN_BYTES:
            return self._takeHead(messages)
        if first == _DOLLAR:
            return self._takeFrames(messages)
        if first in (_CR, _LF):
            blank = _BLANK_LINES.match(self._buffer, self._offset)
            self._offset = blank.end() if blank else self._offset
            return True
        raise MessageError(400, "neither a message nor a frame", fatal=True)

    def _takeFrames(self, messages: list[Message]) -> bool:
        """Takes all complete frames at the offset."""
        buffer, offset = self._buffer, self._offset
        size = len(buffer)
        with memoryview(buffer) as view:
            while size - offset >= 4 and buffer[offset] == _DOLLAR:
                end = offset + 4 + (buffer[offset + 2] << 8 | buffer[offset + 3])
                if end > size:
                    break
                messages.append(InterleavedFrame(buffer[offset + 1], bytes(view[offset + 4 : end])))
                offset = end
        self._offset = offset
        if offset < size and buffer[offset] == _DOLLAR:
            missing = size - offset < 4
            self._need = 4 if missing else 4 + (buffer[offset + 2] << 8 | buffer[offset + 3])
            return False
        return True

    def _takeHead(self, messages: list[Message]) -> bool:
        """Takes start line and headers, if all of them are there."""
        buffer, offset = self._buffer, self._offset
        match = _HEAD_END.search(buffer, offset + self._scanned)
        if match is None:
            self._checkUnfinished()
            self._scanned = max(0, len(buffer) - offset - 2)
            return False
        self._offset = match.end()
        self._scanned = 0
        self._startChecked = False
        message, length = self._parseHead(buffer[offset : match.start()])
        if length:
            self._pending = message
            self._length = length
            self._swallowLF = match.end() == len(buffer) and buffer[-1] == _CR
        else:
            messages.append(message)
        return True

    def _takeBody(self, messages: list[Message]) -> bool:
        """Takes the body that the pending message announced."""
        buffer = self._buffer
        if self._swallowLF:
            if self._offset >= len(buffer):
                return False
            self._swallowLF = False
            self._offset += buffer[self._offset] == _LF
        end = self._offset + self._length
        if end > len(buffer):
            self._need = self._length
            return False
        message = self._pending
        assert message is not None
        if not isinstance(message, MessageError):
            message.body = bytes(buffer[self._offset : end])
        messages.append(message)
        self._pending = None
        self._offset = end
        return True

    def _checkUnfinished(self) -> None:
        """
        Finds out early that an unfinished head cannot become one. It must judge as L{_parseHead} would later.

        @raise MessageError: if so; fatal.
        """
        buffer, offset = self._buffer, self._offset
        if not self._startChecked:
            end = _LINE_END.search(buffer, offset + self._scanned)
            lineEnd = end.start() if end else len(buffer)
            self._checkLineLength(lineEnd - offset)
            if end:
                _parseStartLine(_decode(buffer[offset:lineEnd]))
                self._startChecked = True
        # Up to two bytes may be the first of the blank line.
        self._checkHeadLength(len(buffer) - offset - 2)

    def _checkLineLength(self, length: int) -> None:
        if length > self._limits.requestLine:
            raise MessageError(414, "the request line is too long", fatal=True)

    def _checkHeadLength(self, length: int) -> None:
        if length > self._limits.head:
            raise MessageError(400, "the head is too long", fatal=True)

    def _parseHead(self, head: bytearray) -> tuple[Request | Response | MessageError, int]:
        """
        Parses start line and headers.

        @return: the message without its body, and the length of the body.
        @raise MessageError: if it is fatal.
        """
        if len(head) > self._limits.requestLine:
            end = _LINE_END.search(head)
            self._checkLineLength(end.start() if end else len(head))
        text = _decode(head)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        startLine, _, rest = text.partition("\n")
        start = _parseStartLine(startLine)
        self._checkHeadLength(len(head))
        if "\n " in rest or "\n\t" in rest:
            rest = _FOLD.sub(" ", rest)
        lines = rest.split("\n") if rest else []
        if len(lines) > self._limits.headers:
            raise MessageError(400, "too many headers", fatal=True)
        headers = Headers()
        wellFormed = headers.parseLines(lines)
        length = self._bodyLength(headers)
        if not text.replace("\n", "").isprintable() and _CONTROL.search(text):
            wellFormed = False
        return _judge(start, headers, wellFormed), length

    def _bodyLength(self, headers: Headers) -> int:
        """
        The length of the body in bytes (section 12.14), 0 where the headers do not speak of it.

        @raise MessageError: if it is no number, or over the limit, or nobody says it of a body in chunks (section 4.4:
            there are none in RTSP); fatal.
        """
        value = headers.get("content-length")
        if value is None:
            if headers.get("transfer-encoding", "identity").strip().lower() != "identity":
                raise MessageError(411, "a body without Content-Length", _validCSeq(headers), fatal=True)
            return 0
        if "," in value:  # the same one twice does no harm
            first, *others = (part.strip() for part in value.split(","))
            value = first if all(other == first for other in others) else ""
        if not _DIGITS.fullmatch(value):
            raise MessageError(400, "Content-Length is no number", _validCSeq(headers), fatal=True)
        digits = value.lstrip("0") or "0"
        if len(digits) > 18 or int(digits) > self._limits.body:
            raise MessageError(413, "the body is too long", _validCSeq(headers), fatal=True)
        return int(digits)


def _decode(data: bytearray) -> str:
    """
    Text is UTF-8 (section 4). Lines that are not are taken for Latin-1: it loses nothing, and the request is answered.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\n".join(_decodeLine(line) for line in data.splitlines())


def _decodeLine(line: bytes | bytearray) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _parseStartLine(line: str) -> re.Match[str] | None:
    """
    @return: the match of a request line or status line, or None for what can be answered as RTSP, but not understood.
    @raise MessageError: if this is no RTSP at all; fatal.
    """
    match = _REQUEST.fullmatch(line) or _RESPONSE.fullmatch(line) or _REQUEST_WITH_SPACES.fullmatch(line)
    if match is None and not _RTSP_AT_END.search(line):
        raise MessageError(400, "not an RTSP message", fatal=True)
    return match


def _validCSeq(headers: Headers) -> str | None:
    cseq = headers.get("cseq")
    return cseq if cseq is not None and _CSEQ.fullmatch(cseq) else None


def _judge(start: re.Match[str] | None, headers: Headers, wellFormed: bool) -> Request | Response | MessageError:
    """Makes the message, or the error that says what is wrong with it although its end is known."""
    if start is not None and start.re is _RESPONSE:
        # Nobody answers a response, and cameras answer strangely: whoever asked may judge.
        return Response(int(start[1]), headers, reason=start[2] or "")
    cseq = _validCSeq(headers)
    if start is None:
        return MessageError(400, "malformed request line", cseq)
    method, uri, version = start.groups()
    if version != "1.0":
        return MessageError(505, "only RTSP/1.0", cseq)
    if not wellFormed:
        return MessageError(400, "malformed header", cseq)
    if cseq is None:
        return MessageError(400, "CSeq is missing or no number")
    if uri == "*" and method in _OF_RESOURCES:
        return MessageError(400, f"{method} needs a resource", cseq)
    return Request(method, uri.replace(" ", "%20"), headers)
