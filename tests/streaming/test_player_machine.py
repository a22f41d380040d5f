"""
Whatever a client does in whatever order, and whatever network and disk do meanwhile: the laws of RTP hold.
"""

from __future__ import annotations

from typing import Any

import pytest
from doubles import TICK, Sent, Stage, ahead, film
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.defer import Deferred

from mediasrv.media.containers import NotMedia
from mediasrv.streaming.cues import Cue

_BASE = 0xFFFFF000
_RATES = {0: 90000, 1: 48000}


class Viewer(RuleBasedStateMachine):
    @initialize(reorder=st.sampled_from([0, 2]), slow=st.booleans(), keySize=st.sampled_from([500, 30_000]))
    def begin(self, reorder: int, slow: bool, keySize: int) -> None:
        self.stage = Stage(film(fragments=4, reorder=reorder, keySize=keySize, priming=2))
        self.stage.loader.slow = slow
        self.checked = 0
        #: per track, what a packet's RTP time minus its presentation time may be, in ticks
        self.maps: dict[int, int] = {}
        self.latest = {0: -(1 << 40), 1: -(1 << 40)}

    def _started(self, cue: Cue, stop: float | None, delay: float) -> None:
        stage = self.stage
        self._check()  # a picture that start() completes still has the numbers of before
        before = len(stage.packets)
        infos = stage.player.start(cue, stop, delay)
        self._checkPackets(stage.packets[before:])
        self.checked = len(stage.packets)
        for track, (sequence, rtpTime) in infos.items():
            assert sequence == stage.senders[track].sequence
            self.maps[track] = ahead(rtpTime, _BASE) - round(cue.position * _RATES[track])
            if not cue.resumed:
                assert ahead(rtpTime, _BASE) > self.latest[track]
            # nothing is promised for before now
            assert ahead(rtpTime, _BASE) >= round((stage.clock.seconds() - 1000) * _RATES[track]) - 1
        stage.player.run()

    @rule(position=st.floats(0, 4.5), length=st.none() | st.floats(0.1, 2), delay=st.sampled_from([0.0, 0.0, 0.0, 0.7]))
    def seek(self, position: float, length: float | None, delay: float) -> None:
        found: list[Any] = []
        Deferred.fromCoroutine(self.stage.player.cue(position, self.stage.course())).addBoth(found.append)
        while not found:
            self.stage.loader.answer()
        assert isinstance(found[0], Cue)
        assert found[0].position <= position
        self._started(found[0], None if length is None else position + length, delay)

    @precondition(lambda self: not self.stage.player.isPlaying)
    @rule()
    def resume(self) -> None:
        cue = self.stage.resumption()
        if cue is not None:
            self._started(cue, None, 0.0)

    @rule(point=st.none() | st.floats(0, 4))
    def pause(self, point: float | None) -> None:
        before = self.stage.player.position
        assert self.stage.player.pause(point) == (before if point is None else point)
        self._check()

    @rule(further=st.floats(0, 2))
    def stopAt(self, further: float) -> None:
        player = self.stage.player
        if player.isPlaying:
            player.stopAt(player.position + further)

    @rule()
    def block(self) -> None:
        self.stage.outlet.blocked = True

    @rule()
    def unblock(self) -> None:
        self.stage.outlet.blocked = False
        self.stage.player.unblocked()

    @rule(track=st.sampled_from([0, 1]), room=st.none() | st.integers(0, 5))
    def fill(self, track: int, room: int | None) -> None:
        self.stage.transports[track].room = room

    @rule()
    def read(self) -> None:
        self.stage.loader.answer()

    @rule()
    def forget(self) -> None:
        """The cache is full of other things."""
        if self.stage.loader.slow:
            self.stage.loader.ready.clear()

    @rule()
    def lose(self) -> None:
        self.stage.loader.fail(NotMedia("gone"))

    @rule(seconds=st.floats(0.001, 1.5), step=st.sampled_from([TICK / 2, TICK, 0.037, 1.0]))
    def wait(self, seconds: float, step: float) -> None:
        player, before = self.stage.player, len(self.stage.packets)
        silent = not player.isPlaying or self.stage.outlet.blocked
        self.stage.run(seconds, step)
        if silent:
            assert len(self.stage.packets) == before

    def _check(self) -> None:
        if not hasattr(self, "stage"):
            return
        self._checkPackets(self.stage.packets[self.checked :])
        self.checked = len(self.stage.packets)

    def _checkPackets(self, packets: list[Sent]) -> None:
        for packet in packets:
            rate = _RATES[packet.track]
            assert abs(ahead(packet.timestamp, _BASE) - round(packet.pts * rate) - self.maps[packet.track]) <= 1
            time = ahead(packet.timestamp, _BASE)
            # however many seeks there are: half a second, and what reordering adds
            assert time / rate - (packet.time - 1000) <= 0.5 + 0.3
            if packet.track == 1:
                assert time >= self.latest[1]  # sound is not reordered
            self.latest[packet.track] = max(time, self.latest[packet.track])

    @invariant()
    def numbersAreContinuous(self) -> None:
        self._check()
        if hasattr(self, "stage"):
            for track, transport in self.stage.transports.items():
                packets = transport.packets
                assert [each.sequence for each in packets] == [65530 + at & 0xFFFF for at in range(len(packets))]
                assert self.stage.senders[track].packets == len(packets)

    @invariant()
    def oneTurnAtMost(self) -> None:
        if hasattr(self, "stage"):
            wheel = self.stage.pacer._wheel
            assert sum(map(len, wheel.values())) <= 1
            assert len(self.stage.clock.getDelayedCalls()) <= 1
            if not self.stage.player.isPlaying:
                assert self.stage.player.slot == -1
            loads = [number for _, number, deferred in self.stage.loader.waiting if not deferred.called]
            assert len(loads) <= 1

    @invariant()
    def thePositionIsInside(self) -> None:
        if hasattr(self, "stage"):
            assert 0.0 <= self.stage.player.position <= 6.5


TestViewer = pytest.mark.requirement("PLY-16", "RTP-2", "RTP-4", "RTP-5")(Viewer.TestCase)
TestViewer.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
