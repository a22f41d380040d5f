"""
RTCP, as a viewer sees it (RFC 3550 section 6): RTCP-1 to RTCP-3 and RTCP-7.
"""

from __future__ import annotations

from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import require
from mediasrv.conform.probing import Probe
from mediasrv.conform.reception import Reception
from mediasrv.conform.viewing import Viewer
from mediasrv.rtp.rtcp import Goodbye, ReceiverReport, SenderReport, SourceDescription, unixSeconds

#: seconds within which the reports of all tracks have to agree
_AGREEMENT = 0.001
#: seconds until the first report: RFC 3550 section 6.2 has half of the least interval, 5 s, and half as much again
_FIRST = 4.0
#: packets that a server may have counted and not sent when it makes its report
_UNDER_WAY = 5


def _reported(probe: Probe) -> Viewer:
    """Plays until every track has a sender report."""
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.watch(_FIRST, lambda: all(each.reports for each in viewer.receptions))
    missing = [each.name for each in viewer.receptions if not each.reports]
    require(not missing, f"a sender report on every track within {_FIRST:g} s", f"none of {', '.join(missing)}")
    return viewer


@check(
    "RTCP-1",
    Grade.MUST,
    "RFC 3550 6.1",
    "Every RTCP packet is compound: a report first, then SDES with a CNAME.",
    media=True,
)
def compoundPackets(probe: Probe) -> None:
    viewer = _reported(probe)
    for reception in viewer.receptions:
        require(not reception.broken, "RTCP packets", "; ".join(reception.broken[:2]))
        for compound in reception.compounds:
            kinds = ", ".join(type(each).__name__ for each in compound.packets)
            first = compound.packets[0]
            require(isinstance(first, SenderReport | ReceiverReport), "a report first", f"{reception.name}: {kinds}")
            named = [each for each in compound.packets if isinstance(each, SourceDescription) and each.names()]
            require(bool(named), "SDES with CNAME", f"{reception.name}: {kinds}")


@check(
    "RTCP-1",
    Grade.MUST,
    "RFC 3550 6.5.1",
    "All tracks of a session have one CNAME, by which players put them together.",
    media=True,
)
def oneName(probe: Probe) -> None:
    probe.needTracks(2)
    viewer = _reported(probe)
    names = {
        name
        for reception in viewer.receptions
        for compound in reception.compounds
        for packet in compound.packets
        if isinstance(packet, SourceDescription)
        for name in packet.names().values()
    }
    require(len(names) == 1, "one CNAME", ", ".join(sorted(names)) or "none")


@check(
    "RTCP-2",
    Grade.POLICY,
    "practice of live555 and FFmpeg",
    "Sender reports come with the first packets: players wait for them, or jump.",
    media=True,
)
def reportsAtOnce(probe: Probe) -> str:
    viewer = _reported(probe)
    delays = [each.compounds[0].time - each.packets[0].time for each in viewer.receptions]
    require(max(delays) <= 1.0, "within 1 s", f"{max(delays):.2f} s after the first packet")
    return f"{max(0.0, *delays) * 1000:.0f} ms"


@check(
    "RTCP-2",
    Grade.MUST,
    "RFC 3550 6.4.1",
    "A sender report names the SSRC of its track, and a time of day.",
    media=True,
)
def reportsAreOfTheTrack(probe: Probe) -> None:
    viewer = _reported(probe)
    for reception in viewer.receptions:
        report = reception.reports[0]
        used = reception.packets[0].packet.ssrc
        require(report.ssrc == used, f"SSRC {used:08X}", f"{reception.name}: SSRC {report.ssrc:08X}")
        require(report.ntp != 0, "an NTP timestamp", f"{reception.name}: 0")


@check(
    "RTCP-2", Grade.SHOULD, "RFC 3550 6.4.1", "The packet count of a sender report is that of the packets sent so far."
)
def packetCounts(probe: Probe) -> None:
    viewer = probe.viewer(transport="tcp")
    viewer.begin(viewer.play())
    viewer.watch(_FIRST, lambda: all(each.reports for each in viewer.receptions))
    for reception in viewer.receptions:
        for compound in reception.compounds:
            for report in compound.packets:
                if isinstance(report, SenderReport):
                    got = f"{reception.name}: {report.packetCount}"
                    wanted = f"{compound.packetsBefore}, as many as came before it"
                    require(abs(report.packetCount - compound.packetsBefore) <= _UNDER_WAY, wanted, got)


def _unix(reception: Reception, timestamp: int, index: int = -1) -> float:
    """The time of day that a sender report gives an unwrapped timestamp."""
    report = reception.reports[index]
    return unixSeconds(report.ntp) + (timestamp - reception.near(report.rtpTime)) / reception.clockRate


@check(
    "RTCP-3",
    Grade.POLICY,
    "RFC 3550 6.4.1",
    "The sender reports of all tracks put the start of the Range at the same time, to 1 ms.",
    media=True,
)
def reportsAgree(probe: Probe) -> str:
    probe.needTracks(2)
    viewer = probe.viewer()
    play = viewer.play()
    viewer.begin(play)
    viewer.watch(_FIRST, lambda: all(each.reports for each in viewer.receptions))
    times = {}
    for reception in viewer.receptions:
        info = viewer.infoOf(play, reception)
        if info is None or info.rtptime is None or not reception.reports:
            raise NotApplicable("no RTP-Info, or no sender report; see RTP-1 and RTCP-2")
        times[reception.name] = _unix(reception, reception.near(info.rtptime))
    apart = max(times.values()) - min(times.values())
    require(apart <= _AGREEMENT, "within 1 ms", f"{apart * 1000:.2f} ms apart")
    return f"{apart * 1000:.2f} ms apart"


@check(
    "RTCP-3", Grade.POLICY, "RFC 7826 C.4", "Over a pause and a seek, sender reports go on along one line.", media=True
)
def reportsStayOnALine(probe: Probe) -> str:
    duration = probe.needOnDemand(8.0)
    viewer = _reported(probe)
    viewer.pause()
    viewer.watch(1.0)
    counts = [len(each.reports) for each in viewer.receptions]
    viewer.begin(viewer.play(f"npt={duration / 2:.1f}-"))
    viewer.watch(7.5, lambda: all(len(each.reports) > n for each, n in zip(viewer.receptions, counts, strict=True)))
    drift = []
    for reception, count in zip(viewer.receptions, counts, strict=True):
        if len(reception.reports) == count:
            raise NotApplicable("no sender report within 7 s after the seek")
        last = reception.near(reception.reports[-1].rtpTime)
        drift.append(abs(_unix(reception, last, 0) - _unix(reception, last)))
    require(max(drift) < 0.01, "on the line of the first report, to 10 ms", f"{max(drift) * 1000:.1f} ms beside it")
    return f"{max(drift) * 1000:.2f} ms beside it"


@check(
    "RTCP-7",
    Grade.POLICY,
    "practice of FFmpeg and VLC",
    "At the end of the media every track says BYE, which players take for the end.",
    media=True,
)
def byeAtTheEnd(probe: Probe) -> None:
    duration = probe.needOnDemand(4.0)
    viewer = probe.viewer()
    viewer.begin(viewer.play(f"npt={duration - 1.5:.2f}-"))
    viewer.watch(10.0, lambda: all(each.farewell for each in viewer.receptions))
    missing = [each.name for each in viewer.receptions if each.farewell is None]
    require(not missing, "BYE on every track", f"none on {', '.join(missing)}", "PLAY to the end")


@check("RTCP-7", Grade.MUST, "RFC 3550 6.6", "After BYE a track sends nothing more.", media=True)
def nothingAfterBye(probe: Probe) -> None:
    duration = probe.needOnDemand(4.0)
    viewer = probe.viewer()
    viewer.begin(viewer.play(f"npt={duration - 1.5:.2f}-"))
    viewer.watch(10.0, lambda: all(each.farewell for each in viewer.receptions))
    viewer.watch(0.7)
    for reception in viewer.receptions:
        bye = reception.farewell
        if bye is None:
            raise NotApplicable("no BYE")
        limit = bye.time + (0.1 if viewer.transport == "udp" else 0.0)
        late = sum(each.order > bye.order and each.time >= limit for each in reception.packets)
        require(not late, "nothing after BYE", f"{reception.name}: {late} packets")
        kinds = [isinstance(each, Goodbye) for each in bye.packets]
        require(kinds == sorted(kinds), "BYE last in its packet", f"{reception.name}: not last")


@check("RTCP-7", Grade.POLICY, "RFC 7826 C.10", "TEARDOWN is followed, or preceded, by BYE.", media=True)
def byeOfTearDown(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.watch(0.3)
    viewer.tearDown()
    viewer.watch(1.0, lambda: all(each.farewell for each in viewer.receptions))
    missing = [each.name for each in viewer.receptions if each.farewell is None]
    require(not missing, "BYE on every track", f"none on {', '.join(missing)}")


@check(
    "RTCP-7",
    Grade.POLICY,
    "RFC 7826 C.10",
    "A pause, or the end of a range that was asked for, is no BYE: the SSRC goes on.",
    media=True,
)
def noByeOfPause(probe: Probe) -> None:
    probe.needOnDemand(8.0)
    viewer = probe.viewer()
    viewer.begin(viewer.play("npt=0-1"))
    viewer.quiet(most=5.0)
    said = [each.name for each in viewer.receptions if each.farewell is not None]
    require(not said, "no BYE", f"BYE on {', '.join(said)}", "PLAY | Range: npt=0-1")


unseen(
    "RTCP-4 RTCP-6 RTCP-8 RTCP-9 RTCP-10 RTCP-11",
    "Receivers' RTCP, feedback, retransmission, RTCP on RTP's port.",
    "not asked yet",
)
