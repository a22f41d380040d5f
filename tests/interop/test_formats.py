"""
Every clip, taken apart by our own unpackers: every unit, at its time to the tick.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import clips
import essence
import peers
import pytest
from rtspclient import RTSPClient
from serving import Server

_NAMES = list(clips.CLIPS)

#: what is cut into packets anew, so that units are no units of the file
_SAMPLES = frozenset({"flac", "pcm_s16le", "pcm_alaw", "pcm_mulaw", "adpcm_g722"})


async def played(server: Server, name: str, transport: str) -> RTSPClient:
    """A client that has got all of a clip."""
    client = await RTSPClient.connect(server.port)
    try:
        await client.setUp(server.url(name), transport)
        await client.play("npt=0-")
        await client.end()
    finally:
        await client.close()
    return client


def complaints(path: Path, client: RTSPClient) -> list[str]:
    found = []
    for stream, track in zip(essence.readFile(path), client.tracks, strict=True):
        units = track.units()
        codec = "" if stream.codec in _SAMPLES else stream.codec
        wrong = essence.difference(
            essence.essenceOf(codec, (unit.data for unit in units)), essence.expected(stream, path)
        )
        if not wrong and codec:
            assert client.playing is not None
            zero = client.playing.infos[track.url].rtptime
            assert zero is not None
            # how exactly the container counts
            slack = 1 + (0.001 * track.clockRate if path.suffix in (".mkv", ".webm") else 0)
            offs = [
                ((unit.timestamp - zero + (1 << 31)) % (1 << 32) - (1 << 31)) - wanted.pts * track.clockRate
                for unit, wanted in zip(units, stream.units, strict=True)
            ]
            if max(map(abs, offs)) > slack:
                wrong = f"timestamps are off by {min(offs):.1f} to {max(offs):.1f} ticks"
        if wrong:
            found.append(f"{path.name}: {stream.kind} {stream.codec}: {wrong}")
    return found


@pytest.mark.requirement("RTP-3", "RTP-9", "SDP-3")
@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_everyUnit(server: Server, clip: Callable[[str], Path], transport: str) -> None:
    paths = [clip(name) for name in _NAMES]
    clients = await peers.together(played(server, name, transport) for name in _NAMES)
    wrong = [complaint for path, client in zip(paths, clients, strict=True) for complaint in complaints(path, client)]
    assert not wrong, "\n".join(wrong)
