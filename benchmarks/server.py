"""
Our server as the thing to be measured: a process of its own, on a core of its own, fresh for each scenario.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: seconds that it may take to start and to stop
_PATIENCE = 15.0


class ServerError(Exception):
    """It does not start."""


@dataclass(frozen=True, slots=True)
class Server:
    """
    @ivar url: what the served folder is below, without a slash at the end.
    """

    url: str
    pid: int


@contextmanager
def running(folder: str, core: int | None, settings: str = "") -> Iterator[Server]:
    """
    Serves a folder until the end of the C{with} block.

    @param core: where all its threads run; None for anywhere.
    @param settings: of its TOML file; without C{http} in it there is no web port.
    @raise ServerError: if it does not start.
    """
    port = freePort()
    with tempfile.TemporaryDirectory(prefix="mediasrv-benchmark-") as place:
        config, log = os.path.join(place, "mediasrv.toml"), os.path.join(place, "log")
        with open(config, "w") as file:
            file.write(settings if "http =" in settings else f'http = "none"\n{settings}')
        options = ["--config", config, "--rtp-port", "0", "--media", f"load={folder}"]
        endpoint = f"tcp:{port}:interface=127.0.0.1:backlog=1024"
        command = [sys.executable, "-m", "twisted", "--log-level=warn", "mediasrv", *options, "--port", endpoint]
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, preexec_fn=lambda: _prepare(core)
            )
        try:
            awaitPort(port, process, log)
            yield Server(f"rtsp://127.0.0.1:{port}/load", process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _prepare(core: int | None) -> None:
    pinTo(core)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def pinTo(core: int | None) -> None:
    """Keeps this process on a core; for C{preexec_fn}."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def freePort() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demandFree(port: int) -> None:
    """
    Looks before a server is started: it may be seen to answer on its first port before it finds the second one taken.

    @raise ServerError: if somebody has a TCP port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(f"port {port}: {error.strerror}") from None


def awaitPort(port: int, process: subprocess.Popen[bytes], log: str) -> None:
    """
    Waits until a server answers on a port of this machine.

    @param log: the file of what it says.
    @raise ServerError: if it ends before, or takes too long.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    with open(log, errors="replace") as output:
        raise ServerError(f"the server does not start: {output.read()[-2000:].strip() or 'it says nothing'}")
