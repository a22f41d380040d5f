"""L{mediasrv.rtsp.parser}: every way to cut, end and spoil a message."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediasrv.rtsp.messages import Headers, InterleavedFrame, Message, MessageError, Request, Response
from mediasrv.rtsp.parser import Limits, MessageParser


def parse(data: bytes, limits: Limits | None = None) -> list[Message]:
    return MessageParser(limits).feed(data)


def parseBytewise(data: bytes, limits: Limits | None = None) -> list[Message]:
    parser = MessageParser(limits)
    return [message for byte in data for message in parser.feed(bytes((byte,)))]


def comparable(messages: list[Message]) -> list[object]:
    return [repr(message) for message in messages]


def onlyError(data: bytes, limits: Limits | None = None) -> tuple[int, str | None, bool]:
    """The one error that the data give, however they are cut: code, CSeq, fatal."""
    messages = parse(data, limits)
    assert comparable(parseBytewise(data, limits)) == comparable(messages)
    (error,) = messages
    assert isinstance(error, MessageError)
    return error.code, error.cseq, error.fatal


def onlyRequest(data: bytes) -> Request:
    messages = parse(data)
    assert comparable(parseBytewise(data)) == comparable(messages)
    (request,) = messages
    assert isinstance(request, Request)
    return request


OPTIONS = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"


LINE_ENDS = [b"\r\n", b"\n", b"\r"]


@pytest.mark.requirement("SYN-1")
@pytest.mark.parametrize("first", LINE_ENDS)
@pytest.mark.parametrize(
    ("second", "blank"),
    # CR and LF are one end of line, not a blank line
    [(second, blank) for second in LINE_ENDS for blank in LINE_ENDS if second + blank != b"\r\n"],
)
def test_lineEnds(first: bytes, second: bytes, blank: bytes) -> None:
    """SYN-1: CRLF, CR, LF and mixtures, with a body behind, and another request behind that."""
    head = b"SET_PARAMETER rtsp://h/a RTSP/1.0" + first + b"CSeq: 1" + first + b"Content-Length: 3" + second + blank
    data = head + b"x\ny" + OPTIONS.replace(b"\r\n", first if first == second else b"\n")
    for messages in (parse(data), parseBytewise(data)):
        assert [message.method for message in messages] == ["SET_PARAMETER", "OPTIONS"]
        assert messages[0].body == b"x\ny"
        assert messages[0].headers.get("CSeq") == "1"


@pytest.mark.requirement("SYN-1")
def test_headEndsInLoneCR() -> None:
    """SYN-1: it is answered at once; an LF that comes later belongs to it, and not to the body."""
    parser = MessageParser()
    (request,) = parser.feed(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r")
    assert request.method == "OPTIONS"
    assert parser.feed(b"\n") == []
    assert parser.feed(b"OPTIONS * RTSP/1.0\rCSeq: 1\rContent-Length: 2\r\r") == []
    assert parser.feed(b"\n") == []
    (request,) = parser.feed(b"\n\n")
    assert request.body == b"\n\n"
    assert len(parser.feed(OPTIONS)) == 1


@pytest.mark.requirement("SYN-2")
@pytest.mark.parametrize("blank", [b"\r\n\r\n", b"\n", b"\r", b"\r\r\n\n" * 1000])
def test_blankLinesBefore(blank: bytes) -> None:
    """SYN-2."""
    assert onlyRequest(blank + OPTIONS).uri == "*"


@pytest.mark.requirement("SYN-3", "SYN-12")
@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"X-A: b", "b"),
        (b"x-a:b", "b"),
        (b"X-A \t:  \t b \t", "b"),
        (b"X-A:", ""),
        (b"X-A: b: c", "b: c"),
        (b"X-A: b\r\n c\r\n\t d", "b c d"),
        (b"X-A:\r\n b", "b"),
        (b"X-A: b\r\nx-A: c", "b, c"),
        (b"X-A: a\tb", "a\tb"),
        ("X-A: é".encode(), "é"),
        ("X-A: é".encode("latin-1"), "é"),
    ],
)
def test_headerLines(line: bytes, value: str) -> None:
    """SYN-3, SYN-12."""
    request = onlyRequest(b"OPTIONS * RTSP/1.0\r\ncseq: 1\r\n" + line + b"\r\nLast: 1\r\n\r\n")
    assert request.headers.get("x-a") == value
    assert request.headers.get("Cseq") == "1"
    assert request.headers.get("Last") == "1"


@pytest.mark.requirement("SYN-3")
@pytest.mark.parametrize("line", [b"nonsense", b": x", b"a b: x", b"X: \0", b"X: \x1b[2J", b"X: \x7f", b"\xc3\xa9: x"])
def test_malformedHeaderLines(line: bytes) -> None:
    """The client's mistake is answered, and the connection goes on, body or not."""
    for extra in (b"", b"\r\nContent-Length: 4\r\n\r\nbody"):
        data = b"OPTIONS * RTSP/1.0\r\n" + line + b"\r\nCSeq: 1" + (extra or b"\r\n\r\n")
        assert onlyError(data) == (400, "1", False)
        assert len(parse(data + OPTIONS)) == 2


@pytest.mark.requirement("SYN-3")
def test_foldAfterRequestLine() -> None:
    """A continuation of nothing is no header."""
    assert onlyError(b"OPTIONS *\r\n RTSP/1.0\r\nCSeq: 1\r\n\r\n") == (400, None, True)
    assert onlyError(b"OPTIONS * RTSP/1.0\r\n x\r\nCSeq: 1\r\n\r\n") == (400, "1", False)


@pytest.mark.requirement("SYN-4")
@pytest.mark.parametrize("method", ["options", "PLAY_NOTIFY", "X", "a.b+c"])
def test_methodsArePassedOn(method: str) -> None:
    """SYN-4: case kept, unknown ones are for the server to refuse."""
    assert onlyRequest(b"%s rtsp://h/ RTSP/1.0\nCSeq: 1\n\n" % method.encode()).method == method


@pytest.mark.requirement("SYN-5")
@pytest.mark.parametrize("method", ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "options", "WHATEVER"])
def test_asterisk(method: str) -> None:
    """SYN-5."""
    assert onlyRequest(b"%s * RTSP/1.0\nCSeq: 1\n\n" % method.encode()).uri == "*"


@pytest.mark.requirement("SYN-5", "SEC-6")
@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"])
def test_asteriskIsNoResource(method: str) -> None:
    """SYN-5, SEC-6."""
    assert onlyError(b"%s * RTSP/1.0\nCSeq: 1\n\n" % method.encode()) == (400, "1", False)


@pytest.mark.requirement("SYN-8", "SYN-9")
def test_bodies() -> None:
    """SYN-8, SYN-9: any method may have one, and what is in it is not executed."""
    body = b"TEARDOWN rtsp://h/ RTSP/1.0\r\nCSeq: 2\r\nSession: 12345678\r\n\r\n$\0\0\1"
    for method in (b"OPTIONS", b"ANNOUNCE", b"PLAY"):
        data = b"%s rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n" % (method, len(body)) + body
        assert onlyRequest(data).body == body
        assert len(parse(data + data)) == 2
        assert parse(data[:-1]) == []


CHUNKS = b"\r\n3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.requirement("SYN-8")
@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b"gzip, chunked", b"gzip", b""])
def testABodyInChunks(value):
    """Section 4.4: there are none in RTSP. Nobody knows where the next message would begin."""
    data = b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nTransfer-Encoding: " + value + b"\r\n" + CHUNKS
    assert onlyError(data) == (411, "1", True)


@pytest.mark.requirement("SYN-8")
@pytest.mark.parametrize(
    "lines", [b"Transfer-Encoding: Identity \r\n", b"Transfer-Encoding: x\r\nContent-Length: 0\r\n"]
)
def testABodyOfKnownLength(lines):
    assert onlyRequest(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + lines + b"\r\n").body == b""


@pytest.mark.requirement("SYN-8")
@pytest.mark.parametrize("value", [b"0", b"000", b"0, 0", b"0\r\nContent-Length: 0"])
def test_noBody(value: bytes) -> None:
    assert onlyRequest(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %s\r\n\r\n" % value).body == b""


@pytest.mark.requirement("SYN-10", "SEC-3")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        *[(value, 400) for value in (b"-1", b"+5", b"0x10", b"1e3", b"5,6", b"5, ", b"", b"5 5", b"\xd9\xa1", b"5.0")],
        (b"5\r\nContent-Length: 6", 400),
        *[(value, 413) for value in (b"131073", b"2147483648", b"18446744073709551617", b"9" * 5000)],
    ],
)
def test_contentLengthNonsense(value: bytes, code: int) -> None:
    """SYN-10, SEC-3: what follows cannot be found, so the connection must close."""
    data = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: " + value + b"\r\n\r\n"
    assert onlyError(data) == (code, "1", True)
    assert onlyError(data + OPTIONS) == (code, "1", True)


@pytest.mark.requirement("SYN-11", "SEC-2")
def test_limits() -> None:
    """SYN-11, SEC-2: exactly the limit passes, one more does not; nothing comes after a fatal error."""
    limits = Limits(requestLine=30, head=60, headers=3, body=5)
    line = b"OPTIONS rtsp://h/%s RTSP/1.0"
    cseq = b"\r\nCSeq: 1"
    end = b"\r\n\r\n"
    exact = line % b"aaaa"
    assert len(exact) == 30
    assert len(parse(exact + cseq + end, limits)) == 1
    assert onlyError(line % b"aaaaa" + cseq + end, limits) == (414, None, True)
    assert onlyError(b"A" * 31, limits) == (414, None, True)
    assert onlyError(b"A" * 1000000, Limits()) == (414, None, True)
    assert len(parse(exact + cseq + b"\r\nX:" + b"a" * 17 + end, limits)) == 1
    for ending in (end, b"\r\r", b"\n\n", b"a", b"\r\na"):
        assert onlyError(exact + cseq + b"\r\nX:" + b"a" * 20 + ending, limits) == (400, None, True)
    assert len(parse(exact + cseq + b"\r\na:\r\nb:" + end, limits)) == 1
    assert onlyError(exact + cseq + b"\r\na:\r\nb:\r\nc:" + end, limits) == (400, None, True)
    assert len(parse(exact + cseq + b"\r\nContent-Length:5" + end + b"12345", limits)) == 1
    assert onlyError(exact + cseq + b"\r\nContent-Length:6" + end + b"123456", limits) == (413, "1", True)


@pytest.mark.requirement("SEC-2")
def test_hostileHeads() -> None:
    """SEC-2: a line without end, 100,000 headers, a folded bomb; no more than the limit is kept."""
    for bomb in (b"X: " + b"a" * 1000000, b"X: a\r\n" * 100000, b"X:" + b"\r\n a" * 100000, b"X:" + b" " * 1000000):
        parser = MessageParser()
        data = b"OPTIONS * RTSP/1.0\r\n" + bomb
        messages = [message for at in range(0, len(data), 1000) for message in parser.feed(data[at : at + 1000])]
        assert [(error.code, error.fatal) for error in messages] == [(400, True)]
        assert parser.broken
        assert parser.feed(OPTIONS) == []


@pytest.mark.requirement("SYN-13", "V2-a", "COD-505")
@pytest.mark.parametrize("version", [b"2.0", b"1.1", b"0.9", b"1.00", b"9999.9999"])
def test_otherVersions(version: bytes) -> None:
    """SYN-13: 505 with CSeq; the connection stays usable, body consumed."""
    data = b"OPTIONS * RTSP/" + version + b"\r\nCSeq: 7\r\nContent-Length: 2\r\n\r\nab"
    assert onlyError(data) == (505, "7", False)
    assert isinstance(parse(data + OPTIONS)[1], Request)


@pytest.mark.requirement("CON-1")
@pytest.mark.parametrize("cseq", ["0", "1", "007", "2147483648", "9999999999"])
def test_cseq(cseq: str) -> None:
    """CON-1: 0 is valid; the number stays as it was written."""
    assert onlyRequest(b"OPTIONS * RTSP/1.0\r\nCSeq: %s\r\n\r\n" % cseq.encode()).headers.get("CSeq") == cseq


@pytest.mark.requirement("CON-1", "SEC-4")
@pytest.mark.parametrize(
    "line",
    [
        *[
            b"CSeq: " + value
            for value in (
                b"",
                b"-1",
                b"+1",
                b"1 2",
                b"1, 2",
                b"x",
                b"1.0",
                b"1\0",
                b"10000000000",
                b"18446744073709551616",
            )
        ],
        b"CSeq: " + b"1" * 1000,
        "CSeq: ١".encode(),
        b"CSeq: 1\r\nCSeq: 1",
        b"X: 1",
    ],
)
def test_badCSeq(line: bytes) -> None:
    """CON-1, SEC-4: 400 without CSeq; the connection stays usable."""
    assert onlyError(b"OPTIONS * RTSP/1.0\r\n" + line + b"\r\n\r\n") == (400, None, False)


@pytest.mark.requirement("SEC-5", "INT-4")
@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\nOPTIONS\r\n",
        b"OPTIONS *\r\n",
        b"OPTIONSrtsp://h/RTSP/1.0\r\n",
        b"GET / HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"INVITE sip:a@b SIP/2.0\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"RTSP/1.0 2000 OK\r\n",
        b"RTSP/1.0 099 OK\r\n",
        b"RTSP/1.0 OK\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0",
        b"\xff\xfe",
        b" OPTIONS * RTSP/1.0\r\n",
        b'"',
    ],
)
def test_notRTSP(data: bytes) -> None:
    """SEC-5, INT-4: recognized as soon as the first line, or its first byte, is there."""
    assert onlyError(data) == (400, None, True)
    assert onlyError(data + OPTIONS) == (400, None, True)


@pytest.mark.requirement("SEC-5")
@pytest.mark.parametrize(
    "line",
    [b"OPTIONS a b RTSP/1.0", b"OPTIONS  RTSP/1.0", b"OPTIONS a\0b RTSP/1.0", b"a,b * RTSP/1.0", b"A\x7f * RTSP/1.0"],
)
def test_malformedRequestLine(line: bytes) -> None:
    """SEC-5: what ends in RTSP/1.0 is meant as a request; it is answered, and the next one as well."""
    data = line + b"\r\nCSeq: 3\r\n\r\n"
    assert onlyError(data) == (400, "3", False)
    assert isinstance(parse(data + OPTIONS)[1], Request)


@pytest.mark.requirement("SYN-5")
def test_looseRequestLine() -> None:
    request = onlyRequest("play \t rtsp://h/é  rtsp/1.0 \r\nCSeq: 1\r\n\r\n".encode())
    assert (request.method, request.uri) == ("play", "rtsp://h/é")


@pytest.mark.requirement("SYN-7")
def test_spacesInTheURL() -> None:
    """FFmpeg sends what people type: that of C{New York.mp4} can mean but one thing."""
    request = onlyRequest(b"DESCRIBE rtsp://h/Videos/New  York.mp4?a b RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert request.uri == "rtsp://h/Videos/New%20%20York.mp4?a%20b"


@pytest.mark.requirement("CON-6")
def test_responses() -> None:
    """CON-6: answers of clients come in the same stream; nobody refuses them for their CSeq."""
    data = b"RTSP/1.0 200 OK\r\nCSeq: 5\r\n\r\nRTSP/1.0 405 Method Not Allowed\r\nContent-Length: 1\r\n\r\nx"
    expected = [
        Response(200, Headers([("CSeq", "5")]), reason="OK"),
        Response(405, Headers([("Content-Length", "1")]), b"x", "Method Not Allowed"),
        Response(551),
    ]
    data += b"RTSP/2.0 551\r\n\r\n"
    assert parse(data) == expected
    assert parseBytewise(data) == expected


@pytest.mark.requirement("INT-1", "INT-3")
def test_frames() -> None:
    """INT-1, INT-3: any channel, empty, the largest; between requests, and cut anywhere."""
    frames = [InterleavedFrame(0, b""), InterleavedFrame(255, b"\r\n\r\n$$$"), InterleavedFrame(7, bytes(65535))]
    stream: list[Message] = [frames[0], frames[1], *parse(OPTIONS), frames[2], frames[0], *parse(OPTIONS)]
    data = b"".join(message.toBytes() for message in stream)
    assert parse(data) == stream
    assert parseBytewise(data) == stream
    assert all(type(message.payload) is bytes for message in parse(frames[1].toBytes()))


@pytest.mark.requirement("SEC-15")
def test_dollarInsideHead() -> None:
    """SEC-15: a frame does not start inside a message."""
    assert onlyRequest(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: $1234\r\n\r\n").headers.get("X") == "$1234"
    assert onlyError(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n$\0\0\1x\r\n\r\n") == (400, "1", False)


@pytest.mark.requirement("SEC-16")
def test_pipelined() -> None:
    """SEC-16: in order, one each."""
    data = b"".join(b"OPTIONS * RTSP/1.0\r\nCSeq: %d\r\n\r\n" % number for number in range(20000))
    assert [message.headers.get("CSeq") for message in parse(data)] == [str(number) for number in range(20000)]


@pytest.mark.requirement("SEC-15", "SEC-17")
def test_nothingIsKept() -> None:
    """SEC-15, SEC-17: after any number of messages the buffer holds only the unfinished one."""
    parser = MessageParser()
    for _ in range(100):
        parser.feed(InterleavedFrame(0, bytes(60000)).toBytes() + OPTIONS + b"$\0\0")
        assert len(parser._buffer) == 3
        parser.feed(b"\0")


# Streams that are cut anywhere.

tokens = st.text("ABCdef-_.", min_size=1, max_size=8)
values = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\x85"), max_size=30)
headers = st.lists(st.tuples(tokens.map("X-{}".format), values.map(lambda text: text.strip(" \t"))), max_size=5)
bodies = st.binary(max_size=40)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    fields = Headers([("CSeq", str(draw(st.integers(0, 9999999999)))), *draw(headers)])
    uri = "rtsp://h/" + draw(st.text("abc%20é;,=?/", max_size=20))
    return Request(draw(tokens), uri, fields, draw(bodies))


@st.composite
def responses(draw: st.DrawFn) -> Response:
    reason = draw(values).strip()
    return Response(draw(st.integers(100, 999)), Headers(draw(headers)), draw(bodies), reason)


frames = st.builds(InterleavedFrame, st.integers(0, 255), st.binary(max_size=300))


def cut(data: bytes, cuts: list[int]) -> list[Message]:
    parser = MessageParser()
    places = sorted(place % (len(data) + 1) for place in cuts)
    pieces = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    return [message for piece in pieces for message in parser.feed(piece)]


cuts = st.lists(st.integers(0, 100000), max_size=12)


@given(st.lists(st.one_of(requests(), responses(), frames), max_size=6), cuts)
def test_parseIsInverseOfFormat(messages: list[Request | Response | InterleavedFrame], cuts: list[int]) -> None:
    data = b"".join(message.toBytes() for message in messages)
    for message in messages:
        if not isinstance(message, InterleavedFrame) and message.body:
            message.headers.set("Content-Length", str(len(message.body)))
    assert cut(data, cuts) == messages


fragments = st.sampled_from(
    [
        *(
            b"\r",
            b"\n",
            b"\r\n",
            b" ",
            b"\t",
            b"$",
            b"\0",
            b"\0\3",
            b":",
            b"A",
            b"\xff",
            b"OPTIONS * RTSP/1.0",
            b"\r\nCSeq: 1",
        ),
        *(
            b"\r\nContent-Length: 5",
            b"PLAY rtsp://h/ RTSP/2.0",
            b"RTSP/1.0 200 OK",
            b"\r\n\r\n",
            b"$\1\0\2ab",
            b"aaaaaaaaaaaaa",
        ),
    ]
)


@pytest.mark.requirement("SYN-8")
@given(st.lists(fragments, max_size=30).map(b"".join), cuts)
@example(b"OPTIONS * RTSP/1.0\r\nContent-Length: 5\r\n\r", [0])
def test_anyCutGivesTheSame(data: bytes, cuts: list[int]) -> None:
    """The same messages and errors, whatever arrives together."""
    limits = Limits(requestLine=40, head=70, headers=3, body=10)
    whole = comparable(parse(data, limits))
    assert comparable(parseBytewise(data, limits)) == whole
    parser = MessageParser(limits)
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert comparable([message for piece in pieces for message in parser.feed(piece)]) == whole


@pytest.mark.requirement("SEC-5")
@given(st.binary(max_size=2000))
def test_garbageRaisesNothing(data: bytes) -> None:
    """SEC-5: garbage gives messages or one fatal error, the last thing that comes."""
    for prefix in (b"", b"OPTIONS * RTSP/1.0\r\n", b"$\0\0\4"):
        messages = parse(prefix + data)
        assert not any(isinstance(message, MessageError) and message.fatal for message in messages[:-1])
