"""
The states of a session (RFC 2326 appendix A.2): what is allowed where, and that a refusal changes nothing.
"""

from __future__ import annotations

from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import expect, refused, require, tokens
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Viewer


def _goesOn(viewer: Viewer) -> None:
    """
    @raise Failed: if what played does not play any more.
    """
    before = viewer.received
    viewer.watch(3.0, lambda: viewer.received > before + 2)
    require(viewer.received > before + 2, "it plays on", "silence after the refusal")


@check(
    "STATE-INIT",
    Grade.MUST,
    "RFC 2326 A.2",
    "Without a session PLAY, PAUSE and RECORD are refused, and SETUP works after that.",
)
def stateInit(probe: Probe) -> None:
    connection = probe.connection
    for method in ("PLAY", "PAUSE", "RECORD"):
        refused(connection.ask(method, probe.subject.aggregate), "454 or 455")
    viewer = probe.viewer(connection=connection)
    expect(viewer.ask("PLAY"), 200)


@check(
    "STATE-READY",
    Grade.MUST,
    "RFC 2326 A.2",
    "In Ready, RECORD of what was set up to play is refused; PLAY works after that.",
)
def stateReady(probe: Probe) -> None:
    viewer = probe.viewer()
    refused(viewer.ask("RECORD"), "405, 455 or 501")
    viewer.begin(viewer.play())


@check("STATE-READY", Grade.MUST, "RFC 2326 A.2", "In Ready, TEARDOWN leads back to the beginning.")
def tearDownInReady(probe: Probe) -> None:
    viewer = probe.viewer()
    expect(viewer.tearDown(), 200)
    again = probe.viewer(connection=viewer.connection)
    expect(again.ask("PLAY"), 200)


@check("STATE-PLAYING", Grade.MUST, "RFC 2326 A.2", "While playing, RECORD is refused, and it plays on.", media=True)
def statePlaying(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    refused(viewer.ask("RECORD"), "455, 405 or 501")
    _goesOn(viewer)


@check(
    "STATE-PLAYING", Grade.MUST, "RFC 2326 A.2", "PAUSE leads to Ready, from where PLAY and TEARDOWN work.", media=True
)
def pausedIsReady(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    viewer.pause()
    viewer.begin(viewer.play())
    viewer.pause()
    expect(viewer.tearDown(), 200)


@check(
    "STATE-PLAYING", Grade.MUST, "RFC 2326 A", "A PLAY that is refused changes nothing: what plays goes on.", media=True
)
def refusedPlay(probe: Probe) -> None:
    duration = probe.needOnDemand(8.0)
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    if viewer.tryPlay(f"npt={duration + 100:.0f}-").reply.code == 200:
        raise NotApplicable("a start beyond the end is not refused; see PLY-4")
    _goesOn(viewer)


@check("STATE-PLAYING", Grade.MUST, "RFC 2326 A", "A request with a feature that the server lacks changes nothing.")
def refusedPause(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    if viewer.ask("PAUSE", [("Require", "no.such.feature")]).code == 200:
        raise NotApplicable("not refused; see HDR-1")
    _goesOn(viewer)


@check("STATE-READY", Grade.MUST, "RFC 2326 A", "A SETUP that is refused leaves the session as it was.")
def refusedSetUp(probe: Probe) -> None:
    viewer = probe.viewer()
    refused(viewer.ask("SETUP", [("Transport", "RTP/FOO;unicast")], probe.subject.tracks[0].url), "461")
    viewer.begin(viewer.play())


@check("STATE-ALLOW STATUS-455", Grade.SHOULD, "RFC 2326 11.3.6", "A 455 names in Allow what is valid in that state.")
def allowWith455(probe: Probe) -> None:
    viewer = probe.viewer()
    replies = [viewer.ask("PAUSE"), viewer.ask("RECORD")]
    replies = [reply for reply in replies if reply.code == 455]
    if not replies:
        raise NotApplicable("no 455 was provoked")
    require(all(tokens(reply.headers.get("Allow")) for reply in replies), "Allow", "none")


unseen(
    "STATUS-301 STATUS-302 STATUS-401 STATUS-403 STATUS-408 STATUS-410 STATUS-453 STATUS-456 STATUS-458 STATUS-503",
    "Redirection, users, what is forbidden or gone, a full server: 3xx, 401, 403, 408, 410, 453, 456, 458, 503.",
    "needs a server that is set up for it",
)
