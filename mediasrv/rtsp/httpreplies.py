"""
What is said in HTTP on the RTSP port, and in front of C{twisted.web} on the web port: how a tunnel begins, and no.
"""

from __future__ import annotations

from http import HTTPStatus

#: the media type of both halves of a tunnel
TUNNEL_TYPE = "application/x-rtsp-tunnelled"

Fields = list[tuple[str, str]]


def tunnelOpened(serverName: str, fields: Fields) -> bytes:
    """
    The answer to the GET of a tunnel (TUN-1). It has no length: what follows goes on until the connection ends. There
    is no x-server-ip-address in it, to which GStreamer would send its POST (TUN-10).
    """
    about = [("Content-Type", TUNNEL_TYPE), ("Cache-Control", "no-cache"), ("Pragma", "no-cache")]
    return _head(200, serverName, [*about, *fields])


def reason(code: int) -> bytes:
    """A status as a line of text."""
    return f"{code} {HTTPStatus(code).phrase}\n".encode()


def refusal(code: int, serverName: str, fields: Fields | None = None, isHead: bool = False) -> bytes:
    """
    A whole answer that says no, in a line of text. Then the connection closes.

    @param isHead: whether HEAD was asked, which has no text.
    """
    text = reason(code)
    about = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text)))]
    return _head(code, serverName, [*about, *(fields or [])]) + (b"" if isHead else text)


def mayAsk(serverName: str, fields: Fields) -> bytes:
    """The answer to a browser that asks, with OPTIONS, whether a page may open a tunnel (TUN-11)."""
    allowed = [
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "x-sessioncookie, Accept, Content-Type, Cache-Control, Pragma"),
        ("Access-Control-Max-Age", "600"),
        ("Content-Length", "0"),
    ]
    return _head(200, serverName, [*fields, *allowed])


def _head(code: int, serverName: str, fields: Fields) -> bytes:
    """HTTP/1.0, as the protocol of the tunnel has it: nothing is kept alive."""
    lines = [f"HTTP/1.0 {code} {HTTPStatus(code).phrase}", f"Server: {serverName}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
