"""Random dialogues of several listeners to one broadcast, against what must hold after each of them (SET-15)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rtsprig import AUDIO, VIDEO, Client, Rig, gaps, rangeOf, rtpInfo

from mediasrv.rtp.packets import parsePacket

LISTENERS = 3
TRACKS = {VIDEO: 5004, AUDIO: 5006}

clients = st.integers(0, LISTENERS - 1)


class Listeners(RuleBasedStateMachine):
    """
    Three clients; each has a session or none.
    """

    @initialize()
    def begin(self) -> None:
        self.rig = Rig(groups="239.255.42.0/31", sessionTimeout=30)
        self.clients: list[Client | None] = [None] * LISTENERS
        self.playing = [False] * LISTENERS

    def _session(self, number: int) -> Any:
        client = self.clients[number]
        return None if client is None else self.rig.registry.get(client.session)

    def _others(self, number: int) -> bool:
        return any(is_ for each, is_ in enumerate(self.playing) if each != number)

    @rule(number=clients, urls=st.sampled_from([(VIDEO, AUDIO), (VIDEO,), (AUDIO,), (AUDIO, VIDEO)]))
    def setUp(self, number: int, urls: tuple[str, ...]) -> None:
        """A track more, or a new session; 455 while it plays."""
        if self._session(number) is None:
            self.clients[number] = self.rig.connect(f"192.0.2.{number}")
            self.playing[number] = False
        client = self.clients[number]
        assert client is not None
        for url in urls:
            assert client.setUp(url, "RTP/AVP;multicast").code == (455 if self.playing[number] else 200)

    @rule(
        number=clients, start=st.sampled_from([None, "npt=0-", "npt=4-", "npt=6-7", "npt=9.9-", "npt=50-", "npt=3-2"])
    )
    def play(self, number: int, start: str | None) -> None:
        """It begins at a key frame or where it was, or joins the others; the reply is exact."""
        session, client = self._session(number), self.clients[number]
        if session is None or client is None:
            return
        here = session.player.position
        answer = client.ask("PLAY", Range=start)
        if start in ("npt=50-", "npt=3-2"):
            assert answer.code == 457
            return
        assert answer.code == 200
        began = rangeOf(answer)[0]
        if self._others(number):
            assert began == pytest.approx(here, abs=0.001)
        for url, (sequence, _) in rtpInfo(answer).items():
            assert sequence == session.setUpTracks[0 if url == VIDEO else 1].sender.sequence or not self._others(number)
        self.playing[number] = True

    @rule(number=clients)
    def pause(self, number: int) -> None:
        session, client = self._session(number), self.clients[number]
        if session is None or client is None:
            return
        was = session.state
        assert client.ask("PAUSE").code == (455 if was == "ready" else 200)
        self.playing[number] = False

    @rule(number=clients)
    def tearDown(self, number: int) -> None:
        client = self.clients[number]
        if self._session(number) is not None and client is not None:
            assert client.ask("TEARDOWN").code == 200
            self.playing[number] = False

    @rule(number=clients)
    def end(self, number: int) -> None:
        """The server ends it."""
        session = self._session(number)
        if session is not None:
            self.rig.registry.end(session.id, "enough")
            self.playing[number] = False

    @precondition(lambda self: any(self.playing))
    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0, 4.0]))
    def wait(self, seconds: float) -> None:
        """Somebody listens, and time goes by; the end of the range is the end for all who do."""
        self.rig.wait(seconds)
        states = [getattr(self._session(number), "state", "") for number in range(LISTENERS)]
        heard = {state for state, is_ in zip(states, self.playing, strict=True) if is_}
        assert len(heard) == 1
        if heard == {"paused"}:
            self.playing = [False] * LISTENERS

    @invariant()
    def statesAgree(self) -> None:
        for number, is_ in enumerate(self.playing):
            session = self._session(number)
            assert (session is not None and session.state == "playing") == is_

    @invariant()
    def onePlayer(self) -> None:
        """It plays if somebody listens; groups are taken if somebody is there."""
        broadcasts = {id(session.broadcast): session.broadcast for session in self.rig.registry}  # type: ignore[attr-defined]
        assert len(broadcasts) == len(self.rig.site.broadcasts or ()) <= 1
        assert self.rig.groupPorts == 2 * len(broadcasts)
        for broadcast in broadcasts.values():
            assert broadcast.player.isPlaying == any(self.playing)

    @invariant()
    def numbersGoOn(self) -> None:
        """RTP-4, RTP-5: one line for each SSRC, whoever came and went."""
        for port in TRACKS.values():
            packets = [parsePacket(data) for data in self.rig.datagrams("rtp", port)]
            for ssrc in {packet.ssrc for packet in packets}:
                line = [packet for packet in packets if packet.ssrc == ssrc]
                assert set(gaps([packet.sequence for packet in line])) <= {1}
                steps = gaps([packet.timestamp for packet in line])
                assert all(step < 1 << 31 for step in steps)

    def teardown(self) -> None:
        if hasattr(self, "rig"):
            self.rig.site.stop()
            assert self.rig.groupPorts == 0


TestListeners: Any = pytest.mark.requirement("SET-15", "RTP-4", "RTP-5")(Listeners.TestCase)
TestListeners.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
