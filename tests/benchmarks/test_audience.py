"""The audience of the multicast scenario against a real server: every packet counted, once for all."""

from __future__ import annotations

from pathlib import Path

import media
import pytest
from audience import SETTINGS, Ear, Listener
from server import running

CLIP = media.Clip("clip.mp4", 320, 180, 300_000, 64_000, 12)


def test_listeners(tmp_path: Path) -> None:
    media.make(str(tmp_path), CLIP, duration=4)
    with running(str(tmp_path), None, SETTINGS) as server:
        listeners = [Listener(f"{server.url}/{CLIP.name}") for _ in range(3)]
        assert len({each.group for each in listeners}) == 1
        ear = Ear(listeners[0].group)
        for each in listeners:
            each.play()
        ear.count(1.0)
        assert (ear.packets > 20, ear.octets > 10_000, ear.lost) == (True, True, 0)
        for each in listeners:
            each.close()
        ear.count(0.2)
        counted = ear.packets
        ear.count(0.3)
        assert ear.packets == counted
        ear.close()


def test_aServerWithoutMulticast(tmp_path: Path) -> None:
    media.make(str(tmp_path), CLIP, duration=4)
    with running(str(tmp_path), None) as server, pytest.raises(OSError, match="461"):
        Listener(f"{server.url}/{CLIP.name}")
