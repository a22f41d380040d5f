"""
GStreamer seeks at other rates: the right pictures, in the right order, at the right pace.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import peers
import pytest
from serving import Server

_SCRIPT = os.path.join(os.path.dirname(__file__), "gstrates.py")

#: the interpreter that Debian's python3-gi is for
_PYTHON = "/usr/bin/python3"

_RATE = 25

#: rate, from, to (NPT seconds; -1 for the end), pictures per second of the presentation, properties of rtspsrc
_SEEKS = [
    (2.0, 2.0, -1.0, 25, ()),
    # its jitter buffer takes what is delivered slowly for late, unless it is told not to look
    (0.5, 2.0, -1.0, 25, ("buffer-mode=none",)),
    (-1.0, 0.0, 8.0, 5, ()),
    (-2.0, 0.0, 8.0, 5, ()),
]


def _introspection() -> None:
    check = [_PYTHON, "-c", "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst"]
    if not os.path.exists(_PYTHON) or subprocess.run(check, capture_output=True, check=False).returncode:
        peers.missing("GStreamer's introspection (python3-gi, gir1.2-gstreamer-1.0) is not installed")


@pytest.mark.deadline(60)
@pytest.mark.requirement("HDR-2", "HDR-3", "Q-8")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("rate", "start", "stop", "density", "properties"), _SEEKS)
async def test_seekWithARate(
    server: Server,
    clip: Callable[[str], Path],
    transport: str,
    rate: float,
    start: float,
    stop: float,
    density: float,
    properties: tuple[str, ...],
) -> None:
    _introspection()
    clip("numbers.mp4")
    url = server.url("numbers.mp4")
    outcome = await peers.run(
        [_PYTHON, _SCRIPT, url, f"{rate}", f"{start}", f"{stop}", "3", f"protocols={transport}", *properties], 40
    )
    assert outcome.code == 0, outcome.errors
    shown = [(float(time), int(number)) for time, number in map(str.split, outcome.output.decode().splitlines())]
    # sinks show the first picture twice after a seek
    shown = [entry for at, entry in enumerate(shown) if at == 0 or entry[1] != shown[at - 1][1]]
    first = round((start if rate > 0 else stop) * _RATE)
    if transport == "udp":
        # what was on its way when the seek began is in its sockets still, and a picture of it may be shown
        begins = next((at for at, (_, number) in enumerate(shown[:3]) if abs(number - first) <= 5), 0)
        shown = shown[begins:]
    numbers = [number for _, number in shown]
    assert len(numbers) > 2 * abs(rate) * density * 0.8, shown
    step = round(_RATE / density) * (1 if rate > 0 else -1)
    assert {after - before for before, after in pairwise(numbers)} == {step}, shown
    assert abs(numbers[0] - first) <= 5, shown
    # the pace, from the second picture on: before the first one it waits for its own latency
    (begun, early), (ended, late) = shown[1], shown[-1]
    assert abs((late - early) / _RATE / (ended - begun) / rate - 1) < 0.1, shown
