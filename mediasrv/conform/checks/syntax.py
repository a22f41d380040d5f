"""
Syntax and framing of messages (RFC 2326 sections 3, 4, 6, 7 and 12.14): SYN-1 to SYN-15.
"""

from __future__ import annotations

import re
import time
from urllib.parse import quote, urlsplit

from mediasrv.conform.grading import Failed, Grade, NotApplicable, check
from mediasrv.conform.judging import allOf, expect, refused, require, tokens, usable
from mediasrv.conform.probing import Probe

_STATUS_LINE = re.compile(rb"RTSP/1\.0 [1-5][0-9][0-9] [^\r\n]*[^\s][^\r\n]*\Z")
_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"[0-9]{4} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT"
)
#: more than any sensible line, and little enough not to be an attack
_LONG = 60000


def _options(probe: Probe, cseq: int = 1) -> bytes:
    return f"OPTIONS {probe.url} RTSP/1.0\r\nCSeq: {cseq}\r\n\r\n".encode()


def _variants(probe: Probe, variants: dict[str, bytes], code: int = 200) -> None:
    """Each on a connection of its own; all have to be answered with this code."""
    problems = {}
    for name, data in variants.items():
        connection = probe.connect()
        try:
            reply = connection.askRaw(data)
            if reply.code != code:
                problems[name] = str(reply.code)
        except Failed as failure:
            problems[name] = failure.got or failure.wanted
        connection.close()
    allOf(problems, str(code))


@check("SYN-1", Grade.SHOULD, "RFC 2326 4", "Lines of a request may end in CR or in LF alone, or in a mixture.")
def lineEndings(probe: Probe) -> None:
    text = _options(probe)
    lines = text.split(b"\r\n")
    variants = {
        "LF alone": text.replace(b"\r\n", b"\n"),
        "CR alone": text.replace(b"\r\n", b"\r"),
        "CRLF, then LF": lines[0] + b"\r\n" + lines[1] + b"\n\n",
    }
    _variants(probe, variants)


@check("SYN-2", Grade.SHOULD, "RFC 2068 4.1", "Empty lines in front of a request are skipped.")
def blankLines(probe: Probe) -> None:
    expect(probe.connection.askRaw(b"\r\n\r\n" + _options(probe)), 200)


@check("SYN-3", Grade.MUST, "RFC 2068 4.2", "The names of headers are the same in upper and lower case.")
def headerNamesInAnyCase(probe: Probe) -> None:
    for number, name in enumerate(("cseq", "CSEQ", "Cseq"), 1):
        reply = probe.connection.askRaw(f"OPTIONS {probe.url} RTSP/1.0\r\n{name}: {number}\r\n\r\n".encode())
        expect(reply, 200)


@check("SYN-3", Grade.MUST, "RFC 2068 4.2", "A header may go on in the next line if that starts with white space.")
def foldedHeaders(probe: Probe) -> None:
    text = f"OPTIONS {probe.url} RTSP/1.0\r\nUser-Agent: one\r\n two\r\nCSeq:\r\n\t7\r\n\r\n"
    expect(probe.connection.askRaw(text.encode()), 200)


@check(
    "SYN-3", Grade.MUST, "RFC 2068 4.2", "White space around the value of a header, or an empty value, does no harm."
)
def spacesAndEmptyValues(probe: Probe) -> None:
    text = f"OPTIONS {probe.url} RTSP/1.0\r\nCSeq:    5 \r\nUser-Agent:\r\nX-Empty: \r\n\r\n"
    expect(probe.connection.askRaw(text.encode()), 200)
    expect(probe.connection.askRaw(f"OPTIONS {probe.url} RTSP/1.0\r\nCSeq:6\r\n\r\n".encode()), 200)


@check("SYN-3", Grade.MUST, "RFC 2068 4.2", "A header that is there twice means what one with both values means.")
def repeatedHeaders(probe: Probe) -> None:
    reply = probe.connection.ask("OPTIONS", probe.url, [("Require", "no.such.one"), ("Require", "no.such.two")])
    expect(reply, 551)
    named = tokens(reply.headers.get("Unsupported"))
    require(
        {"no.such.one", "no.such.two"} <= set(named),
        "both in Unsupported",
        f"Unsupported: {', '.join(named) or 'none'}",
    )


@check("SYN-4", Grade.MUST, "RFC 2326 6.1", "Methods are case-sensitive: 'options' is another one, and unknown.")
def methodsAreCaseSensitive(probe: Probe) -> None:
    expect(probe.connection.ask("options", probe.url), 501, 405, 400, wanted="501 (or 405, 400)")


@check("SYN-5", Grade.MUST, "RFC 2326 6.1", "OPTIONS with the URI '*' is about the server itself.")
def optionsOfTheServer(probe: Probe) -> None:
    expect(probe.connection.ask("OPTIONS", "*"), 200)


@check("SYN-5", Grade.SHOULD, "RFC 2326 6.1", "'*' names no presentation: DESCRIBE refuses it.")
def noDescriptionOfEverything(probe: Probe) -> None:
    refused(probe.connection.ask("DESCRIBE", "*"))
    usable(probe.connection, probe.url)


@check(
    "SYN-5", Grade.POLICY, "RFC 2326 6.1 wants absolute URLs", "A path without host is taken for one of this server."
)
def absolutePaths(probe: Probe) -> None:
    parts = urlsplit(probe.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    expect(probe.connection.ask("DESCRIBE", path or "/"), 200)


@check(
    "SYN-6", Grade.MUST, "RFC 2326 3.2", "Every form of URL gets an answer: without path, with userinfo, with a query."
)
def formsOfURL(probe: Probe) -> None:
    host = urlsplit(probe.url).netloc.rpartition("@")[2]
    forms = [f"rtsp://{host}", f"rtsp://{host}/", f"rtsp://@{host}/", f"rtsp://user:pass@{host}/x?a=b&c"]
    problems = {}
    for form in [*forms, f"rtsp://{host}//", "rtsp://[::1]/x"]:
        connection = probe.connect()
        try:
            connection.ask("OPTIONS", form)
            if connection.ask("DESCRIBE", form).code >= 500:
                problems[form] = "5xx"
        except Failed as failure:
            problems[form] = failure.got or ""
        connection.close()
    allOf(problems, "an answer, below 500")


@check("SYN-7", Grade.SHOULD, "RFC 2396 2.3", "A letter of the path may be percent-encoded; it stays the same URL.")
def percentEncoding(probe: Probe) -> None:
    parts = urlsplit(probe.url)
    letters = [index for index, letter in enumerate(parts.path) if letter.isascii() and letter.isalnum()]
    escaped = [index for index in letters if "%" not in parts.path[max(0, index - 2) : index + 1]]
    if not escaped:
        raise NotApplicable("the path has no letter to encode")
    place = escaped[-1]
    path = f"{parts.path[:place]}%{ord(parts.path[place]):02X}{parts.path[place + 1 :]}"
    url = parts._replace(path=path).geturl()
    expect(probe.connection.ask("DESCRIBE", url), 200)


@check("SYN-7", Grade.SHOULD, "RFC 2396 2.4", "A path with characters that need encoding, in UTF-8, is only not found.")
def strangePaths(probe: Probe) -> None:
    parts = urlsplit(probe.url)
    url = parts._replace(path="/" + quote("nö such;a,b=c?d file")).geturl()
    reply = refused(probe.connection.ask("DESCRIBE", url), "404")
    require(reply.code < 500, "404")
    usable(probe.connection, probe.url)


@check("SYN-8", Grade.MUST, "RFC 2326 4", "A request is the same in however many pieces it comes.")
def requestInPieces(probe: Probe) -> None:
    data = _options(probe)
    for offset in range(len(data)):
        probe.connection.sendQuietly(data[offset : offset + 1])
        time.sleep(0.001)
    probe.network.note(">", f"OPTIONS {probe.url}, one byte at a time")
    expect(probe.connection.answer(), 200)


@check("SYN-9 SYN-8", Grade.MUST, "RFC 2326 4.4", "The body of a request is no request, whatever stands in it.")
def bodiesAreSkipped(probe: Probe) -> None:
    connection = probe.connection
    hidden = connection.format("DESCRIBE", probe.url, [("CSeq", "99")])
    head = connection.format("OPTIONS", probe.url, [("Content-Length", str(len(hidden)))])
    connection.sendQuietly(head)
    probe.network.listen(0.05)
    connection.sendQuietly(hidden[:10])
    probe.network.listen(0.05)
    connection.sendQuietly(hidden[10:])
    probe.network.note(">", f"OPTIONS {probe.url} with a body of {len(hidden)} bytes that reads DESCRIBE")
    connection.answer()
    reply = connection.ask("OPTIONS", probe.url, [("CSeq", "100")])
    require(reply.headers.get("CSeq") == "100", "one answer to the OPTIONS with the body, then one to the next OPTIONS")


@check(
    "SYN-10",
    Grade.SHOULD,
    "RFC 2068 4.4",
    "A Content-Length that is no number, or two that differ, is refused with 400.",
)
def badContentLength(probe: Probe) -> None:
    problems = {}
    for values in (["-1"], ["abc"], ["5", "6"]):
        connection = probe.connect()
        try:
            code = connection.ask("OPTIONS", probe.url, [("Content-Length", value) for value in values]).code
            if code != 400:
                problems[f"Content-Length: {', '.join(values)}"] = str(code)
        except Failed as failure:
            problems[f"Content-Length: {', '.join(values)}"] = failure.got or ""
        connection.close()
    allOf(problems, "400")


@check(
    "SYN-10 STATUS-413",
    Grade.SHOULD,
    "RFC 2068 10.4.14",
    "A body that nobody would take is refused from its Content-Length alone.",
)
def hugeContentLength(probe: Probe) -> None:
    expect(probe.connection.ask("OPTIONS", probe.url, [("Content-Length", str(1 << 40))]), 413, 400)


@check(
    "SYN-11 STATUS-414",
    Grade.POLICY,
    "RFC 2068 10.4.15",
    "A line of 60,000 bytes is served or refused, but not met with silence.",
)
def longLines(probe: Probe) -> None:
    problems = {}
    long = "x" * _LONG
    for name, uri, headers in (
        ("a URL of 60,000 bytes", f"{probe.url}?{long}", []),
        ("a header of 60,000 bytes", probe.url, [("X-Long", long)]),
        ("500 headers", probe.url, [(f"X-Header-{number}", "x") for number in range(500)]),
    ):
        connection = probe.connect()
        try:
            reply = connection.ask("OPTIONS", uri, headers)
            if reply.code not in (200, 400, 404, 413, 414):
                problems[name] = str(reply.code)
        except Failed as failure:
            problems[name] = failure.got or ""
        connection.close()
    allOf(problems, "200, 400, 413 or 414")


@check("SYN-12", Grade.MUST, "RFC 2326 12", "Headers that the server does not know, and Host, are ignored.")
def unknownHeaders(probe: Probe) -> None:
    headers = [("Host", "example.com"), ("X-Unheard-Of", "1"), ("Rocket", 'on; off="1,2"')]
    expect(probe.connection.ask("DESCRIBE", probe.url, headers), 200)


@check(
    "SYN-13 STATUS-505",
    Grade.SHOULD,
    "RFC 2068 10.5.6",
    "A request of another major version gets 505, and the connection goes on.",
)
def otherVersions(probe: Probe) -> None:
    expect(probe.connection.askRaw(f"OPTIONS {probe.url} RTSP/9.0\r\nCSeq: 1\r\n\r\n".encode()), 505)
    usable(probe.connection, probe.url)


@check("SYN-14", Grade.MUST, "RFC 2326 7.1", "A status line is 'RTSP/1.0', a code and a reason, and ends in CRLF.")
def statusLines(probe: Probe) -> None:
    connection = probe.connection
    connection.ask("OPTIONS", probe.url)
    connection.ask("DESCRIBE", f"{probe.url}-no-such-presentation")
    heads = [part for part in bytes(connection.raw).split(b"\r\n") if part.upper().startswith(b"RTSP/")]
    wrong = [head for head in heads if not _STATUS_LINE.match(head)]
    require(not wrong and len(heads) == 2, "RTSP/1.0 code reason", f"{(wrong or [bytes(connection.raw[:40])])[0]!r}")


@check("SYN-15", Grade.MUST, "RFC 2068 14.19", "A Date is written as in 'Thu, 23 Jan 1997 15:35:06 GMT'.")
def dates(probe: Probe) -> str:
    date = probe.connection.ask("OPTIONS", probe.url).headers.get("Date")
    if date is None:
        raise NotApplicable("no Date header")
    require(_DATE.fullmatch(date) is not None, "a date as RFC 1123 writes it", f"Date: {date}")
    return date
