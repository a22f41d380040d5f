"""
nginx as the thing to be measured, or to be compared with: one worker, C{sendfile} on, no log.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from server import Server, ServerError, awaitPort, freePort, pinTo

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {place}/pid;
error_log {place}/log;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}; }}
}}
"""


@contextmanager
def running(folder: str, core: int | None) -> Iterator[Server]:
    """
    Serves a folder until the end of the C{with} block.

    @param core: where it runs; None for anywhere.
    @raise ServerError: if it is not installed, or does not start.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise ServerError("nginx is not installed")
    port = freePort()
    with tempfile.TemporaryDirectory(prefix="mediasrv-benchmark-") as place:
        configuration, log = os.path.join(place, "nginx.conf"), os.path.join(place, "log")
        # started by root its worker would be somebody else, who may not read the folder
        user = "" if os.geteuid() else "user root;"
        with open(configuration, "w") as file:
            file.write(_CONFIGURATION.format(place=place, user=user, port=port, folder=folder))
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [program, "-p", place, "-c", configuration],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                preexec_fn=lambda: pinTo(core),
            )
        try:
            awaitPort(port, process, log)
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            process.wait()
