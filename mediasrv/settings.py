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
import tomllib
from dataclasses import Field, dataclass, field, fields
from typing import Any

from mediasrv import __version__
from mediasrv.interfaces import Elsewhere, Gone
from mediasrv.settingvalues import SettingsError, checked, defaultOf, keyOf

__all__ = ["SETTINGS", "Settings", "SettingsError", "defaultOf", "fromText", "readFile"]


def _about(
    meaning: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    key: str = "",
    isEven: bool = False,
) -> dict[str, Any]:
    """
    What is known about a setting besides its name, type and default.

    @param meaning: one line for C{--help} and the documentation.
    @param unit: of a number.
    @param low: the smallest number allowed.
    @param high: the largest number allowed.
    @param key: its name outside Python, where that is not the attribute with hyphens.
    @param isEven: whether it is an even number.
    """
    return {"meaning": meaning, "unit": unit, "low": low, "high": high, "key": key, "isEven": isEven}


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
            "first of the UDP port pair for RTP and RTCP, even; 0 lets the system choose",
            low=0,
            high=65534,
            isEven=True,
        ),
    )
    multicast: str = field(
        default="",
        metadata=_about("IPv4 multicast addresses that clients may be sent to, such as 239.255.42.0/24; none if empty"),
    )
    multicastPort: int = field(
        default=5004,
        metadata=_about("first UDP port of multicast, even; each group has two", low=1024, high=65534, isEven=True),
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
            object.__setattr__(self, each.name, checked(each, getattr(self, each.name)))


#: the settings by their names outside Python
SETTINGS: dict[str, Field[Any]] = {keyOf(each): each for each in fields(Settings)}


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
    return checked(each, value)


def _readSetting(key: str, value: Any, base: str) -> tuple[str, Any]:
    each = SETTINGS.get(key)
    if each is None:
        near = difflib.get_close_matches(key, SETTINGS, 1)
        raise SettingsError(key, "no such setting" + (f"; is it {near[0]}?" if near else ""))
    if each.name == "media" and isinstance(value, dict):
        value = {name: _below(base, folder) for name, folder in value.items()}
    if each.name == "cacheFolder":
        value = _below(base, value)
    return each.name, checked(each, value)


def _below(base: str, folder: Any) -> Any:
    return os.path.join(base, os.path.expanduser(folder)) if isinstance(folder, str) and folder else folder
