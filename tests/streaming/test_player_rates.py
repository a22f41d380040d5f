"""Scale and Speed, as a player plays them: what leaves when, with which timestamps."""

from __future__ import annotations

import itertools

import pytest
from doubles import FRAME, RATE, Stage, ahead, film
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.streaming.cues import NothingToPlay

_BASE = 0xFFFFF000


def gop(number: int) -> bool:
    """A key frame every fifth picture."""
    return number % 5 == 0


@pytest.mark.requirement("HDR-2", "RTP-3", "RTP-7")
@settings(deadline=None, max_examples=60)
@given(
    scale=st.sampled_from([0.5, 1.0, 1.5, 2.0, 4.0, 16.0, -0.5, -1.0, -2.0, -8.0]),
    speed=st.sampled_from([0.5, 1.0, 3.0]),
    position=st.floats(0.5, 5.5),
    wholeGroups=st.booleans(),
)
def test_timestampsAreThoseOfPlayOut(scale: float, speed: float, position: float, wholeGroups: bool) -> None:
    """
    (NPT - start) / Scale is what timestamps show after rtptime, whatever Speed; packets leave Speed times as fast as
    that, beginning at once.
    """
    stage = Stage(film(fragments=6, keys=gop))
    cue = stage.cue(position, stage.course(scale, wholeGroups))
    infos = stage.player.start(cue, speed=speed)
    stage.player.run()
    begun = stage.clock.seconds()
    stage.run(8.0)
    assert set(infos) == ({0, 1} if scale == 1.0 else {0})
    pictures = stage.of(0)
    assert pictures
    assert pictures[0].sequence == infos[0][0]
    for packet in pictures:
        shown = ahead(packet.timestamp, infos[0][1]) / 90000
        assert shown == pytest.approx((packet.pts - cue.position) / scale, abs=2e-5)
        early = cue.lead + (shown if scale < 0 and wholeGroups else 0)
        assert packet.time - begun >= (shown - early) / speed - 0.05 / speed - 0.012
        if scale > 0 or not wholeGroups:
            assert packet.time - begun == pytest.approx(shown / speed, abs=0.06 / speed + 0.012)
    assert abs(pictures[0].time - begun) < 0.001  # at once
    assert [packet.sequence for packet in pictures] == [
        pictures[0].sequence + at & 0xFFFF for at in range(len(pictures))
    ]
    assert not (stage.of(1) and scale != 1.0)


@pytest.mark.requirement("RTCP-2", "HDR-2")
def test_whatIsNotSentIsNotReported() -> None:
    """Sound at another rate; with the ordinary one its reports are there again, at once."""
    stage = Stage(film(fragments=20))
    stage.play(scale=2.0)
    stage.run(7.0)
    assert len(stage.transports[0].reports) == 2
    assert stage.transports[1].reports == []
    stage.play(1.0)
    stage.run(0.1)
    assert len(stage.transports[1].reports) == 1


@pytest.mark.requirement("HDR-2")
def test_backwardsToTheBeginning() -> None:
    """The end of a presentation that is played backwards is its beginning."""
    stage = Stage(film(fragments=3, keys=gop))
    stage.play(2.5, scale=-1.0)
    assert stage.player.position == pytest.approx(2.4)
    stage.run(1.0)
    assert stage.player.position == pytest.approx(1.4, abs=0.02)
    stage.run(3.0)
    assert stage.listener.told == ["media"]
    assert stage.player.position == 0.0
    assert stage.units(0) == pytest.approx([number * 0.2 for number in range(12, -1, -1)])


@pytest.mark.requirement("HDR-2", "PLY-6")
def test_aRangeBackwards() -> None:
    """Half open in the direction in which it is played."""
    stage = Stage(film(fragments=3, keys=gop))
    stage.play(2.4, stop=1.0, scale=-1.0)
    assert stage.player.span == pytest.approx((2.4, 1.0))
    stage.run(3.0)
    assert stage.listener.told == ["range"]
    assert stage.units(0) == pytest.approx([2.4, 2.2, 2.0, 1.8, 1.6, 1.4, 1.2])
    assert stage.player.position == pytest.approx(1.0)


def test_wholeGroupsBackwardsStartAtTheirEnd() -> None:
    """What comes after the place that was asked for may be needed to decode what comes before it."""
    stage = Stage(film(fragments=3, keys=gop))
    cue = stage.cue(1.5, stage.course(-1.0, wholeGroups=True))
    assert cue.position == pytest.approx(1.6)
    assert cue.lead == pytest.approx(0.2)
    stage.player.start(cue)
    stage.player.run()
    stage.run(0.5)
    assert stage.units(0)[:10] == pytest.approx([1.4, 1.44, 1.48, 1.52, 1.56, 1.2, 1.24, 1.28, 1.32, 1.36])
    times = [ahead(packet.timestamp, _BASE) for packet in stage.of(0)[:10]]
    assert times == sorted(times[:5], reverse=True) + sorted(times[5:], reverse=True)


def test_nothingToPlayBackwards() -> None:
    stage = Stage(film(fragments=1, keys=lambda number: False))
    with pytest.raises(NothingToPlay):
        stage.cue(0.5, stage.course(-1.0))


@pytest.mark.requirement("PLY-1", "HDR-2", "RTP-5")
@pytest.mark.parametrize(("first", "second"), [(1.0, 2.0), (2.0, 1.0), (0.5, 2.0), (1.0, 0.5)])
@pytest.mark.parametrize("reorder", [0, 2])
def test_anotherRateWithoutAGap(first: float, second: float, reorder: int) -> None:
    """VLC changes the rate while playing: no picture is lost or repeated, the next one comes when it would have."""
    stage = Stage(film(fragments=6, reorder=reorder))
    stage.play(scale=first)
    stage.run(1.0)
    stage.player.pause()
    before = len(stage.units(0))
    infos = stage.resume(second)
    stage.run(1.0)
    pictures = [packet for packet in stage.of(0) if not packet.payload.startswith(b".")]
    decoded = [unit.pts for each in stage.film.fragments for unit in each.units[0]]
    assert [packet.pts for packet in pictures] == decoded[: len(pictures)]
    assert len(pictures) - before == pytest.approx(second * RATE, abs=2)
    assert infos[0][0] == pictures[before].sequence
    if not reorder:
        gaps = [ahead(after.timestamp, former.timestamp) for former, after in itertools.pairwise(pictures)]
        assert all(gap > 0 for gap in gaps)
        assert max(gaps) <= round(90000 * FRAME / min(first, second)) + 1
    assert set(infos) == ({0, 1} if second == 1.0 else {0})


def test_otherDirectionsStartAtKeyFrames() -> None:
    stage = Stage(film(fragments=3, keys=gop))
    stage.play()
    stage.run(1.1)
    stage.player.pause()
    assert stage.resumption(-1.0) is None
    assert stage.resumption(4.0) is None
    assert stage.resumption(2.0) is not None


@pytest.mark.requirement("HDR-3", "RTP-5")
def test_speedSendsAhead() -> None:
    """Timestamps as ever, twice as soon; what comes next is not held back until its time has come."""
    stage = Stage(film(fragments=8))
    stage.play(speed=2.0)
    assert stage.player.speed == 2.0
    stage.run(2.0)
    assert stage.player.position == pytest.approx(4.0, abs=0.02)
    before = len(stage.of(0))
    infos = stage.play(1.0)
    stage.run(0.02)
    after = stage.of(0)[before]
    assert stage.clock.seconds() - after.time <= 0.021
    assert (after.sequence, after.timestamp) == infos[0]
    assert ahead(after.timestamp, stage.of(0)[before - 1].timestamp) > 0
    # and at the ordinary pace from there
    stage.run(1.0)
    assert stage.player.position == pytest.approx(2.0, abs=0.05)


def test_slowDeliveryLasts() -> None:
    stage = Stage(film(fragments=2))
    stage.play(speed=0.5)
    stage.run(3.9)
    assert stage.listener.told == []
    stage.run(0.8)
    assert stage.listener.told == ["media"]
    assert len(stage.units(0)) == 50


@pytest.mark.requirement("HDR-3", "PLY-10")
@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_aRangeEndsAtItsSpeed(speed: float) -> None:
    stage = Stage(film(fragments=3))
    stage.play(0.0, stop=1.0, speed=speed)
    stage.run(0.9 / speed)
    assert stage.listener.told == []
    stage.run(0.1 / speed + 0.02)
    assert stage.listener.told == ["range"]
    assert len(stage.units(0)) == 25


STYLES = [
    # style, asked for, reordered, position, first picture that is sent
    ("RAP", 1.5, 0, 1.0, 1.0),
    ("First-Prior", 1.5, 0, 1.48, 1.48),
    ("Next", 1.5, 0, 1.52, 1.52),
    ("First-Prior", 1.52, 0, 1.52, 1.52),
    ("Next", 1.52, 0, 1.52, 1.52),
    ("First-Prior", 0.0, 0, 0.0, 0.0),
    ("Next", 0.98, 0, 1.0, 1.0),
    ("First-Prior", 0.99, 0, 0.96, 0.96),
]


@pytest.mark.requirement("PLY-7")
@pytest.mark.parametrize(("style", "asked", "reorder", "position", "first"), STYLES)
def test_seekStyles(style: str, asked: float, reorder: int, position: float, first: float) -> None:
    """RFC 7826 section 18.47."""
    stage = Stage(film(fragments=3, reorder=reorder))
    cue = stage.cue(asked, style=style)  # type: ignore[arg-type]
    assert cue.position == pytest.approx(position)
    assert cue.style == style
    stage.player.start(cue)
    stage.player.run()
    stage.run(0.3)
    assert stage.units(0)[0] == pytest.approx(first)
    assert all(pts >= position - 1e-6 for pts in stage.units(0))
    assert min(stage.units(1)) >= position - 1e-6


@pytest.mark.requirement("PLY-9", "RTP-5")
def test_oneRangeRightBehindAnother() -> None:
    """The anchor that is given is the instant at which the next one is presented, to the tick."""
    stage = Stage(film(fragments=6, keys=gop))
    first = stage.play(0.0, stop=1.0)
    stage.run(0.5)
    anchor = stage.player.presentedAt(1.0)
    stage.run(1.0)
    assert stage.listener.told == ["range"]
    second = stage.player.start(stage.cue(4.0), anchor=anchor)
    stage.player.run()
    stage.run(0.5)
    for track, rate in ((0, 90000), (1, 48000)):
        assert ahead(second[track][1], first[track][1]) == rate
    pictures = stage.of(0)
    assert [packet.pts for packet in pictures[:26]] == pytest.approx([*(at * FRAME for at in range(25)), 4.0])
    assert ahead(pictures[25].timestamp, pictures[24].timestamp) == 3600


@pytest.mark.requirement("PLY-12", "PAU-8")
def test_tracksComeAndGo() -> None:
    """A picture that joins begins with a key frame; sound begins at once; the others do not notice."""
    stage = Stage(film(fragments=4))
    stage.play()
    stage.run(0.5)
    stage.player.leave(0)
    sent = len(stage.of(0))
    stage.run(0.7)
    assert len(stage.of(0)) == sent
    info = stage.player.join(0, stage.senders[0])
    assert info is not None
    stage.run(1.5)
    joined = stage.of(0)[sent:]
    assert joined[0].pts == 2.0
    assert joined[0].sequence == info[0] == (stage.of(0)[sent - 1].sequence + 1) & 0xFFFF
    # RTP-Info's pair is that of the position in the reply, 1.2 s
    assert ahead(joined[0].timestamp, info[1]) == pytest.approx(0.8 * 90000, abs=0.02 * 90000)
    assert ahead(joined[0].timestamp, stage.of(0)[0].timestamp) == 2 * 90000
    sounds = [packet.pts for packet in stage.of(1)]
    assert sounds == sorted(sounds)
    assert max(after - before for before, after in itertools.pairwise(sounds)) < 0.03
    assert stage.player.join(1, stage.senders[1]) is not None
    stage.player.pause()
    stage.play(1.0, scale=2.0)
    assert stage.player.join(1, stage.senders[1]) is None  # no sound at this rate
