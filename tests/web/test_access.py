"""Who is an administrator: not who has only lent an address."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.web.test.requesthelper import DummyRequest

from mediasrv.settings import Settings
from mediasrv.web.access import Access, isForwarded, peerOf
from mediasrv.web.refusals import Refusal

DEFAULT = Settings().administrators


def requestOf(peer: str | None = "127.0.0.1", host: str | None = "127.0.0.1:8080", **headers: str) -> Any:
    request = DummyRequest([b"x"])
    request.clientproto = b"HTTP/1.1"
    Address = IPv6Address if peer and ":" in peer else IPv4Address
    request.client = UNIXAddress("") if peer is None else Address("TCP", peer, 40000)
    if host is not None:
        request.requestHeaders.setRawHeaders("Host", [host])
    for name, value in headers.items():
        request.requestHeaders.setRawHeaders(name.replace("_", "-"), [value])
    return request


def isLetPass(access: Access, request: Any, changes: bool = False) -> bool:
    try:
        access.check(request, changes)
    except Refusal as refusal:
        return refusal.code != 403
    return True


@pytest.mark.parametrize(
    ("administrators", "peer", "passes"),
    [
        (DEFAULT, "127.0.0.1", True),
        (DEFAULT, "127.255.0.9", True),
        (DEFAULT, "::1", True),
        (DEFAULT, "::ffff:127.0.0.1", True),
        (DEFAULT, "128.0.0.1", False),
        (DEFAULT, "::2", False),
        (DEFAULT, "::ffff:192.0.2.1", False),
        (DEFAULT, None, False),
        (("192.0.2.0/24",), "192.0.2.7", True),
        (("192.0.2.0/24",), "127.0.0.1", False),
        (("fe80::/10",), "fe80::1%eth0", True),
        ((), "127.0.0.1", False),
    ],
)
def test_addresses(administrators: tuple[str, ...], peer: str | None, passes: bool) -> None:
    assert isLetPass(Access(administrators), requestOf(peer)) == passes


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8080", True),
        ("192.168.1.4:80", True),
        ("[::1]:8080", True),
        ("[2001:db8::1]", True),
        ("localhost", True),
        ("LocalHost:8080", True),
        ("media.example", True),
        ("MEDIA.example:443", True),
        ("evil.example", False),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("media.example.evil.example", False),
        ("evil.example@127.0.0.1", False),
        ("127.0.0.1:80@evil.example", False),
        ("127.0.0.1, evil.example", False),
        ("2130706433", False),
        ("0x7f.1", False),
        ("127.1", False),
        ("[::1", False),
        ("[127.0.0.1].evil.example", False),
        ("[evil]", False),
        ("localhost ", False),
        ("127.0.0.1/x", False),
        ("", False),
        (None, False),
    ],
)
def test_hosts(host: str | None, passes: bool) -> None:
    """A page whose name was made to mean this machine has that name, and no other, in its requests."""
    access = Access(DEFAULT, names=["Media.Example"])
    assert isLetPass(access, requestOf(host=host)) == passes


def test_twoHosts() -> None:
    request = requestOf()
    request.requestHeaders.setRawHeaders("Host", ["127.0.0.1", "evil.example"])
    assert not isLetPass(Access(DEFAULT), request)


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),  # no browser
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Origin": "https://127.0.0.1:8080"}, True),  # TLS may end in front of us
        ({"Origin": "http://127.0.0.1"}, False),  # another port is another site
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://evil.example/127.0.0.1:8080"}, False),
        ({"Origin": "http://evil@127.0.0.1:8080"}, False),
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "https://media.example"}, True),  # a proxy asks under another name
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://127.0.0.1:8080"}, False),
    ],
)
def test_changes(headers: dict[str, str], passes: bool) -> None:
    """A page of somebody else can send requests, though it cannot read what is answered."""
    assert isLetPass(Access(DEFAULT), requestOf(**headers), changes=True) == passes
    assert isLetPass(Access(DEFAULT), requestOf(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X_Real_IP": "127.0.0.1"},
        {"X_Forwarded_Proto": "https"},
        {"X_Forwarded_Host": "media.example"},
        {"Via": "1.1 proxy"},
    ],
)
def test_proxies(headers: dict[str, str]) -> None:
    """One on the same machine makes everybody local."""
    assert not isLetPass(Access(DEFAULT), requestOf(**headers))


def test_proxiesThatSayNothing() -> None:
    """nginx without any setting speaks HTTP/1.0, and asks for an address."""
    request = requestOf()
    request.clientproto = b"HTTP/1.0"
    assert isForwarded(request)
    assert not isLetPass(Access(DEFAULT), request)


@pytest.mark.parametrize(
    ("client", "passes"),
    [("192.0.2.7", True), ("192.0.2.8", False), ("127.0.0.1", False), ("", False)],
)
def test_proxiesThatAreTrusted(client: str, passes: bool) -> None:
    """They say who asks; if nobody was said, it is the proxy, which is no administrator."""
    access = Access(("192.0.2.7", "127.0.0.1"), lambda request: client)
    request = requestOf(X_Forwarded_For=client)
    assert peerOf(request) == "127.0.0.1"
    assert isLetPass(access, request) == passes


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (requestOf("192.0.2.1"), "the setting administrators"),
        (requestOf(Via="x"), "the setting trusted-proxies"),
        (requestOf(host="evil.example"), "the setting public-url"),
    ],
)
def test_sentences(request_: Any, words: str) -> None:
    """They say what to do."""
    with pytest.raises(Refusal) as caught:
        Access(DEFAULT).check(request_)
    assert words in caught.value.message
    assert caught.value.message.endswith(".")
