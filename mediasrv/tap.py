"""
The command line: C{twistd mediasrv}.

Flags and the file of C{--config} become one L{Settings}, flags winning. All mistakes are found while options are
parsed, so that C{twistd} says in one line what is wrong and exits with status 1 before anything is opened.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import Field, replace
from typing import Any

from twisted.application import strports
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorCore
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python import usage

from mediasrv import __version__, process
from mediasrv.certificates import serverEndpoint
from mediasrv.endpoints import EndpointError, checkEndpoint, withBacklog
from mediasrv.greeting import greeting
from mediasrv.media import demo
from mediasrv.service import MediaService
from mediasrv.settings import SETTINGS, Settings, SettingsError, defaultOf, fromText, readFile
from mediasrv.signals import Signals
from mediasrv.steadytime import keepSteady
from twisted import copyright as twistedCopyright

#: the settings that have a flag with a value, besides --media and --port; the rest is for --config
_FLAGS = ("rtp-port", "payload-size", "cache-size", "session-timeout", "max-sessions", "cache-folder")


def _explained(key: str) -> str:
    """What C{--help} says about a setting."""
    each: Field[Any] = SETTINGS[key]
    meaning, unit, value = each.metadata["meaning"], each.metadata["unit"], defaultOf(each)
    default = f"{value >> 20}M" if unit == "bytes" and value % (1 << 20) == 0 else f"{value}"
    return _sentence(meaning + (f", in {unit}" if unit not in meaning else "")) + f" [default: {default}]"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


class Options(usage.Options):
    """
    What C{twistd mediasrv} understands.

    @ivar settings: what the options make, once they are parsed.
    """

    synopsis = "[options]"
    longdesc = (
        "Streams the media files of folders over RTSP and HTTP. A file bbb.mp4 of the folder given as "
        "movies=/srv/movies is rtsp://HOST:8554/movies/bbb.mp4, and in a browser http://HOST:8080/movies/ has it. "
        "Settings without a flag of their own go into the file of --config."
    )
    optFlags = [["hidden-files", None, _sentence(SETTINGS["hidden-files"].metadata["meaning"])]]
    optParameters = [
        ["config", None, None, "Read settings from this TOML file; flags win over it."],
        *([key, None, None, _explained(key)] for key in _FLAGS),
    ]
    compData = usage.Completions(optActions={"config": usage.CompleteFiles("*.toml"), "media": usage.CompleteDirs()})

    settings: Settings

    def __init__(self) -> None:
        super().__init__()
        # where a docstring goes on in a new line is no place for blanks
        self.docs = {name: doc and " ".join(doc.split()) for name, doc in self.docs.items()}
        self._media: dict[str, str] = {}
        self._ports: list[str] = []
        self._webPorts: list[str] = []
        self._mistaken = False

    def opt_media(self, text: str) -> None:
        """
        Serve this folder, as [NAME=]DIR; may be repeated. NAME is the first element of the URL's path, and the
        folder's own name if it is left out. [default: demo clips]
        """
        name, equals, folder = text.partition("=")
        if not equals or os.sep in name:  # /srv/a=b is a folder, not one that is called "/srv/a"
            folder = text
            name = os.path.basename(os.path.abspath(os.path.expanduser(text)))
        if name in self._media:
            raise usage.UsageError(f"--media: two folders are called {name!r}; say --media OTHERNAME={folder}")
        self._media[name] = folder

    def opt_port(self, description: str) -> None:
        """
        Take RTSP here; may be repeated. The number of a TCP port, or an endpoint such as
        tcp:8554:interface=127.0.0.1, tls:/etc/certificates:port=322 or systemd:domain=INET:name=rtsp. [default: 8554]
        """
        self._ports.append(description)

    opt_p = opt_port

    def opt_http(self, description: str) -> None:
        """
        Take HTTP here, for browsers and for RTSP that goes through it; may be repeated. An endpoint as for --port, or
        "none". [default: 8080]
        """
        self._webPorts.append(description)

    def opt_version(self) -> None:
        """Display the versions of mediasrv and Twisted, and exit."""
        print(f"mediasrv {__version__}, Twisted {twistedCopyright.version}")
        sys.exit(0)

    def parseOptions(self, options: list[str] | None = None) -> None:
        """
        Parses the command line.

        @raise usage.UsageError: for a mistake, in one line.
        """
        try:
            super().parseOptions(options)
        except usage.UsageError:
            self._mistaken = True
            raise

    def getUsage(self, width: int | None = None) -> str:
        """The explanations; but after a mistake only where to find them, lest its one line drown."""
        return "twistd mediasrv --help explains the options.\n" if self._mistaken else super().getUsage(width)

    def postOptions(self) -> None:
        """Makes L{settings}."""
        values: dict[str, Any] = {}
        if self["config"] is not None:
            try:
                values = readFile(self["config"])
            except SettingsError as error:
                raise usage.UsageError(f"{error}") from None
        try:
            values.update(self._flags())
            self.settings = Settings(**values)
        except SettingsError as error:
            raise usage.UsageError(f"--{error.where.partition('.')[0]}: {error.problem}") from None
        self._checkEndpoints("port", self.settings.ports, bool(self._ports))
        self._checkEndpoints("http", self.settings.webPorts, bool(self._webPorts))

    def _checkEndpoints(self, key: str, descriptions: tuple[str, ...], isFlag: bool) -> None:
        from twisted.internet import reactor

        where = f"--{key}" if isFlag else f"{self['config']}: {key}"
        for description in descriptions:
            try:
                checkEndpoint(description, reactor)
            except EndpointError as error:
                raise usage.UsageError(f"{where}: {error}") from None

    def _flags(self) -> dict[str, Any]:
        """The settings for which there was a flag."""
        values = {SETTINGS[key].name: fromText(key, self[key]) for key in _FLAGS if self[key] is not None}
        if self._media:
            values["media"] = self._media
        if self._ports:
            values["ports"] = tuple(self._ports)
        if self._webPorts:
            values["webPorts"] = tuple(self._webPorts)
        if self["hidden-files"]:
            values["hiddenFiles"] = True
        return values


def _withDemo(settings: Settings) -> Settings:
    """
    These settings, with the demo clips as their media. Makes them before anything listens: when the port opens, they
    are there.
    """
    folder = os.path.join(settings.cacheFolder, "demo")
    clips = demo.missing(folder)
    if clips:
        # Not the log, which twistd keeps back until the service is made.
        print(f"Making the demo clips in {folder}, this once.", file=sys.stderr)
    try:
        for clip in clips:
            demo.make(folder, clip)
    except OSError as error:
        raise SystemExit(f"No --media is given, and the demo clips cannot be made in {folder}: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit("The demo clips were not made.") from None
    return replace(settings, media={"demo": folder})


class Server(MultiService):
    """
    Everything that C{twistd mediasrv} runs: the media server, and what listens.

    @ivar inForeground: whether C{twistd} stays in the foreground. Then what keeps it from listening is one line, not a
        traceback; from a daemon C{twistd} itself carries the one line to the terminal.
    """

    _log = Logger()

    def __init__(self, media: MediaService, inForeground: bool, reactor: IReactorCore) -> None:
        super().__init__()
        media.setServiceParent(self)  # first, so that it starts before the ports open and stops after they closed
        self._media = media
        self._signals = Signals(reactor)
        self.inForeground = inForeground

    def privilegedStartService(self) -> None:
        """
        @raise SystemExit: in the foreground, if a port is taken, or not ours to take.
        """
        with self._oneLine():
            super().privilegedStartService()

    def startService(self) -> None:
        """
        Starts everything, and has the log say what is served where.

        @raise SystemExit: as L{privilegedStartService}, which C{python -m twisted} does not call.
        """
        with self._oneLine():
            super().startService()
        self._signals.take()
        for line in greeting(self._media.settings):
            self._log.info("{line}", line=line)

    def stopService(self) -> Deferred[Any]:
        """
        Stops everything, when the sessions have had C{drainTime} of the settings to end by themselves. Until then the
        ports stay open: who comes is sent elsewhere, and viewers of HLS connect again and again.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._signals.whileStopping(self._hurry)
        try:
            settings, registry = self._media.settings, self._media.registry
            if settings.drainTime and len(registry):
                await registry.drain(settings.drainLocation or None, settings.drainTime)
            await super().stopService()
        finally:
            self._signals.giveBack()

    def _hurry(self) -> None:
        self._log.info("told again to stop: all sessions end now")
        self._media.registry.endAll("the server stops")

    @contextlib.contextmanager
    def _oneLine(self) -> Iterator[None]:
        try:
            yield
        except (CannotListenError, OSError) as error:  # the latter for UDP and Unix sockets
            if self.inForeground:
                raise SystemExit(f"mediasrv: {error}") from None
            raise


def makeService(options: Options, reactor: IReactorCore | None = None) -> IService:
    """
    The media server, and beside it one service for each endpoint that takes RTSP or HTTP.

    @raise SystemExit: if the demo clips are asked for and cannot be made.
    """
    if reactor is None:
        from twisted.internet import reactor as theReactor

        reactor = theReactor
    keepSteady(reactor)
    settings = options.settings if options.settings.media else _withDemo(options.settings)
    media = MediaService(settings, reactor)
    # "python -m twisted mediasrv" is always in the foreground, and has no such option
    inForeground = options.parent is not None and bool(options.parent.get("nodaemon", True))
    server = Server(media, inForeground, reactor)
    listening: list[tuple[str, Factory]] = [(description, media.rtspFactory()) for description in settings.ports]
    listening += [(description, media.webFactory()) for description in settings.webPorts]
    for description, factory in listening:
        longer = withBacklog(description, reactor)
        port = strports.service(longer, factory, reactor)
        port.endpoint = serverEndpoint(reactor, longer)
        port.setServiceParent(server)
    process.tuneGarbageCollection()
    process.raiseFileLimit()
    return server
