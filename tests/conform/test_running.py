"""Checks do not get in each other's way, leave nothing behind, and mistakes of their own are told apart."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from liar import Liar, Lie, Link
from lies import Header

import mediasrv.conform.checks  # noqa: F401  registers them
from mediasrv.conform import report
from mediasrv.conform.grading import CHECKS, Check, Failed, Grade, NotApplicable, Outcome
from mediasrv.conform.probing import Probe, Subject, examine
from mediasrv.conform.running import Round
from mediasrv.rtsp.headers import formatDate
from mediasrv.rtsp.messages import Headers, InterleavedFrame, Request, Response


def made(function: Callable[[Probe], str | None], *, media: bool = False, grade: Grade = Grade.MUST) -> Check:
    return Check(function.__name__, ("X-1",), grade, "It is so.", "RFC 1", media, function)


@pytest.fixture
def subject(port: int) -> Subject:
    return examine(f"rtsp://127.0.0.1:{port}/m/film.mp4", 5.0, "tcp")


def right(probe: Probe) -> str:
    return f"over {probe.transport}"


def wrong(probe: Probe) -> None:
    probe.connection.ask("OPTIONS", "*")
    raise Failed("something else")


def odd(probe: Probe) -> None:
    raise NotApplicable("not here")


def mistaken(probe: Probe) -> None:
    raise ZeroDivisionError


def test_outcomes(subject):
    results = list(Round(subject, ["tcp"], 1.0).run([made(each) for each in (right, wrong, odd, mistaken)]))
    outcomes = [result.outcome for result in results]
    assert outcomes == [Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE, Outcome.ERROR]
    passed, failed, left, error = results
    assert passed.remark == "over tcp"
    assert (failed.sent, failed.got[:6], failed.wanted) == ("OPTIONS *", "200 OK", "something else")
    assert left.remark == "not here"
    assert "ZeroDivisionError" in error.remark


def test_exitStatus(subject):
    def status(*checks: Check) -> int:
        return report.status(list(Round(subject, ["tcp"], 1.0).run(checks)))

    assert status(made(right), made(odd)) == 0
    assert status(made(right), made(wrong, grade=Grade.SHOULD), made(wrong, grade=Grade.POLICY)) == 0
    assert status(made(right), made(wrong)) == 1
    assert status(made(wrong), made(mistaken)) == 2


def test_everyTransport(subject):
    results = list(Round(subject, ["udp", "tcp"], 1.0).run([made(right, media=True), made(right)], jobs=3))
    assert [(result.transport, result.remark) for result in results] == [
        ("udp", "over udp"),
        ("tcp", "over tcp"),
        ("", "over tcp"),
    ]


class Recorder(Lie):
    """Remembers which sessions there are."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.count = 0

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        session = (response.headers.get("Session") or request.headers.get("Session", "")).partition(";")[0]
        if response.code == 200 and request.method == "SETUP":
            self.count += session not in self.sessions
            self.sessions.add(session)
        if response.code == 200 and request.method == "TEARDOWN":
            self.sessions.discard(session)
        return response.toBytes()


@pytest.fixture
def recorder(port: int) -> Iterator[tuple[Recorder, str]]:
    lie = Recorder()
    liar = Liar(port, lie)
    yield lie, liar.url()
    liar.stop()


def givesUp(probe: Probe) -> None:
    probe.viewer().play()
    raise Failed("nothing")


def hangsUp(probe: Probe) -> None:
    viewer = probe.viewer(transport="udp")
    viewer.play()
    viewer.connection.close()


def test_noSessionIsLeft(recorder):
    """Whether a check passes, fails, stumbles or hangs up."""
    lie, url = recorder

    def stumbles(probe: Probe) -> None:
        probe.viewer().play()
        raise ZeroDivisionError

    named = {"requireBeforeAll", "firstOfTransports", "sessionsOnOneConnection", "setUpAnew", "seqOfFirstPacket"}
    checks = [check for check in CHECKS if check.name in named] + [made(each) for each in (givesUp, hangsUp, stumbles)]
    subject = examine(url, 5.0, "tcp")
    results = list(Round(subject, ["udp"], 5.0).run(checks, jobs=4))
    assert len(results) == len(checks) == 8
    assert lie.count >= 10
    assert lie.sessions == set()


def test_clockOfTheServer(port):
    """Is compared by its Date, as far as that tells."""

    def skew(date: float) -> float:
        liar = Liar(port, Header("Date", lambda value, request, link: formatDate(date), add=True))
        try:
            return examine(liar.url(), 5.0, "tcp").skew
        finally:
            liar.stop()

    now = time.time()
    assert skew(now) == 0
    assert abs(skew(now + 3600) - 3600) < 5


class Live(Lie):
    """What it plays has no end, and no place to go to."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == "DESCRIBE":
            response.body = re.sub(rb"a=range:[^\r]*", b"a=range:npt=now-", response.body)
        if "Range" in response.headers:
            response.headers.set("Range", "npt=now-")
        return response.toBytes()


class Bare(Lie):
    """Says yes to everything, and nothing else."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method not in ("DESCRIBE", "SETUP"):
            response.headers = Headers([("CSeq", response.headers.get("CSeq", ""))])
            response.code = 200
        return response.toBytes()


class Mangled(Lie):
    """Headers that look like something, and are not."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        names = ("Range", "RTP-Info", "Scale", "Speed", "Public", "Allow")
        for name in names if request.method != "DESCRIBE" else ():
            response.headers.set(name, "npt=;url=,;seq=x")
        return response.toBytes()


class Cut(Lie):
    """Frames with little in them, if anything."""

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        link.notes["frames"] = link.notes.get("frames", 0) + 1
        frame.payload = frame.payload[: link.notes["frames"] % 30]
        return frame.toBytes()


@pytest.mark.parametrize("lie", [Live, Bare, Mangled, Cut])
def test_nothingMakesTheCheckerStumble(port, lie):
    """All checks, on a server that is not as they expect one."""
    liar = Liar(port, lie())
    try:
        subject = examine(liar.url(), 5.0, "tcp")
        results = list(Round(subject, ["tcp"], 1.0).run(CHECKS, jobs=16))
    finally:
        liar.stop()
    assert len(results) == len(CHECKS)
    assert [(each.check.name, each.remark) for each in results if each.outcome is Outcome.ERROR] == []
    if lie is Live:
        assert subject.duration is None
        failed = {
            each.check.name for each in results if each.outcome is Outcome.FAILED and each.check.grade is Grade.MUST
        }
        assert failed == set()


def test_checksAreWellDescribed():
    """Names and texts are no two the same; the source says where it stands."""
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert len({check.text for check in CHECKS}) == len(CHECKS)
    assert all(check.text.endswith(".") for check in CHECKS)
    assert all(check.requirements for check in CHECKS)
    musts = [check for check in CHECKS if check.grade is Grade.MUST]
    assert all(check.source.startswith("RFC ") for check in musts)
