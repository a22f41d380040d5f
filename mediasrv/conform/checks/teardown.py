"""
TEARDOWN (RFC 2326 section 10.7): TDN-1 to TDN-5.
"""

from __future__ import annotations

from mediasrv.conform.grading import Grade, check, unseen
from mediasrv.conform.judging import expect, require, usable
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import UNDER_WAY, Viewer


def _gone(viewer: Viewer, session: str, method: str) -> None:
    reply = viewer.connection.ask(method, viewer.url, [("Session", session)])
    expect(reply, 454, wanted="454: the session is gone")


@check(
    "TDN-1 TDN-5 STATUS-454", Grade.MUST, "RFC 2326 10.7", "After TEARDOWN the session is gone: 454 for all that comes."
)
def tearDownEnds(probe: Probe) -> None:
    viewer = probe.viewer()
    session = viewer.session
    expect(viewer.tearDown(), 200)
    for method in ("PLAY", "PAUSE", "TEARDOWN"):
        _gone(viewer, session, method)


@check(
    "TDN-1 STATUS-460",
    Grade.MUST,
    "RFC 2326 10.7",
    "TEARDOWN of one track of several ends that one, or is 460.",
    media=True,
)
def tearDownOneTrack(probe: Probe) -> str:
    probe.needTracks(2)
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    ended, other = viewer.receptions[0], viewer.receptions[1]
    if expect(viewer.ask("TEARDOWN", url=ended.track.url), 200, 460).code == 460:
        return "460"
    viewer.watch(0.2)
    before, beforeOther = len(ended.packets), len(other.packets)
    viewer.watch(1.5)
    require(len(ended.packets) == before, f"no {ended.name} any more", f"{len(ended.packets) - before} packets")
    require(len(other.packets) > beforeOther, f"{other.name} goes on", "silence")
    return "ends it"


@check("TDN-3", Grade.MUST, "RFC 2326 11.3.5", "TEARDOWN without a session, or with one that does not exist, is 454.")
def tearDownWithoutSession(probe: Probe) -> None:
    unknown = [("Session", "0123456789abcdef")]
    expect(probe.connection.ask("TEARDOWN", probe.subject.aggregate, unknown), 454)
    expect(probe.connection.ask("TEARDOWN", probe.subject.aggregate), 454, 455)


@check(
    "TDN-4",
    Grade.MUST,
    "RFC 2326 10.7",
    "TEARDOWN stops the media; the connection can begin a new session.",
    media=True,
)
def tearDownStops(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    reply = expect(viewer.tearDown(), 200)
    viewer.watch(1.0)
    limit = reply.time + (UNDER_WAY if viewer.transport == "udp" else 0.0)
    late = sum(
        each.order > reply.order and each.time >= limit for reception in viewer.receptions for each in reception.packets
    )
    require(not late, "no RTP after the reply", f"{late} packets")
    require(viewer.connection.isOpen, "the connection stays open", "it was closed")
    usable(viewer.connection, probe.url)
    again = probe.viewer(connection=viewer.connection)
    again.begin(again.play())


@check("TDN-5", Grade.MUST, "RFC 2326 9.1", "PLAY and TEARDOWN that come together are both done.")
def playAndTearDown(probe: Probe) -> None:
    viewer = probe.viewer()
    session = viewer.session
    connection = viewer.connection
    requests = [connection.format(method, viewer.url, [("Session", session)]) for method in ("PLAY", "TEARDOWN")]
    connection.sendQuietly(b"".join(requests))
    probe.network.note(">", "PLAY and TEARDOWN in one write")
    expect(connection.answer(), 200)
    expect(connection.answer(), 200)
    _gone(viewer, session, "PLAY")
    viewer.session = ""


unseen("TDN-2", "Ports, files and timers of a session are freed.", "to be seen in the server's process alone")
