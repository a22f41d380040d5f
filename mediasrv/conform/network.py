"""
The sockets of one check, and the order of what comes on them.

It blocks. All of them are read whenever something is waited for, so that nothing is lost meanwhile, and that the order
in which things came on one connection is known.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

#: what gets a packet: its bytes, monotonic seconds, and its place in the order
Receiver = Callable[[bytes, float, int], None]


class Network:
    """
    The sockets of one check.

    @ivar timeout: seconds of silence after which an answer is missed.
    @ivar dialogue: what was said, one line for each message, C{">"} for ours.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.dialogue: list[str] = []
        self.lastSent = ""
        self.lastGot = ""
        self._order = 0
        self._readers: dict[socket.socket, Callable[[float], None]] = {}

    def watch(self, reader: socket.socket, read: Callable[[float], None]) -> None:
        """Reads a socket from now on."""
        self._readers[reader] = read

    def forget(self, reader: socket.socket) -> None:
        """Closes a socket."""
        self._readers.pop(reader, None)
        reader.close()

    def nextOrder(self) -> int:
        self._order += 1
        return self._order

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Reads whatever comes for so long, or until something is so; returns whether it is."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            if not self._readers:
                time.sleep(min(left, 0.05))
                continue
            ready, _, _ = select.select(list(self._readers), [], [], left)
            now = time.monotonic()
            for each in ready:
                if each in self._readers:
                    self._readers[each](now)
        return True

    def note(self, sign: str, line: str) -> None:
        """Writes a line of the dialogue."""
        self.dialogue.append(f"{sign} {line}")
        if sign == ">":
            self.lastSent, self.lastGot = line, ""
        else:
            self.lastGot = line

    def close(self) -> None:
        for each in list(self._readers):
            self.forget(each)
