"""State × method × kind of URL (RFC 2326 appendix A.2; section 1.10 of the requirements)."""

from __future__ import annotations

import pytest
from automat import NoTransition
from hypothesis import given
from hypothesis import strategies as st
from rtsprig import FILM, TCP, VIDEO, Client, Rig, gaps

from mediasrv.rtsp.states import StateName, newStates

STATES = ["init", "ready", "playing", "paused", "ended"]

# method: code in each state, for the presentation's URL
AGGREGATE = {
    "OPTIONS": [200, 200, 200, 200, 200],
    "DESCRIBE": [200, 200, 200, 200, 200],
    "SETUP": [459, 459, 459, 459, 459],
    "PLAY": [454, 200, 200, 200, 200],
    "PAUSE": [454, 455, 200, 200, 200],
    "TEARDOWN": [454, 200, 200, 200, 200],
    "GET_PARAMETER": [200, 200, 200, 200, 200],
    "SET_PARAMETER": [200, 200, 200, 200, 200],
    "ANNOUNCE": [405, 405, 405, 405, 405],
    "RECORD": [405, 405, 405, 405, 405],
    "REDIRECT": [405, 405, 405, 405, 405],
    "UNKNOWN": [501, 501, 501, 501, 501],
}
TRACK = AGGREGATE | {
    "SETUP": [200, 200, 455, 200, 200],
    "PLAY": [454, 460, 460, 460, 460],
    "PAUSE": [454, 460, 460, 460, 460],
    "TEARDOWN": [454, 460, 460, 460, 460],
}
#: what a successful request leads to; all others change nothing
NEXT = {"PLAY": "playing", "PAUSE": "paused", "TEARDOWN": None}


def bringTo(state: str, client: Client, rig: Rig) -> None:
    if state == "init":
        return
    client.setUp(VIDEO, TCP.format(0, 1))
    if state == "ended":
        client.play("npt=9-")
        rig.wait(3.0)
    elif state != "ready":
        client.play("npt=2-")
        rig.wait(0.2)
    if state == "paused":
        client.ask("PAUSE")


@pytest.mark.requirement(
    "STA-1",
    "STA-2",
    "HDR-7",
    "PLY-15",
    "PLY-14",
    "TDN-3",
    "PAU-5",
    "EXT-1",
    "RED-1",
    "COD-200",
    "COD-405",
    "COD-454",
    "COD-455",
    "COD-459",
    "COD-460",
    "COD-501",
)
@pytest.mark.parametrize("method", AGGREGATE)
@pytest.mark.parametrize("isTrack", [False, True])
@pytest.mark.parametrize("state", STATES)
def testTable(client: Client, rig: Rig, state: str, isTrack: bool, method: str) -> None:
    """Every method in every state: the code, and what comes of it."""
    bringTo(state, client, rig)
    before = stateOf(rig)
    url = VIDEO if isTrack else FILM
    answer = client.ask(method, url, Transport=TCP.format(4, 5) if method == "SETUP" else None)
    assert answer.code == (TRACK if isTrack else AGGREGATE)[method][STATES.index(state)]
    if answer.code in (405, 455):
        assert answer.headers.get("Allow")
    if answer.code >= 400 and state != "init":
        assert answer.headers.get("Session", "").startswith(client.session)
    after = stateOf(rig)
    if answer.code != 200:
        assert after == before
    elif method == "SETUP":
        assert after == (before or "ready")
    else:
        assert after == NEXT.get(method, before)
    client.forget()
    rig.wait(0.3)
    # what the state says is what the client sees
    assert bool(client.packets(0)) == (after == "playing")


def stateOf(rig: Rig) -> str | None:
    states = [session.state for session in rig.registry]
    return states[0] if states else None


EVENTS = ["setUp", "play", "pause", "reachEnd", "tearDown"]
TRANSITIONS = {
    ("ready", "setUp"): "ready",
    ("ready", "play"): "playing",
    ("ready", "tearDown"): "gone",
    ("playing", "play"): "playing",
    ("playing", "pause"): "paused",
    ("playing", "reachEnd"): "paused",
    ("playing", "tearDown"): "gone",
    ("paused", "setUp"): "paused",
    ("paused", "play"): "playing",
    ("paused", "pause"): "paused",
    ("paused", "tearDown"): "gone",
}


@pytest.mark.requirement("STA-1")
@given(st.lists(st.sampled_from(EVENTS), max_size=12))
def testMachine(events: list[str]) -> None:
    """Appendix A.2: nothing but these transitions; a refused event changes nothing."""
    name = StateName()
    machine = newStates(name)
    for event in events:
        expected = TRANSITIONS.get((name.state, event))
        before = name.state
        if expected is None:
            with pytest.raises(NoTransition):
                getattr(machine, event)()
            assert name.state == before
        else:
            getattr(machine, event)()
            assert name.state == expected


REQUESTS = st.sampled_from(
    ["SETUP 0", "SETUP 1", "PLAY", "PLAY 3", "PLAY 7", "PLAY 2-2.5", "PLAY 99", "PAUSE", "PAUSE 4", "TEARDOWN", "wait"]
)


@pytest.mark.requirement("PLY-16", "RTP-4", "STA-1")
@given(st.lists(REQUESTS, max_size=25))
def testAnyOrder(requests: list[str]) -> None:
    """PLY-16, RTP-4: whatever is asked in whatever order, state and packets agree and sequence numbers have no gap."""
    rig = Rig()
    client = rig.connect()
    for request in requests:
        method, _, argument = request.partition(" ")
        if method == "wait":
            rig.wait(0.7)
        elif method == "SETUP":
            channels = TCP.format(2 * int(argument), 2 * int(argument) + 1)
            client.setUp(f"{FILM}/trackID={argument}", channels)
        else:
            answer = client.ask(method, Range=f"npt={argument}{'' if '-' in argument else '-'}" if argument else None)
            assert answer.code in (200, 454, 455, 457)
            if method == "TEARDOWN":
                client.session = ""
                checkNumbers(client)
                client.forget()
    checkNumbers(client)
    state = stateOf(rig)
    client.forget()
    rig.wait(0.7)
    if state != "playing":
        assert client.packets(0) + client.packets(2) == []
    client.transport.lose()
    assert len(rig.registry) == 0
    rig.wait(0.05)
    assert len(rig.clock.getDelayedCalls()) == 1


def checkNumbers(client: Client) -> None:
    for channel in (0, 2):
        packets = client.packets(channel)
        assert set(gaps([packet.sequence for packet in packets])) <= {1}
        assert len({packet.ssrc for packet in packets}) <= 1
