"""
Timeouts and signs of life (RFC 2326 section 12.37): TMO-1 to TMO-6, as far as nobody has to wait for them.
"""

from __future__ import annotations

import re

from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import expect, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.settingup import offered, setUp


def _session(probe: Probe) -> str:
    return expect(setUp(probe, offered(probe)), 200).headers.get("Session", "")


@check(
    "TMO-1",
    Grade.POLICY,
    "practice of FFmpeg and ExoPlayer",
    "The timeout is written ';timeout=60', without a space, and nothing else.",
)
def timeoutIsPlain(probe: Probe) -> str:
    value = _session(probe)
    if ";" not in value:
        raise NotApplicable("no timeout is given, which means 60 s")
    require(re.fullmatch(r"[^; ]+;timeout=[0-9]+", value) is not None, "id;timeout=seconds", f"Session: {value}")
    return value.partition(";")[2]


@check(
    "TMO-1", Grade.POLICY, "practice of Larix", "A client that repeats the timeout in its Session header is understood."
)
def timeoutIsRepeated(probe: Probe) -> None:
    viewer = probe.viewer()
    session = viewer.session
    viewer.session = f"{session};timeout=60"
    reply = viewer.ask("PLAY")
    viewer.session = session
    expect(reply, 200)


@check(
    "TMO-2", Grade.POLICY, "practice of VLC", "The timeout is more than 5 s: VLC says nothing until 2 s before its end."
)
def timeoutIsLong(probe: Probe) -> str:
    match = re.search(r";\s*timeout\s*=\s*([0-9]+)", _session(probe))
    seconds = int(match[1]) if match else 60
    require(seconds > 5, "more than 5", f"{seconds} s")
    return f"{seconds} s"


unseen("TMO-3", "Requests and receiver reports keep a session alive.", "takes as long as the timeout")
unseen("TMO-4 TMO-5", "A session without a sign of life ends, playing or paused.", "takes as long as the timeout")
unseen("TMO-6", "A connection without a session that says nothing is closed.", "takes as long as the timeout")
