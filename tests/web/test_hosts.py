"""Hosts as clients name them (SEC-26: nothing in them gets into URLs that others are sent)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.hosts import origin, parseAddress, parseAuthority, parseNode

pytestmark = pytest.mark.requirement("SEC-26")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("media.example", ("media.example", None)),
        ("Media.Example:8080", ("media.example", 8080)),
        ("my_host-1~:80", ("my_host-1~", 80)),
        ("192.0.2.1:8080", ("192.0.2.1", 8080)),
        ("[2001:DB8::1]", ("[2001:db8::1]", None)),
        ("[2001:db8:0::1]:443", ("[2001:db8::1]", 443)),
        ("media.example:", ("media.example", None)),
    ],
)
def test_authorities(text: str, expected: tuple[str, int | None]) -> None:
    assert parseAuthority(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "a b",
        "a@b",
        "user:secret@b",
        "a/b",
        "a?b",
        "a#b",
        "a\r\nb",
        "a\n",
        "a\0",
        'a"b',
        "a<b",
        "a&b",
        "a%41",
        "ä.example",
        "a,b",
        "a:0",
        "a:65536",
        "a:123456",
        "a:-1",
        "a:b",
        "2001:db8::1",
        "[2001:db8::1",
        "[::1%25eth0]",
        "[zz]",
        "[v1.a]",
        "[:::]",
        "x" * 256,
    ],
)
def test_noAuthorities(text: str) -> None:
    assert parseAuthority(text) is None


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9.\[\]:%@/]{1,30}", fullmatch=True))
def test_anyAuthority(text: str) -> None:
    """Whatever gets through stands in a URL for what it is, and comes back the same."""
    found = parseAuthority(text)
    if found is None:
        return
    host, port = found
    url = origin("http", host, port) + "/a"
    parts = urlsplit(url)
    assert re.fullmatch(r"[A-Za-z0-9.:_~/\[\]-]+", url)
    assert (parts.scheme, parts.path, parts.username, parts.query) == ("http", "/a", None, "")
    assert (parts.hostname or "").lower() == host.strip("[]")
    assert parts.port == (None if port == 80 else port)
    assert parseAuthority(host) == (host, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("unknown", "None"),
        ("_gazonk", "None"),
        ("192.0.2", "None"),
        ("999.0.2.7", "None"),
        ("192.0.2.7:", "None"),
        ("media.example", "None"),
        ("", "None"),
        ("[192.0.2.7] x", "None"),
    ],
)
def test_nodes(text: str, expected: str) -> None:
    assert str(parseNode(text)) == expected


@given(st.text(max_size=30) | st.ip_addresses().map(str))
def test_anyNode(text: str) -> None:
    node = parseNode(text)
    assert node is None or parseNode(str(node)) == node


@pytest.mark.parametrize(
    ("text", "expected"), [("fe80::1%eth0", "fe80::1"), ("::ffff:1.2.3.4", "1.2.3.4"), ("", "None")]
)
def test_addresses(text: str, expected: str) -> None:
    assert str(parseAddress(text)) == expected


@pytest.mark.parametrize(
    ("scheme", "port", "expected"),
    [
        ("http", 80, "http://a"),
        ("https", 443, "https://a"),
        ("rtsp", 554, "rtsp://a"),
        ("rtsps", 322, "rtsps://a"),
        ("http", 443, "http://a:443"),
        ("rtsp", 8554, "rtsp://a:8554"),
        ("http", None, "http://a"),
    ],
)
def test_origins(scheme: str, port: int | None, expected: str) -> None:
    assert origin(scheme, "a", port) == expected
