"""
OPTIONS and DESCRIBE (RFC 2326 sections 10.1 and 10.2): OPT-1, OPT-2, DES-1 to DES-6.
"""

from __future__ import annotations

from mediasrv.conform.connection import Reply
from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import expect, require, tokens, usable
from mediasrv.conform.probing import Probe


def _public(probe: Probe) -> list[str]:
    return tokens(expect(probe.connection.ask("OPTIONS", probe.url), 200).headers.get("Public"))


def _listed(probe: Probe, *methods: str) -> None:
    public = _public(probe)
    missing = [method for method in methods if method not in public]
    require(not missing, f"{', '.join(methods)} in Public", f"without {', '.join(missing)}: {', '.join(public)}")


def _describe(probe: Probe, *headers: tuple[str, str]) -> Reply:
    return probe.connection.ask("DESCRIBE", probe.url, headers)


@check("OPT-1", Grade.MUST, "RFC 2326 10", "Public lists what every server has: OPTIONS, SETUP, PLAY and TEARDOWN.")
def requiredMethods(probe: Probe) -> None:
    _listed(probe, "OPTIONS", "SETUP", "PLAY", "TEARDOWN")


@check("OPT-1", Grade.SHOULD, "RFC 2326 10", "Public lists DESCRIBE and PAUSE, which are recommended.")
def recommendedMethods(probe: Probe) -> None:
    _listed(probe, "DESCRIBE", "PAUSE")


@check(
    "OPT-1", Grade.POLICY, "RFC 2326 10", "Public lists GET_PARAMETER, with which FFmpeg and VLC keep sessions alive."
)
def keepAliveMethod(probe: Probe) -> None:
    _listed(probe, "GET_PARAMETER")


@check("OPT-1", Grade.MUST, "RFC 2326 10.1", "OPTIONS changes nothing: what plays goes on.", media=True)
def optionsWhilePlaying(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    expect(viewer.ask("OPTIONS"), 200)
    expect(viewer.connection.ask("OPTIONS", "*"), 200)
    before = viewer.received
    viewer.watch(3.0, lambda: viewer.received > before)
    require(viewer.received > before, "packets go on", "no packet for 3 s after OPTIONS")


@check("OPT-2", Grade.SHOULD, "RFC 2326 11.3.5", "OPTIONS with a Session that does not exist is 454.")
def optionsOfUnknownSession(probe: Probe) -> None:
    expect(probe.connection.ask("OPTIONS", probe.url, [("Session", "0123456789abcdef")]), 454)


@check(
    "DES-1",
    Grade.MUST,
    "RFC 2326 12.16",
    "A description has its Content-Type, and the Content-Length that it really has.",
)
def descriptions(probe: Probe) -> None:
    reply = expect(_describe(probe, ("Accept", "application/sdp")), 200)
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    require(kind == "application/sdp", "Content-Type: application/sdp", f"Content-Type: {kind or 'none'}")
    require(reply.headers.get("Content-Length") is not None, "a Content-Length", "none")
    require(reply.body.startswith(b"v=0"), "a session description", f"{reply.body[:40]!r}")
    usable(probe.connection, probe.url)


@check(
    "DES-1", Grade.POLICY, "RFC 2326 C.1.1", "Content-Base ends in a slash, so that clients append or resolve alike."
)
def contentBase(probe: Probe) -> None:
    base = _describe(probe).headers.get("Content-Base")
    if base is None:
        raise NotApplicable("no Content-Base")
    require(base.endswith("/"), "a slash at its end", f"Content-Base: {base}")


@check("DES-1 STATUS-404", Grade.MUST, "RFC 2326 11", "What does not exist is 404.")
def notFound(probe: Probe) -> None:
    expect(probe.connection.ask("DESCRIBE", f"{probe.url}-no-such-presentation"), 404)
    usable(probe.connection, probe.url)


@check(
    "DES-2", Grade.MUST, "RFC 2068 14.1", "DESCRIBE without Accept, or with a range that SDP is part of, is answered."
)
def acceptedTypes(probe: Probe) -> None:
    expect(_describe(probe), 200)
    for value in ("*/*", "application/*", "text/html, application/sdp;q=0.5"):
        expect(_describe(probe, ("Accept", value)), 200)


@check(
    "DES-2 STATUS-406",
    Grade.POLICY,
    "RFC 2068 14.1",
    "A client that takes no SDP is told so with 406 (200 is allowed).",
)
def unacceptableTypes(probe: Probe) -> None:
    expect(_describe(probe, ("Accept", "text/html")), 406)


@check(
    "DES-3 STATUS-304",
    Grade.SHOULD,
    "RFC 2326 12.23",
    "If-Modified-Since the Last-Modified of the description is 304, without body.",
)
def notModified(probe: Probe) -> None:
    date = _describe(probe).headers.get("Last-Modified")
    if date is None:
        raise NotApplicable("no Last-Modified")
    reply = expect(_describe(probe, ("If-Modified-Since", date)), 304)
    require(not reply.body, "no body with 304")
    usable(probe.connection, probe.url)


@check("DES-4", Grade.MUST, "RFC 2326 10.2", "DESCRIBE can be repeated, and changes nothing in a session.")
def repeatedDescriptions(probe: Probe) -> None:
    viewer = probe.viewer()
    for _ in range(3):
        expect(viewer.connection.ask("DESCRIBE", probe.url), 200)
    expect(viewer.ask("PLAY"), 200)
    expect(viewer.connection.ask("DESCRIBE", probe.url), 200)


@check("DES-6", Grade.MUST, "RFC 2326 12", "Headers from HTTP about language, encoding and caches do no harm.")
def headersOfHTTP(probe: Probe) -> None:
    headers = [("Accept-Language", "de, en;q=0.5"), ("Accept-Encoding", "gzip"), ("Cache-Control", "no-cache")]
    expect(_describe(probe, *headers, ("From", "a@example.com"), ("Referer", "rtsp://example.com/")), 200)


unseen("DES-5", "What is no media, or cannot be read, is 415 or 404.", "needs such a file on the server")
