"""Broadcasts: who shares what, and when it is over (requirement SET-15); tests/rtsp/test_listening.py has dialogues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from doubles import TICK, FakeMulticast
from twisted.internet.task import Clock

from mediasrv.media.presentation import FileVersion
from mediasrv.media.tracks import Track
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.rtp.multicast import NoGroupFree
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.ondemand import OnDemand
from mediasrv.streaming.pacer import Pacer

PLAN = BurstPlan(1400, 32, TICK)
SOUNDS = [Track(at, "audio", "pcm_mulaw", sampleRate=8000, channels=1) for at in range(3)]

pytestmark = pytest.mark.requirement("SET-15")


class Tape:
    """A presentation of nothing; two of the same content are alike."""

    def __init__(self, path: str, tracks: int = 2, modified: int = 1) -> None:
        self.path = path
        self.version = FileVersion(1, 77, 1000, modified)
        self.tracks = SOUNDS[:tracks]
        self.duration = 12.5


@dataclass(eq=False)
class Listener:
    peer: str = "192.0.2.1"
    state: str = "ready"
    told: list[Any] = field(default_factory=list)

    def rangeEnded(self) -> None:
        self.told.append("ended")

    def playerFailed(self) -> None:
        self.told.append("failed")

    def controlHeard(self, track: int, data: bytes) -> None:
        self.told.append((track, data))


@pytest.fixture
def multicast() -> FakeMulticast:
    return FakeMulticast(4)


@pytest.fixture
def broadcasts(multicast: Any) -> Broadcasts:
    library: Any = None
    loader: Any = None
    clock = Clock()
    return Broadcasts(OnDemand(library, loader, Pacer(clock, TICK, clock.seconds), PLAN), multicast)


def tape(path: str, tracks: int = 2, modified: int = 1) -> Any:
    return Tape(path, tracks, modified)


def test_theSameContentIsOneBroadcast(broadcasts: Broadcasts) -> None:
    """The library forgets presentations and makes them anew."""
    one = broadcasts.broadcast(tape("film"), PLAN)
    assert broadcasts.broadcast(tape("film"), PLAN) is one
    assert broadcasts.broadcast(tape("film", modified=2), PLAN) is not one


def test_smallerPacketsAreAnotherBroadcast(broadcasts: Broadcasts) -> None:
    one = broadcasts.broadcast(tape("film"), PLAN)
    assert broadcasts.broadcast(tape("film"), BurstPlan(640, 32, TICK)) is not one


def test_allGroupsOrNone(broadcasts: Broadcasts, multicast: FakeMulticast) -> None:
    broadcasts.broadcast(tape("film", tracks=3), PLAN)
    assert broadcasts.hasRoomFor(tape("film", tracks=3), PLAN)
    assert not broadcasts.hasRoomFor(tape("other"), PLAN)
    with pytest.raises(NoGroupFree):
        broadcasts.broadcast(tape("other"), PLAN)
    assert (multicast.free, len(broadcasts)) == (1, 1)
    assert broadcasts.hasRoomFor(tape("sound", tracks=1), PLAN)


def test_overWhenTheLastOneLeaves(broadcasts: Broadcasts, multicast: FakeMulticast) -> None:
    broadcast = broadcasts.broadcast(tape("film"), PLAN)
    first, second = Listener(), Listener()
    seats = [broadcast.takeSeat(first, 0), broadcast.takeSeat(first, 1), broadcast.takeSeat(second, 0)]
    assert seats[0].sender is seats[2].sender
    broadcast.leave(first)
    broadcast.leave(first)
    seats[0].close()
    assert (multicast.free, len(broadcasts)) == (2, 1)
    seats[2].close()
    assert (multicast.free, len(broadcasts)) == (4, 0)
    broadcast.leave(second)
    assert broadcasts.broadcast(tape("film"), PLAN) is not broadcast


def test_onlyWhatSomebodyWants(broadcasts: Broadcasts, multicast: FakeMulticast) -> None:
    broadcast = broadcasts.broadcast(tape("film"), PLAN)

    def wanted() -> list[bool]:
        return [each.wanted for each in multicast.transports]

    first, second = Listener(), Listener()
    seat = broadcast.takeSeat(first, 1)
    assert wanted() == [False, True]
    broadcast.takeSeat(second, 0)
    broadcast.takeSeat(second, 1)
    seat.close()
    assert wanted() == [True, True]
    broadcast.giveUp(second, 1)
    assert wanted() == [True, False]


def test_byeWhereSomethingWasSent(broadcasts: Broadcasts, multicast: FakeMulticast) -> None:
    """Also to a group that nobody of ours listens to any more."""
    broadcast = broadcasts.broadcast(tape("film", tracks=3), PLAN)
    listener = Listener()
    for index in range(2):
        broadcast.takeSeat(listener, index).sender.count(1, 100)
    broadcast.giveUp(listener, 0)
    broadcast.leave(listener)
    assert [len(each.control) for each in multicast.transports] == [1, 1, 0]
    assert all(each.isClosed for each in multicast.transports)


def test_theEndIsForThoseWhoListen(broadcasts: Broadcasts, multicast: FakeMulticast) -> None:
    broadcast = broadcasts.broadcast(tape("film"), PLAN)
    first, second = Listener(state="playing"), Listener()
    for each in (first, second):
        broadcast.takeSeat(each, 0)
    broadcast.mediaEnded()
    assert (first.told, second.told) == (["ended"], [])
    assert len(multicast.transports[0].control) == 1
    broadcast.playerFailed()
    assert (first.told, second.told) == (["ended", "failed"], ["failed"])


def test_whatListenersSay(broadcasts: Broadcasts, multicast: FakeMulticast) -> None:
    """Each track's for those who set it up; ours, which come back, for nobody."""
    broadcast = broadcasts.broadcast(tape("film"), PLAN)
    first, second = Listener("192.0.2.1"), Listener("192.0.2.2")
    sender = broadcast.takeSeat(first, 0).sender
    broadcast.takeSeat(second, 1)
    for number, host in enumerate(("192.0.2.1", "192.0.2.2", "192.0.2.3")):
        for track, heard in enumerate(multicast.heard):
            heard(b"%d%d" % (number, track), host)
    multicast.heard[0](b"\x80\xc8\0\6" + sender.ssrc.to_bytes(4, "big"), "192.0.2.1")
    assert (first.told, second.told) == ([(0, b"00")], [(1, b"11")])
