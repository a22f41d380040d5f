"""
PLAY while playing, and PAUSE at a point (RFC 2326 sections 10.5 and 10.6): PLY-9, PAU-2, PAU-3.

RFC 2326 has PLAY requests wait for each other, RFC 7826 abolished that: the new one replaces the old one. Either is
taken here, provided that the server does one of them.
"""

from __future__ import annotations

from mediasrv.conform.checks.playing import playedUntil
from mediasrv.conform.grading import Grade, NotApplicable, check
from mediasrv.conform.judging import expect, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Play, Viewer

_SLACK = 0.7


def _length(play: Play, default: float) -> float:
    if play.start is None or play.end is None:
        return default
    return play.end - play.start


def _twoRanges(probe: Probe) -> tuple[Viewer, Play, Play]:
    """Two PLAYs of 1.5 s, the second while the first plays."""
    duration = probe.needOnDemand(10.0)
    viewer = probe.viewer()
    first = viewer.play("npt=1-2.5")
    viewer.begin(first)
    middle = round(duration / 2)
    return viewer, first, viewer.play(f"npt={middle}-{middle + 1.5}")


@check(
    "PLY-9",
    Grade.MUST,
    "RFC 2326 10.5, RFC 7826 13.4.3",
    "PLAY of another range while playing waits for the first, or replaces it.",
    media=True,
)
def playAnotherRange(probe: Probe) -> str:
    viewer, first, second = _twoRanges(probe)
    waited = second.reply.time - first.reply.time
    both = _length(first, 1.5) + _length(second, 1.5)
    latest = waited + _length(second, 1.5)
    require(viewer.quiet(most=both + 5.0), f"silence after {both:.1f} s", f"still packets after {both + 5:.1f} s")
    times = [each.time for reception in viewer.receptions for each in reception.packets]
    took = max(times) - min(times)
    isQueue, isReplaced = abs(took - both) <= _SLACK, abs(took - latest) <= _SLACK
    wanted = f"{both:.1f} s of media (both ranges), or {latest:.1f} s (the second replaces the first)"
    require(isQueue or isReplaced, wanted, f"{took:.1f} s")
    return "replaces" if isReplaced and not isQueue else "waits"


@check(
    "RTP-4",
    Grade.MUST,
    "RFC 2326 B",
    "Sequence numbers go on by one when one range follows the other, or replaces it.",
    media=True,
)
def sequenceOfTwoRanges(probe: Probe) -> None:
    viewer, _, _ = _twoRanges(probe)
    viewer.quiet(most=10.0)
    for reception in viewer.receptions:
        require(not reception.leaps, "steps of 1", f"{reception.name}: steps of {reception.leaps[:5]}")


@check("PAU-3", Grade.MUST, "RFC 2326 10.6", "PAUSE ends the PLAY that is on and those that wait.", media=True)
def pauseEndsAll(probe: Probe) -> None:
    viewer, _, _ = _twoRanges(probe)
    viewer.pause()
    before = viewer.received
    viewer.watch(3.0)
    require(viewer.received == before, "nothing after PAUSE", f"{viewer.received - before} packets")


@check(
    "PAU-2", Grade.SHOULD, "RFC 2326 10.6", "PAUSE with a Range takes effect when that point is reached.", media=True
)
def pauseAtAPoint(probe: Probe) -> None:
    duration = probe.needOnDemand(10.0)
    viewer = probe.viewer()
    play = viewer.play(f"npt={duration / 2:.1f}-")
    viewer.begin(play)
    if play.start is None:
        raise NotApplicable("no Range in the reply; see PLY-7")
    point = max(play.start, duration / 2) + 1.5
    expect(viewer.ask("PAUSE", [("Range", f"npt={point:.2f}")]), 200)
    require(viewer.quiet(0.8, 1.5 + point - play.start + 3.0), f"silence from {point:.2f} s on", "packets go on")
    last = playedUntil(viewer, play)
    require(point - 0.5 <= last < point - 0.002, f"up to {point:.2f} s, and nothing of it", f"up to {last:.3f} s")
    again = viewer.play()
    if again.start is not None:
        isThere = abs(again.start - point) < 0.6
        require(isThere, f"Range: npt={point:.2f}-…", f"Range: {again.reply.headers.get('Range')}")


@check("PAU-2 STATUS-457", Grade.SHOULD, "RFC 2326 10.6", "PAUSE at a point that no PLAY reaches is 457; it plays on.")
def pauseOutside(probe: Probe) -> None:
    duration = probe.needOnDemand(10.0)
    viewer = probe.viewer()
    viewer.begin(viewer.play(f"npt=0-{duration / 2:.1f}"))
    expect(viewer.ask("PAUSE", [("Range", f"npt={duration - 1:.1f}")]), 457)
    before = viewer.received
    viewer.watch(1.5)
    require(viewer.received > before, "it plays on", "silence")


@check("PAU-2", Grade.SHOULD, "RFC 2326 10.6", "PAUSE at a point that is passed stops at once, and PLAY resumes there.")
def pauseAtAPassedPoint(probe: Probe) -> None:
    duration = probe.needOnDemand(10.0)
    viewer = probe.viewer()
    play = viewer.play(f"npt={duration / 2:.1f}-")
    viewer.begin(play)
    viewer.watch(2.0)
    if play.start is None:
        raise NotApplicable("no Range in the reply; see PLY-7")
    point = play.start + 0.2
    expect(viewer.ask("PAUSE", [("Range", f"npt={point:.2f}")]), 200)
    require(viewer.quiet(0.8, 3.0), "silence", "packets go on")
    again = viewer.play()
    if again.start is not None:
        isThere = abs(again.start - point) < 0.6
        require(isThere, f"Range: npt={point:.2f}-…", f"Range: {again.reply.headers.get('Range')}")
