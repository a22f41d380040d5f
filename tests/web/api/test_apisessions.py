"""Sessions in the API: seen, and ended, by administrators and nobody else."""

from __future__ import annotations

import pytest
from apirig import APIRig, add

SESSIONS = "/-/api/sessions"


def test_all(rig: APIRig) -> None:
    assert rig.ask(SESSIONS).json() == []
    add(rig, "secretA", state="playing", startedAt=1234.5, at=12.3456789, duration=60.0, packetsSent=3, octetsSent=99)
    add(rig, "secretB", door="hls", title="Ä\ud800", tracks=("video h264", "audio aac"), packetsLost=-1)
    answer = rig.ask(SESSIONS)
    first, second = answer.json()
    names = [first.pop("id"), second.pop("id")]
    assert len(set(names)) == 2
    assert first == {
        "door": "rtsp",
        "peer": "192.0.2.1",
        "path": "movies/a.mp4",
        "title": "",
        "tracks": ["video H264"],
        "transport": "",
        "state": "playing",
        "startedAt": 1234.5,
        "position": 12.345679,
        "duration": 60.0,
        "packetsSent": 3,
        "octetsSent": 99,
        "fractionLost": 0.0,
        "packetsLost": 0,
        "jitter": 0.0,
    }
    assert (second["door"], second["title"], second["duration"], second["tracks"]) == (
        "hls",
        "Ä?",
        None,
        ["video h264", "audio aac"],
    )
    assert b"secret" not in answer.body


def test_one(rig: APIRig) -> None:
    add(rig)
    (session,) = rig.ask(SESSIONS).json()
    assert rig.ask(f"{SESSIONS}/{session['id']}").json() == session
    assert rig.ask(f"{SESSIONS}/{session['id']}/").json() == session


def test_identifiersAreNoNames(rig: APIRig) -> None:
    """What steers a session is not what shows it; and another process has other names for it."""
    add(rig, "0123456789abcdef")
    (session,) = rig.ask(SESSIONS).json()
    assert rig.ask(f"{SESSIONS}/0123456789abcdef").code == 404
    other = APIRig()
    add(other, "0123456789abcdef")
    assert other.ask(SESSIONS).json()[0]["id"] != session["id"]


def test_positionsThatAreNone(rig: APIRig) -> None:
    add(rig, at=float("inf"), duration=float("nan"))
    (session,) = rig.ask(SESSIONS).json()
    assert (session["position"], session["duration"]) == (0.0, 0.0)


def test_ended(rig: APIRig) -> None:
    session = add(rig)
    other = add(rig, "other")
    name = rig.ask(SESSIONS).json()[0]["id"]
    answer = rig.ask(f"{SESSIONS}/{name}", "DELETE")
    assert (answer.code, answer.body) == (204, b"")
    assert session.reasons == ["ended by an administrator"]
    assert list(rig.registry) == [other]
    assert rig.ask(f"{SESSIONS}/{name}", "DELETE").code == 404
    assert rig.ask(f"{SESSIONS}/{name}").code == 404


@pytest.mark.parametrize("path", [SESSIONS, f"{SESSIONS}/x", f"{SESSIONS}/events"])
def test_forAdministrators(rig: APIRig, path: str) -> None:
    answer = rig.ask(path, peer="192.0.2.9")
    assert answer.code == 403
    assert "administrators" in answer.json()["detail"]
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_nobodyElseEndsOne(rig: APIRig) -> None:
    session = add(rig)
    name = rig.oversight.feed.names.of(session)
    assert rig.ask(f"{SESSIONS}/{name}", "DELETE", peer="192.0.2.9").code == 403
    assert rig.ask(f"{SESSIONS}/{name}", "DELETE", Origin="http://evil.example").code == 403
    assert session.reasons == []
    assert rig.ask(f"{SESSIONS}/{name}", "DELETE", Origin="http://127.0.0.1:8080").code == 204


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (SESSIONS, "POST", "GET, HEAD"),
        (SESSIONS, "DELETE", "GET, HEAD"),
        (f"{SESSIONS}/events", "PUT", "GET, HEAD"),
        (f"{SESSIONS}/0123456789abcdef", "PATCH", "GET, HEAD, DELETE"),
    ],
)
def test_otherMethods(rig: APIRig, path: str, method: str, allowed: str) -> None:
    answer = rig.ask(path, method)
    assert (answer.code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("path", [f"{SESSIONS}/none", f"{SESSIONS}/a/b", f"{SESSIONS}/events/x"])
def test_nothing(rig: APIRig, path: str) -> None:
    assert rig.ask(path).code == 404


def test_head(rig: APIRig) -> None:
    add(rig)
    answer = rig.ask(SESSIONS, "HEAD")
    assert (answer.code, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(rig.ask(SESSIONS).body)


def test_manyHoldNobodyUp(rig: APIRig) -> None:
    """The list of many is made a piece in each turn; who goes away meanwhile leaves nothing behind."""
    sessions = [add(rig, str(number)) for number in range(250)]
    wire = rig.open(SESSIONS)
    assert wire.value() == b""
    rig.clock.advance(0)
    assert wire.value().count(b'"door"') == len(sessions)
    gone = rig.open(SESSIONS)
    assert [call for call in rig.clock.getDelayedCalls() if call.getTime() == rig.clock.seconds()]
    gone.lose()
    assert not [call for call in rig.clock.getDelayedCalls() if call.getTime() == rig.clock.seconds()]


def test_aSessionThatCannotBeShown(rig: APIRig, loggedFailures: list[object]) -> None:
    """An application's own, for example: the answer is an error, and the log says which."""
    session = add(rig)
    session.tracks = None  # type: ignore[assignment]
    assert rig.ask(SESSIONS).code == 500
    assert len(loggedFailures) == 1
    loggedFailures.clear()
