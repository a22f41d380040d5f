"""
Listeners to one multicast: as many RTSP sessions as wanted, and one socket that has joined their group and counts.

On the network of a real audience each packet is sent once, and the switches copy it; so one socket has it here as well.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from urllib.parse import urlsplit

from describing import Reply, parseReply

#: seconds for a reply
_PATIENCE = 10.0
#: bytes: more than a second of any clip here
_BUFFER = 4 << 20
_RTP = struct.Struct(">xxH")
_DESTINATION = re.compile(r"destination=([0-9.]+);port=([0-9]+)")

#: settings of the server that multicasts to this machine alone
SETTINGS = 'multicast = "239.255.42.0/24"\nmulticast-interface = "127.0.0.1"\n'


class Listener:
    """
    One session, on a connection of its own, that has set up the first track and plays.

    @ivar group: address and port of the group.
    """

    def __init__(self, url: str) -> None:
        """
        @raise OSError: if the server refuses, or is not there.
        """
        parts = urlsplit(url)
        self._connection = socket.create_connection((parts.hostname or "", parts.port or 554), _PATIENCE)
        self._session = ""
        self._sequence = 0
        self._url = url
        try:
            reply = self._ask("SETUP", f"{url}/trackID=0", "Transport: RTP/AVP;multicast")
            self._session = reply.headers["session"].partition(";")[0]
            found = _DESTINATION.search(reply.headers["transport"])
            if found is None:
                raise OSError(f"no multicast: {reply.headers['transport']}")
            self.group = found[1], int(found[2])
        except BaseException:
            self._connection.close()
            raise

    def play(self) -> None:
        """Begins to listen."""
        self._ask("PLAY", self._url)

    def _ask(self, method: str, url: str, *headers: str) -> Reply:
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}", *headers]
        if self._session:
            lines.append(f"Session: {self._session}")
        self._connection.sendall("\r\n".join([*lines, "", ""]).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            received = self._connection.recv(4096)
            if not received:
                raise ConnectionError("the server closed the connection")
            head += received
        reply = parseReply(head.partition(b"\r\n\r\n")[0], b"")
        if reply.code != 200:
            raise OSError(reply.line)
        return reply

    def close(self) -> None:
        """Leaves."""
        self._ask("TEARDOWN", self._url)
        self._connection.close()


class Ear:
    """
    A member of a group.

    @ivar packets: that came.
    @ivar octets: of them, without headers of UDP and IP.
    @ivar lost: that did not, by their numbers.
    """

    def __init__(self, group: tuple[str, int]) -> None:
        self.packets = self.octets = self.lost = 0
        self._next: int | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind(group)
        membership = socket.inet_aton(group[0]) + socket.inet_aton("127.0.0.1")
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

    def count(self, seconds: float) -> None:
        """Counts what comes for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return
            number = _RTP.unpack_from(data)[0]
            if self._next is not None:
                self.lost += (number - self._next) & 0xFFFF
            self._next = (number + 1) & 0xFFFF
            self.packets += 1
            self.octets += len(data)

    def close(self) -> None:
        """Leaves the group."""
        self._socket.close()
