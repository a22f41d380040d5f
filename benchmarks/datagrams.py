"""
Datagrams to counts, at hundreds of thousands a second: only headers are looked at.

UDP is read with C{recvmmsg}, which Python has not, through ctypes: one call brings up to 512 datagrams, cut off after
their headers. Receive offload (C{UDP_GRO}) would be one call per burst too, but must not be used here: on the loopback
interface the server's bursts would then arrive uncut, nobody would pay for cutting them, and the server would seem a
fifth cheaper than it is for receivers as they are.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable

from counting import TrackCount

_BATCH = 512
#: bytes kept of a datagram: the fixed RTP header of 12, in a whole number of words
_KEPT = 16
_RTP = struct.Struct(">xxHII4x")
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_BIG = 128 << 20


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr of recvmmsg(2), 64-bit."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("nameLength", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vectorCount", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controlLength", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("padding", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    ]


class DatagramReader:
    """
    Reads RTP datagrams from any number of sockets, one at a time.

    @ivar unknown: packets of nobody we know.
    """

    def __init__(self) -> None:
        self.unknown = 0
        self._heads = bytearray(_BATCH * _KEPT)
        kept = (ctypes.c_char * len(self._heads)).from_buffer(self._heads)
        self._vectors = (_Vector * _BATCH)()
        messages = bytearray(_BATCH * ctypes.sizeof(_Message))
        self._messages = (_Message * _BATCH).from_buffer(messages)
        for index, (vector, message) in enumerate(zip(self._vectors, self._messages, strict=True)):
            vector.base, vector.length = ctypes.addressof(kept) + index * _KEPT, _KEPT
            message.vectors, message.vectorCount = ctypes.pointer(vector), 1
        step, place = ctypes.sizeof(_Message) // 4, _Message.length.offset // 4
        self._lengths = memoryview(messages).cast("I")[place::step]
        self._receive = ctypes.CDLL(None, use_errno=True).recvmmsg

    def read(self, descriptor: int, find: Callable[[int], TrackCount | None], clock: Callable[[], float]) -> None:
        """
        Counts what has come to a socket.

        @param find: gives the track of an SSRC.
        """
        for _ in range(64):  # then it is the turn of other sockets
            flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC
            count = self._receive(descriptor, self._messages, _BATCH, flags, None)
            if count < 0:
                code = ctypes.get_errno()
                if code not in (errno.EAGAIN, errno.EINTR):
                    raise OSError(code, os.strerror(code))
                return
            self._count(count, find, clock())
            if count < _BATCH:
                return

    def _count(self, count: int, find: Callable[[int], TrackCount | None], now: float) -> None:
        current = first = packets = size = last = -1
        following = -1
        heads = _RTP.iter_unpack(memoryview(self._heads)[: count * _KEPT])
        for (sequence, stamp, ssrc), length in zip(heads, self._lengths[:count].tolist(), strict=True):
            if sequence == following and ssrc == current:
                packets += 1
                size += length
            else:
                if packets > 0:
                    self._add(find(current), first, packets, size, last, now)
                current, first, packets, size = ssrc, sequence, 1, length
            last = stamp
            following = (sequence + 1) & 0xFFFF
        self._add(find(current), first, packets, size, last, now)

    def _add(self, track: TrackCount | None, first: int, packets: int, size: int, stamp: int, now: float) -> None:
        if track is None:
            self.unknown += packets
        else:
            track.add(first, packets, size, stamp, now)


def openPair(host: str) -> tuple[socket.socket, socket.socket]:
    """
    Two UDP sockets on neighbouring ports, the first even, for RTP and RTCP.

    @param host: our address on the way to the server.
    @raise OSError: if there are none left.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(1000):
        rtp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        rtcp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            rtp.bind((host, 0))
            port = rtp.getsockname()[1]
            if port % 2 == 0:
                rtcp.bind((host, port + 1))
                _enlarge(rtp)
                return rtp, rtcp
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        rtp.close()
        rtcp.close()
    raise OSError(errno.EADDRINUSE, "no two neighbouring UDP ports are free")


def _enlarge(rtp: socket.socket) -> None:
    try:
        rtp.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BIG)
    except PermissionError:  # only for root; the system's limit then holds
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BIG)


def droppedHere(rtp: socket.socket) -> int:
    """Packets that came to a socket and found no room in its buffer: lost by us, not on the way."""
    (drops,) = struct.unpack_from("I", rtp.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36), 32)
    return int(drops)
