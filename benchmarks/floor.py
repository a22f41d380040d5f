#!/usr/bin/env python3
"""
The floor of a machine for sending RTP over UDP: what the kernel takes, with no server around it.

    taskset -c 0 python benchmarks/floor.py

One process sends datagrams of 1,400 bytes to another over the loopback interface, one per call, and in bursts by
segmentation offload with the header and the payload of each datagram as buffers of their own, as a server has them.
The payloads lie all over more memory than the processor's caches hold, for so do those of viewers at different places
of a film. A server's CPU seconds per GB divided by these say how far it is from what the kernel allows.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from report import table

_UDP_SEGMENT = 103
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_HEADER = struct.Struct(">BBHII")
_PAYLOAD = 1388
_SIZE = _HEADER.size + _PAYLOAD
_BUFFER = 64 << 20
#: bytes of payloads
_MEMORY = 64 << 20
#: datagrams between two pauses, so that the receiver keeps up as it does behind a pacing server
_STROKE = 200
_PAUSE = 0.001
_END = b"end"


def measure(datagrams: int = 100_000, bursts: tuple[int, ...] = (5, 10, 20, 40)) -> list[dict[str, Any]]:
    """
    @param datagrams: to send in each way.
    @param bursts: datagrams per call, with segmentation offload.
    @return: per way C{burst} (1 without offload), C{microsecondsPerDatagram}, C{cpuSecondsPerGB} and C{received}, the
        part that arrived. A kernel without offload gives the first only.
    """
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        _enlarge(receiver, socket.SO_RCVBUF, _SO_RCVBUFFORCE)
        _enlarge(sender, socket.SO_SNDBUF, _SO_SNDBUFFORCE)
        receiver.bind(("127.0.0.1", 0))
        sender.connect(receiver.getsockname())
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _drain(receiver, writing)
        try:
            found = [_measureOne(1, datagrams, sender, reading, _sendOne(sender))]
            with contextlib.suppress(OSError):
                for burst in bursts:
                    found.append(_measureOne(burst, datagrams, sender, reading, _sendBurst(sender, burst)))
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reading)
            os.close(writing)
    return found


def _measureOne(
    burst: int, datagrams: int, sender: socket.socket, reading: int, send: Callable[[int], object]
) -> dict[str, Any]:
    before, stroke = time.process_time(), 0
    for number in range(0, datagrams, burst):
        send(number)
        stroke += burst
        if stroke >= _STROKE:
            time.sleep(_PAUSE)
            stroke = 0
    used = time.process_time() - before
    sent = -(-datagrams // burst) * burst
    while not select.select([reading], [], [], 0.1)[0]:
        sender.send(_END)
    (received,) = struct.unpack("Q", os.read(reading, 8))
    return {
        "burst": burst,
        "microsecondsPerDatagram": round(used / sent * 1e6, 3),
        "cpuSecondsPerGB": round(used / (sent * _SIZE) * 1e9, 3),
        "received": round(received / sent, 4),
    }


def _sendOne(sender: socket.socket) -> Callable[[int], object]:
    bursts = _scattered(1)

    def send(number: int) -> None:
        (payload,) = next(bursts)
        sender.sendmsg((_HEADER.pack(0x80, 96, number & 0xFFFF, 0, 0), payload))

    return send


def _sendBurst(sender: socket.socket, burst: int) -> Callable[[int], object]:
    bursts = _scattered(burst)
    control = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", _SIZE))]

    def send(number: int) -> None:
        buffers: list[Any] = []
        for index, payload in enumerate(next(bursts)):
            buffers += (_HEADER.pack(0x80, 96, (number + index) & 0xFFFF, 0, 0), payload)
        sender.sendmsg(buffers, control)

    return send


def _scattered(burst: int) -> Iterator[list[bytes]]:
    """Payloads of one burst after the other, in no order."""
    count = _MEMORY // (_PAYLOAD * burst)
    bursts = [[bytes(_PAYLOAD) for _ in range(burst)] for _ in range(count)]
    random.Random(count).shuffle(bursts)
    return itertools.cycle(bursts)


def _drain(receiver: socket.socket, writing: int) -> None:
    """The child: counts, and says how many came when the end is there. Never returns."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0) or os.sched_getaffinity(0))
    buffer = bytearray(2048)
    received = 0
    while True:
        if receiver.recv_into(buffer) > len(_END):
            received += 1
        elif received:  # the end may be said several times
            os.write(writing, struct.pack("Q", received))
            received = 0


def _enlarge(which: socket.socket, option: int, force: int) -> None:
    try:
        which.setsockopt(socket.SOL_SOCKET, force, _BUFFER)
    except PermissionError:
        which.setsockopt(socket.SOL_SOCKET, option, _BUFFER)


def main(arguments: list[str]) -> int:
    found = measure()
    if arguments == ["--json"]:
        print(json.dumps(found, indent=2))
        return 0
    lines = [
        (
            f"offload of {each['burst']}" if each["burst"] > 1 else "one at a time",
            f"{each['microsecondsPerDatagram']:.2f}",
            f"{each['cpuSecondsPerGB']:.2f}",
            f"{each['received']:.1%}",
        )
        for each in found
    ]
    print(table(lines, ("sent", "µs per datagram", "CPU-s per GB", "received")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
