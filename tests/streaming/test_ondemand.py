"""What doors are told of presentations, and the players that they get."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import ListenerDouble, OutletDouble
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from mediasrv.media.presentation import FileVersion
from mediasrv.media.tracks import Track
from mediasrv.rtp.bursts import BurstPlan
from mediasrv.streaming.ondemand import OnDemand, carriesTrack
from mediasrv.streaming.pacer import Pacer

SOUND = Track(0, "audio", "pcm_mulaw", sampleRate=8000, channels=1)
OTHER = Track(1, "audio", "pcm_s16be", sampleRate=44100, channels=2)


class Tape:
    def __init__(self, *tracks: Track) -> None:
        self.tracks = list(tracks)
        self.title = "A tape"
        self.duration = 12.5
        self.version = FileVersion(1, 77, 1000, 1_700_000_000_123_456_789)


def made(clock: Clock | None = None) -> OnDemand:
    library: Any = None
    loader: Any = None
    return OnDemand(library, loader, Pacer(clock or Clock()), BurstPlan(1400, 32, 0.01))


def test_formatsAreMadeOnce() -> None:
    one, tape = made(), Tape(SOUND, OTHER)
    presentation: Any = tape
    formats = one.formatsOf(presentation)
    assert one.formatsOf(presentation) is formats
    assert [each.clockRate for each in formats] == [8000, 44100]
    assert [one.payloadType(presentation, index) for index in range(2)] == [0, 10]


def test_formatsGoWithThePresentation() -> None:
    one = made()
    presentation: Any = Tape(SOUND)
    one.formatsOf(presentation)
    del presentation
    assert len(one._formats) == 0


@pytest.mark.requirement("SDP-1", "SDP-2", "SDP-4")
def test_description() -> None:
    presentation: Any = Tape(SOUND, OTHER)
    text = made().describe(presentation, "192.0.2.1")
    assert "m=audio 0 RTP/AVP 0\r\n" in text
    assert "m=audio 0 RTP/AVP 10\r\n" in text
    assert "s=A tape\r\n" in text
    assert "a=range:npt=0-12.5" in text
    assert presentation.version.etag in text


@pytest.mark.requirement("SDP-6")
def test_carriesTrack() -> None:
    assert carriesTrack(SOUND, None)
    assert not carriesTrack(Track(0, "video", "nothing that anybody knows"), None)
    assert not carriesTrack(Track(0, "audio", "pcm_f32le", sampleRate=48000, channels=2), None)


@pytest.mark.requirement("SET-14")
@settings(deadline=None)
@given(st.none() | st.integers(1, 70_000))
def test_plans(asked: int | None) -> None:
    """Blocksize: never more than was asked for, within what formats can do, and few different ones."""
    plan = made().planFor(asked)
    assert (plan.longest, plan.pause) == (32, 0.01)
    if asked is None or asked >= 1400:
        assert plan.payloadSize == 1400
    else:
        assert plan.payloadSize % 64 == 0
        assert 320 <= plan.payloadSize <= max(320, asked)
        assert asked - plan.payloadSize < 64


def test_clock() -> None:
    clock = Clock()
    clock.advance(123.0)
    session = made(clock).clock()
    assert session.origin == 123.0
    assert session.unix(124.5) - session.unixOrigin == pytest.approx(1.5)


def test_player() -> None:
    one = made()
    presentation: Any = Tape(SOUND, OTHER)
    player = one.player(presentation, one.planFor(None), one.clock(), "me", OutletDouble(), ListenerDouble())
    assert player.senders == [None, None]
    assert (player.isPlaying, player.position) == (False, 0.0)
