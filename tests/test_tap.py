"""The command line: from flags and files to settings and services."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from certificatemaker import makeCertificate
from sessiondouble import FakeSession
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.usage import UsageError

from mediasrv import __version__, tap
from mediasrv.certificates import FreshCertificates
from mediasrv.media import demo
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.tap import Options, Server, makeService

ROOT = Path(__file__).parent.parent
NO_ENDPOINT = "is not an endpoint, such as 8554 or tcp:8554:interface=127.0.0.1"
UNKNOWN = "(ValueError: Unknown endpoint type: 'nonsense')"


class MediaDouble(MultiService):
    """Stands in for MediaService, which is tested elsewhere."""

    def __init__(self, settings: Settings, reactor: object) -> None:
        super().__init__()
        self.settings = settings
        self.registry = Registry(reactor=reactor)  # type: ignore[arg-type]  # a clock
        self.factory = Factory()
        self.forHTTP = Factory()

    def rtspFactory(self) -> Factory:
        return self.factory

    def webFactory(self) -> Factory:
        return self.forHTTP


@pytest.fixture(autouse=True)
def mediaDouble(monkeypatch) -> None:
    monkeypatch.setattr(tap, "MediaService", MediaDouble)


def parsed(*arguments: str) -> Options:
    options = Options()
    options.parseOptions(list(arguments))
    return options


def twistd(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Runs twistd with the plugin of this source tree, from a folder that is not this source tree."""
    return subprocess.run(
        [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=", *arguments],
        cwd=cache,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folders(tmp_path, monkeypatch) -> Path:
    """Two folders in the current one, which is also home."""
    for name in ("films", "a=b"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_nothingGiven():
    settings = parsed().settings
    assert settings.media == {}
    assert settings.ports == ("tcp:8554",)
    assert settings.rtpPort == 8000


@pytest.mark.parametrize(
    ("text", "name", "folder"),
    [
        ("movies=films", "movies", "films"),
        ("films", "films", "films"),
        ("films/", "films", "films"),
        ("./films/.", "films", "films"),
        ("movies=~/films", "movies", "films"),
        ("./a=b", "a=b", "a=b"),
        ("x=a=b", "x", "a=b"),
    ],
)
def test_media(folders, text, name, folder):
    assert parsed("--media", text).settings.media == {name: str(folders / folder)}


def test_mediaRepeats(folders):
    assert list(parsed("--media", "one=films", "--media", "two=films").settings.media) == ["one", "two"]


def test_ports():
    options = parsed("-p", "8554", "--port", "tcp:8555:interface=127.0.0.1")
    assert options.settings.ports == ("tcp:8554", "tcp:8555:interface=127.0.0.1")


@pytest.mark.parametrize(
    ("arguments", "ports"),
    [
        ([], ("tcp:8080",)),
        (["--http", "none"], ()),
        (["--http", "8080", "--http", "tcp6:8081"], ("tcp:8080", "tcp6:8081")),
    ],
)
def test_webPorts(arguments, ports):
    assert parsed(*arguments).settings.webPorts == ports


def test_flags(folders):
    settings = parsed(
        *("--rtp-port", "0", "--payload-size", "1200", "--cache-size", "64M", "--session-timeout", "30"),
        *("--max-sessions", "7", "--cache-folder", "cache", "--hidden-files", "--http", "none"),
    ).settings
    assert (settings.rtpPort, settings.payloadSize, settings.cacheSize) == (0, 1200, 64 << 20)
    assert (settings.sessionTimeout, settings.maxSessions, settings.hiddenFiles) == (30, 7, True)
    assert settings.cacheFolder == str(folders / "cache")


def test_flagsWinOverTheFile(folders):
    (folders / "etc.toml").write_text(
        'port = 1554\nrtp-port = 9000\nburst = 8\nhidden-files = true\n[media]\nold = "films"\n'
    )
    settings = parsed("--config", "etc.toml", "--rtp-port", "9100", "--media", "new=films").settings
    assert settings.ports == ("tcp:1554",)
    assert (settings.rtpPort, settings.burst, settings.hiddenFiles) == (9100, 8, True)
    assert settings.media == {"new": str(folders / "films")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--media", "/does/not/exist"], "--media: /does/not/exist is not there"),
        (["--media", "/"], "--media: '' cannot be the first element of a path"),
        (["--media", "x="], "--media: '' is not a path"),
        (
            ["--media", "films", "--media", "films/../films"],
            "--media: two folders are called 'films'; say --media OTHERNAME=films/../films",
        ),
        (["--port", "65536"], "--port: 65536 is not between 0 and 65535"),
        (["--port", "nonsense:1"], f"--port: nonsense:1 {NO_ENDPOINT} {UNKNOWN}"),
        (
            ["--port", "tcp:rtsp"],
            f"--port: tcp:rtsp {NO_ENDPOINT} (ValueError: invalid literal for int() with base 10: 'rtsp')",
        ),
        (["--port", "tcp:port=65536"], "--port: 65536 is not between 0 and 65535"),
        (["--port", "tls:films:port=65536"], "--port: 65536 is not between 0 and 65535"),
        (
            ["--port", "tls:films:port=322"],
            "--port: tls:films:port=322: no certificate with its key is there, in a file that ends with .pem",
        ),
        (
            ["--http", "tls:none:port=322"],
            "--http: tls:none:port=322: no certificate with its key is there, in a file that ends with .pem",
        ),
        (["--port", "ssl:1:privateKey=/none"], "--port: ssl:1:privateKey=/none: /none: No such file or directory"),
        (
            ["--port", "ssl:1:privateKey=bad.toml"],
            "--port: ssl:1:privateKey=bad.toml: a file there that should have a certificate or a key is damaged",
        ),
        (
            ["--port", "systemd:domain=INET:name=rtsp"],
            "--port: systemd:domain=INET:name=rtsp: there is no socket of that name or number",
        ),
        (["--config", "port.toml"], f"port.toml: port: nonsense:1 {NO_ENDPOINT} {UNKNOWN}"),
        (
            ["--rtp-port", "8001"],
            "--rtp-port: 8001 is odd; RTP takes an even port, RTCP the next (RFC 3550 section 11)",
        ),
        (["--rtp-port", "many"], "--rtp-port: 'many' is not a whole number"),
        (["--http", "65536"], "--http: 65536 is not between 0 and 65535"),
        (["--http", "nonsense:1"], f"--http: nonsense:1 {NO_ENDPOINT} {UNKNOWN}"),
        (["--http", "none", "--http", "8080"], "--http: none cannot be together with endpoints"),
        (["--record", "films"], "option --record not recognized"),
        (["films"], "Wrong number of arguments."),
        (["--config", "none.toml"], "none.toml: No such file or directory"),
        (["--config", "bad.toml"], "bad.toml: tick: 9 is not between 0.001 and 0.1"),
    ],
)
def test_mistakes(folders, arguments, message):
    (folders / "bad.toml").write_text("tick = 9")
    (folders / "port.toml").write_text('port = "nonsense:1"')
    with pytest.raises(UsageError) as caught:
        parsed(*arguments)
    assert str(caught.value) == message


def test_mistakeIsNotDrownedInExplanations():
    options = Options()
    assert "--media=" in options.getUsage()
    with pytest.raises(UsageError):
        options.parseOptions(["--bogus"])
    assert options.getUsage() == "twistd mediasrv --help explains the options.\n"


def test_serviceListens(folders):
    """One port each, with our backlog unless the endpoint gives one."""
    reactor = MemoryReactorClock()
    options = parsed(
        *("--media", "films", "-p", "1554", "-p", "tcp:1555:interface=127.0.0.1"),
        *("-p", "tcp:1556:backlog=7", "-p", "tcp:1557:127.0.0.1:8", "--http", "none"),
    )
    server = makeService(options, reactor)
    media, *ports = server
    assert media.settings is options.settings
    assert all(isinstance(port, StreamServerEndpointService) and port.factory is media.factory for port in ports)
    for port in ports:
        port.privilegedStartService()
    assert [(port, backlog, interface) for port, _, backlog, interface in reactor.tcpServers] == [
        (1554, 1024, ""),
        (1555, 1024, "127.0.0.1"),
        (1556, 7, ""),
        (1557, 8, "127.0.0.1"),
    ]


def test_serviceListensForHTTP(folders):
    """Beside RTSP, with our backlog as well; and nowhere if it is told so."""
    reactor = MemoryReactorClock()
    server = makeService(parsed("--media", "films", "-p", "1554", "--http", "1080", "--http", "tcp:1081"), reactor)
    media, *ports = server
    for port in ports:
        port.privilegedStartService()
    assert [(port, factory, backlog) for port, factory, backlog, _ in reactor.tcpServers] == [
        (1554, media.factory, 1024),
        (1080, media.forHTTP, 1024),
        (1081, media.forHTTP, 1024),
    ]
    assert len(list(makeService(parsed("--media", "films"), MemoryReactorClock()))) == 3
    assert len(list(makeService(parsed("--media", "films", "--http", "none"), MemoryReactorClock()))) == 2


def test_theProcessHasASteadyClock(folders, monkeypatch):
    """A process of our own keeps its delayed calls whatever is done to the time of day."""
    steady = []
    monkeypatch.setattr("mediasrv.tap.keepSteady", steady.append)
    reactor = MemoryReactorClock()
    makeService(parsed("--media", "films", "--http", "none"), reactor)
    assert steady == [reactor]


@pytest.mark.requirement("TLS-1")
@pytest.mark.parametrize("kind", ["tls:{}:port=0", "ssl:0:privateKey={}/one.pem"])
def test_certificatesAreFresh(folders, kind):
    """Whatever endpoint with TLS the command line has."""
    makeCertificate(folders / "one.pem", 1)
    server = makeService(parsed("--media", "films", "-p", kind.format(folders), "--http", "none"), MemoryReactorClock())
    _, port = server
    assert any(isinstance(value, FreshCertificates) for value in vars(port.endpoint).values())


def test_theLogSaysWhatIsServedWhere(folders):
    said: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace", "").startswith("mediasrv"):
            said.append(formatEvent(event))

    server = makeService(parsed("--media", "films", "-p", "1554"), MemoryReactorClock())
    globalLogPublisher.addObserver(observe)
    try:
        server.privilegedStartService()
        assert said == []  # not before the ports are open
        server.startService()
        server.stopService()
    finally:
        globalLogPublisher.removeObserver(observe)
    assert said == ["serving rtsp://localhost:1554/, http://localhost:8080/", f"/films/ is {folders / 'films'}"]


def test_demoClipsWithoutMedia(tmp_path, monkeypatch, capsys):
    made = []

    def make(folder: str, clip: demo.Clip) -> None:
        os.makedirs(folder, exist_ok=True)
        made.append((folder, clip.name))

    monkeypatch.setattr(demo, "make", make)
    server = makeService(parsed("--cache-folder", str(tmp_path)), MemoryReactorClock())
    folder = str(tmp_path / "demo")
    assert made == [(folder, "clock.mp4"), (folder, "clock.webm")]
    assert capsys.readouterr().err == f"Making the demo clips in {folder}, this once.\n"
    assert next(iter(server)).settings.media == {"demo": folder}


def test_demoClipsAreMadeOnce(tmp_path, monkeypatch, capsys):
    (tmp_path / "demo").mkdir()
    for clip in demo.CLIPS:
        (tmp_path / "demo" / clip.name).touch()
    monkeypatch.setattr(demo, "make", lambda folder, clip: pytest.fail("made again"))
    makeService(parsed("--cache-folder", str(tmp_path)), MemoryReactorClock())
    assert capsys.readouterr().err == ""


def test_demoClipsCannotBeMade(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"No --media is given, and the demo clips cannot be made in .*file"):
        makeService(parsed("--cache-folder", str(tmp_path / "file")), MemoryReactorClock())


def test_demoClipsAreNotWaitedFor(tmp_path, monkeypatch):
    def make(folder: str, clip: demo.Clip) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "make", make)
    with pytest.raises(SystemExit, match="The demo clips were not made"):
        makeService(parsed("--cache-folder", str(tmp_path)), MemoryReactorClock())


def test_helpExplainsEachOption(tmp_path):
    result = twistd("mediasrv", "--help", cache=tmp_path)
    assert result.returncode == 0
    text = " ".join(result.stdout.split())
    for option in ("media", "port", "http", "config", "rtp-port", "payload-size", "cache-size", "session-timeout"):
        assert f"--{option}=" in text
    for default in (
        "[default: 8554]",
        "[default: demo clips]",
        "[default: 8000]",
        "[default: 256M]",
        "[default: 8080]",
    ):
        assert default in text
    assert not [word for word in ("--record", "--users", "--manhole") if word in text]
    # blanks within a line are those of a docstring
    assert not [line for line in result.stdout.splitlines() if re.search(r"\w.*[a-z,]  +[a-z\"]", line[24:])]


def test_version(tmp_path):
    assert twistd("mediasrv", "--version", cache=tmp_path).stdout.startswith(f"mediasrv {__version__}, Twisted ")


def test_mistakeEndsTwistdWithOneLine(tmp_path):
    result = twistd("mediasrv", "--media", "/does/not/exist", cache=tmp_path)
    assert result.returncode == 1
    assert result.stdout.endswith(": --media: /does/not/exist is not there\n")
    assert len(result.stdout.splitlines()) == 4
    assert result.stderr == ""


@pytest.mark.parametrize("taken", ["tcp", "udp"])
def test_portTaken(tmp_path: Path, taken: str) -> None:
    """A port that somebody else has is one line and status 1: in the foreground, as a daemon, and from C{twist}."""
    kind = socket.SOCK_STREAM if taken == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as other:
        number = freeEvenPort(other)
        if taken == "tcp":
            other.listen()
        tcp, udp = (number, 0) if taken == "tcp" else (0, number)
        twistd = ["-c", "from twisted.scripts.twistd import run; run()"]
        for runner in (
            [*twistd, "-n", "--pidfile="],
            [*twistd, "--pidfile=pid", "--logfile=log"],
            ["-m", "twisted"],
        ):
            options = ["--media", f"m={tmp_path}", "--port", f"tcp:{tcp}", "--rtp-port", f"{udp}", "--http", "0"]
            command = [sys.executable, *runner, "mediasrv", *options]
            run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
            said = run.stdout + run.stderr
            assert run.returncode == 1
            assert f"{number}" in said
            assert "Traceback" not in said


def test_socketThatCannotBe(tmp_path: Path) -> None:
    options = [
        "--media",
        f"m={tmp_path}",
        "--port",
        f"unix:{tmp_path}/none/socket",
        "--rtp-port",
        "0",
        "--http",
        "none",
    ]
    result = twistd("mediasrv", *options, cache=tmp_path)
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert "mediasrv: [Errno 2] No such file or directory" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN])
def test_hangUp(folders: Path, handler: signal.Handlers) -> None:
    """A closed terminal stops the server as Ctrl-C does; but not if C{nohup} says that it should go on."""
    before = signal.signal(signal.SIGHUP, handler)
    try:
        reactor = StoppingReactor()
        server = makeService(parsed("--media", "films", "-p", "1554", "--http", "none"), reactor)
        server.startService()
        signal.raise_signal(signal.SIGHUP)
        reactor.callFromThreadNow()
        assert reactor.stops == (0 if handler is signal.SIG_IGN else 1)
        server.stopService()
        assert signal.getsignal(signal.SIGHUP) == handler
    finally:
        signal.signal(signal.SIGHUP, before)


def test_filesAreAsManyAsMayBe(tmp_path: Path) -> None:
    """Each viewer is one, and the system's ordinary limit is too low."""
    code = (
        "import resource; from mediasrv.tap import Options, makeService\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))\n"
        f"options = Options(); options.parseOptions(['--media', {f'm={tmp_path}'!r}])\n"
        "makeService(options); print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "(300, 300)\n"


def draining(folders: Path, reactor: MemoryReactorClock) -> tuple[Server, MediaDouble]:
    """A server with one session, that is to stop and gives a minute for it."""
    (folders / "drain.toml").write_text('drain-time = 60\ndrain-location = "rtsp://other.example"\nhttp = "none"')
    server = makeService(parsed("--media", "films", "-p", "1554", "--config", "drain.toml"), reactor)
    media = next(iter(server))
    server.startService()
    media.registry.add(FakeSession(media.registry, "abc"))
    return server, media


@pytest.mark.parametrize("isOver", [False, True])
def test_portsStayOpenWhileSessionsEnd(folders: Path, isOver: bool) -> None:
    """Who comes is sent elsewhere, and viewers of HLS come again and again; when the last has left, all stops."""
    clock = StoppingReactor()
    server, media = draining(folders, clock)
    stopped = server.stopService()
    assert media.registry.drainLocation == "rtsp://other.example"
    assert (media.running, stopped.called) == (1, False)
    if isOver:
        clock.advance(60)
    else:
        media.registry.remove(media.registry.get("abc"))
    assert (media.running, stopped.called) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoStopsAgainDoesNotWait(folders: Path, number: signal.Signals) -> None:
    """Twisted would have a traceback in the log, and go on waiting."""
    handlers = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        reactor = StoppingReactor()
        server, media = draining(folders, reactor)
        stopped = server.stopService()
        session = media.registry.get("abc")
        signal.raise_signal(number)
        reactor.callFromThreadNow()
        assert session.reasons == ["the server stops"]
        assert stopped.called
        assert reactor.stops == 0
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


class StoppingReactor(MemoryReactorClock):
    """Counts how often it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.stops = 0
        self._fromThreads: list[Callable[[], None]] = []

    def callFromThread(self, function: Callable[[], None]) -> None:
        self._fromThreads.append(function)

    def callFromThreadNow(self) -> None:
        for function in self._fromThreads:
            function()

    def stop(self) -> None:
        self.stops += 1


def freeEvenPort(bound: socket.socket) -> int:
    """Binds a socket to an even port of which the next one is free, as RTP wants them."""
    for number in range(20000 + os.getpid() % 10000, 40000):
        if number % 2 == 0:
            with contextlib.suppress(OSError):
                bound.bind(("0.0.0.0", number))
                return number
    raise AssertionError("no free port")
