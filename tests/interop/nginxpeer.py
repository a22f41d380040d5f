"""
nginx in front of a server: as docs/metafiles.rst says, but for ports and for what it needs to run for a test.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path

import peers
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

_PAGE = Path(__file__).parent.parent.parent / "docs" / "metafiles.rst"

#: what stands around it: one process, in the foreground, that writes nothing outside of its folder
_MAIN = """\
master_process off;
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{proxy}
}}
"""


def documented() -> str:
    """The configuration that the documentation gives."""
    found = re.search(r"^\.\. code-block:: nginx\n\n((?:    .*\n|\n)+)", _PAGE.read_text(), re.M)
    assert found is not None
    return found[1]


def freePort() -> int:
    """A port of 127.0.0.1 that nobody has at the moment: nginx cannot have the system choose."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Nginx(ProcessProtocol):
    """
    One that runs until it is stopped.

    @ivar port: on 127.0.0.1.
    """

    def __init__(self) -> None:
        self.port = 0
        self._said: list[bytes] = []
        self._ended: Deferred[None] = Deferred()
        self._isRunning = False

    async def start(self, folder: Path, upstream: int, listen: str = "", more: str = "") -> None:
        """
        @param folder: an empty one.
        @param upstream: the port of the server behind it.
        @param listen: what follows the port in C{listen}.
        @param more: lines of C{server}.
        """
        program = peers.require("nginx")
        self.port = freePort()
        proxy = documented().replace("127.0.0.1:8080", f"127.0.0.1:{upstream}")
        assert "listen 80;" in proxy
        proxy = proxy.replace("listen 80;", f"listen 127.0.0.1:{self.port}{listen}; {more}")
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, proxy=proxy))
        arguments = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        reactor.spawnProcess(self, program, arguments, env={}, childFDs={0: "w", 1: "r", 2: "r"})
        while not self._listens():
            assert self._isRunning, b"".join(self._said).decode()
            await deferLater(reactor, 0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def connectionMade(self) -> None:
        self._isRunning = True

    async def stop(self) -> None:
        if self._isRunning:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess("KILL")
            await self._ended

    def errReceived(self, data: bytes) -> None:
        self._said.append(data)

    def processEnded(self, reason: Failure) -> None:
        self._isRunning = False
        self._ended.callback(None)
