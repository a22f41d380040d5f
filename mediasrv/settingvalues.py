"""
What the values of settings may be: the checks of L{mediasrv.settings}, one for each kind of value.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any
from urllib.parse import urlsplit

from mediasrv.interfaces import Elsewhere, Gone
from mediasrv.locating import checkedURL

#: what may follow a number of bytes, in either case
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

#: a URL from its host on, without query
_PUBLIC = r"://([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!$%-;=@-Z_a-z~]*)?"

#: where routing protocols talk to each other
_LINK_CONTROL = IPv4Network("224.0.0.0/24")


class SettingsError(ValueError):
    """
    A setting that cannot be. Its text is one line.

    @ivar where: the setting, after the file that has it.
    @ivar problem: what is wrong with it.
    """

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


def keyOf(each: Field[Any]) -> str:
    """The name of a setting in a file and on the command line."""
    return each.metadata["key"] or re.sub("[A-Z]", lambda found: "-" + found[0].lower(), each.name)


def defaultOf(each: Field[Any]) -> Any:
    """The default of a setting, made if need be."""
    return each.default if each.default_factory is MISSING else each.default_factory()


def checked(each: Field[Any], value: Any) -> Any:
    """
    The value of a setting as L{mediasrv.settings.Settings} keeps it.

    @param each: its field.
    @raise SettingsError: if it cannot be.
    """
    key = keyOf(each)
    special = _SPECIAL.get(each.name)
    if special is not None:
        return special(key, value)
    if isinstance(each.default, bool):
        if not isinstance(value, bool):
            raise SettingsError(key, f"{value!r} is neither true nor false")
        return value
    return _number(key, value, each)


def _number(key: str, value: Any, each: Field[Any]) -> Any:
    kind, limits = type(defaultOf(each)), each.metadata
    if limits["unit"] == "bytes" and isinstance(value, str):
        value = _size(key, value)
    if isinstance(value, bool) or not isinstance(value, int | kind):
        raise SettingsError(key, f"{value!r} is not " + ("a whole number" if kind is int else "a number"))
    if not limits["low"] <= value <= limits["high"]:  # written so that NaN is refused as well
        given, low, high = (_written(each, limits["unit"]) for each in (value, limits["low"], limits["high"]))
        raise SettingsError(key, f"{given} is not between {low} and {high}")
    if limits["isEven"] and value % 2:
        raise SettingsError(key, f"{value} is odd; RTP takes an even port, RTCP the next (RFC 3550 section 11)")
    return kind(value)


def _size(key: str, text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,15}) ?([KMGT]?)(?:i?B)?", text, re.ASCII | re.IGNORECASE)
    if found is None:
        raise SettingsError(key, f"{text!r} is not a number of bytes, such as 65536, 64K or 256M")
    return int(found[1]) * _UNITS[found[2].upper()]


def _written(number: float, unit: str) -> str:
    """A number as the documentation has it: bytes as C{1M}, where they are."""
    if unit == "bytes":
        for each in "TGMK":
            if number and number % _UNITS[each] == 0:
                return f"{int(number) // _UNITS[each]}{each}"
    return f"{number}"


def _multicast(key: str, value: Any) -> str:
    if value == "":
        return ""
    try:
        network = IPv4Network(value)
    except ValueError:
        network = None
    if not isinstance(value, str) or network is None:
        raise SettingsError(key, f"{value!r} is no range of IPv4 addresses, such as 239.255.42.0/24")
    if not network.is_multicast:
        raise SettingsError(key, f"{value} is not within 224.0.0.0/4, where multicast is")
    if network.overlaps(_LINK_CONTROL):
        raise SettingsError(key, f"{value} overlaps 224.0.0.0/24, which routers need for themselves (RFC 5771)")
    return str(network)


def _address(key: str, value: Any) -> str:
    if value == "":
        return ""
    try:
        return str(IPv4Address(value if isinstance(value, str) else ""))
    except ValueError:
        raise SettingsError(key, f"{value!r} is no IPv4 address") from None


def _media(key: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise SettingsError(key, f"{value!r} is not a table of names and folders")
    return {_segment(key, name): _folder(f"{key}.{name}", folder) for name, folder in value.items()}


def _segment(key: str, name: Any) -> str:
    """A name that is one element of a URL's path; C{-} is kept for what is no media."""
    if not isinstance(name, str) or name in ("", ".", "..", "-") or "/" in name or not name.isprintable():
        raise SettingsError(key, f"{name!r} cannot be the first element of a path")
    return name


def _folder(key: str, value: Any) -> str:
    folder = _path(key, value)
    if not os.path.isdir(folder):
        raise SettingsError(key, f"{folder} is " + ("not a folder" if os.path.exists(folder) else "not there"))
    return folder


def _path(key: str, value: Any) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path or "\0" in path:
        raise SettingsError(key, f"{value!r} is not a path")
    return os.path.abspath(os.path.expanduser(path))


def _ports(key: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values:
        raise SettingsError(key, "give at least one endpoint")
    return tuple(_endpoint(key, each) for each in values)


def _webPorts(key: str, value: Any) -> tuple[str, ...]:
    """Endpoints; C{"none"} says that there are none."""
    values = value if isinstance(value, list | tuple) else [value]
    if "none" in values and len(values) > 1:
        raise SettingsError(key, "none cannot be together with endpoints")
    return () if values in (["none"], ("none",)) else tuple(_endpoint(key, each) for each in values)


def _origins(key: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    for each in values:
        if not isinstance(each, str) or not re.fullmatch(r"\*|https?://[^/?#@\s]+", each):
            raise SettingsError(key, f"{each!r} is not an origin, such as https://example.org or *")
    return tuple(values)


def _endpoint(key: str, value: Any) -> str:
    """An endpoint description; a bare number is a TCP port."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text:
        raise SettingsError(key, f"{value!r} is not an endpoint, such as 8554 or tcp:8554:interface=127.0.0.1")
    if re.fullmatch("-?[0-9]+", text):
        text = f"tcp:{text}"
    number = re.match("(?:tcp6?|ssl):(-?[0-9]+)", text) or re.search(":port=(-?[0-9]+)", text)
    if number and not 0 <= int(number[1]) <= 65535:
        raise SettingsError(key, f"{number[1]} is not between 0 and 65535")
    return text


def _queueing(key: str, value: Any) -> str:
    if value not in ("auto", "rfc2326", "rfc7826"):
        raise SettingsError(key, f"{value!r} is not auto, rfc2326 or rfc7826")
    return str(value)


def _serverName(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isascii() or not value.isprintable():
        raise SettingsError(key, f"{value!r} is not a line of ASCII text")
    return value


def _redirects(key: str, value: Any) -> dict[str, Elsewhere | Gone]:
    if not isinstance(value, Mapping):
        raise SettingsError(key, f"{value!r} is not a table of paths and URLs")
    return {_presentationPath(key, path): _elsewhere(f"{key}.{path}", where) for path, where in value.items()}


def _presentationPath(key: str, path: Any) -> str:
    """A path as it is asked for: no query, nothing that a Request-URI would have percent-encoded."""
    if not isinstance(path, str) or not path.isprintable() or not {".", ".."}.isdisjoint(path.split("/")):
        raise SettingsError(key, f"{path!r} is not the path of a presentation")
    return path


def _elsewhere(key: str, where: Any) -> Elsewhere | Gone:
    """A URL, C{"gone"}, or in a file a table of C{url} and C{permanent}."""
    if where == "gone" or isinstance(where, Gone):
        return Gone()
    if isinstance(where, Elsewhere):
        where = {"url": where.url, "permanent": where.permanent}
    if not isinstance(where, Mapping):
        where = {"url": where}
    permanent = where.get("permanent", False)
    if not isinstance(permanent, bool) or not where.keys() <= {"url", "permanent"}:
        raise SettingsError(key, f"{where!r} is no table of a url and permanent, true or false")
    return Elsewhere(_url(key, where.get("url")), permanent)


def _url(key: str, value: Any) -> str:
    try:
        return checkedURL(value)
    except ValueError as error:
        raise SettingsError(key, f"{error}") from None


def _proxies(key: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple("unix" if each == "unix" else _network(key, each) for each in values)


def _networks(key: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(_network(key, each) for each in values)


def _network(key: str, value: Any) -> str:
    try:
        return str(ip_network(value if isinstance(value, str) else ""))
    except ValueError:
        raise SettingsError(key, f"{value!r} is no IP address and no network, such as 10.0.0.0/8") from None


def _proxyHeaders(key: str, value: Any) -> str:
    if value not in ("x-forwarded", "forwarded"):
        raise SettingsError(key, f"{value!r} is not x-forwarded or forwarded")
    return str(value)


def _public(key: str, value: Any, scheme: str, example: str) -> str:
    """A URL that paths are appended to, without a slash at its end."""
    if value == "":
        return ""
    isURL = isinstance(value, str) and re.fullmatch(scheme + _PUBLIC, value) is not None
    with contextlib.suppress(ValueError):  # a port above 65535, brackets around nothing
        if isURL and urlsplit(value).port != 0:
            return str(value).rstrip("/")
    raise SettingsError(key, f"{value!r} is not a URL such as {example}")


_SPECIAL: dict[str, Callable[[str, Any], Any]] = {
    "media": _media,
    "ports": _ports,
    "webPorts": _webPorts,
    "allowedOrigins": _origins,
    "queueing": _queueing,
    "multicast": _multicast,
    "multicastInterface": _address,
    "serverName": _serverName,
    "cacheFolder": _path,
    "redirects": _redirects,
    "trustedProxies": _proxies,
    "proxyHeaders": _proxyHeaders,
    "publicURL": lambda key, value: _public(key, value, "https?", "https://media.example/tv"),
    "publicRTSP": lambda key, value: _public(key, value, "rtsps?", "rtsp://media.example:8554"),
    "administrators": _networks,
    "drainLocation": lambda key, value: "" if value == "" else _url(key, value),
}
