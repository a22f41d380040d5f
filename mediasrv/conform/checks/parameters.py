"""
GET_PARAMETER, SET_PARAMETER, REDIRECT and methods that nobody knows (RFC 2326 sections 10.8 to 10.11): PAR-1 to PAR-4,
RED-1, EXT-1.
"""

from __future__ import annotations

from mediasrv.conform.grading import Grade, NotApplicable, check
from mediasrv.conform.judging import expect, refused, require, tokens, usable
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Viewer

_NAME = "no-such-parameter"
_TEXT = ("Content-Type", "text/parameters")


def _viewerWith(probe: Probe, method: str) -> Viewer:
    viewer = probe.viewer()
    public = tokens(viewer.connection.ask("OPTIONS", probe.url).headers.get("Public"))
    if method not in public:
        raise NotApplicable(f"no {method} in Public")
    return viewer


@check("PAR-1", Grade.MUST, "RFC 2326 10.8", "GET_PARAMETER without body is a sign of life, and answered with 200.")
def getNothing(probe: Probe) -> None:
    viewer = _viewerWith(probe, "GET_PARAMETER")
    expect(viewer.ask("GET_PARAMETER"), 200)


@check("PAR-1", Grade.POLICY, "RFC 2326 10.8", "GET_PARAMETER without body and Session is answered with 200.")
def getNothingWithoutSession(probe: Probe) -> None:
    _viewerWith(probe, "GET_PARAMETER")
    expect(probe.connection.ask("GET_PARAMETER", probe.url), 200)


@check("PAR-2 STATUS-451", Grade.MUST, "RFC 2326 11.3.2", "GET_PARAMETER of what does not exist is 451.")
def getUnknown(probe: Probe) -> None:
    viewer = _viewerWith(probe, "GET_PARAMETER")
    expect(viewer.ask("GET_PARAMETER", [_TEXT], body=f"{_NAME}\r\n".encode()), 451)
    usable(viewer.connection, probe.url)


@check("PAR-2 STATUS-415", Grade.POLICY, "RFC 2326 10.8", "A body of a type that the server does not read is 415.")
def getOddType(probe: Probe) -> None:
    viewer = _viewerWith(probe, "GET_PARAMETER")
    expect(viewer.ask("GET_PARAMETER", [("Content-Type", "image/png")], body=b"\x89PNG\r\n\r\n"), 415)
    usable(viewer.connection, probe.url)


@check(
    "PAR-3", Grade.POLICY, "RFC 7826 10.5, ONVIF", "SET_PARAMETER without body is a sign of life of ONVIF clients: 200."
)
def setNothing(probe: Probe) -> None:
    viewer = _viewerWith(probe, "SET_PARAMETER")
    expect(viewer.ask("SET_PARAMETER"), 200)


@check("PAR-3 STATUS-451", Grade.MUST, "RFC 2326 10.9", "SET_PARAMETER of what does not exist is 451.")
def setUnknown(probe: Probe) -> None:
    viewer = _viewerWith(probe, "SET_PARAMETER")
    expect(viewer.ask("SET_PARAMETER", [_TEXT], body=f"{_NAME}: 1\r\n".encode()), 451)
    usable(viewer.connection, probe.url)


@check(
    "PAR-4",
    Grade.POLICY,
    "practice of RealPlayer",
    "SET_PARAMETER with a header of RealNetworks and no body does no harm.",
)
def setByHeader(probe: Probe) -> None:
    viewer = _viewerWith(probe, "SET_PARAMETER")
    expect(viewer.ask("SET_PARAMETER", [("Subscribe", "stream=0;rule=0")]), 200, 451)
    usable(viewer.connection, probe.url)


@check("RED-1", Grade.MUST, "RFC 2326 10", "REDIRECT is for servers to send: from a client it is 405 or 501.")
def redirectFromClient(probe: Probe) -> None:
    reply = probe.connection.ask("REDIRECT", probe.url, [("Location", "rtsp://example.com/")])
    expect(reply, 405, 501, 455, wanted="405 or 501")


@check("EXT-1 STATUS-501", Grade.MUST, "RFC 2326 10", "A method that the server does not know is 501.")
def unknownMethod(probe: Probe) -> None:
    expect(probe.connection.ask("FLY", probe.url), 501)
    usable(probe.connection, probe.url)


@check(
    "EXT-1 STATUS-405",
    Grade.MUST,
    "RFC 2326 11.3.1",
    "A method that is not for this URL is refused; 405 names in Allow what is.",
)
def methodsOfOtherURLs(probe: Probe) -> str:
    codes = []
    for method in ("RECORD", "ANNOUNCE", "REDIRECT"):
        reply = refused(probe.connection.ask(method, probe.url))
        if reply.code == 405:
            require(bool(tokens(reply.headers.get("Allow"))), "an Allow with 405", "none")
        codes.append(f"{method} {reply.code}")
    return ", ".join(codes)
