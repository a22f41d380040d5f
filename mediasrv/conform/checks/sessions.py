"""
SETUP, and the session that it begins (RFC 2326 sections 3.4 and 10.4): SET-1, SET-2, SET-9 to SET-14, SET-17.
"""

from __future__ import annotations

import re

from mediasrv.conform.connection import Reply
from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import allOf, expect, refused, require
from mediasrv.conform.ports import openPorts
from mediasrv.conform.probing import Probe
from mediasrv.conform.settingup import freePorts, offered, overUDP, setUp
from mediasrv.conform.viewing import Viewer, sessionOf, transportOf

#: an address that is nobody's (RFC 5737): nothing is ever played to it
_ELSEWHERE = "192.0.2.1"


@check(
    "SET-1", Grade.MUST, "RFC 2326 3.4", "A session identifier has eight characters or more, of those that are allowed."
)
def sessionIdentifiers(probe: Probe) -> str:
    session = sessionOf(expect(setUp(probe, offered(probe)), 200))
    isRight = re.fullmatch(r"[A-Za-z0-9$_.+-]{8,}", session) is not None
    require(isRight, "eight or more of letters, digits and $ - _ . +", f"Session: {session}")
    return session


@check(
    "SET-1",
    Grade.POLICY,
    "RFC 2326 3.4",
    "A session identifier is of letters and digits alone; some clients drop the rest.",
)
def plainSessionIdentifiers(probe: Probe) -> None:
    session = sessionOf(expect(setUp(probe, offered(probe)), 200))
    require(session.isalnum() and session.isascii(), "letters and digits", f"Session: {session}")


@check("SET-1", Grade.MUST, "RFC 2326 3.4", "Session identifiers are random: none comes twice, and they do not count.")
def randomSessionIdentifiers(probe: Probe) -> None:
    sessions = [sessionOf(expect(setUp(probe, offered(probe)), 200)) for _ in range(4)]
    require(len(set(sessions)) == 4, "four different ones", ", ".join(sessions))
    stems = {session[: max(1, len(session) - 3)] for session in sessions}
    require(len(stems) == 4, "four that differ in more than the end", ", ".join(sessions))


@check(
    "SET-2", Grade.MUST, "RFC 2326 10.4", "A SETUP with Session adds the track to that session, or is refused with 459."
)
def bundling(probe: Probe) -> str:
    probe.needTracks(2)
    first, second = probe.subject.tracks[:2]
    viewer = probe.viewer([first])
    session = viewer.session
    wanted = "RTP/AVP/TCP;unicast;interleaved=2-3" if probe.transport == "tcp" else overUDP(freePorts(probe))
    reply = expect(viewer.ask("SETUP", [("Transport", wanted)], second.url), 200, 459)
    if reply.code == 459:
        return "refused: no aggregate control"
    require(sessionOf(reply) == session, f"Session: {session}")
    return ""


@check("SET-2 STATUS-454", Grade.MUST, "RFC 2326 11.3.5", "SETUP with a Session that does not exist is 454.")
def setUpOfUnknownSession(probe: Probe) -> None:
    expect(setUp(probe, offered(probe), ("Session", "0123456789abcdef")), 454)


@check("SET-9 STATUS-459", Grade.SHOULD, "RFC 2326 11.3.10", "SETUP of a whole presentation of several tracks is 459.")
def setUpOfAggregate(probe: Probe) -> None:
    probe.needTracks(2)
    expect(setUp(probe, offered(probe), url=probe.subject.aggregate), 459)


@check("SET-9", Grade.POLICY, "RFC 2326 C.3", "SETUP of a presentation of one track is that track's.")
def setUpOfOnlyTrack(probe: Probe) -> None:
    if len(probe.subject.tracks) > 1:
        raise NotApplicable("a presentation of several tracks")
    expect(setUp(probe, offered(probe), url=probe.subject.aggregate), 200)


def _changed(viewer: Viewer, probe: Probe) -> Reply:
    wanted = "RTP/AVP/TCP;unicast;interleaved=10-11"
    if probe.transport == "udp":
        wanted = overUDP(openPorts(probe.network, viewer.connection.address))
    return viewer.ask("SETUP", [("Transport", wanted)], probe.subject.tracks[0].url)


@check("SET-10", Grade.SHOULD, "RFC 2326 10.4", "In Ready, SETUP of a track again changes its transport.")
def transportIsChanged(probe: Probe) -> None:
    viewer = probe.viewer()
    expect(_changed(viewer, probe), 200)
    expect(viewer.ask("PLAY"), 200)


@check("SET-10 STATUS-455", Grade.MUST, "RFC 2326 10.4", "While playing, SETUP changes the transport, or is 455.")
def transportWhilePlaying(probe: Probe) -> str:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    return str(expect(_changed(viewer, probe), 200, 455).code)


@check(
    "SET-11",
    Grade.POLICY,
    "RFC 2326 10.4",
    "A client that lost its session may begin another on the same connection: FFmpeg does.",
)
def setUpAnew(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    expect(viewer.ask("PAUSE"), 200)
    second = probe.idleViewer("tcp", viewer.connection)
    reply = second.ask("SETUP", [("Transport", "RTP/AVP/TCP;unicast;interleaved=20-21")], probe.subject.tracks[0].url)
    if reply.code == 461:
        raise NotApplicable("the server does not offer TCP (461)")
    second.session = sessionOf(expect(reply, 200))
    require(second.session != viewer.session, "another Session")
    expect(second.ask("PLAY"), 200)


@check(
    "SET-12", Grade.SHOULD, "RFC 2326 12.39", "Media are not sent to a destination that is not the client's address."
)
def otherDestination(probe: Probe) -> str:
    pair = freePorts(probe)
    reply = setUp(probe, f"RTP/AVP;unicast;destination={_ELSEWHERE};client_port={pair.numbers[0]}-{pair.numbers[1]}")
    if reply.code != 200:
        refused(reply)
        return f"refused with {reply.code}"
    require(transportOf(reply).destination != _ELSEWHERE, "a refusal, or another destination")
    return "ignored"


@check(
    "SET-13 STATUS-412",
    Grade.SHOULD,
    "RFC 2326 12.22",
    "If-Match with another tag than the description's a=etag is 412.",
)
def entityTags(probe: Probe) -> None:
    tag = probe.subject.description.attribute("etag")
    if tag is None:
        raise NotApplicable("no a=etag in the description")
    expect(setUp(probe, offered(probe), ("If-Match", tag)), 200)
    expect(setUp(probe, offered(probe), ("If-Match", f"{tag}x")), 412)


@check("SET-14 STATUS-416", Grade.MUST, "RFC 2326 12.7", "A Blocksize that is no positive number is refused.")
def badBlocksize(probe: Probe) -> None:
    problems = {}
    for value in ("abc", "-5", "0"):
        code = setUp(probe, offered(probe), ("Blocksize", value)).code
        if code == 200:
            problems[f"Blocksize: {value}"] = "200"
    allOf(problems, "416, or 400")


@check("SET-14", Grade.POLICY, "RFC 2326 12.7", "Payloads are no larger than the Blocksize of SETUP.", media=True)
def blocksize(probe: Probe) -> None:
    viewer = probe.idleViewer()
    for track in probe.subject.tracks:
        viewer.setUpTrack(track, [("Blocksize", "600")])
    viewer.begin(viewer.play())
    viewer.watch(1.0)
    for reception in viewer.receptions:
        size = max(len(each.packet.payload) for each in reception.packets)
        require(size <= 600, "at most 600 bytes", f"{reception.name}: {size} bytes", "SETUP | Blocksize: 600, PLAY")


unseen("SET-17", "When sessions or ports run out, SETUP is 503 or 453.", "to see it would be an attack")
