"""
Other headers (RFC 2326 section 12): HDR-1, HDR-5 to HDR-11. HDR-2 and HDR-3 are among the rates, HDR-4 is RTP-Info.
"""

from __future__ import annotations

from mediasrv.conform.connection import Reply
from mediasrv.conform.grading import Grade, check, unseen
from mediasrv.conform.judging import expect, refused, require, tokens
from mediasrv.conform.probing import Probe
from mediasrv.conform.settingup import offered, setUp

_FEATURE = "com.example.teleport"


def _notSupported(reply: Reply) -> None:
    expect(reply, 551)
    named = tokens(reply.headers.get("Unsupported"))
    require(named == [_FEATURE], f"Unsupported: {_FEATURE}", f"Unsupported: {reply.headers.get('Unsupported', 'none')}")


@check(
    "HDR-1 STATUS-551",
    Grade.MUST,
    "RFC 2326 12.32",
    "A feature that is required and unknown is 551, and named in Unsupported.",
)
def requireOfUnknown(probe: Probe) -> None:
    for method in ("OPTIONS", "DESCRIBE"):
        _notSupported(probe.connection.ask(method, probe.url, [("Require", _FEATURE)]))


@check("HDR-1", Grade.SHOULD, "RFC 2326 12.27", "Proxy-Require is treated as Require is.")
def proxyRequire(probe: Probe) -> None:
    _notSupported(probe.connection.ask("DESCRIBE", probe.url, [("Proxy-Require", _FEATURE)]))


@check(
    "HDR-1", Grade.MUST, "RFC 2326 12.32", "Require is looked at before anything is done: SETUP and PLAY do not happen."
)
def requireBeforeAll(probe: Probe) -> None:
    reply = setUp(probe, offered(probe), ("Require", _FEATURE))
    expect(reply, 551)
    require("Session" not in reply.headers, "no session", f"Session: {reply.headers.get('Session')}")
    viewer = probe.viewer()
    expect(viewer.ask("PLAY", [("Require", _FEATURE)]), 551)
    viewer.watch(1.0)
    require(viewer.received == 0, "nothing is played", "packets")


@check("HDR-5", Grade.MUST, "RFC 2326 12.38", "A Timestamp comes back to the letter; a delay may follow it.")
def timestamps(probe: Probe) -> None:
    for value in ("123.45", "0.000001"):
        echo = probe.connection.ask("OPTIONS", probe.url, [("Timestamp", value)]).headers.get("Timestamp", "")
        require(echo.split()[:1] == [value], f"Timestamp: {value}", f"Timestamp: {echo or 'none'}")


@check("HDR-6", Grade.POLICY, "RFC 2326 12.36", "Server says what software it is.")
def serverHeader(probe: Probe) -> str:
    server = probe.connection.ask("OPTIONS", probe.url).headers.get("Server", "")
    require(bool(server), "a Server header", "none")
    return server


@check("HDR-7", Grade.MUST, "RFC 2326 12.37", "Every reply about a session carries its identifier.")
def sessionInReplies(probe: Probe) -> None:
    viewer = probe.viewer()
    for method in ("PLAY", "OPTIONS", "PAUSE"):
        reply = viewer.ask(method)
        named = reply.headers.get("Session", "").partition(";")[0].strip()
        require(named == viewer.session, f"Session: {viewer.session}", f"{reply.code}, Session: {named or 'none'}")


@check("HDR-7", Grade.POLICY, "RFC 2326 12.37", "Errors about a session that lives carry its identifier, too.")
def sessionInErrors(probe: Probe) -> None:
    viewer = probe.viewer()
    reply = refused(viewer.ask("PLAY", [("Range", "parsec=5-")]))
    named = reply.headers.get("Session", "").partition(";")[0].strip()
    require(named == viewer.session, f"Session: {viewer.session}", f"{reply.code}, Session: {named or 'none'}")


@check("HDR-8", Grade.MUST, "RFC 2326 12", "Via, From, Referer, Vary and Bandwidth in a request do no harm.")
def harmlessHeaders(probe: Probe) -> None:
    headers = [("Via", "1.0 proxy.example.com"), ("From", "a@example.com"), ("Referer", "rtsp://example.com/x")]
    expect(probe.connection.ask("OPTIONS", probe.url, [*headers, ("Vary", "*"), ("Bandwidth", "4000000")]), 200)


@check("HDR-9 STATUS-452", Grade.POLICY, "RFC 2326 12.8", "A Conference that nobody knows is 452, or ignored.")
def conferences(probe: Probe) -> str:
    code = expect(setUp(probe, offered(probe), ("Conference", "199702170042.SAA08642@example.com")), 452, 200).code
    return "ignored" if code == 200 else ""


@check("HDR-11", Grade.POLICY, "practice of QuickTime", "QuickTime's headers in SETUP do no harm.")
def headersOfQuickTime(probe: Probe) -> None:
    headers = [
        ("x-Dynamic-Rate", "1"),
        ("x-Transport-Options", "late-tolerance=2.9"),
        ("x-Retransmit", "our-retransmit"),
    ]
    expect(setUp(probe, offered(probe), *headers), 200)


unseen("HDR-10", "SETUP with Range or x-playNow plays at once.", "an invention of old clients")
