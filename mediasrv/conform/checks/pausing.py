"""
PAUSE (RFC 2326 section 10.6): PAU-1, PAU-4 to PAU-8.
"""

from __future__ import annotations

from mediasrv.conform.checks.playing import playedUntil
from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import expect, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import UNDER_WAY


@check("PAU-1", Grade.MUST, "RFC 2326 10.6", "After the reply to PAUSE nothing more comes.", media=True)
def pauseStops(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.watch(0.7)
    reply = expect(viewer.ask("PAUSE"), 200)
    viewer.watch(1.5)
    limit = reply.time + (UNDER_WAY if viewer.transport == "udp" else 0.0)
    late = [
        each
        for reception in viewer.receptions
        for each in reception.packets
        if each.order > reply.order and each.time >= limit
    ]
    require(
        not late,
        "no RTP after the reply",
        f"{len(late)} packets, {late[-1].time - reply.time:.2f} s later" if late else "",
    )


@check(
    "PAU-4",
    Grade.MUST,
    "RFC 2326 10.6",
    "After a pause the tracks are as much in step as before, and nothing is left out.",
    media=True,
)
def pauseKeepsStep(probe: Probe) -> None:
    probe.needOnDemand(8.0)
    viewer = probe.viewer()
    play = viewer.play("npt=1-")
    viewer.begin(play)
    viewer.watch(1.2)
    viewer.pause()
    point = playedUntil(viewer, play)
    counts = [len(each.packets) for each in viewer.receptions]
    viewer.watch(0.8)
    again = viewer.play()
    viewer.begin(again)
    for reception, count in zip(viewer.receptions, counts, strict=True):
        info = viewer.infoOf(again, reception)
        if again.start is None or info is None or info.rtptime is None:
            raise NotApplicable("no Range or RTP-Info in the reply to PLAY")
        first = viewer.packetsOf(again, reception)[0]
        where = again.start + (first.timestamp - reception.near(info.rtptime)) / reception.clockRate
        wanted = f"every track near {point:.2f} s"
        require(abs(where - point) < 1.0, wanted, f"{reception.name} at {where:.2f} s")
        gap = first.sequence - reception.packets[count - 1].sequence
        require(gap == 1, "the next sequence number", f"{reception.name}: {gap} further")


@check("PAU-5", Grade.POLICY, "RFC 2326 A.2", "PAUSE before the first PLAY is 455, and PLAY works afterwards.")
def pauseInReady(probe: Probe) -> None:
    viewer = probe.viewer()
    reply = expect(viewer.ask("PAUSE"), 455, 200, wanted="455 (RFC 7826 also has 200)")
    expect(viewer.ask("PLAY"), 200)
    require(reply.code == 455, "455", "200")


@check(
    "PAU-5", Grade.POLICY, "RFC 7826 13.6", "PAUSE after the end of a range, of which the client need not know, is 200."
)
def pauseAfterARange(probe: Probe) -> None:
    probe.needOnDemand(4.0)
    viewer = probe.viewer()
    viewer.begin(viewer.play("npt=0-1"))
    viewer.quiet(most=5.0)
    expect(viewer.ask("PAUSE"), 200)


@check("PAU-5 STATUS-454", Grade.MUST, "RFC 2326 A.2", "PAUSE without a session is refused, with 454 (or 455).")
def pauseWithoutSession(probe: Probe) -> None:
    expect(probe.connection.ask("PAUSE", probe.subject.aggregate), 454, 455)
    expect(probe.connection.ask("PAUSE", probe.subject.aggregate, [("Session", "0123456789abcdef")]), 454)


@check("PAU-6", Grade.POLICY, "RFC 7826 13.6", "The reply to PAUSE says in Range where it is.")
def rangeOfPause(probe: Probe) -> None:
    probe.needOnDemand()
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    require(viewer.pause().headers.get("Range") is not None, "a Range", "none")


@check(
    "PAU-8 STATUS-460",
    Grade.MUST,
    "RFC 2326 10.6",
    "PAUSE of one track of several stops that one alone, or is 460.",
    media=True,
)
def pauseOneTrack(probe: Probe) -> str:
    probe.needTracks(2)
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    paused, other = viewer.receptions[0], viewer.receptions[1]
    reply = expect(viewer.ask("PAUSE", url=paused.track.url), 200, 460)
    if reply.code == 460:
        return "460"
    viewer.watch(0.2)
    before, beforeOther = len(paused.packets), len(other.packets)
    viewer.watch(1.5)
    require(len(paused.packets) == before, f"no {paused.name} any more", f"{len(paused.packets) - before} packets")
    require(len(other.packets) > beforeOther, f"{other.name} goes on", "silence")
    return "stops it"


unseen("PAU-7", "A live source that cannot pause drops what comes meanwhile, or refuses.", "depends on the source")
