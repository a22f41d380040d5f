"""
What proxies say of the clients in front of them: C{Forwarded} (RFC 7239) and C{X-Forwarded-*}.

Everybody can write these headers, and each proxy adds to the right of what it got. So they are read from the right, and
only as long as who wrote it is trusted: what a client has invented stands to the left of what the first proxy says of
the client itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mediasrv.web.hosts import Address, parseAuthority, parseNode

#: proxies one behind the other; nobody has so many
_LONGEST = 32

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}"
_PAIR = re.compile(rf'({_TOKEN})=(?:"((?:[^"\\]|\\.){{0,512}})"|([^\s";,]{{0,512}}))')
_SEPARATOR = re.compile(r"[ \t]*(?:;[ \t]*)*")
_PREFIX = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)+/?")

#: gives the values of a request's header, one for each line
Header = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Hop:
    """
    What is known of a request, or what a proxy says of it; None is what nobody said.

    @ivar client: who sent it.
    @ivar scheme: C{http} or C{https}.
    @ivar host: that was asked for, as URLs have it.
    @ivar port: of that.
    @ivar prefix: of the path, which the proxy has taken away: C{/a/b}, percent-encoded.
    """

    client: Address | None = None
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    prefix: str | None = None


def outermost(seen: Hop, hops: Sequence[Hop], isTrusted: Callable[[Address | None], bool]) -> Hop:
    """
    A request as the client sent it to the first proxy that is trusted.

    @param seen: as it came here.
    @param hops: what the proxies say, the last one's word last.
    @param isTrusted: whether an address is that of a proxy of ours. It is asked for None where the request came from
        something without address.
    """
    for hop in reversed(hops):
        if not isTrusted(seen.client):
            break
        seen = _merged(seen, hop)
        if hop.client is None:
            break
    return seen


def _merged(inner: Hop, outer: Hop) -> Hop:
    """What the outer one does not say is as the inner one has it; a host comes with its port, or with none."""
    return replace(
        inner,
        client=outer.client or inner.client,
        scheme=outer.scheme or inner.scheme,
        host=outer.host or inner.host,
        port=outer.port if outer.host or outer.port else inner.port,
        prefix=outer.prefix if outer.prefix is not None else inner.prefix,
    )


def forwarded(header: Header) -> list[Hop]:
    """
    The hops of C{Forwarded}. What cannot be understood, and all to the left of it, is left out: a proxy of ours has not
    written it, and none of its values has a comma in it.
    """
    hops: list[Hop] = []
    for element in reversed(_elements(header("Forwarded"))):
        pairs = _pairs(element)
        if pairs is None:
            break
        host, port = parseAuthority(pairs.get("host", "")) or (None, None)
        hops.append(Hop(parseNode(pairs.get("for", "")), _scheme(pairs.get("proto", "")), host, port))
    return hops[::-1]


def _pairs(element: str) -> Mapping[str, str] | None:
    """The parameters of an element, names in lower case; None if it is none."""
    pairs: dict[str, str] = {}
    position = 0
    while position < len(element):
        match = _PAIR.match(element, position)
        if match is None or match[1].lower() in pairs:
            return None
        pairs[match[1].lower()] = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        position = match.end()
        separator = _SEPARATOR.match(element, position)
        assert separator is not None  # it may be empty
        if separator.end() < len(element) and ";" not in separator[0]:
            return None
        position = separator.end()
    return pairs


def xForwarded(header: Header) -> list[Hop]:
    """
    The hops of C{X-Forwarded-For}, C{-Proto}, C{-Host}, C{-Port} and C{-Prefix}. The last values of all belong
    together; a proxy that writes one anew, instead of adding to it, has the last word on it all the same.
    """
    named = {
        name: _elements(header(f"X-Forwarded-{name}"))[::-1] for name in ("For", "Proto", "Host", "Port", "Prefix")
    }

    def said(name: str, number: int) -> str:
        return named[name][number] if number < len(named[name]) else ""

    hops: list[Hop] = []
    for number in range(max(map(len, named.values()))):
        host, port = parseAuthority(said("Host", number)) or (None, None)
        hops.append(
            Hop(
                parseNode(said("For", number)),
                _scheme(said("Proto", number)),
                host,
                port or _port(said("Port", number)),
                _prefix(said("Prefix", number)),
            )
        )
    return hops[::-1]


def _elements(lines: Sequence[str]) -> list[str]:
    """The last elements of a list, however many lines it has."""
    elements = [element.strip(" \t") for line in lines[-_LONGEST:] for element in line.split(",")[-_LONGEST:]]
    return [element for element in elements if element][-_LONGEST:]


def _scheme(text: str) -> str | None:
    return text.lower() if text.lower() in ("http", "https") else None


def _port(text: str) -> int | None:
    isNumber = text.isascii() and text.isdigit() and len(text) <= 5
    return int(text) if isNumber and 1 <= int(text) <= 65535 else None


def _prefix(text: str) -> str | None:
    if text == "/":
        return ""
    if len(text) > 1024 or not _PREFIX.fullmatch(text) or not {".", ".."}.isdisjoint(text.split("/")):
        return None
    return text.rstrip("/")
