"""
PLAY without looking at ranges: where it begins, where it ends, which URL it takes (RFC 2326 section 10.5): PLY-1,
PLY-5, PLY-8, PLY-10 to PLY-16.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from mediasrv.conform.grading import Failed, Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import expect, refused, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Play, Viewer

#: seconds by which a position may be off: a start is moved to a picture, a pause comes after the last one
_NEAR = 1.0


def playedUntil(viewer: Viewer, play: Play) -> float:
    """
    NPT of the last packet of a PLAY, from its own Range and RTP-Info.

    @raise NotApplicable: if the server gives none.
    """
    ends = []
    for reception in viewer.receptions:
        packets, info = viewer.packetsOf(play, reception), viewer.infoOf(play, reception)
        if packets and info is not None and info.rtptime is not None and play.start is not None:
            last = max(each.timestamp for each in packets)
            ends.append(play.start + (last - reception.near(info.rtptime)) / reception.clockRate)
    if not ends:
        raise NotApplicable("no Range or no RTP-Info in the reply to PLAY")
    return max(ends)


def _utc(seconds: float) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}"


@check("PLY-1", Grade.MUST, "RFC 2326 10.5", "The first PLAY without Range plays from the beginning.", media=True)
def playFromTheBeginning(probe: Probe) -> None:
    probe.needOnDemand()
    viewer = probe.viewer()
    play = viewer.play()
    viewer.begin(play)
    require(play.start is None or play.start < 0.5, "Range: npt=0-…", f"Range: {play.reply.headers.get('Range')}")


@check(
    "PLY-1 PAU-1",
    Grade.MUST,
    "RFC 2326 10.5",
    "After PAUSE, PLAY without Range goes on at the pause point.",
    media=True,
)
def playAfterPause(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    play = viewer.play(f"npt={duration / 2:.1f}-")
    viewer.begin(play)
    viewer.watch(1.5)
    viewer.pause()
    point = playedUntil(viewer, play)
    viewer.watch(1.0)
    again = viewer.play()
    viewer.begin(again)
    if again.start is None:
        raise NotApplicable("no Range in the reply; see PLY-7")
    isNear = abs(again.start - point) <= _NEAR
    require(
        isNear, f"Range: npt={point:.2f}-…, where the last packet was", f"Range: {again.reply.headers.get('Range')}"
    )


@check(
    "PLY-1",
    Grade.MUST,
    "RFC 2326 10.5",
    "While it plays, PLAY without Range does nothing but get an answer.",
    media=True,
)
def playWhilePlaying(probe: Probe) -> None:
    viewer = probe.viewer()
    play = viewer.play()
    viewer.begin(play)
    viewer.watch(0.7)
    expect(viewer.ask("PLAY"), 200)
    viewer.watch(1.0)
    for reception in viewer.receptions:
        times = [each.timestamp for each in reception.packets]
        steps = [(after - before) / reception.clockRate for before, after in itertools.pairwise(times)]
        jump = max(map(abs, steps), default=0.0)
        require(jump < 2.0, "media go on without a jump", f"{reception.name}: a jump of {jump:.2f} s")


@check(
    "PLY-5",
    Grade.POLICY,
    "practice of FFmpeg and ExoPlayer",
    "'Range: npt=0.000-' on the first PLAY is answered, live too.",
)
def rangeFromZero(probe: Probe) -> None:
    expect(probe.viewer().tryPlay("npt=0.000-").reply, 200)


@check("PLY-8", Grade.MUST, "RFC 2326 10.5", "A Range with a 'time' that is past plays at once.")
def timeIsPast(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play(f"npt=0-;time={_utc(-3600)}"))


@check("PLY-8", Grade.SHOULD, "RFC 2326 12.29", "A Range with a 'time' to come plays then.")
def timeIsToCome(probe: Probe) -> str:
    viewer = probe.viewer()
    time = _utc(4 + probe.subject.skew)
    play = viewer.tryPlay(f"npt=0-;time={time}")
    if play.reply.code != 200:
        return f"refused with {play.reply.code}, which is allowed"
    viewer.watch(1.5)
    require(viewer.received == 0, f"nothing before {time}, which is 4 s away", "packets within 1.5 s")
    viewer.begin(play, 8.0)
    return ""


@check("PLY-10", Grade.MUST, "RFC 2326 10.5", "At the end of a range nothing more comes.", media=True)
def stopAtTheEndOfARange(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    first, last = duration / 2, duration / 2 + 1.5
    play = viewer.play(f"npt={first:.1f}-{last:.1f}")
    viewer.begin(play)
    length = last - (first if play.start is None else play.start)
    require(viewer.quiet(most=length + 4.0), f"silence after {length:.2f} s", f"still packets after {length + 4:.2f} s")


@check(
    "PLY-10",
    Grade.MUST,
    "RFC 2326 10.5",
    "After a range it is paused: PLAY without Range goes on where the range ended.",
)
def playAfterARange(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    end = duration / 2 + 1.0
    viewer.begin(viewer.play(f"npt={duration / 2:.1f}-{end:.1f}"))
    if not viewer.quiet(most=6.0):
        raise Failed("silence at the end of the range", "packets go on")
    again = viewer.play()
    viewer.begin(again)
    if again.start is None:
        raise NotApplicable("no Range in the reply; see PLY-7")
    require(abs(again.start - end) <= _NEAR, f"Range: npt={end:.1f}-…", f"Range: {again.reply.headers.get('Range')}")


@check(
    "PLY-11", Grade.POLICY, "RFC 2326 C.1.1", "PLAY takes the presentation's URL with and without a slash at its end."
)
def slashAtTheEnd(probe: Probe) -> None:
    viewer = probe.viewer()
    bare = viewer.url.rstrip("/")
    for url in (bare, f"{bare}/", probe.url):
        expect(viewer.ask("PLAY", url=url), 200)


@check(
    "PLY-12 STATUS-460",
    Grade.MUST,
    "RFC 2326 11.3.11",
    "PLAY of one track of several plays that one, or is 460.",
    media=True,
)
def playOneTrack(probe: Probe) -> str:
    probe.needTracks(2)
    viewer = probe.viewer()
    chosen = viewer.receptions[0]
    play = viewer.tryPlay(url=chosen.track.url)
    if play.reply.code == 460:
        return "460"
    expect(play.reply, 200, 460)
    viewer.watch(3.0, lambda: bool(chosen.packets))
    viewer.watch(0.5)
    others = [each.name for each in viewer.receptions[1:] if each.packets]
    require(bool(chosen.packets) and not others, f"{chosen.name} alone", f"{chosen.name}, and {', '.join(others)}")
    return "plays it"


@check("PLY-13", Grade.MUST, "RFC 2326 10.5", "If only some tracks are set up, these are played.", media=True)
def playSomeTracks(probe: Probe) -> None:
    probe.needTracks(2)
    viewer = probe.viewer(probe.subject.tracks[1:2])
    play = viewer.play()
    viewer.begin(play)
    require(len(play.infos) <= 1, "RTP-Info of one track")


@check("PLY-15 STATUS-454", Grade.MUST, "RFC 2326 A.2", "PLAY without a session is refused, with 454 (or 455).")
def playWithoutSession(probe: Probe) -> None:
    expect(probe.connection.ask("PLAY", probe.subject.aggregate), 454, 455)
    unknown = [("Session", "0123456789abcdef")]
    expect(probe.connection.ask("PLAY", probe.subject.aggregate, unknown), 454)


@check(
    "PLY-16",
    Grade.SHOULD,
    "RFC 2326 10.5, 10.6",
    "After many PLAY and PAUSE in a row everything still works.",
    media=True,
)
def manyRequests(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    for number in range(12):
        viewer.play(f"npt={duration * (number * 5 % 12) / 14:.2f}-")
        expect(viewer.ask("PAUSE"), 200)
    require(viewer.quiet(0.5, 4.0), "silence after the last PAUSE", "packets go on")
    viewer.begin(viewer.play(f"npt={duration / 2:.1f}-"))
    refused(viewer.ask("PLAY", [("Session", viewer.session)], f"{viewer.url}-no-such-presentation"))


unseen("PLY-14", "PLAY of what can only be published is 405 or 455.", "needs a resource for publishing")
