"""Settings: what they take, what they refuse, and that what is written about them is true."""

from __future__ import annotations

import os
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from mediasrv.interfaces import Elsewhere, Gone
from mediasrv.settings import SETTINGS, Settings, SettingsError, defaultOf, fromText, readFile

ROOT = Path(__file__).parent.parent


def written(folder: Path, text: str) -> str:
    path = folder / "mediasrv.toml"
    path.write_text(text)
    return str(path)


def test_defaults(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/somebody")
    settings = Settings()
    assert settings.media == {}
    assert settings.ports == ("tcp:8554",)
    assert settings.rtpPort == 8000
    assert settings.cacheSize == 268435456
    assert settings.cacheFolder == "/var/cache/somebody/mediasrv"
    with pytest.raises(FrozenInstanceError):
        settings.rtpPort = 9000


def test_relativeCacheHomeIsIgnored(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings().cacheFolder == "/home/somebody/.cache/mediasrv"


def test_everyDefaultIsWithinItsBounds():
    for each in fields(Settings):
        low, high = each.metadata["low"], each.metadata["high"]
        assert each.metadata["meaning"]
        if low is not None:
            assert low <= defaultOf(each) <= high


def test_foldersBecomeAbsolute(tmp_path, monkeypatch):
    (tmp_path / "films").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(media={"a": "films", "b": "~/films", "c": tmp_path / "films"})
    assert set(settings.media.values()) == {str(tmp_path / "films")}


def test_ownersDictionaryIsCopied(tmp_path):
    media = {"a": str(tmp_path)}
    settings = Settings(media=media)
    media["b"] = "/"
    assert list(settings.media) == ["a"]


@pytest.mark.parametrize(
    ("given", "ports"),
    [
        (8554, ("tcp:8554",)),
        ("8554", ("tcp:8554",)),
        ("tcp:8554:interface=127.0.0.1", ("tcp:8554:interface=127.0.0.1",)),
        ([0, "unix:/run/socket"], ("tcp:0", "unix:/run/socket")),
    ],
)
def test_ports(given, ports):
    assert Settings(ports=given).ports == ports


@pytest.mark.parametrize(
    ("given", "ports"),
    [("none", ()), (["none"], ()), ([], ()), (8080, ("tcp:8080",)), (["8080", "tcp6:81"], ("tcp:8080", "tcp6:81"))],
)
def test_webPorts(given, ports):
    assert Settings(webPorts=given).webPorts == ports


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("*", ("*",)),
        ([], ()),
        (["https://a.example", "http://b.example:8080"], ("https://a.example", "http://b.example:8080")),
    ],
)
def test_allowedOrigins(given, origins):
    assert Settings(allowedOrigins=given).allowedOrigins == origins


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"administrators": ["10.0.0.1/8"]},
            "administrators: '10.0.0.1/8' is no IP address and no network, such as 10.0.0.0/8",
        ),
        ({"administrators": 7}, "administrators: 7 is no IP address and no network, such as 10.0.0.0/8"),
        ({"rtpPort": 8001}, "rtp-port: 8001 is odd; RTP takes an even port, RTCP the next (RFC 3550 section 11)"),
        ({"rtpPort": 65536}, "rtp-port: 65536 is not between 0 and 65534"),
        ({"rtpPort": "8000"}, "rtp-port: '8000' is not a whole number"),
        ({"rtpPort": 8000.0}, "rtp-port: 8000.0 is not a whole number"),
        ({"rtpPort": True}, "rtp-port: True is not a whole number"),
        (
            {"multicast": "239.255.42.7/24"},
            "multicast: '239.255.42.7/24' is no range of IPv4 addresses, such as 239.255.42.0/24",
        ),
        ({"multicast": 5}, "multicast: 5 is no range of IPv4 addresses, such as 239.255.42.0/24"),
        ({"multicast": "ff15::/64"}, "multicast: 'ff15::/64' is no range of IPv4 addresses, such as 239.255.42.0/24"),
        ({"multicast": "192.0.2.0/24"}, "multicast: 192.0.2.0/24 is not within 224.0.0.0/4, where multicast is"),
        ({"multicast": "0.0.0.0/0"}, "multicast: 0.0.0.0/0 is not within 224.0.0.0/4, where multicast is"),
        (
            {"multicast": "224.0.0.0/4"},
            "multicast: 224.0.0.0/4 overlaps 224.0.0.0/24, which routers need for themselves (RFC 5771)",
        ),
        (
            {"multicastPort": 5005},
            "multicast-port: 5005 is odd; RTP takes an even port, RTCP the next (RFC 3550 section 11)",
        ),
        ({"multicastTTL": 256}, "multicast-ttl: 256 is not between 0 and 255"),
        ({"multicastInterface": "eth0"}, "multicast-interface: 'eth0' is no IPv4 address"),
        ({"multicastInterface": 1}, "multicast-interface: 1 is no IPv4 address"),
        ({"tick": float("nan")}, "tick: nan is not between 0.001 and 0.1"),
        ({"tick": "soon"}, "tick: 'soon' is not a number"),
        ({"cacheSize": "2T"}, "cache-size: 2T is not between 1M and 1T"),
        ({"stillsSize": -1}, "stills-size: -1 is not between 0 and 1T"),
        ({"burst": 47}, "burst: 47 is not between 1 and 46"),
        ({"cacheSize": "much"}, "cache-size: 'much' is not a number of bytes, such as 65536, 64K or 256M"),
        ({"hiddenFiles": 1}, "hidden-files: 1 is neither true nor false"),
        ({"serverName": "a\r\nb"}, "server-name: 'a\\r\\nb' is not a line of ASCII text"),
        ({"cacheFolder": ""}, "cache-folder: '' is not a path"),
        ({"ports": ()}, "port: give at least one endpoint"),
        ({"ports": 65536}, "port: 65536 is not between 0 and 65535"),
        ({"ports": "ssl:-1:privateKey=x"}, "port: -1 is not between 0 and 65535"),
        ({"ports": [True]}, "port: True is not an endpoint, such as 8554 or tcp:8554:interface=127.0.0.1"),
        ({"webPorts": ["none", 80]}, "http: none cannot be together with endpoints"),
        ({"webPorts": -1}, "http: -1 is not between 0 and 65535"),
        (
            {"allowedOrigins": ["a.example"]},
            "allowed-origins: 'a.example' is not an origin, such as https://example.org or *",
        ),
        (
            {"allowedOrigins": ["https://a.example/"]},
            "allowed-origins: 'https://a.example/' is not an origin, such as https://example.org or *",
        ),
        ({"handshakeTimeout": 0}, "handshake-timeout: 0 is not between 0.1 and 3600"),
        ({"media": ["/"]}, "media: ['/'] is not a table of names and folders"),
        ({"media": {"a/b": "/"}}, "media: 'a/b' cannot be the first element of a path"),
        ({"media": {"..": "/"}}, "media: '..' cannot be the first element of a path"),
        ({"media": {"": "/"}}, "media: '' cannot be the first element of a path"),
        ({"media": {"-": "/"}}, "media: '-' cannot be the first element of a path"),
        ({"media": {"a": "/does/not/exist"}}, "media.a: /does/not/exist is not there"),
        ({"media": {"a": "/dev/null"}}, "media.a: /dev/null is not a folder"),
        ({"media": {"a": "\0"}}, "media.a: '\\x00' is not a path"),
        ({"media": {"a": 1}}, "media.a: 1 is not a path"),
        ({"redirects": ["a"]}, "redirects: ['a'] is not a table of paths and URLs"),
        ({"redirects": {"a/../b": "gone"}}, "redirects: 'a/../b' is not the path of a presentation"),
        ({"redirects": {"a\n": "gone"}}, "redirects: 'a\\n' is not the path of a presentation"),
        ({"redirects": {5: "gone"}}, "redirects: 5 is not the path of a presentation"),
        ({"redirects": {"a": "b"}}, "redirects.a: 'b' is not a URL such as rtsp://HOST:8554/PATH"),
        (
            {"redirects": {"a": "rtsp://b/\r\nc"}},
            r"redirects.a: 'rtsp://b/\r\nc' is not a URL such as rtsp://HOST:8554/PATH",
        ),
        ({"redirects": {"a": {"permanent": True}}}, "redirects.a: None is not a URL such as rtsp://HOST:8554/PATH"),
        (
            {"redirects": {"a": {"url": "rtsp://b", "permanent": 1}}},
            "redirects.a: {'url': 'rtsp://b', 'permanent': 1} is no table of a url and permanent, true or false",
        ),
        (
            {"redirects": {"a": {"url": "rtsp://b", "code": 303}}},
            "redirects.a: {'url': 'rtsp://b', 'code': 303} is no table of a url and permanent, true or false",
        ),
        (
            {"trustedProxies": "10.0.0.1/8"},
            "trusted-proxies: '10.0.0.1/8' is no IP address and no network, such as 10.0.0.0/8",
        ),
        ({"trustedProxies": ["a"]}, "trusted-proxies: 'a' is no IP address and no network, such as 10.0.0.0/8"),
        ({"trustedProxies": [1]}, "trusted-proxies: 1 is no IP address and no network, such as 10.0.0.0/8"),
        ({"proxyHeaders": "all"}, "proxy-headers: 'all' is not x-forwarded or forwarded"),
        ({"publicURL": "rtsp://a"}, "public-url: 'rtsp://a' is not a URL such as https://media.example/tv"),
        ({"publicURL": "http://a/?b"}, "public-url: 'http://a/?b' is not a URL such as https://media.example/tv"),
        ({"publicURL": "http://a@b"}, "public-url: 'http://a@b' is not a URL such as https://media.example/tv"),
        ({"publicURL": "http://a\n"}, "public-url: 'http://a\\n' is not a URL such as https://media.example/tv"),
        ({"publicURL": 1}, "public-url: 1 is not a URL such as https://media.example/tv"),
        ({"publicRTSP": "http://a"}, "public-rtsp: 'http://a' is not a URL such as rtsp://media.example:8554"),
        (
            {"publicRTSP": "rtsp://a:70000"},
            "public-rtsp: 'rtsp://a:70000' is not a URL such as rtsp://media.example:8554",
        ),
        ({"publicRTSP": "rtsp://a:0"}, "public-rtsp: 'rtsp://a:0' is not a URL such as rtsp://media.example:8554"),
        ({"drainTime": -1}, "drain-time: -1 is not between 0 and 86400"),
        ({"drainLocation": 0}, "drain-location: 0 is not a URL such as rtsp://HOST:8554/PATH"),
        ({"drainLocation": "other"}, "drain-location: 'other' is not a URL such as rtsp://HOST:8554/PATH"),
    ],
)
def test_refused(values, message):
    with pytest.raises(SettingsError) as caught:
        Settings(**values)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["239.255.42.0/24", "239.0.0.0/8", "232.1.2.3/32", "232.1.2.3", ""])
def test_multicastRanges(text):
    assert Settings(multicast=text).multicast == (text if "/" in text or not text else f"{text}/32")


@pytest.mark.parametrize(
    ("text", "size"),
    [("1048576", 1 << 20), ("1024K", 1 << 20), ("5m", 5 << 20), ("3 MiB", 3 << 20), ("2GB", 2 << 30), ("1T", 1 << 40)],
)
def test_sizes(text, size):
    assert fromText("cache-size", text) == size
    assert Settings(cacheSize=text).cacheSize == size


@pytest.mark.requirement("TMO-2")
def test_timeoutsThatPlayersCannotKeep():
    """VLC sleeps for the timeout less two seconds: five seconds are never advertised."""
    assert Settings().sessionTimeout == 60
    assert Settings(sessionTimeout=6).sessionTimeout == 6
    with pytest.raises(SettingsError, match=r"^session-timeout: 5 is not between 6 and 86400$"):
        Settings(sessionTimeout=5)


@pytest.mark.parametrize(
    ("given", "proxies"),
    [
        ("10.0.0.1", ("10.0.0.1/32",)),
        (["unix", "10.0.0.0/8", "2001:DB8::/32"], ("unix", "10.0.0.0/8", "2001:db8::/32")),
        ([], ()),
    ],
)
def test_trustedProxies(given, proxies):
    assert Settings(trustedProxies=given).trustedProxies == proxies


@pytest.mark.parametrize("url", ["", "https://media.example/tv", "http://[2001:db8::1]:81", "http://my_host/a%20b/c"])
def test_publicURL(url):
    assert Settings(publicURL=url).publicURL == url
    assert Settings(publicURL=url and f"{url}/").publicURL == url


def test_redirects(tmp_path):
    """A URL, a URL for good, or nothing any more; from Python also as what it becomes."""
    text = '[redirects]\na = "rtsp://b/c"\n"d/e f.mp4" = {url = "rtsps://g", permanent = true}\n"h" = "gone"\n'
    made = {"a": Elsewhere("rtsp://b/c"), "d/e f.mp4": Elsewhere("rtsps://g", permanent=True), "h": Gone()}
    assert readFile(written(tmp_path, text)) == {"redirects": made}
    assert Settings(redirects=made).redirects == made
    assert Settings(redirects={"a": "rtsp://b/c"}).redirects == {"a": Elsewhere("rtsp://b/c")}


@pytest.mark.parametrize(
    ("given", "networks"),
    [
        ([], ()),
        ("192.0.2.7", ("192.0.2.7/32",)),
        (["10.0.0.0/8", "2001:db8::1"], ("10.0.0.0/8", "2001:db8::1/128")),
    ],
)
def test_administrators(given, networks):
    assert Settings(administrators=given).administrators == networks


def test_fromText():
    assert fromText("rtp-port", "9000") == 9000
    assert fromText("tick", "0.02") == 0.02
    assert fromText("server-name", "12") == "12"
    with pytest.raises(SettingsError, match=r"^rtp-port: '0x10' is not a whole number$"):
        fromText("rtp-port", "0x10")
    with pytest.raises(SettingsError, match=r"^cache-size: '-5' is not|^cache-size: -5 is not between"):
        fromText("cache-size", "-5")


def test_readFile(tmp_path):
    (tmp_path / "films").mkdir()
    path = written(
        tmp_path,
        'port = [8554, "tls:/etc/certificates:port=322"]\ntick = 0.02\nidle-timeout = 30\ncache-size = "64M"\n'
        'cache-folder = "cache"\nhidden-files = true\n[media]\nmovies = "films"\n',
    )
    assert readFile(path) == {
        "ports": ("tcp:8554", "tls:/etc/certificates:port=322"),
        "tick": 0.02,
        "idleTimeout": 30.0,
        "cacheSize": 64 << 20,
        "cacheFolder": str(tmp_path / "cache"),
        "hiddenFiles": True,
        "media": {"movies": str(tmp_path / "films")},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rtp_port = 8000", "rtp_port: no such setting; is it rtp-port?"),
        ("colour = 1", "colour: no such setting"),
        ("rtp-port = '8000'", "rtp-port: '8000' is not a whole number"),
        ("burst = 0", "burst: 0 is not between 1 and 46"),
        ("media = 'films'", "media: 'films' is not a table of names and folders"),
        ("[media]\nmovies = 'films'", "media.movies: {folder}/films is not there"),
        ("rtp-port = ", "Invalid value (at end of document)"),
        ("[tick]\na = 1", "tick: {{'a': 1}} is not a number"),
    ],
)
def test_fileRefused(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        readFile(path)
    assert str(caught.value) == f"{path}: " + message.format(folder=tmp_path)


def test_unreadableFiles(tmp_path):
    with pytest.raises(SettingsError, match=r"^/does/not/exist\.toml: No such file or directory$"):
        readFile("/does/not/exist.toml")
    with pytest.raises(SettingsError, match=r"Is a directory$"):
        readFile(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b"server-name = '\xe9'")
    with pytest.raises(SettingsError, match=r"latin\.toml: .*decode"):
        readFile(str(tmp_path / "latin.toml"))


def test_sampleFileHasEverySettingWithItsDefault(tmp_path, monkeypatch):
    """Uncommented line by line, etc/mediasrv.toml is what holds without it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    sample = (ROOT / "etc" / "mediasrv.toml").read_text()
    assert readFile(str(ROOT / "etc" / "mediasrv.toml")) == {}
    beforeMedia, heading, folders = sample.partition("#[media]\n")
    values = readFile(written(tmp_path, re.sub("^#(?=[a-z-]+ = )", "", beforeMedia, flags=re.M)))
    assert set(values) == {each.name for each in fields(Settings)} - {"media"}
    assert Settings(**values) == Settings()
    assert (heading, folders) == ("#[media]\n", '#movies = "/srv/movies"\n')


def test_documentationHasEverySetting():
    """docs/settings.rst names each setting with its default, its bounds and nothing else."""
    text = (ROOT / "docs" / "settings.rst").read_text()
    rows = re.findall(r"^   \* - ``(.+)``\n     - ``(.+)``\n     -(.*)\n", text, re.M)
    documented = {key: (default, bounds.strip()) for key, default, bounds in rows}
    assert set(documented) == set(SETTINGS)
    for key, each in SETTINGS.items():
        default, bounds = documented[key]
        low = each.metadata["low"]
        if low is not None:
            assert fromText(key, default) == defaultOf(each)
            assert [fromBound(text) for text in bounds.split(" to ")] == [low, each.metadata["high"]], key
        else:
            assert bounds == ""


def fromBound(text: str) -> float:
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
    return float(text.rstrip("KMGT")) * units.get(text[-1], 1)


def test_keys():
    assert "max-sessions-per-peer" in SETTINGS
    assert "port" in SETTINGS
    assert "ports" not in SETTINGS
    assert not [key for key in SETTINGS if key != key.lower() or os.sep in key]
