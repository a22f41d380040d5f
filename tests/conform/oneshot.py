"""
The smallest server: whatever it is asked, it gives the one answer that it knows and hangs up.
"""

from __future__ import annotations

import socket
import threading


class OneShot:
    """
    @ivar port: on 127.0.0.1.
    """

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        # accept() does not notice that its socket is closed, but that somebody calls
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"stop")
            self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client:
                if client.recv(4096) == b"stop":
                    return
                client.sendall(self._answer)
