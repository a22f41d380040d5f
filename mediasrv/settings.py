"""
Every setting once: name, type, default, bounds and meaning.

A L{Settings} is built by an application, or by L{mediasrv.tap} from a TOML file and the command line. Whoever builds
it, the same checks hold: a wrong value is a L{SettingsError} of one line that names the setting. In a file and on the
command line a setting is called as its attribute with hyphens: C{rtpPort} is C{rtp-port}.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any
from urllib.parse import urlsplit

from mediasrv import __version__
from mediasrv.interfaces import Elsewhere, Gone
from mediasrv.locating import checkedURL

#: what may follow a number of bytes, in either case
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

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


def _about(
    meaning: str, *, unit: str = "", low: float | None = None, high: float | None = None, key: str = ""
) -> dict[str, Any]:
    """
    What is known about a setting besides its name, type and default.

    @param meaning: one line for C{--help} and the documentation.
    @param unit: of a number.
    @param low: the smallest number allowed.
    @param high: the largest number allowed.
    @param key: its name outside Python, where that is not the attribute with hyphens.
    """
    return {"meaning": meaning, "unit": unit, "low": low, "high": high, "key": key}


def _defaultCacheFolder() -> str:
    """By the XDG Base Directory Specification, which says to ignore relative paths in the variable."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "mediasrv")


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What can be set about a media server. Folders are made absolute, C{~} is expanded.

    @raise SettingsError: for a value of the wrong type, out of bounds, or for a media folder that is not there.
    """

    media: dict[str, str] = field(
        default_factory=dict, metadata=_about("folders to serve: the first element of the URL's path, and the folder")
    )
    ports: tuple[str, ...] = field(
        default=("tcp:8554",), metadata=_about("where RTSP is served: endpoints, or numbers of TCP ports", key="port")
    )
    webPorts: tuple[str, ...] = field(
        default=("tcp:8080",),
        metadata=_about("where HTTP is served: endpoints, numbers of TCP ports, or none", key="http"),
    )
    allowedOrigins: tuple[str, ...] = field(
        default=(),
        metadata=_about("web pages that may stream besides those of this host: origins such as https://example.org"),
    )
    rtpPort: int = field(
        default=8000,
        metadata=_about(
            "first of the UDP port pair for RTP and RTCP, even; 0 lets the system choose", low=0, high=65534
        ),
    )
    multicast: str = field(
        default="",
        metadata=_about("IPv4 multicast addresses that clients may be sent to, such as 239.255.42.0/24; none if empty"),
    )
    multicastPort: int = field(
        default=5004, metadata=_about("first UDP port of multicast, even; each group has two", low=1024, high=65534)
    )
    multicastTTL: int = field(
        default=1,
        metadata=_about(
            "time to live of multicast packets: 1 stays in the network", low=0, high=255, key="multicast-ttl"
        ),
    )
    multicastInterface: str = field(
        default="",
        metadata=_about("IPv4 address of the interface for multicast; if empty the routing table decides"),
    )
    payloadSize: int = field(
        default=1400, metadata=_about("largest payload of an RTP packet", unit="bytes", low=200, high=65000)
    )
    tick: float = field(
        default=0.010, metadata=_about("how often due packets are sent", unit="seconds", low=0.001, high=0.1)
    )
    burst: int = field(
        default=24, metadata=_about("most packets sent to one client at a stroke", unit="packets", low=1, high=46)
    )
    cacheSize: int = field(
        default=256 << 20,
        metadata=_about("memory for media, shared by all viewers", unit="bytes", low=1 << 20, high=1 << 40),
    )
    fragmentDuration: float = field(
        default=2.0, metadata=_about("how much of a file is read at a time", unit="seconds", low=0.25, high=30)
    )
    readers: int = field(default=2, metadata=_about("threads that read media files", unit="threads", low=1, high=64))
    openFiles: int = field(
        default=64, metadata=_about("media files that are kept open", unit="files", low=1, high=65536)
    )
    sessionTimeout: int = field(
        default=60,
        # VLC sleeps for two seconds less between its signs of life: 5 and less are not to be advertised (TMO-2)
        metadata=_about("a session ends when its client is silent for so long", unit="seconds", low=6, high=86400),
    )
    idleTimeout: float = field(
        default=60.0,
        metadata=_about("a silent connection without a session is closed after", unit="seconds", low=0.1, high=86400),
    )
    handshakeTimeout: float = field(
        default=10.0,
        metadata=_about("a client has to agree upon TLS within", unit="seconds", low=0.1, high=3600),
    )
    maxScale: float = field(
        default=32.0, metadata=_about("fastest playing, forwards and backwards; 1 allows no other", low=1, high=1000)
    )
    maxSpeed: float = field(
        default=8.0, metadata=_about("fastest delivery, as a multiple of real time; 1 allows no other", low=1, high=100)
    )
    queueing: str = field(
        default="auto",
        metadata=_about("what becomes of a PLAY with a Range while another plays: auto, rfc2326 or rfc7826"),
    )
    maxQueuedPlays: int = field(
        default=64, metadata=_about("PLAY requests that may wait in a session", unit="requests", low=1, high=10_000)
    )
    maxSessions: int = field(
        default=10_000, metadata=_about("most sessions at a time", unit="sessions", low=1, high=1_000_000)
    )
    maxSessionsPerPeer: int = field(
        default=2000, metadata=_about("most sessions of one address", unit="sessions", low=1, high=1_000_000)
    )
    maxConnectionsPerPeer: int = field(
        default=2000, metadata=_about("most RTSP connections of one address", unit="connections", low=1, high=1_000_000)
    )
    maxHeaderSize: int = field(
        default=16 << 10,
        metadata=_about("largest request line and headers together", unit="bytes", low=1 << 10, high=1 << 20),
    )
    maxBodySize: int = field(
        default=64 << 10, metadata=_about("largest body of a request", unit="bytes", low=0, high=16 << 20)
    )
    serverName: str = field(default=f"mediasrv/{__version__}", metadata=_about("what the Server header says"))
    cacheFolder: str = field(
        default_factory=_defaultCacheFolder, metadata=_about("where the demo clips and pictures of films are kept")
    )
    hiddenFiles: bool = field(
        default=False, metadata=_about("also serve files and folders whose names start with a dot")
    )
    redirects: dict[str, str | Elsewhere | Gone] = field(
        default_factory=dict, metadata=_about('presentations that are elsewhere: their paths, and URLs or "gone"')
    )
    drainTime: float = field(
        default=0.0,
        metadata=_about(
            "how long sessions may go on when the server is to stop, while no new ones are taken",
            unit="seconds",
            low=0,
            high=86400,
        ),
    )
    drainLocation: str = field(
        default="", metadata=_about("URL of another server, to which clients are sent during that time")
    )
    trustedProxies: tuple[str, ...] = field(
        default=(),
        metadata=_about("reverse proxies whose word is taken: IP addresses, networks, or unix for Unix sockets"),
    )
    proxyHeaders: str = field(
        default="x-forwarded", metadata=_about("which headers these proxies write: x-forwarded or forwarded")
    )
    publicURL: str = field(
        default="",
        metadata=_about("URL of the web pages' top, whatever requests say: https://media.example/tv", key="public-url"),
    )
    publicRTSP: str = field(
        default="",
        metadata=_about("URL of RTSP, whatever requests say: rtsp://media.example:8554", key="public-rtsp"),
    )
    administrators: tuple[str, ...] = field(
        default=("127.0.0.0/8", "::1/128"),
        metadata=_about("who may see and end sessions, and read the metrics: IP addresses and networks"),
    )
    stillsSize: int = field(
        default=256 << 20,
        metadata=_about("disk for posters and preview pictures; 0 keeps none", unit="bytes", low=0, high=1 << 40),
    )
    segmentDuration: float = field(
        default=4.0,
        metadata=_about("least duration of a segment of HLS; a key frame ends it", unit="seconds", low=1, high=30),
    )
    segmentCache: int = field(
        default=128 << 20, metadata=_about("memory for segments of HLS", unit="bytes", low=1 << 20, high=1 << 40)
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _checked(each, getattr(self, each.name)))


def keyOf(each: Field[Any]) -> str:
    """The name of a setting in a file and on the command line."""
    return each.metadata["key"] or re.sub("[A-Z]", lambda found: "-" + found[0].lower(), each.name)


#: the settings by their names outside Python
SETTINGS: dict[str, Field[Any]] = {keyOf(each): each for each in fields(Settings)}


def defaultOf(each: Field[Any]) -> Any:
    """The default of a setting, made if need be."""
    return each.default if each.default_factory is MISSING else each.default_factory()


def readFile(path: str) -> dict[str, Any]:
    """
    The settings that a TOML file makes, checked, by attribute. Relative folders count from the file's own folder.

    @raise SettingsError: with the name of the file and of the setting, if the file cannot be read, is no TOML, or has
        a setting that is unknown or cannot be.
    """
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise SettingsError(path, f"{error.strerror}") from None
    except ValueError as error:  # TOML or its encoding
        raise SettingsError(path, f"{error}") from None
    base = os.path.dirname(os.path.abspath(path))
    try:
        return dict(_readSetting(key, value, base) for key, value in found.items())
    except SettingsError as error:
        raise SettingsError(f"{path}: {error.where}", error.problem) from None


def fromText(key: str, text: str) -> Any:
    """
    The value of a number or text setting given on the command line.

    @raise SettingsError: naming the setting, if it cannot be.
    """
    each = SETTINGS[key]
    default = defaultOf(each)
    value: Any = text
    if isinstance(default, int | float):
        with contextlib.suppress(ValueError):  # what stays text is 256M, or refused below
            value = type(default)(text)
    return _checked(each, value)


def _readSetting(key: str, value: Any, base: str) -> tuple[str, Any]:
    each = SETTINGS.get(key)
    if each is None:
        near = difflib.get_close_matches(key, SETTINGS, 1)
        raise SettingsError(key, "no such setting" + (f"; is it {near[0]}?" if near else ""))
    if each.name == "media" and isinstance(value, dict):
        value = {name: _below(base, folder) for name, folder in value.items()}
    if each.name == "cacheFolder":
        value = _below(base, value)
    return each.name, _checked(each, value)


def _below(base: str, folder: Any) -> Any:
    return os.path.join(base, os.path.expanduser(folder)) if isinstance(folder, str) and folder else folder


def _checked(each: Field[Any], value: Any) -> Any:
    """The value as L{Settings} keeps it, or L{SettingsError}."""
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
        raise SettingsError(key, f"{value} is not between {limits['low']} and {limits['high']}")
    return kind(value)


def _size(key: str, text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,15}) ?([KMG]?)(?:i?B)?", text, re.ASCII | re.IGNORECASE)
    if found is None:
        raise SettingsError(key, f"{text!r} is not a number of bytes, such as 65536, 64K or 256M")
    return int(found[1]) * _UNITS[found[2].upper()]


def _rtpPort(key: str, value: Any) -> int:
    port: int = _number(key, value, SETTINGS[key])
    if port % 2:
        raise SettingsError(key, f"{port} is odd; RTP takes an even port, RTCP the next (RFC 3550 section 11)")
    return port


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
    number = re.match("(?:tcp6?|ssl):(-?[0-9]+)", text)
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
    "rtpPort": _rtpPort,
    "queueing": _queueing,
    "multicast": _multicast,
    "multicastPort": _rtpPort,
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
