"""
RTP-Info and the packets that it speaks of (RFC 2326 section 12.33): HDR-4, RTP-1 to RTP-3.
"""

from __future__ import annotations

import re

from mediasrv.conform.grading import Failed, Grade, NotApplicable, check
from mediasrv.conform.judging import require
from mediasrv.conform.probing import Probe
from mediasrv.conform.reception import Reception
from mediasrv.conform.viewing import Play, Viewer

#: seconds by which the first packet may be before the start of the Range: one frame of sound
_EARLY = 0.1
#: and after it: a track may have nothing there for a while
_LATE = 0.5


def plays(probe: Probe, viewer: Viewer) -> list[Play]:
    """PLAY from the beginning, then pauses and seeks: each with the packets that begin it."""
    duration = probe.subject.duration
    done = [viewer.play()]
    viewer.begin(done[-1])
    ranges = [None] if duration is None or duration < 8.0 else [None, f"npt={duration * 0.6:.2f}-", "npt=2.5-"]
    for given in ranges:
        viewer.watch(0.4)
        viewer.pause()
        viewer.watch(0.1)
        done.append(viewer.play(given))
        viewer.begin(done[-1])
    viewer.watch(0.4)
    return done


def _named(play: Play) -> str:
    return f"PLAY {play.reply.headers.get('Range', 'without Range in its reply')}"


@check(
    "RTP-1 HDR-4",
    Grade.SHOULD,
    "RFC 2326 12.33, D.2",
    "The reply to PLAY has RTP-Info, with seq and rtptime of every track.",
    media=True,
)
def rtpInfo(probe: Probe) -> None:
    viewer = probe.viewer()
    play = viewer.play()
    got = play.reply.headers.get("RTP-Info", "none")
    require(len(play.infos) == len(viewer.receptions), f"RTP-Info with {len(viewer.receptions)} entries", got)
    isWhole = all(info.seq is not None and info.rtptime is not None for info in play.infos)
    require(isWhole, "seq and rtptime in every entry", got)


@check(
    "RTP-1",
    Grade.POLICY,
    "practice of FFmpeg",
    "The URLs in RTP-Info are those of SETUP to the letter, as FFmpeg compares them.",
    media=True,
)
def urlsOfRTPInfo(probe: Probe) -> None:
    viewer = probe.viewer()
    play = viewer.play()
    if not play.infos:
        raise NotApplicable("no RTP-Info")
    urls = [reception.track.url for reception in viewer.receptions]
    require([info.url for info in play.infos] == urls, ", ".join(urls), ", ".join(info.url for info in play.infos))


@check(
    "RTP-1",
    Grade.POLICY,
    "practice of ExoPlayer and FFmpeg",
    "RTP-Info has url, seq and rtptime alone, and no rtptime of 0.",
)
def plainRTPInfo(probe: Probe) -> None:
    value = probe.viewer().play().reply.headers.get("RTP-Info", "none")
    names = set(re.findall(r";\s*([A-Za-z][\w-]*)\s*=", re.sub(r"url=[^;,]*", "", value)))
    require(names <= {"seq", "rtptime"}, "url, seq and rtptime alone", value)
    require(
        re.search(r"rtptime=0(?![0-9])", value) is None, "another rtptime than 0, which FFmpeg takes for none", value
    )


@check(
    "RTP-2",
    Grade.MUST,
    "RFC 2326 12.33",
    "seq is the number of the first packet, after a start, a pause and a seek.",
    media=True,
)
def seqOfFirstPacket(probe: Probe) -> None:
    viewer = probe.viewer()
    for play in plays(probe, viewer):
        for index, reception in enumerate(viewer.receptions):
            info = viewer.infoOf(play, reception)
            if info is None or info.seq is None:
                raise NotApplicable("no RTP-Info; see RTP-1")
            first = reception.packets[play.counts[index]].packet.sequence
            got = f"RTP-Info seq={info.seq}, first {reception.name} packet {first}"
            require(first == info.seq, "the number of the first packet", got, _named(play))


@check(
    "RTP-3",
    Grade.MUST,
    "RFC 2326 12.33",
    "rtptime is the time of the Range's start: the first packet of a track is there.",
    media=True,
)
def rtptimeOfRange(probe: Probe) -> None:
    viewer = probe.viewer()
    for play in plays(probe, viewer):
        for reception in viewer.receptions:
            offset = _offset(viewer, play, reception)
            got = f"the first {reception.name} packet is {offset:+.3f} s from rtptime"
            wanted = f"{-_EARLY:+.1f} to {_LATE:+.1f} s"
            require(-_EARLY <= offset <= _LATE, wanted, got, _named(play))


def _offset(viewer: Viewer, play: Play, reception: Reception) -> float:
    info = viewer.infoOf(play, reception)
    packets = viewer.packetsOf(play, reception)
    if info is None or info.rtptime is None:
        raise NotApplicable("no RTP-Info; see RTP-1")
    if not packets:
        raise Failed(f"packets of {reception.name} from seq={info.seq} on", "none", _named(play))
    # pictures that are shown before the first one in decoding order do not count
    first = packets[0].timestamp
    return (first - reception.near(info.rtptime)) / reception.clockRate
