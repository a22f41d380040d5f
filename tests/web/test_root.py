"""From URLs to resources, on a real folder, through a real port."""

from __future__ import annotations

import pytest
from rtsprig import Rig
from tunnelrig import Connection
from webrig import webFactory

from mediasrv.rtsp.site import RTSPSite


def ask(rig: Rig, path: str, method: str = "GET", below: bytes = b"") -> tuple[str, str]:
    """The first line of the answer, and the rest."""
    connection = Connection(rig, factory=webFactory(rig, below=below))
    connection.write(f"{method} {path} HTTP/1.1\r\nHost: media.example\r\nConnection: close\r\n\r\n".encode())
    line, _, rest = connection.heard().decode().partition("\r\n")
    return line, rest


@pytest.mark.parametrize("path", ["/none", "/none/", "/none.m3u", "/..", "/%00", "/%ff", "//", "/-/none"])
def testNothing(rig: Rig, path: str) -> None:
    line, rest = ask(rig, path)
    assert line == "HTTP/1.1 404 Not Found"
    assert "There is nothing here." in rest


def testBelowSomebodysSite(rig: Rig) -> None:
    """Relative links need the slash; the way to it is right behind any proxy."""
    line, rest = ask(rig, "/tv?a=b", below=b"tv")
    assert line == "HTTP/1.1 301 Moved Permanently"
    assert "Location: ./tv/?a=b\r\n" in rest


def testConnectionsAreCounted(rig: Rig) -> None:
    """Those of HTTP too, for as long as they are kept alive; and they end with the server (SEC-1)."""
    site: RTSPSite = rig.site
    site._connectionsPerPeer = 2
    factory = webFactory(rig)
    first, second = (Connection(rig, factory=factory) for _ in range(2))
    for each in (first, second):
        each.write(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
        assert each.heard().startswith(b"HTTP/1.1 404")
    third = Connection(rig, factory=factory)
    assert third.heard().startswith(b"HTTP/1.0 503")
    first.transport.lose()
    fourth = Connection(rig, factory=factory)
    fourth.write(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
    assert fourth.heard().startswith(b"HTTP/1.1 404")
    site.stop()
    assert not second.isConnected
    site.start()
