"""The sessions, live: what listeners are told, and that none of them costs more than it reads."""

from __future__ import annotations

import random

from apirig import APIRig, add, events, parsed
from rtsprig import Wire
from sessiondouble import FakeSession

EVENTS = "/-/api/sessions/events"


def heard(wire: Wire) -> list[tuple[str, object]]:
    """The events so far."""
    return events(parsed(wire.value()).body)


def kinds(wire: Wire) -> list[str]:
    return [kind for kind, _ in heard(wire)]


def known(wire: Wire) -> dict[str, dict[str, object]]:
    """What a listener knows that goes by the names."""
    sessions: dict[str, dict[str, object]] = {}
    for kind, value in heard(wire):
        each: object
        if kind == "snapshot":
            sessions = {each["id"]: dict(each) for each in value}  # type: ignore[attr-defined]
        elif kind == "removed":
            sessions.pop(value["id"], None)  # type: ignore[index]
        elif kind == "progress":
            for each in value:  # type: ignore[attr-defined]
                sessions[each["id"]].update(each)
        else:
            sessions[value["id"]] = dict(value)  # type: ignore[index, call-overload]
    return sessions


def test_told(rig: APIRig) -> None:
    first = add(rig, "first")
    wire = rig.open(EVENTS)
    answer = parsed(wire.value())
    assert (answer.code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.body.startswith(b"retry: 3000\n\n")
    second = add(rig, "second")
    second.state = "paused"
    rig.registry.changed(second)
    rig.registry.remove(first)
    assert kinds(wire) == ["snapshot", "added", "changed", "removed"]
    (snapshot,) = heard(wire)[0][1]  # type: ignore[misc]
    assert snapshot["id"] == rig.oversight.feed.names.of(first)
    assert list(known(wire).values()) == rig.ask("/-/api/sessions").json()


def test_progress(rig: APIRig) -> None:
    """Every two seconds, of what has moved, in one event."""
    first, second, still = (add(rig, each) for each in ("first", "second", "still"))
    wire = rig.open(EVENTS)
    rig.clock.advance(1.9)
    assert kinds(wire) == ["snapshot"]
    rig.clock.advance(0.1)  # the first time all, for there may have been something since the snapshot
    assert [len(value) for kind, value in heard(wire) if kind == "progress"] == [3]  # type: ignore[arg-type]
    first.at, first.packetsSent, first.octetsSent = 7.5, 10, 1000
    second.state = "paused"
    rig.clock.advance(2.0)
    name = rig.oversight.feed.names.of
    assert heard(wire)[-1] == (
        "progress",
        [
            {"id": name(first), "position": 7.5, "octetsSent": 1000, "packetsSent": 10, "state": "ready"},
            {"id": name(second), "position": 0.0, "octetsSent": 0, "packetsSent": 0, "state": "paused"},
        ],
    )
    rig.clock.advance(2.0)
    assert len(kinds(wire)) == 3
    assert still.octetsSent == 0


def test_silenceIsBroken(rig: APIRig) -> None:
    """A proxy may close a connection on which nothing comes for half a minute."""
    wire = rig.open(EVENTS)
    said = []
    for _ in range(30):
        before = len(wire.value())
        rig.clock.advance(2.0)
        said.append(wire.value()[before:])
    assert [number for number, each in enumerate(said, 1) if each] == [7, 14, 21, 28]
    assert said[6] == b"3\r\n:\n\n\r\n"


def test_head(rig: APIRig) -> None:
    answer = rig.ask(EVENTS, "HEAD")
    assert (answer.code, answer.headers["content-type"], answer.body) == (200, "text/event-stream", b"")
    assert len(rig.oversight.feed) == 0


def test_aSlowListener(rig: APIRig) -> None:
    """It is sent nothing while it does not read, and afterwards all that it needs."""
    wire, other = rig.open(EVENTS), rig.open(EVENTS)
    wire.producer.pauseProducing()
    before = len(wire.value())
    sessions = [add(rig, str(number)) for number in range(50)]
    for session in sessions[:20]:
        rig.registry.remove(session)
    sessions[30].at = 5.0
    rig.clock.advance(2.0)
    assert len(wire.value()) == before
    assert kinds(other).count("added") == 50
    wire.producer.resumeProducing()
    assert kinds(wire) == ["snapshot", "snapshot"]
    assert list(known(wire)) == list(known(other))
    assert known(wire) == known(other)
    sessions[31].at = 5.0
    rig.clock.advance(2.0)
    assert known(wire) == known(other)


def test_aPauseInWhichNothingHappens(rig: APIRig) -> None:
    wire = rig.open(EVENTS)
    wire.producer.pauseProducing()
    wire.producer.resumeProducing()
    assert kinds(wire) == ["snapshot"]


def test_whoReadsNothingForAMinute(rig: APIRig) -> None:
    wire = rig.open(EVENTS)
    wire.producer.pauseProducing()
    rig.clock.pump([2.0] * 29)
    assert wire.connected
    rig.clock.advance(2.0)
    assert wire.aborted
    assert len(rig.oversight.feed) == 0
    assert not wire.connected


def test_whatHappensWhileTheListIsMade(rig: APIRig) -> None:
    """The list of many takes several turns, in which some come, go and change; two who wait get the same one."""
    sessions = [add(rig, str(number)) for number in range(250)]
    wire = rig.open(EVENTS)
    rig.registry.remove(sessions[0])
    rig.registry.remove(sessions[240])
    sessions[1].state = "paused"
    rig.registry.changed(sessions[1])
    other = rig.open(EVENTS)
    add(rig, "late")
    rig.clock.advance(0)
    assert kinds(wire) == kinds(other) == ["snapshot", "removed", "removed", "changed", "added"]
    rig.clock.advance(2.0)
    shown = rig.open("/-/api/sessions")
    rig.clock.advance(0)
    expected = {each["id"]: each for each in parsed(shown.value()).json()}
    assert known(wire) == known(other) == expected
    assert len(expected) == 249


def test_whoLeavesWhileTheListIsMade(rig: APIRig) -> None:
    for number in range(250):
        add(rig, str(number))
    rig.open(EVENTS).lose()
    rig.registry.end("3", "x")
    wire = rig.open(EVENTS)
    rig.clock.advance(0)
    assert len(known(wire)) == 249
    wire.lose()
    rig.clock.advance(0)
    assert not [call for call in rig.clock.getDelayedCalls() if call.getTime() <= rig.clock.seconds() + 2]


def test_aHundredComeAndGo(rig: APIRig) -> None:
    """In any order, and while sessions come and go: all that stay know the same, and nothing is left of the others."""
    dice = random.Random(7)
    wires: list[Wire] = []
    ended: list[FakeSession] = []
    for step in range(400):
        if len(wires) < 100 and dice.random() < 0.5:
            wires.append(rig.open(EVENTS))
        elif wires and dice.random() < 0.3:
            wires.pop(dice.randrange(len(wires))).lose()
        if dice.random() < 0.7:
            ended.append(add(rig, str(step)))
        elif ended:
            rig.registry.remove(ended.pop(dice.randrange(len(ended))))
        if wires and dice.random() < 0.2:
            dice.choice(wires).producer.pauseProducing()
        if wires and dice.random() < 0.3:
            dice.choice(wires).producer.resumeProducing()
        rig.clock.advance(0.05)
    assert len(wires) > 20
    assert len(rig.oversight.feed) == len(wires)
    for wire in wires:
        wire.producer.resumeProducing()
    rig.clock.advance(2.0)
    shown = rig.open("/-/api/sessions")
    rig.clock.advance(0)
    expected = {each["id"]: each for each in parsed(shown.value()).json()}
    assert len(expected) == len(ended) > 50
    for wire in wires:
        assert known(wire) == expected
        wire.lose()
    assert len(rig.oversight.feed) == 0


def test_tooMany(rig: APIRig) -> None:
    wires = [rig.open(EVENTS) for _ in range(200)]
    answer = rig.ask(EVENTS)
    assert (answer.code, answer.headers["retry-after"]) == (503, "10")
    wires.pop().lose()
    assert parsed(rig.open(EVENTS).value()).code == 200


def test_stopped(rig: APIRig) -> None:
    """The streams end, properly; nothing goes on; and it may begin again."""
    wires = [rig.open(EVENTS) for _ in range(3)]
    rig.oversight.stop()
    assert all(wire.value().endswith(b"0\r\n\r\n") for wire in wires)
    for wire in wires:
        wire.lose()  # which would have been kept alive for another request
    assert [call.getTime() for call in rig.clock.getDelayedCalls() if call.getTime() <= rig.clock.seconds() + 2] == []
    wire = rig.open(EVENTS)
    add(rig)
    assert kinds(wire) == ["snapshot", "added"]


def test_aSessionThatCannotBeShown(rig: APIRig, loggedFailures: list[object]) -> None:
    """It ends the streams, once in the log; what comes again is told of the others as soon as it can be."""
    session = add(rig)
    wire = rig.open(EVENTS)
    session.at = None  # type: ignore[assignment]
    rig.clock.advance(2.0)
    assert wire.value().endswith(b"0\r\n\r\n")
    assert len(loggedFailures) == 1
    loggedFailures.clear()
    session.at = 1.0
    wire = rig.open(EVENTS)
    rig.clock.advance(2.0)
    assert kinds(wire) == ["snapshot", "progress"]


def test_whoLeavesWhileProgressIsTold(rig: APIRig) -> None:
    """It is not told of any more: who listens would not know of whom that is."""
    sessions = [add(rig, str(number)) for number in range(250)]
    wire = rig.open(EVENTS)
    rig.clock.callLater(2.0, rig.registry.remove, sessions[240])  # between the first piece and the next
    rig.clock.advance(2.0)
    assert kinds(wire) == ["snapshot", "progress", "removed", "progress", "progress"]
    assert len(known(wire)) == 249
