"""Checks do not get in each other's way, leave nothing behind, and mistakes of their own are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from liar import Liar, Lie, Link

import mediasrv.conform.checks  # noqa: F401  registers them
from mediasrv.conform import report
from mediasrv.conform.grading import CHECKS, Check, Failed, Grade, NotApplicable, Outcome
from mediasrv.conform.probing import Probe, Subject, examine
from mediasrv.conform.running import Round
from mediasrv.rtsp.messages import Request, Response


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


def test_checksAreWellDescribed():
    """Names and texts are no two the same; the source says where it stands."""
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert len({check.text for check in CHECKS}) == len(CHECKS)
    assert all(check.text.endswith(".") for check in CHECKS)
    assert all(check.requirements for check in CHECKS)
    musts = [check for check in CHECKS if check.grade is Grade.MUST]
    assert all(check.source.startswith("RFC ") for check in musts)
