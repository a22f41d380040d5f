"""
Binary data in the RTSP connection (RFC 2326 section 10.12): INT-1 to INT-5.
"""

from __future__ import annotations

import time

from mediasrv.conform.grading import Failed, Grade, check
from mediasrv.conform.judging import expect, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Viewer
from mediasrv.rtp.rtcp import ReceiverReport, SourceDescription, packCompound


def _playing(probe: Probe) -> Viewer:
    viewer = probe.viewer(transport="tcp")
    viewer.begin(viewer.play())
    return viewer


def _frame(channel: int, data: bytes) -> bytes:
    return b"$" + bytes((channel,)) + len(data).to_bytes(2, "big") + data


def _goesOn(viewer: Viewer) -> None:
    expect(viewer.ask("OPTIONS"), 200)
    before = viewer.received
    viewer.watch(3.0, lambda: viewer.received > before)
    require(viewer.received > before, "it plays on", "silence")


@check(
    "INT-1",
    Grade.MUST,
    "RFC 2326 10.12",
    "Frames and replies do not cut into each other, and come on the channels that were set up.",
)
def framesAndReplies(probe: Probe) -> None:
    viewer = _playing(probe)
    for _ in range(10):
        expect(viewer.ask("OPTIONS"), 200)
        viewer.watch(0.1)
    connection = viewer.connection
    require(not connection.garbage, "frames and messages alone", connection.garbage)
    channels = ", ".join(map(str, sorted(connection.unclaimed)))
    require(not connection.unclaimed, "the channels that were set up", f"frames on {channels}")
    broken = [each for reception in viewer.receptions for each in reception.broken]
    require(not broken, "one RTP or RTCP packet in each frame", "; ".join(broken[:2]))


@check("INT-2", Grade.POLICY, "practice of FFmpeg", "No frame is shorter than 8 bytes: FFmpeg loses its way after one.")
def shortFrames(probe: Probe) -> None:
    viewer = _playing(probe)
    viewer.watch(2.0)
    smallest = viewer.connection.smallestFrame or 0
    require(smallest >= 8, "8 bytes or more", f"{smallest} bytes")


@check(
    "INT-3 RTCP-5",
    Grade.MUST,
    "RFC 2326 10.12",
    "The client may send RTCP on the channel for it, between its requests.",
)
def reportsFromClients(probe: Probe) -> None:
    viewer = _playing(probe)
    channels = viewer.receptions[0].transport.interleaved
    report = packCompound([ReceiverReport(1234), SourceDescription.named(1234, "viewer@example.com")])
    for _ in range(3):
        viewer.connection.send(_frame(channels[1] if channels else 1, report))
    probe.network.note(">", "three receiver reports")
    _goesOn(viewer)


@check(
    "INT-3 RTCP-5",
    Grade.POLICY,
    "RFC 2326 10.12",
    "Frames that nobody needs are skipped: unknown channels, empty ones, no RTCP.",
)
def oddFrames(probe: Probe) -> None:
    viewer = _playing(probe)
    for frame in (_frame(99, b"unknown"), _frame(1, b""), _frame(1, b"\xff" * 40), _frame(0, bytes(65535))):
        viewer.connection.send(frame)
    probe.network.note(">", "frames: on channel 99, empty, no RTCP, of 65535 bytes")
    _goesOn(viewer)


@check(
    "INT-4",
    Grade.POLICY,
    "RFC 2326 10.12",
    "What is neither frame nor message gets an answer or closes the connection; others do not notice.",
)
def garbage(probe: Probe) -> str:
    viewer = _playing(probe)
    probe.connection.sendQuietly(b"\x00\x01\x02 neither of them \xff\r\n\r\n")
    probe.network.note(">", "what is neither frame nor message")
    try:
        answer = str(probe.connection.answer().code)
    except Failed as failure:
        require(not probe.connection.isOpen, "an answer, or the connection closed", failure.got)
        answer = "closed"
    _goesOn(viewer)
    return answer


@check("INT-5", Grade.SHOULD, "RFC 2326 10.12", "A client that does not read for a while still gets its answers.")
def slowReader(probe: Probe) -> None:
    viewer = _playing(probe)
    time.sleep(3.0)
    _goesOn(viewer)
    require(not viewer.connection.garbage, "whole frames", viewer.connection.garbage)
