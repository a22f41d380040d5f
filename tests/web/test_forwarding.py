"""What proxies say, and what of it is believed (SEC-25: clients write these headers too)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.forwarding import Hop, forwarded, outermost, xForwarded
from mediasrv.web.hosts import Address

pytestmark = pytest.mark.requirement("SEC-25")

OURS = ip_network("10.0.0.0/8")
CLIENT = ip_address("198.51.100.9")
PROXY = ip_address("10.0.0.1")


def isTrusted(address: Address | None) -> bool:
    return address is not None and address in OURS


def header(**lines: str | list[str]) -> Callable[[str], Sequence[str]]:
    named = {name.replace("_", "-"): [value] if isinstance(value, str) else value for name, value in lines.items()}
    return lambda name: named.get(name, [])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["for=198.51.100.9"], [Hop(CLIENT)]),
        (['For="198.51.100.9:4711";Proto=HTTPS'], [Hop(CLIENT, "https")]),
        (["for=198.51.100.9:4711"], [Hop(CLIENT)]),
        (['for="[2001:db8::1]:47";host="a.example:81"'], [Hop(ip_address("2001:db8::1"), None, "a.example", 81)]),
        (["for=198.51.100.9 ; proto=http;by=203.0.113.43;"], [Hop(CLIENT, "http")]),
        (["for=10.0.0.1, for=198.51.100.9"], [Hop(PROXY), Hop(CLIENT)]),
        (["for=10.0.0.1", "for=198.51.100.9"], [Hop(PROXY), Hop(CLIENT)]),
        (["for=unknown;host=a"], [Hop(None, None, "a")]),
        (["for=_hidden, , for=198.51.100.9"], [Hop(None), Hop(CLIENT)]),
        ([r'for="198.51.100\.9"'], [Hop(CLIENT)]),
        (['host="a b";for=198.51.100.9;proto=gopher'], [Hop(CLIENT)]),
        # what cannot be read, and all before it
        (['for=10.0.0.1, for="1, for=198.51.100.9'], [Hop(CLIENT)]),
        (["for=10.0.0.1, for=1.2.3.4 for=5.6.7.8"], []),
        (["for=10.0.0.1;for=10.0.0.2"], []),
        (["nonsense"], []),
        ([], []),
    ],
)
def test_forwarded(lines: list[str], expected: list[Hop]) -> None:
    """RFC 7239 section 4, and what else is written."""
    assert forwarded(header(Forwarded=lines)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"For": "198.51.100.9"}, [Hop(CLIENT)]),
        ({"For": "198.51.100.9", "Proto": "https", "Host": "a.example"}, [Hop(CLIENT, "https", "a.example")]),
        ({"For": "10.0.0.1, 198.51.100.9:80"}, [Hop(PROXY), Hop(CLIENT)]),
        ({"Host": "a:81", "Port": "82"}, [Hop(None, None, "a", 81)]),
        ({"Host": "a", "Port": "82"}, [Hop(None, None, "a", 82)]),
        ({"Prefix": "/a/b/"}, [Hop(prefix="/a/b")]),
        ({"Prefix": "/"}, [Hop(prefix="")]),
        ({"For": "10.0.0.1, 198.51.100.9", "Proto": "https"}, [Hop(PROXY), Hop(CLIENT, "https")]),
        (
            {"For": "10.0.0.1, 198.51.100.9", "Host": "a, b", "Proto": "https,http"},
            [Hop(PROXY, "https", "a"), Hop(CLIENT, "http", "b")],
        ),
        ({"For": "198.51.100.9", "Host": "evil, a"}, [Hop(None, None, "evil"), Hop(CLIENT, None, "a")]),
        ({"Proto": "gopher", "Host": "a b", "Port": "0", "For": "x"}, [Hop()]),
        ({"Port": "65536"}, [Hop()]),
        ({"Port": "²"}, [Hop()]),
        ({}, []),
    ],
)
def test_xForwarded(fields: dict[str, str], expected: list[Hop]) -> None:
    assert xForwarded(header(**{f"X_Forwarded_{name}": value for name, value in fields.items()})) == expected


@pytest.mark.parametrize(
    "prefix", ["a", "//evil.example", "/a//b", "/a?b", "/a#b", "/..", "/a/../b", "/a b", "/a%zz", '/"']
)
def test_noPrefixes(prefix: str) -> None:
    assert xForwarded(header(X_Forwarded_Prefix=prefix)) == [Hop()]


@pytest.mark.parametrize(
    ("peer", "hops", "expected"),
    [
        # nobody is trusted who is not ours
        ("192.0.2.7", [Hop(CLIENT, "https", "evil")], Hop(ip_address("192.0.2.7"), "http", "here", 8080)),
        ("10.0.0.1", [], Hop(PROXY, "http", "here", 8080)),
        ("10.0.0.1", [Hop(CLIENT, "https", "a")], Hop(CLIENT, "https", "a")),
        ("10.0.0.1", [Hop(CLIENT)], Hop(CLIENT, "http", "here", 8080)),
        ("10.0.0.1", [Hop(CLIENT, port=81)], Hop(CLIENT, "http", "here", 81)),
        ("10.0.0.1", [Hop(CLIENT, prefix="/a")], Hop(CLIENT, "http", "here", 8080, "/a")),
        # what the client invents stands before the proxy's word of the client
        (
            "10.0.0.1",
            [Hop(ip_address("10.9.9.9"), "http", "evil"), Hop(CLIENT, "https", "a")],
            Hop(CLIENT, "https", "a"),
        ),
        # two proxies: what the outer one says counts, what it does not say is as the inner one has it
        (
            "10.0.0.2",
            [Hop(CLIENT, "https", None, None, "/out"), Hop(PROXY, "http", "a", 81, "/in")],
            Hop(CLIENT, "https", "a", 81, "/out"),
        ),
        ("10.0.0.2", [Hop(CLIENT, "https", "out"), Hop(PROXY, "http", "in", 81)], Hop(CLIENT, "https", "out")),
        # who is in front of somebody unknown cannot be known
        (
            "10.0.0.2",
            [Hop(CLIENT, "https", "evil"), Hop(None, "https", "a")],
            Hop(ip_address("10.0.0.2"), "https", "a"),
        ),
    ],
)
def test_outermost(peer: str, hops: list[Hop], expected: Hop) -> None:
    assert outermost(Hop(ip_address(peer), "http", "here", 8080), hops, isTrusted) == expected


_WORDS = st.sampled_from(
    [
        "for=",
        "host=",
        "proto=https",
        ";",
        ",",
        " ",
        '"',
        "\\",
        "a.example",
        "10.0.0.1",
        "[2001:db8::1]",
        ":80",
        "evil",
        "=",
    ]
)
_LINES = st.lists(st.text(max_size=30) | st.lists(_WORDS, max_size=12).map("".join), max_size=4)


@given(_LINES, _LINES)
def test_anything(invented: list[str], more: list[str]) -> None:
    """Nothing raises, and what a client invents does not change what the proxy says of it."""
    said = "for=198.51.100.9;proto=https;host=a.example"
    seen = Hop(PROXY, "http", "here")
    expected = Hop(CLIENT, "https", "a.example")
    assert outermost(seen, forwarded(header(Forwarded=[*invented, said])), isTrusted) == expected
    joined = ", ".join([*invented, said])
    assert outermost(seen, forwarded(header(Forwarded=joined)), isTrusted) == expected
    fields = {"X_Forwarded_For": "198.51.100.9", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "a.example"}
    lines = {name: [*invented, value] for name, value in fields.items()}
    lines |= {"X_Forwarded_Port": [*more, ""], "X_Forwarded_Prefix": [*more, "/"]}
    found = outermost(seen, xForwarded(header(**lines)), isTrusted)
    assert (found.client, found.scheme, found.host) == (CLIENT, "https", "a.example")


def test_endlessChains() -> None:
    """A bounded number of them is looked at."""
    assert 0 < len(forwarded(header(Forwarded=["for=10.0.0.1," * 10_000] * 10))) <= 32
    assert 0 < len(xForwarded(header(X_Forwarded_For=["10.0.0.1," * 10_000] * 10))) <= 32
