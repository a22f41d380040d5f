"""
A program: receives a presentation with libavformat's own RTSP client, through PyAV, and writes down what came.

    python receive.py URL udp|tcp FILE [SEEK SECONDS]

FILE gets a pickled list of (kind of track, seconds or None, bytes), a packet each. With SEEK it reads half a second,
seeks to SEEK, and notes in FILE only the packets of SECONDS from there on.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any

import av

Received = tuple[str, float | None, bytes]


def main(url: str, transport: str, path: str, seek: float | None = None, seconds: float = 0.0) -> None:
    with av.open(url, options={"rtsp_transport": transport}, timeout=10.0) as container:
        if seek is not None:
            _read(container, 0.5)
            container.seek(round(seek * 1_000_000), backward=True)
        received = _read(container, None if seek is None else seconds)
    with open(path, "wb") as file:
        pickle.dump(received, file)


def _read(container: Any, seconds: float | None) -> list[Received]:
    """What comes until the end, or for so long on the time line."""
    received: list[Received] = []
    first: float | None = None
    for packet in container.demux():
        if not packet.size:
            continue
        time = None if packet.pts is None else float(packet.pts * packet.time_base)
        received.append((packet.stream.type, time, bytes(packet)))
        first = time if first is None else first
        if seconds is not None and time is not None and first is not None and time > first + seconds:
            break
    return received


if __name__ == "__main__":
    address, protocol, target, *where = sys.argv[1:]
    main(address, protocol, target, *map(float, where))
