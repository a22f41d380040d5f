"""
Scale, Speed and Seek-Style (RFC 2326 sections 12.34 and 12.35, RFC 7826 section 18.47): HDR-2, HDR-3, RTP-7.

Servers may answer another rate than was asked. Whatever they answer is what they have to do: a closed range of C{d}
seconds at Scale C{s} is C{d/s} seconds of RTP time, and takes C{d/s} seconds, fewer if a Speed was answered.
"""

from __future__ import annotations

from mediasrv.conform.grading import Grade, NotApplicable, check
from mediasrv.conform.judging import allOf, expect, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Play, Viewer

#: seconds by which a range may seem shorter: where only key frames are sent, the last one may be that far from the end;
#: and when it is played backwards
_SLACK, _SLACK_BACKWARDS = 1.1, 2.1

#: seconds without packets after which a range is over; backwards there may be key frames alone
_SILENCE, _SILENCE_BACKWARDS = 1.2, 3.0


def _rate(play: Play, name: str) -> float:
    value = play.numberHeader(name)
    return 1.0 if value is None or value == 0 else value


def _judgeRate(viewer: Viewer, play: Play) -> str:
    """
    Receives a closed range, and judges RTP time and duration by the rates of the reply.

    @raise Failed: if they do not fit.
    """
    scale, speed = _rate(play, "Scale"), _rate(play, "Speed")
    if play.start is None or play.end is None:
        raise NotApplicable("the Range of the reply has no end")
    require(speed > 0, "a Speed above 0: backwards is a matter of Scale", f"Scale {scale:g}, Speed {speed:g}")
    span = abs(play.end - play.start) / abs(scale)
    limit = span / speed
    viewer.watch(5.0, lambda: viewer.received > 0)
    require(viewer.received > 0, "packets", "none within 5 s")
    isOver = viewer.quiet(_SILENCE if scale > 0 else _SILENCE_BACKWARDS, limit + 5.0)
    slack = _SLACK if scale > 0 else _SLACK_BACKWARDS
    said = f"Scale {scale:g}, Speed {speed:g}: {span:.1f} s of RTP time in {limit:.1f} s"
    require(isOver, f"{said}, then silence", f"still packets after {limit + 5:.1f} s")
    for reception in viewer.receptions:
        packets = viewer.packetsOf(play, reception)
        if not packets:
            continue  # audio may be left out where it makes no sense
        stamps = [each.timestamp for each in packets]
        if scale < 0 and len(set(stamps)) == 1:
            raise NotApplicable("one picture came: key frames are too far apart to tell")
        media = (max(stamps) - min(stamps)) / reception.clockRate
        wall = packets[-1].time - packets[0].time
        got = f"{reception.name}: {media:.1f} s of RTP time in {wall:.1f} s"
        require(span - slack <= media <= span + 0.3, said, got)
        require(limit - slack - 0.5 <= wall <= limit + 1.0, said, got)
    return f"answered Scale {scale:g}" + (f", Speed {speed:g}" if speed != 1.0 else "")


def _scaled(probe: Probe, scale: float, length: float) -> str:
    duration = probe.needOnDemand(10.0)
    viewer = probe.viewer()
    middle = round(duration / 2)
    first, last = (middle, middle + length) if scale > 0 else (middle + length, middle)
    play = viewer.tryPlay(f"npt={first:.1f}-{last:.1f}", [("Scale", f"{scale:g}")])
    if scale < 0 and play.reply.code != 200:
        raise NotApplicable(f"does not play backwards ({play.reply.code})")
    expect(play.reply, 200)
    return _judgeRate(viewer, play)


@check("HDR-2", Grade.MUST, "RFC 2326 12.34", "The reply to a PLAY with Scale says which scale it really is.")
def scaleIsAnswered(probe: Probe) -> str:
    viewer = probe.viewer()
    answers = []
    for scale in ("2.0", "1.0", "1000"):
        play = viewer.play(None, [("Scale", scale)])
        require(
            bool(play.numberHeader("Scale")),
            "a Scale in the reply",
            "Scale: " + play.reply.headers.get("Scale", "none"),
        )
        answers.append(f"{scale} is {play.reply.headers.get('Scale')}")
        viewer.pause()
    return ", ".join(answers)


@check("HDR-2 RTP-7", Grade.MUST, "RFC 2326 12.34, B", "Scale 2: the scale that is answered is the one that is played.")
def scaleTwo(probe: Probe) -> str:
    return _scaled(probe, 2.0, 4.0)


@check(
    "HDR-2 RTP-7", Grade.MUST, "RFC 2326 12.34, B", "Scale 0.5: the scale that is answered is the one that is played."
)
def scaleHalf(probe: Probe) -> str:
    return _scaled(probe, 0.5, 2.0)


@check(
    "HDR-2 RTP-7", Grade.MUST, "RFC 2326 12.34, B", "Scale -1: the scale that is answered is the one that is played."
)
def scaleBackwards(probe: Probe) -> str:
    return _scaled(probe, -1.0, 5.0)


@check("HDR-2", Grade.SHOULD, "RFC 2326 12.34", "A Scale of 0, or one that is no number, is refused with 400.")
def badScale(probe: Probe) -> None:
    _refusedRates(probe, "Scale", ("0", "abc"))


@check("HDR-2", Grade.POLICY, "practice of VLC", "While playing, PLAY with Scale and no Range changes the scale.")
def scaleWhilePlaying(probe: Probe) -> str:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    scale = viewer.play(None, [("Scale", "2")]).numberHeader("Scale")
    if scale == 1.0:
        raise NotApplicable("the server answers Scale 1")
    require(scale is not None, "a Scale in the reply", "none")
    again = viewer.play(None, [("Scale", "1")]).numberHeader("Scale")
    require(again == 1.0, "Scale: 1 when that is asked for", f"Scale: {again}")
    return f"2 is {scale:g}"


def _refusedRates(probe: Probe, name: str, values: tuple[str, ...]) -> None:
    viewer = probe.viewer()
    problems = {}
    for value in values:
        code = viewer.tryPlay("npt=0-", [(name, value)]).reply.code
        if code == 200:
            viewer.ask("PAUSE")
        if code != 400:
            problems[f"{name}: {value}"] = str(code)
    allOf(problems, "400")


@check("HDR-3", Grade.SHOULD, "RFC 2326 12.35", "A Speed of 0 is invalid, as is one that is no number: 400.")
def badSpeed(probe: Probe) -> None:
    _refusedRates(probe, "Speed", ("0", "abc"))


@check(
    "HDR-3", Grade.MUST, "RFC 2326 12.35", "Speed 2: media come at the speed that is answered, timestamps unchanged."
)
def speedTwo(probe: Probe) -> str:
    duration = probe.needOnDemand(10.0)
    viewer = probe.viewer()
    first = max(0, round(duration / 2) - 4)
    play = viewer.play(f"npt={first}-{first + 8}", [("Speed", "2")])
    if play.numberHeader("Speed") is None:
        raise NotApplicable("no Speed in the reply: it is optional")
    return _judgeRate(viewer, play)


@check("HDR-3", Grade.POLICY, "RFC 7826 18.47", "A Seek-Style is echoed with the one that was followed.")
def seekStyle(probe: Probe) -> str:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    asked = round(duration * 0.43, 2)
    followed = []
    for style in ("RAP", "First-Prior", "Next"):
        play = viewer.play(f"npt={asked:.2f}-", [("Seek-Style", style)])
        answer = play.reply.headers.get("Seek-Style")
        if answer is None:
            raise NotApplicable("no Seek-Style in the reply: it is of RTSP 2.0")
        require(answer in ("RAP", "CoRAP", "First-Prior", "Next"), "one of the styles", f"Seek-Style: {answer}")
        if play.start is not None:
            isAfter = play.start >= asked - 0.01
            isRight = isAfter if answer == "Next" else play.start <= asked + 0.01
            side = "at or after" if answer == "Next" else "at or before"
            require(isRight, f"{answer}: {side} {asked:.2f} s", f"Range: {play.reply.headers.get('Range')}")
        followed.append(f"{style}: {play.reply.headers.get('Range')}")
        viewer.pause()
    return ", ".join(followed)
