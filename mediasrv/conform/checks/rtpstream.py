"""
The RTP stream over a session's life (RFC 2326 appendix B, RFC 3550): RTP-4 to RTP-13.
"""

from __future__ import annotations

import itertools

from mediasrv.conform.checks.rtpinfo import plays
from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import require
from mediasrv.conform.probing import Probe
from mediasrv.conform.reception import Reception

#: seconds by which the timestamps of pictures in decoding order go back and forth
_REORDERED = 0.5


@check("RTP-4", Grade.MUST, "RFC 2326 B", "Sequence numbers go on by one over pauses and seeks.", media=True)
def sequenceNumbers(probe: Probe) -> None:
    viewer = probe.viewer()
    plays(probe, viewer)
    for reception in viewer.receptions:
        require(not reception.leaps, "steps of 1", f"{reception.name}: steps of {reception.leaps[:5]}")


@check("RTP-5", Grade.MUST, "RFC 2326 B", "Timestamps do not go back when there is a pause or a seek.", media=True)
def timestampsGoOn(probe: Probe) -> None:
    viewer = probe.viewer()
    for play in plays(probe, viewer)[1:]:
        for index, reception in enumerate(viewer.receptions):
            before = reception.packets[: play.counts[index]]
            after = reception.packets[play.counts[index] :]
            gap = (after[0].timestamp - max(each.timestamp for each in before)) / reception.clockRate
            got = f"{reception.name}: a step of {gap:+.3f} s"
            require(gap >= -_REORDERED, "no step back", got, f"PLAY after PAUSE: {play.reply.headers.get('Range')}")
            require(gap < 60.0, "no leap", got, f"PLAY after PAUSE: {play.reply.headers.get('Range')}")


@check("RTP-5", Grade.POLICY, "RFC 7826 C.4", "A pause shows in the timestamps as the time that it took.", media=True)
def pauseInTimestamps(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.watch(1.0)
    viewer.pause()
    viewer.watch(2.0)
    counts = [len(each.packets) for each in viewer.receptions]
    play = viewer.play()
    viewer.begin(play)
    for reception, count in zip(viewer.receptions, counts, strict=True):
        last, first = reception.packets[count - 1], reception.packets[count]
        ticks = (first.timestamp - max(each.timestamp for each in reception.packets[:count])) / reception.clockRate
        wall = first.time - last.time
        got = f"{reception.name}: {ticks:.2f} s"
        require(abs(ticks - wall) < 0.6, f"a step of the {wall:.2f} s that it took", got, "PLAY after PAUSE")


@check("RTP-6", Grade.SHOULD, "RFC 2326 B", "The first packet of sound of a PLAY has the marker bit.", media=True)
def markerOfFirstSound(probe: Probe) -> None:
    tracks = [track for track in probe.subject.tracks if track.section.kind == "audio"]
    if not tracks:
        raise NotApplicable("no audio track")
    viewer = probe.viewer(tracks[:1])
    play = viewer.play()
    viewer.begin(play)
    require(viewer.packetsOf(play, viewer.receptions[0])[0].packet.marker, "the marker bit", "not set")


@check(
    "RTP-8",
    Grade.MUST,
    "RFC 3550 8",
    "The SSRC of a track stays the same, and is the one that Transport names.",
    media=True,
)
def ssrcStays(probe: Probe) -> None:
    viewer = probe.viewer()
    plays(probe, viewer)
    for reception in viewer.receptions:
        used = {each.packet.ssrc for each in reception.packets}
        got = f"{reception.name}: {', '.join(f'{each:08X}' for each in used)}"
        require(len(used) == 1, "one SSRC", got)
        named = reception.transport.ssrc
        require(named is None or used == {named}, f"ssrc={named or 0:08X}, as Transport says", got)


@check("RTP-8", Grade.POLICY, "RFC 3550 5.1", "Each track has an SSRC of its own.", media=True)
def ssrcsDiffer(probe: Probe) -> None:
    probe.needTracks(2)
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    used = {reception.packets[0].packet.ssrc for reception in viewer.receptions}
    require(len(used) == len(viewer.receptions), "different ones", ", ".join(f"{each:08X}" for each in used))


@check("RTP-8 SDP-3", Grade.MUST, "RFC 3551 3", "Packets have a payload type of their media section.", media=True)
def payloadTypes(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    for reception in viewer.receptions:
        require(not reception.broken, "RTP and RTCP", "; ".join(reception.broken[:2]))
        used = {each.packet.payloadType for each in reception.packets}
        listed = reception.track.section.payloadTypes
        require(used <= set(listed), f"payload type {listed}", f"{reception.name}: {sorted(used)}")


@check(
    "RTP-9",
    Grade.MUST,
    "RFC 3550 5.1",
    "The packets of one picture come together; sound has timestamps that grow.",
    media=True,
)
def orderOfTimestamps(probe: Probe) -> str:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.watch(2.0)
    remarks = []
    for reception in viewer.receptions:
        stamps = _changes(reception)
        again = len(stamps) - len(set(stamps))
        require(not again, "one timestamp for one picture", f"{reception.name}: {again} timestamps come again")
        isGrowing = stamps == sorted(stamps)
        if reception.name == "audio":
            require(isGrowing, "timestamps that grow", f"{reception.name}: some go back")
        elif not isGrowing:
            remarks.append("pictures in decoding order")
    return ", ".join(remarks)


def _changes(reception: Reception) -> list[int]:
    """The timestamps, those in a row that are the same once."""
    stamps = [each.timestamp for each in reception.packets]
    return stamps[:1] + [after for before, after in itertools.pairwise(stamps) if after != before]


@check("RTP-10", Grade.SHOULD, "RFC 2326 12.35", "Media come as fast as they are played.", media=True)
def pace(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.watch(4.0)
    for reception in viewer.receptions:
        first, last = reception.packets[0], reception.packets[-1]
        media = (last.timestamp - first.timestamp) / reception.clockRate
        wall = last.time - first.time
        require(abs(media - wall) < 1.5, f"{wall:.1f} s of media in {wall:.1f} s", f"{reception.name}: {media:.1f} s")


@check(
    "RTP-10",
    Grade.POLICY,
    "what viewers feel",
    "The first packet comes within half a second of the reply to PLAY.",
    media=True,
)
def firstPacket(probe: Probe) -> str:
    viewer = probe.viewer()
    play = viewer.play()
    viewer.begin(play)
    first = min(reception.packets[0].time for reception in viewer.receptions)
    delay = first - play.reply.time
    require(delay <= 0.5, "0.5 s at most", f"{delay:.2f} s")
    return f"{max(0.0, delay) * 1000:.0f} ms"


@check(
    "RTP-12",
    Grade.POLICY,
    "RFC 2326 10.12",
    "Inside the connection no packet of a range comes before the reply that announces it.",
)
def nothingBeforeTheReply(probe: Probe) -> None:
    viewer = probe.viewer(transport="tcp")
    play = viewer.play()
    viewer.begin(play)
    early = sum(each.order < play.reply.order for reception in viewer.receptions for each in reception.packets)
    require(not early, "the reply first", f"{early} packets before it")


@check(
    "RTP-12",
    Grade.POLICY,
    "RFC 2326 12.33",
    "Inside the connection no packet of the old range comes after the reply to a PLAY that replaces it.",
)
def nothingOldAfterTheReply(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer(transport="tcp")
    viewer.begin(viewer.play())
    viewer.watch(0.5)
    play = viewer.play(f"npt={duration / 2:.1f}-")
    if play.start is None or play.start < duration / 4:
        raise NotApplicable("the second PLAY does not replace the first")
    viewer.begin(play)
    for reception in viewer.receptions:
        info = viewer.infoOf(play, reception)
        if info is None or info.seq is None:
            raise NotApplicable("no RTP-Info; see RTP-1")
        first = viewer.packetsOf(play, reception)[0].packet.sequence
        got = f"RTP-Info seq={info.seq}, next {reception.name} packet {first}"
        require((first - info.seq) & 0xFFFF < 0x8000, "no packet from before that", got)


unseen("RTP-11", "Sequence numbers and timestamps wrap around in the middle of a stream.", "takes a day, or luck")
unseen("RTP-13", "A day of play shows no drift.", "takes a day")
