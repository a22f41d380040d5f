"""State × method × kind of URL (RFC 2326 appendix A.2; section 1.10 of the requirements)."""

from __future__ import annotations

import pytest
from automat import NoTransition
from hypothesis import given
from hypothesis import strategies as st
from rtsprig import AUDIO, FILM, TCP, VIDEO, Client, Rig, gaps

from mediasrv.rtsp.states import StateName, newStates

#: nothing set up; set up; playing to the end; playing a range that ends; paused; at the end of a range; of the film
STATES = ["init", "ready", "playing", "closed", "paused", "ended", "over"]

ROWS = [line.split() for line in """
    # A request, with the URL of the presentation or of a track: in each state the code, and behind it the next state if
    # that is another. "playing" is what a client sees, packets; so "closed" is no next state, nor "ended" or "over".

    # request     URL     init       ready        playing      closed       paused       ended        over
    OPTIONS       film    200        200          200          200          200          200          200
    OPTIONS       track   200        200          200          200          200          200          200
    DESCRIBE      film    200        200          200          200          200          200          200
    DESCRIBE      track   200        200          200          200          200          200          200
    SETUP         film    459        459          459          459          459          459          459
    SETUP         track   200:ready  200          455          455          200          200          200
    SETUP-other   track   200:ready  200          200          200          200          200          200
    PLAY          film    454        200:playing  200          200          200:playing  200:playing  200:playing
    PLAY          track   454        200:playing  200          200          200:playing  200:playing  200:playing
    PLAY-range    film    454        200:playing  200          200          200:playing  200:playing  200:playing
    PLAY-range    track   454        200:playing  460          460          200:playing  200:playing  200:playing
    PLAY-beyond   film    454        457          457          457          457          457          457
    PLAY-bytes    film    454        501          501          501          501          501          501
    PAUSE         film    454        455          200:paused   200:paused   200          200          200
    PAUSE         track   454        455          200          200          200          200          200
    PAUSE-beyond  film    454        455          457          457          200          200          200
    TEARDOWN      film    454        200:init     200:init     200:init     200:init     200:init     200:init
    TEARDOWN      track   454        200          200          200          200          200          200
    GET_PARAMETER film    200        200          200          200          200          200          200
    GET_PARAMETER track   200        200          200          200          200          200          200
    SET_PARAMETER film    200        200          200          200          200          200          200
    SET_PARAMETER track   200        200          200          200          200          200          200
    ANNOUNCE      film    405        405          405          405          405          405          405
    RECORD        film    405        405          405          405          405          405          405
    RECORD        track   405        405          405          405          405          405          405
    REDIRECT      film    405        405          405          405          405          405          405
    WHATEVER      film    501        501          501          501          501          501          501
    WHATEVER      track   501        501          501          501          501          501          501
""".splitlines() if line.strip() and not line.strip().startswith("#")]  # fmt: skip
CELLS = [
    (request, url, state, *cell.partition(":")[::2])
    for request, url, *cells in ROWS
    for state, cell in zip(STATES, cells, strict=True)
]

HEADERS: dict[str, dict[str, str]] = {
    "SETUP": {"Transport": TCP.format(4, 5)},
    "SETUP-other": {"Transport": TCP.format(4, 5)},
    "PLAY-range": {"Range": "npt=6-"},
    "PLAY-beyond": {"Range": "npt=20-"},
    "PLAY-bytes": {"Range": "bytes=0-5"},
    "PAUSE-beyond": {"Range": "npt=20-"},
}

#: what a client can ask for and see in each state: the session's own word, and whether packets come
VISIBLE = {"init": None, "ready": "ready", "playing": "playing", "closed": "playing"}


def bringTo(state: str, client: Client, rig: Rig, tracks: int) -> None:
    """
    @param tracks: how many of the film's two are set up.
    """
    if state == "init":
        return
    for number in range(tracks):
        client.setUp(f"{FILM}/trackID={number}", TCP.format(2 * number, 2 * number + 1))
    if state == "ready":
        return
    client.play({"closed": "npt=2-5", "ended": "npt=8-8.5", "over": "npt=8-"}.get(state, "npt=2-"))
    rig.wait(3.0 if state in ("ended", "over") else 0.2)
    if state == "paused":
        client.ask("PAUSE")


def stateAsSeen(client: Client, rig: Rig) -> str | None:
    """What a harmless request says of the session; and that packets come if it plays, and none if it does not."""
    answer = client.ask("GET_PARAMETER", body=b"state\r\n")
    assert answer.code in (200, 454)
    state = answer.body.decode().strip().removeprefix("state: ") if answer.code == 200 else None
    client.forget()
    rig.wait(0.3)
    assert any(client.packets(channel) for channel in (0, 2, 4)) == (state == "playing")
    return state


@pytest.mark.requirement("STA-1", "STA-2", "HDR-7", "PLY-14", "PLY-15", "TDN-3", "PAU-5", "EXT-1", "RED-1")
@pytest.mark.requirement("COD-200", "COD-405", "COD-454", "COD-455", "COD-457", "COD-459", "COD-460", "COD-501")
@pytest.mark.parametrize(("request_", "kind", "state", "code", "becomes"), CELLS)
def testTable(client: Client, rig: Rig, request_: str, kind: str, state: str, code: str, becomes: str) -> None:
    """Every method in every state: the code, and what comes of it; a request that is refused changes nothing."""
    isOther = request_ == "SETUP-other"
    bringTo(state, client, rig, tracks=1 if isOther else 2)
    session = client.session
    method = request_.partition("-")[0]
    url = FILM if kind == "film" else AUDIO if isOther else VIDEO
    headers = HEADERS.get(request_, {})
    answer = (
        client.setUp(url, transport=headers["Transport"]) if method == "SETUP" else client.ask(method, url, **headers)
    )
    assert answer.code == int(code)
    if answer.code in (405, 455):
        assert answer.headers.get("Allow")
    if state != "init" and method not in ("DESCRIBE", "TEARDOWN"):
        assert answer.headers.get("Session", "").startswith(session)
    assert stateAsSeen(client, rig) == VISIBLE.get(becomes or state, "paused")


def stateOf(rig: Rig) -> str | None:
    states = [session.state for session in rig.registry]
    return states[0] if states else None


EVENTS = ["setUp", "play", "pause", "reachEnd", "tearDown"]
TRANSITIONS = {
    ("ready", "setUp"): "ready",
    ("ready", "play"): "playing",
    ("ready", "tearDown"): "gone",
    ("playing", "setUp"): "playing",
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
