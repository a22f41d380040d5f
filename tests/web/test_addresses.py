"""How clients reach us, as requests, proxies and settings say."""

from __future__ import annotations

from typing import Any

import pytest
from exchanging import PEER, Exchange
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.web.resource import Resource
from twisted.web.server import Request

from mediasrv.settings import Settings
from mediasrv.web.addresses import Addresses, RTSPPort, settledPort

PROXY = IPv4Address("TCP", "10.0.0.1", 50000)


def port() -> RTSPPort:
    return RTSPPort("rtsp", 8554)


class Told(Resource):
    """Keeps what it is told, at any depth of somebody's site."""

    isLeaf = True

    def __init__(self, addresses: Addresses) -> None:
        super().__init__()
        self.addresses = addresses
        self.answers: list[tuple[str, str | None, str]] = []

    def render(self, request: Request) -> bytes:
        addresses = self.addresses
        self.answers.append((addresses.web(request), addresses.rtsp(request), addresses.clientAddress(request)))
        return b""


def told(addresses: Addresses, *headers: str, mount: str = "", **connection: Any) -> tuple[str, str | None, str]:
    """
    What is known of a request.

    @param mount: the path below which the resources are.
    """
    leaf = Told(addresses)
    resource: Resource = leaf
    for segment in reversed(mount.split("/") if mount else []):
        parent = Resource()
        parent.putChild(segment.encode(), resource)
        resource = parent
    path = (f"/{mount}" if mount else "").replace(" ", "%20") + "/movies/film.mp4.m3u"
    Exchange(resource, path, *headers, **connection)
    (answer,) = leaf.answers
    return answer


@pytest.mark.parametrize(
    ("host", "web", "rtsp"),
    [
        ("Host: media.example", "http://media.example", "rtsp://media.example:8554"),
        ("Host: media.example:8080", "http://media.example:8080", "rtsp://media.example:8554"),
        ("Host: [2001:db8::1]:80", "http://[2001:db8::1]", "rtsp://[2001:db8::1]:8554"),
        ("", "http://192.0.2.1:8080", "rtsp://192.0.2.1:8554"),
        ("Host: evil.example/x?", "http://192.0.2.1:8080", "rtsp://192.0.2.1:8554"),
        ("Host: a.example\r\nHost: b.example", "http://192.0.2.1:8080", "rtsp://192.0.2.1:8554"),
        ("Host: user@evil.example", "http://192.0.2.1:8080", "rtsp://192.0.2.1:8554"),
    ],
)
@pytest.mark.requirement("SEC-26")
def test_hosts(host: str, web: str, rtsp: str) -> None:
    """As the client has it; as the connection has it, if that makes no sense."""
    assert told(Addresses(rtspPort=port), host) == (web, rtsp, "192.0.2.7")


def test_connections() -> None:
    ours, peer = IPv6Address("TCP", "fe80::1%eth0", 8080), IPv6Address("TCP", "::ffff:192.0.2.7", 1)
    assert told(Addresses(), "Host: /", ours=ours, peer=peer) == ("http://[fe80::1]:8080", None, "192.0.2.7")
    unix = UNIXAddress("/run/web")
    assert told(Addresses(), "Host: /", ours=unix, peer=UNIXAddress(None)) == ("http://localhost", None, "")


@pytest.mark.parametrize(("mount", "path"), [("tv", "/tv"), ("a/b c", "/a/b%20c"), ("a//b", "/a//b")])
def test_inSomebodysSite(mount: str, path: str) -> None:
    assert told(Addresses(), mount=mount)[0] == f"http://media.example{path}"
    trusting = Addresses(["10.0.0.1"])
    headers = ("Host: here", "X-Forwarded-Prefix: /out", "X-Forwarded-For: 198.51.100.9")
    assert told(trusting, *headers, mount=mount, peer=PROXY)[0] == f"http://here/out{path}"


@pytest.mark.requirement("SEC-25")
@pytest.mark.parametrize(
    ("peer", "trusted", "isBelieved"),
    [
        (PROXY, ["10.0.0.1"], True),
        (PROXY, ["10.0.0.0/8"], True),
        (PROXY, ["2001:db8::/32", "10.0.0.1/32"], True),
        (IPv6Address("TCP", "::ffff:10.0.0.1", 1), ["10.0.0.1"], True),
        (IPv6Address("TCP", "2001:db8::5", 1), ["2001:db8::/32"], True),
        (UNIXAddress(None), ["unix"], True),
        (PROXY, [], False),
        (PROXY, ["10.0.0.2", "unix"], False),
        (PEER, ["10.0.0.0/8"], False),
        (UNIXAddress(None), ["0.0.0.0/0", "::/0"], False),
    ],
)
@pytest.mark.parametrize("headers", ["x-forwarded", "forwarded"])
def test_proxies(peer: IAddress, trusted: list[str], isBelieved: bool, headers: Any) -> None:
    """Only those that are trusted, and only in the headers that they write."""
    believed = ("https://media.example", "rtsp://media.example:8554", "198.51.100.9")
    fields = {
        "x-forwarded": ("X-Forwarded-For: 198.51.100.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: media.example"),
        "forwarded": ("Forwarded: for=198.51.100.9;proto=https;host=media.example",),
    }
    addresses = Addresses(trusted, headers, rtspPort=port)
    assert (told(addresses, "Host: here", *fields[headers], peer=peer) == believed) == isBelieved
    other = fields["forwarded" if headers == "x-forwarded" else "x-forwarded"]
    assert told(addresses, "Host: here", *other, peer=peer)[:2] == ("http://here", "rtsp://here:8554")


def test_publicNames() -> None:
    """They win over everything; without one for RTSP the host is still that of the other."""
    headers = ("Host: here:8080", "X-Forwarded-Host: there", "X-Forwarded-Prefix: /x")
    web, rtsp = "https://media.example/tv", "rtsps://stream.example"
    public = Addresses(["10.0.0.1"], publicURL=f"{web}/", publicRTSP=rtsp, rtspPort=port)
    assert told(public, *headers, mount="a", peer=PROXY)[:2] == (web, rtsp)
    assert told(Addresses(publicURL=web, rtspPort=port), *headers)[:2] == (web, "rtsp://media.example:8554")
    assert told(Addresses(publicURL="http://[2001:db8::1]", rtspPort=port))[1] == "rtsp://[2001:db8::1]:8554"
    assert told(Addresses(publicRTSP=rtsp), *headers)[:2] == ("http://here:8080", rtsp)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (["8554"], RTSPPort("rtsp", 8554)),
        (["tcp6:554:interface=\\:\\:1"], RTSPPort("rtsp", 554)),
        (["tls:/etc/certificates:port=322"], RTSPPort("rtsps", 322)),
        (["tls:/etc/certificates:port=322", "tcp:0", "tcp:8555", "8556"], RTSPPort("rtsp", 8555)),
        (["tcp:0"], None),
        (["systemd:domain=INET:name=rtsp", "unix:/run/socket"], None),
    ],
)
def test_settledPort(ports: list[str], expected: RTSPPort | None) -> None:
    assert settledPort(Settings(ports=tuple(ports))) == expected


def test_settings() -> None:
    settings = Settings(
        trustedProxies=("10.0.0.0/8",), proxyHeaders="forwarded", publicRTSP="rtsp://stream.example:8554/"
    )
    addresses = Addresses.of(settings)
    expected = ("https://media.example", "rtsp://stream.example:8554", "198.51.100.9")
    assert told(addresses, "Forwarded: for=198.51.100.9;proto=https;host=media.example", peer=PROXY) == expected
    assert told(Addresses.of(Settings()))[:2] == ("http://media.example", "rtsp://media.example:8554")
    assert told(Addresses.of(Settings(publicURL="http://a/b"), lambda: None))[:2] == ("http://a/b", None)
