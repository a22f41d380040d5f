"""
Range in requests and replies of PLAY (RFC 2326 sections 3.5 to 3.7, 10.5 and 12.29): PLY-2 to PLY-4, PLY-6, PLY-7.
"""

from __future__ import annotations

import re

from mediasrv.conform.grading import Failed, Grade, NotApplicable, check
from mediasrv.conform.judging import allOf, expect, refused, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Viewer

#: seconds by which a start may precede what was asked: the longest distance of key frames that is found
_GROUP = 12.0


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{seconds % 60:05.2f}"


def _played(viewer: Viewer, given: str, start: float, unit: str) -> str:
    """What is wrong with the answer to a Range; C{""} if nothing."""
    before = viewer.received
    try:
        play = viewer.tryPlay(given)
    except Failed as failure:
        return failure.got or failure.wanted
    if play.reply.code != 200:
        return str(play.reply.code)
    viewer.watch(1.0, lambda: viewer.received > before)
    viewer.ask("PAUSE")
    if play.start is None:
        return f"Range: {play.reply.headers.get('Range')}"
    if play.unit != unit:
        return f"a Range in {play.unit}"
    if not start - _GROUP <= play.start <= start + 1.0:
        return f"Range: {play.reply.headers.get('Range')}"
    return ""


def _all(probe: Probe, ranges: dict[str, float], unit: str) -> None:
    """Plays each range in one session; in all of them the reply has to start there, in this unit."""
    viewer = probe.viewer()
    problems = {}
    for given, start in ranges.items():
        if not viewer.connection.isOpen:
            viewer = probe.viewer()
        problem = _played(viewer, given, start, unit)
        if problem:
            problems[f"Range: {given}"] = problem
    allOf(problems, f"200 and where it really starts, in {unit}")


@check("PLY-2", Grade.MUST, "RFC 2326 3.6", "Normal play time is understood in all of its forms.")
def normalPlayTime(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    here = round(duration * 0.4)
    ranges = {
        f"npt={here}-": here,
        f"npt={here}.25-": here + 0.25,
        f"npt={here}.-": here,
        f"npt={_clock(here + 0.5)}-": here + 0.5,
        f"npt={here}-{here + 2}": here,
    }
    _all(probe, ranges, "npt")


@check("PLY-2", Grade.MUST, "RFC 2326 3.6", "'npt=-2' plays from where it is until 2 s.")
def rangeWithoutStart(probe: Probe) -> None:
    probe.needOnDemand(4.0)
    viewer = probe.viewer()
    play = viewer.play("npt=-2")
    viewer.begin(play)
    require(play.start is None or play.start < 0.5, "Range: npt=0-2")
    require(viewer.quiet(most=6.0), "silence after 2 s", "still packets after 6 s")


@check("PLY-2", Grade.POLICY, "RFC 2326 3.6", "'npt=now-' on demand is from where it is.")
def rangeFromNow(probe: Probe) -> None:
    expect(probe.viewer().tryPlay("npt=now-").reply, 200)


@check("PLY-2", Grade.SHOULD, "RFC 2326 12.29", "SMPTE time codes are understood, and answered in kind.")
def timeCodes(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    here = int(duration * 0.4)
    code = f"{here // 3600:02}:{here // 60 % 60:02}:{here % 60:02}"
    viewer = probe.viewer()
    problems = {}
    for unit, given in (("smpte", f"smpte={code}-"), ("smpte-25", f"smpte-25={code}:05-")):
        problem = _played(viewer, given, here, unit)
        if problem:
            problems[f"Range: {given}"] = problem
    allOf(problems, "200 and a Range in SMPTE time codes")


@check(
    "PLY-2", Grade.SHOULD, "RFC 2326 12.29", "A Range in UTC is served, out of range (457), or not implemented (501)."
)
def utcRange(probe: Probe) -> str:
    viewer = probe.viewer()
    play = viewer.tryPlay("clock=19961108T142300Z-")
    expect(play.reply, 200, 457, 501)
    require(play.reply.code != 200 or play.unit in ("clock", ""), "a Range in UTC")
    return str(play.reply.code)


@check("PLY-3 STATUS-501", Grade.SHOULD, "RFC 2326 12.29", "A Range in an unknown unit is 501.")
def unknownUnit(probe: Probe) -> None:
    expect(probe.viewer().tryPlay("parsec=5-").reply, 501)


@check("PLY-3", Grade.POLICY, "RFC 2326 12.29", "A Range in bytes means nothing, and is refused.")
def bytesRange(probe: Probe) -> None:
    expect(probe.viewer().tryPlay("bytes=0-5").reply, 501, 400, 456, 457)


@check("PLY-3", Grade.SHOULD, "RFC 2326 11", "A malformed Range is refused with 400.")
def malformedRange(probe: Probe) -> None:
    viewer = probe.viewer()
    problems = {}
    for given in ("npt=abc-", "npt", "npt=5-6-7", "npt=1:99:00-"):
        code = viewer.tryPlay(given).reply.code
        if code == 200:
            viewer.ask("PAUSE")
        if code != 400:
            problems[f"Range: {given}"] = str(code)
    allOf(problems, "400")


@check("PLY-4 STATUS-457", Grade.MUST, "RFC 2326 11.3.8", "A start far beyond the end is 457.")
def startBeyondTheEnd(probe: Probe) -> None:
    duration = probe.needOnDemand()
    expect(probe.viewer().tryPlay(f"npt={duration + 60:.0f}-").reply, 457)


@check("PLY-4", Grade.SHOULD, "RFC 2326 11.3.8", "A range that ends before it starts is 457.")
def endBeforeStart(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    expect(probe.viewer().tryPlay(f"npt={duration / 2 + 2:.0f}-{duration / 2:.0f}").reply, 457)


@check("PLY-6", Grade.MUST, "RFC 2326 12.29", "What starts at the end of the range or later is not sent.", media=True)
def rangesAreHalfOpen(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    end = round(duration / 2) + 1.5
    play = viewer.play(f"npt={end - 1.5:.1f}-{end:.1f}")
    viewer.begin(play)
    viewer.quiet(most=6.0)
    if play.start is None:
        raise NotApplicable("no Range in the reply; see PLY-7")
    for reception in viewer.receptions:
        info = viewer.infoOf(play, reception)
        if info is None or info.rtptime is None:
            raise NotApplicable("no RTP-Info; see RTP-1")
        first = reception.near(info.rtptime)
        last = max(each.timestamp for each in viewer.packetsOf(play, reception))
        point = play.start + (last - first) / reception.clockRate
        require(point < end - 0.002, f"nothing at {end:.3f} s or later", f"{reception.name} of {point:.3f} s")


@check("PLY-7", Grade.MUST, "RFC 2326 10.5", "The reply to PLAY says in Range what will be played.", media=True)
def rangeOfTheReply(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    play = probe.viewer().play(f"npt={duration / 2:.1f}-{duration / 2 + 2:.1f}")
    value = play.reply.headers.get("Range")
    isThere = play.start is not None and play.unit == "npt"
    require(isThere, "Range: npt=start-end", f"Range: {value or 'none'}")


@check("PLY-7", Grade.MUST, "RFC 2326 10.5", "Without Range in the request, the reply says where it is.")
def rangeWithoutRequest(probe: Probe) -> None:
    play = probe.viewer().play()
    require(play.reply.headers.get("Range") is not None, "a Range", "none")


@check(
    "PLY-7", Grade.POLICY, "RFC 2326 10.5", "The start is at or before what was asked, so that no picture is missing."
)
def startIsNotLater(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    for part in (0.31, 0.53):
        asked = round(duration * part, 2)
        play = viewer.play(f"npt={asked:.2f}-")
        if play.start is None:
            raise NotApplicable("no Range in the reply; see PLY-7")
        require(play.start <= asked + 0.01, f"at most {asked:.2f} s", f"Range: {play.reply.headers.get('Range')}")
        viewer.pause()


@check("PLY-7", Grade.POLICY, "practice of VLC", "The Range of the reply to an open range ends where the media end.")
def endOfTheReply(probe: Probe) -> None:
    duration = probe.needOnDemand()
    play = probe.viewer().play("npt=0-")
    isRight = play.end is not None and abs(play.end - duration) < 1.0
    require(isRight, f"Range: npt=0-{duration:.2f}", f"Range: {play.reply.headers.get('Range') or 'none'}")


@check(
    "PLY-7", Grade.POLICY, "practice of ExoPlayer", "Range in replies is npt in decimals, which ExoPlayer alone reads."
)
def rangeIsPlain(probe: Probe) -> None:
    probe.needOnDemand()
    value = probe.viewer().play("npt=0.000-").reply.headers.get("Range", "none")
    isPlain = re.fullmatch(r"npt=[0-9]+(\.[0-9]+)?-([0-9]+(\.[0-9]+)?)?", value) is not None
    require(isPlain, "npt=seconds-seconds", f"Range: {value}")


@check("PLY-3", Grade.POLICY, "RFC 2326 12.29", "Two Range headers are not both meant, and refused.")
def twoRanges(probe: Probe) -> None:
    refused(probe.viewer().ask("PLAY", [("Range", "npt=0-1"), ("Range", "npt=2-3")]), "400")
