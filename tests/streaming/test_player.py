"""The player: what leaves when, with which numbers, and how it ends (PLY, PAU, RTP, RTCP of the requirements)."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator
from typing import Any

import doubles
import pytest
from doubles import FRAME, SOUND, TICK, Film, Sent, Stage, ahead, film, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from mediasrv.media.containers import NotMedia
from mediasrv.media.presentation import PresentationChanged
from mediasrv.media.tracks import Fragment
from mediasrv.rtp.rtcp import Goodbye, SenderReport, SourceDescription
from mediasrv.streaming.cues import NothingToPlay

RATES = {0: 90000, 1: 48000}


def sequencesAreContinuous(stage: Stage) -> None:
    for transport in stage.transports.values():
        numbers = [packet.sequence for packet in transport.packets]
        assert all(after == before + 1 & 0xFFFF for before, after in itertools.pairwise(numbers))
        assert len({packet.ssrc for packet in transport.packets}) <= 1


def neverBackwards(packets: list[Sent]) -> None:
    """Of a track that is not reordered."""
    assert all(ahead(after.timestamp, before.timestamp) >= 0 for before, after in itertools.pairwise(packets))


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    found: list[str] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.warn:
            found.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


# Pace


@pytest.mark.requirement("RTP-10")
@pytest.mark.parametrize("reorder", [0, 2])
@pytest.mark.parametrize("keySize", [500, 60_000])
def test_packetsLeaveAtPlayOutPace(reorder: int, keySize: int) -> None:
    stage = Stage(film(reorder=reorder, keySize=keySize))
    stage.play()
    stage.run(4.0)
    begun = 1000.0
    starts = [packet for packet in stage.packets if not packet.payload.startswith(b".")]
    for packet in starts:
        due = begun + (packet.dts if packet.track == 0 else packet.pts)
        # sound leaves with the picture in front of it, and makes way for the next key frame
        early = 0.0 if packet.track == 0 else 0.05 + reorder * FRAME
        assert packet.time >= due - early - 1e-6
        # steps of half a tick, and the clock may be just past a slot
        assert packet.time <= max(begun, due) + 1.5 * TICK + 1e-6
    assert stage.units(0) == [unit.pts for each in stage.film.fragments for unit in each.units[0]]
    assert stage.units(1) == [unit.pts for each in stage.film.fragments for unit in each.units[1]]


@pytest.mark.requirement("RTP-10")
def test_thePaceDoesNotDrift() -> None:
    """RTP-10: a late tick makes nothing after it late."""
    stage = Stage(film(fragments=20))
    stage.play()
    for delay in itertools.islice(itertools.cycle([0.003, 0.05, 0.011, 0.2]), 200):
        stage.clock.advance(delay)
    stage.run(1.0)
    for packet in stage.of(0)[-20:]:
        assert 0 <= packet.time - 1000 - packet.dts <= 1.5 * TICK + 1e-6


@pytest.mark.requirement("RTP-10")
def test_theFirstPacketsLeaveAtOnce() -> None:
    stage = Stage(film())
    stage.player.start(stage.cue(1.0))
    assert stage.packets == []
    stage.player.run()
    assert {packet.time for packet in stage.packets} == {1000.0}
    assert stage.of(0)[0].pts == 1.0


@pytest.mark.requirement("RTP-10")
def test_keyFramesAreSpread() -> None:
    stage = Stage(film(keySize=40_000))
    stage.play()
    stage.run(3.0)
    for start in (0.0, 1.0, 2.0):
        packets = [packet for packet in stage.of(0) if packet.pts == start]
        assert len(packets) == 40
        times = sorted({packet.time for packet in packets})
        per = [sum(packet.time == time for packet in packets) for time in times]
        assert max(per) <= 2 * doubles.PLAN.longest * 2
        assert times[-1] - times[0] >= FRAME - 2.5 * TICK
        # the next picture does not wait for it
        following = next(packet for packet in stage.of(0) if packet.pts > start + 0.01)
        assert packets[-1].time <= following.time
        assert following.time <= 1000 + start + FRAME + 1.5 * TICK


def test_aTickThatComesLateSendsWhatIsDue() -> None:
    stage = Stage(film())
    stage.play()
    stage.clock.advance(0.5)
    assert stage.units(0) == pytest.approx([index * FRAME for index in range(13)])


@pytest.mark.parametrize("stall", [0.7, 2.0, 3600.0])
def test_afterTheProcessStoodStillNoBacklogIsSent(stall: float, warnings: list[str]) -> None:
    """The pace gives way, not the timestamps; nothing is left out."""
    stage = Stage(film(fragments=6))
    stage.play()
    stage.run(1.5)
    sent, position, timestamps = len(stage.packets), stage.player.position, stage.of(0)[-1].timestamp
    stage.clock.advance(stall)
    assert warnings == [f"nothing was sent for {stall:.1f} s: the process stood still"]
    assert len(stage.packets) - sent <= 4
    assert stage.player.position == pytest.approx(position, abs=FRAME + 2 * TICK)
    following = stage.of(0)[-1]
    assert ahead(following.timestamp, timestamps) <= 2 * FRAME * RATES[0]
    stage.run(5.0)
    assert stage.listener.told == ["media"]
    assert stage.units(0) == pytest.approx([index * FRAME for index in range(150)])
    sequencesAreContinuous(stage)
    late = [packet.time - 1000 - packet.pts for packet in stage.of(0) if packet.time > 1001.6]
    assert min(late) > stall - FRAME - 2 * TICK
    assert max(late) < stall + FRAME + 2 * TICK


def test_whoWaitsIsNotDelayedByAStall() -> None:
    """The turns that were missed were for reports."""
    stage = Stage(film())
    stage.play(delay=30.0)
    stage.run(1.0)
    stage.clock.advance(20.0)
    stage.run(10.0)
    assert stage.of(0)[0].time == pytest.approx(1030.0, abs=2 * TICK)


# Numbers


@pytest.mark.requirement("RTP-2", "RTP-3")
def test_rtpInfoIsOfTheFirstPacketAndOfTheCue() -> None:
    """RTP-2, RTP-3."""
    stage = Stage(film(fragments=5))
    for position in (0.0, 3.0, 1.5, 4.2):
        cue = stage.cue(position)
        infos = stage.player.start(cue)
        first = {track: len(stage.of(track)) for track in infos}
        stage.player.run()
        stage.run(0.7)
        for track, (sequence, rtpTime) in infos.items():
            packet = stage.of(track)[first[track]]
            assert packet.sequence == sequence
            assert ahead(packet.timestamp, rtpTime) == round((packet.pts - cue.position) * RATES[track])
    sequencesAreContinuous(stage)


@pytest.mark.requirement("RTP-11")
def test_sequenceNumbersAndTimestampsWrap() -> None:
    """RTP-11: both begin just in front of their ends."""
    stage = Stage(film())
    stage.play()
    stage.run(4.0)
    sequencesAreContinuous(stage)
    assert {packet.sequence > 60000 for packet in stage.of(0)} == {True, False}
    assert {packet.timestamp > 1 << 31 for packet in stage.of(0)} == {True, False}
    neverBackwards(stage.of(0))


@pytest.mark.requirement("RTP-6")
def test_theMarkerOfATalkspurt() -> None:
    """RTP-6: on the first packet of sound after each PLAY."""
    stage = Stage(film())
    for _ in range(3):
        before = len(stage.of(1))
        stage.play(1.0)
        stage.run(0.3)
        assert [packet.marker for packet in stage.of(1)[before:]] == [True] + [False] * (len(stage.of(1)) - before - 1)


@pytest.mark.requirement("RTP-5")
@pytest.mark.parametrize("reorder", [0, 2])
@pytest.mark.parametrize("played", [0.1, 0.9, 0.905, 0.91, 0.975, 0.99, 1.0, 1.005, 1.7])
def test_aSeekWhilePlayingNeverGoesBack(reorder: int, played: float) -> None:
    """RTP-5, at the edges of fragments too: within a track and a step of its order, later is later."""
    stage = Stage(film(fragments=5, reorder=reorder))
    stage.play()
    stage.run(played)
    counts = {track: len(stage.of(track)) for track in (0, 1)}
    infos = stage.play(3.0)
    stage.run(0.5)
    gaps = []
    for track, (_, rtpTime) in infos.items():
        gaps += [ahead(rtpTime, packet.timestamp) / RATES[track] for packet in stage.of(track)[: counts[track]]]
    # to whatever was sent for latest
    assert 0 < min(gaps) <= FRAME + 1.5 * TICK
    neverBackwards(stage.of(1))
    sequencesAreContinuous(stage)


def test_seekingToTheTopWhereSoundIsPrimed() -> None:
    """What lies below zero still comes after what was sent before."""
    stage = Stage(film(priming=3))
    stage.play()
    assert stage.units(1)[0] == pytest.approx(-3 * SOUND)
    stage.run(0.5)
    stage.play(0.0)
    stage.run(0.2)
    neverBackwards(stage.of(1))
    stage.play(1.0)
    before = len(stage.of(1))
    stage.run(0.2)
    assert all(packet.pts >= 1.0 - 1e-6 for packet in stage.of(1)[before:])


def trimmed(by: float) -> Film:
    """A film that was cut without coding it anew: its first group of pictures begins before zero."""
    whole = film(seconds=2.0)
    for fragment in whole.fragments:
        fragment.start -= by
        fragment.end -= by
        fragment.units = [
            [unit(each.dts - by, each.pts - by, each.key, len(each.data)) for each in units] for units in fragment.units
        ]
    return Film(whole.tracks, whole.fragments, whole.duration - by)


@pytest.mark.requirement("RTP-3")
@pytest.mark.parametrize("position", [0.0, 0.5])
def test_aFilmThatBeginsInTheMiddleOfAGroup(position: float) -> None:
    """Its place is zero, which its timestamps say too; what lies before is not sent in one burst."""
    stage = Stage(trimmed(1.2))
    assert stage.cue(position).position == 0.0
    infos = stage.play(position)
    stage.run(0.1)
    assert len(stage.units(0)) <= 4
    stage.run(1.5)
    assert stage.units(0)[:40] == pytest.approx([-1.2 + index * FRAME for index in range(40)])
    for track, (_, rtpTime) in infos.items():
        for packet in stage.of(track):
            assert ahead(packet.timestamp, rtpTime) / RATES[track] == pytest.approx(packet.pts, abs=1e-4)


def test_aFilmThatBeginsInTheMiddleOfAGroupFaster() -> None:
    """Decoders get the key frame then too."""
    stage = Stage(trimmed(1.2))
    stage.play(0.0, scale=2.0)
    stage.run(1.0)
    assert stage.units(0)[0] == pytest.approx(-1.2)


@pytest.mark.requirement("PLY-16")
def test_scrubbing() -> None:
    """PLY-16: a hundred seeks in a few seconds end in ordinary playing."""
    stage = Stage(film(fragments=5, reorder=2))
    for number in range(100):
        stage.play(number % 4 + 0.3)
        stage.run(0.03)
    stage.run(0.2)
    before = len(stage.of(0))
    stage.run(1.0)
    assert 24 <= len(stage.of(0)) - before <= 26
    neverBackwards(stage.of(1))
    sequencesAreContinuous(stage)
    assert len(stage.clock.getDelayedCalls()) == 1


@pytest.mark.requirement("RTP-5", "PAU-4")
@pytest.mark.parametrize("wait", [0.0, 0.4, 3.7, 600.0])
def test_aPauseShowsAsTheTimeItTook(wait: float) -> None:
    """RTP-5, PAU-4: and nothing is lost or repeated."""
    stage = Stage(film(reorder=2))
    stage.play()
    stage.run(0.73)
    point = stage.player.pause()
    assert point == pytest.approx(0.73)
    before = len(stage.of(0))
    stage.run(wait, 0.1)
    assert len(stage.of(0)) == before
    assert stage.player.position == point
    infos = stage.resume()
    stage.run(4.0)
    assert infos[0][0] == stage.of(0)[before].sequence
    for track in (0, 1):
        packets = stage.of(track)
        assert stage.units(track) == [unit.pts for each in stage.film.fragments for unit in each.units[track]]
        maps = {round(ahead(packet.timestamp, 0xFFFFF000) / RATES[track] - packet.pts, 3) for packet in packets}
        assert maps == {0.0, round(wait, 3)}
    sequencesAreContinuous(stage)


@pytest.mark.requirement("RTP-5")
def test_aPauseCompletesThePictureUnderWay() -> None:
    """The packets of a picture have one timestamp, whatever happens in the middle of it."""
    stage = Stage(film(keySize=40_000))
    stage.play()
    stage.run(1.015)
    under = [packet for packet in stage.of(0) if packet.pts == 1.0]
    assert 0 < len(under) < 40
    stage.player.pause()
    assert len([packet for packet in stage.of(0) if packet.pts == 1.0]) == 40
    stage.run(5.0)
    stage.resume()
    stage.run(4.0)
    for track in (0, 1):
        assert stage.units(track) == [unit.pts for each in stage.film.fragments for unit in each.units[track]]
    byPicture: dict[float, set[int]] = {}
    for packet in stage.of(0):
        byPicture.setdefault(packet.pts, set()).add(packet.timestamp)
    assert {len(stamps) for stamps in byPicture.values()} == {1}
    # the marker ends each picture
    assert sum(packet.marker for packet in stage.of(0)) == len(byPicture)


@pytest.mark.requirement("RTP-5")
def test_aSeekCompletesThePictureUnderWay() -> None:
    stage = Stage(film(keySize=40_000))
    stage.play()
    stage.run(1.015)
    stage.player.start(stage.cue(2.0))
    assert len([packet for packet in stage.of(0) if packet.pts == 1.0]) == 40


@pytest.mark.requirement("PAU-4")
def test_aPauseSoonAfterASeekKeepsOutWhatLiesBefore() -> None:
    """Pictures in front of the key frame, and sound, that a resumed player still has to leave out."""
    stage = Stage(film(fragments=4, reorder=2))
    leading = stage.film.fragments[2].units[0]
    leading[1] = doubles.unit(leading[1].dts, leading[0].pts - FRAME, False, 500)  # an open GOP
    stage.play(2.0)
    stage.player.pause()
    stage.resume()
    stage.run(0.5)
    assert min(packet.pts for packet in stage.packets) >= 2.0 - 1e-6


def test_pausingTwiceAndWithoutRunning() -> None:
    stage = Stage(film())
    stage.player.start(stage.cue(1.0))
    assert stage.player.pause() == 1.0
    assert stage.player.pause() == 1.0
    stage.resume()
    stage.run(0.5)
    assert stage.of(0)[0].pts == 1.0


@pytest.mark.requirement("PAU-2")
def test_aPausePointElsewhere() -> None:
    """PAU-2: to go on from there is a seek."""
    stage = Stage(film())
    stage.play()
    stage.run(0.5)
    assert stage.player.pause(2.5) == 2.5
    assert stage.player.position == 2.5
    assert stage.resumption() is None


# Ranges


@pytest.mark.requirement("PLY-6")
@pytest.mark.parametrize("reorder", [0, 2])
@pytest.mark.parametrize("stop", [0.48, 0.5, 1.0, 1.96, 2.0, 2.02])
def test_aRangeIsHalfOpen(reorder: int, stop: float) -> None:
    """PLY-6: all that begins before the end, nothing that begins at it."""
    stage = Stage(film(reorder=reorder, keySize=9000))
    stage.play(0.0, stop)
    stage.run(4.0)
    for track in (0, 1):
        wanted = [unit.pts for each in stage.film.fragments for unit in each.units[track] if unit.pts < stop - 1e-9]
        assert stage.units(track) == wanted
    assert stage.listener.told == ["range"]
    assert not stage.player.isPlaying
    assert stage.player.position == stop
    assert all(packet.time <= 1000 + stop + 3 * TICK for packet in stage.packets)
    assert stage.clock.getDelayedCalls() == []


@pytest.mark.requirement("PLY-6")
def test_theLastPictureOfARangeIsWhole() -> None:
    """A large picture just before the end is still being spread when the end comes."""
    stage = Stage(film(keySize=40_000))
    stage.play(0.0, 1.015)
    stage.run(2.0)
    assert len([packet for packet in stage.of(0) if packet.pts == 1.0]) == 40
    assert stage.listener.told == ["range"]


@pytest.mark.requirement("PLY-10")
def test_afterARangeItGoesOnWithWhatWasLeftOut() -> None:
    """PLY-10."""
    stage = Stage(film(reorder=2))
    stage.play(0.0, 0.5)
    stage.run(2.0)
    stage.resume()
    stage.run(4.0)
    for track in (0, 1):
        wanted = [unit.pts for each in stage.film.fragments for unit in each.units[track]]
        assert sorted(stage.units(track)) == sorted(wanted)
    neverBackwards(stage.of(1))
    assert stage.listener.told == ["range", "media"]


def test_afterAShortRangeNothingIsWaitedFor() -> None:
    """RTP-5, RTP-10: what lies behind the end of a range was not presented; the next PLAY begins at once."""
    stage = Stage(film(seconds=2.0))
    stage.play(0.0, stop=0.1)
    stage.run(0.3)
    sent = len(stage.of(0))
    now = stage.clock.seconds()
    infos = stage.play(2.0)
    assert len(stage.of(0)) > sent
    assert ahead(infos[0][1], stage.senders[0].timeline.at(now)) <= 0.05 * 90000


@pytest.mark.requirement("PAU-2")
def test_stopAt() -> None:
    stage = Stage(film())
    stage.play()
    stage.run(0.2)
    assert not stage.player.stopAt(3.5)
    assert stage.player.stopAt(0.6)
    assert not stage.player.stopAt(0.8)
    stage.run(1.0)
    assert stage.listener.told == ["range"]
    assert max(stage.units(0)) == pytest.approx(0.56)


@pytest.mark.requirement("PLY-8")
def test_delayedStart() -> None:
    """PLY-8."""
    stage = Stage(film())
    stage.play(0.0, delay=2.0)
    assert stage.packets == []
    stage.run(1.99)
    assert stage.packets == []
    assert stage.player.position == 0.0
    stage.run(0.5)
    assert stage.of(0)[0].time == pytest.approx(1002.0, abs=1.5 * TICK)
    assert ahead(stage.of(0)[0].timestamp, 0xFFFFF000) == 2 * 90000


def test_delayedStartWithReports() -> None:
    """RTCP goes on while nothing else is sent."""
    stage = Stage(film())
    stage.play(0.0, delay=60.0)
    stage.run(59.0, 0.05)
    assert 9 <= len(stage.transports[0].reports) <= 16


# The end


@pytest.mark.requirement("RTCP-7")
@pytest.mark.parametrize("reorder", [0, 2])
def test_theEndIsToldOnceAfterTheLastPicture(reorder: int) -> None:
    stage = Stage(film(reorder=reorder))
    stage.play()
    while not stage.listener.told:
        stage.run(TICK)
        assert stage.clock.seconds() < 1010
    assert stage.clock.seconds() - stage.packets[-1].time >= 0.2
    assert stage.clock.seconds() >= 1003.0
    stage.run(10.0, 0.1)
    assert stage.listener.told == ["media"]
    assert not stage.player.isPlaying
    assert stage.player.position == 3.0
    assert stage.resumption() is None
    assert stage.clock.getDelayedCalls() == []


def test_playingAgainAfterTheEnd() -> None:
    stage = Stage(film())
    stage.play()
    stage.run(5.0)
    stage.play()
    stage.run(5.0)
    assert stage.listener.told == ["media", "media"]
    sequencesAreContinuous(stage)
    neverBackwards(stage.of(0))


def test_aFileThatEndsBeforeItSays() -> None:
    """Truncated: its later fragments are empty, and the first of them is the last."""
    cut = film(fragments=5)
    cut.fragments[2:] = [Fragment(number, float(number), number + 1.0, [[], []], last=True) for number in range(2, 5)]
    stage = Stage(cut)
    stage.play()
    while not stage.listener.told:
        stage.run(TICK)
        assert stage.clock.seconds() < 1010
    assert stage.clock.seconds() - stage.packets[-1].time >= 0.2
    assert len(stage.units(0)) == 50
    # what is asked for behind the end is played from the last key frame that there is
    assert stage.cue(4.5).position == 1.0


def test_theLastFragmentComesEarly() -> None:
    cut = film(fragments=5)
    cut.fragments[1].last = True
    stage = Stage(cut)
    stage.play()
    stage.run(4.0)
    assert stage.listener.told == ["media"]
    assert len(stage.units(0)) == 50


def test_aHoleInTheMiddle() -> None:
    """Fragments without anything in them take the time that they stand for."""
    holed = film(fragments=5)
    holed.fragments[2] = Fragment(2, 2.0, 3.0, [[], []])
    stage = Stage(holed)
    stage.play()
    stage.run(7.0)
    assert stage.listener.told == ["media"]
    after = next(packet for packet in stage.of(0) if packet.pts == 3.0)
    assert after.time == pytest.approx(1003.0, abs=1.5 * TICK)


def test_nothingAtAll() -> None:
    empty = film(fragments=1)
    empty.fragments[0] = Fragment(0, 0.0, 1.0, [[], []], last=True)
    with pytest.raises(NothingToPlay):
        Stage(empty).cue(0.0)


# Cues


@pytest.mark.requirement("PLY-7")
def test_cuesAreKeyFramesAtOrBefore() -> None:
    stage = Stage(film(fragments=4, reorder=2))
    assert [stage.cue(time).position for time in (0.0, 0.02, 0.9, 1.0, 1.99, 3.99, 100.0)] == [0, 0, 0, 1, 1, 3, 3]


def test_keyFramesInTheMiddleOfFragments() -> None:
    stage = Stage(film(fragments=3, keys=lambda number: number % 10 == 0))
    assert [stage.cue(time).position for time in (0.3, 0.4, 0.79, 1.7)] == pytest.approx([0.0, 0.4, 0.4, 1.6])


def test_rareKeyFrames() -> None:
    """The last one is in a fragment before."""
    stage = Stage(film(fragments=10, keys=lambda number: number == 25))
    assert stage.cue(8.5).position == 1.0
    assert stage.cue(0.5).position == 0.0


def test_keyFramesTooRareToGoBackTo() -> None:
    stage = Stage(film(fragments=80, keys=lambda number: number == 0, sound=False))
    assert stage.cue(50.5).position == 0.0
    assert stage.cue(75.5).position == 75.0


def test_noKeyFrames() -> None:
    stage = Stage(film(fragments=80, keys=lambda number: False, reorder=2))
    assert stage.cue(0.5).position == 0.0
    assert stage.cue(70.5).position == pytest.approx(70.0, abs=0.1)
    stage.play(70.5)
    stage.run(1.0)
    assert len(stage.units(0)) >= 20


def test_soundAlone() -> None:
    stage = Stage(film(picture=False))
    cue = stage.cue(1.5)
    assert 1.5 - SOUND <= cue.position <= 1.5
    stage.play(1.5)
    stage.run(4.0)
    assert stage.units(0) == [
        unit.pts for each in stage.film.fragments for unit in each.units[0] if unit.pts >= cue.position - 1e-9
    ]
    assert stage.listener.told == ["media"]


@pytest.mark.requirement("PLY-13")
@pytest.mark.parametrize("track", [0, 1])
def test_oneOfTwoTracks(track: int) -> None:
    """PLY-13."""
    stage = Stage(film(), [track])
    infos = stage.play(1.0)
    assert list(infos) == [track]
    stage.run(4.0)
    assert {packet.track for packet in stage.packets} == {track}
    assert stage.listener.told == ["media"]


# The disk


def test_theNextFragmentIsFetchedInTime() -> None:
    stage = Stage(film(fragments=3, seconds=4.0))
    stage.loader.slow = True
    stage.loader.fragment(0)
    stage.play()
    stage.run(2.5)
    assert stage.loader.waiting == []
    stage.run(0.6)
    assert [number for _, number, _ in stage.loader.waiting] == [1]
    stage.run(0.3)
    stage.loader.answer()
    stage.run(2.0)
    assert all(0 <= packet.time - 1000 - packet.dts <= 1.5 * TICK for packet in stage.of(0))


@settings(deadline=None)
@given(st.floats(0.0, 3.0))
def test_aSlowDiskDelaysThePaceAndNotTheTimestamps(delay: float) -> None:
    stage = Stage(film(fragments=3))
    stage.loader.slow = True
    stage.loader.fragment(0)
    stage.play()
    stage.run(0.5)
    stage.run(delay)
    stage.loader.answer()
    late = max(0.0, delay - 0.5)
    stage.run(0.3 + max(0.0, 0.5 - delay))
    packets = [packet for packet in stage.of(0) if packet.pts >= 1.0]
    assert packets
    for packet in packets:
        assert ahead(packet.timestamp, 0xFFFFF000) == round(packet.pts * 90000)
        # what came in time is not late
        assert 0 <= packet.time - 1000 - packet.dts - late + 1e-6 <= 2.5 * TICK + FRAME * (late > 0)
    assert stage.player.position == pytest.approx(stage.clock.seconds() - 1000 - late, abs=0.06)


def test_whileItStarvesItStands() -> None:
    stage = Stage(film(fragments=3))
    stage.loader.slow = True
    stage.loader.fragment(0)
    stage.play()
    stage.run(3.0)
    assert stage.player.position == pytest.approx(1.0, abs=0.05)
    assert stage.clock.getDelayedCalls() == []
    stage.player.pause()
    assert stage.loader.cancelled == [1]
    stage.loader.answer()
    assert stage.packets[-1].pts < 1.0
    stage.resume()
    stage.loader.answer()
    stage.run(0.5)
    assert stage.units(0) == pytest.approx([index * FRAME for index in range(len(stage.units(0)))])
    assert len(stage.units(0)) > 25


@pytest.mark.parametrize("error", [PresentationChanged("x was replaced"), NotMedia("x is no media"), OSError(5, "I/O")])
def test_aFragmentThatCannotBeRead(error: Exception, warnings: list[str]) -> None:
    """What is there is played, then it ends; with one line in the log, however many watch."""
    stage = Stage(film(fragments=3))
    stage.loader.slow = True
    stage.loader.fragment(0)
    stage.play()
    stage.run(0.2)
    stage.loader.fail(error)
    stage.run(3.0)
    assert len(stage.units(0)) == 25
    assert stage.listener.told == ["media"]
    assert len(warnings) == 1
    assert "playing ends early" in warnings[0]
    stage.play()
    stage.run(0.2)
    stage.loader.fail(error)
    stage.run(3.0)
    assert stage.listener.told == ["media", "media"]
    assert len(warnings) == 1


def test_aBugWhileReading(loggedFailures: list[Failure]) -> None:
    stage = Stage(film(fragments=3))
    stage.loader.slow = True
    stage.loader.fragment(0)
    stage.play()
    stage.run(2.0)
    assert stage.listener.told == []
    stage.loader.fail(ZeroDivisionError("a bug"))
    stage.run(1.0)
    assert stage.listener.told == ["media"]
    assert [failure.type for failure in loggedFailures] == [ZeroDivisionError]
    loggedFailures.clear()


def test_aRangeThatEndsWhileItWaits() -> None:
    """A late tick is past the end of the range when the fragment is found missing: it is waited for."""
    stage = Stage(film(fragments=3))
    stage.loader.slow = True
    stage.loader.fragment(0)
    stage.play(0.0, 1.2)
    stage.run(0.9)
    stage.clock.advance(0.4)
    assert stage.listener.told == []
    stage.loader.answer()
    stage.run(1.0)
    assert stage.listener.told == ["range"]
    assert max(stage.units(0)) == pytest.approx(1.16)
    assert len(stage.units(0)) == 30


def test_aSeekForgetsWhatWasBeingLoaded() -> None:
    stage = Stage(film(fragments=5))
    stage.loader.slow = True
    for number in (0, 3):
        stage.loader.fragment(number)
    stage.play()
    stage.run(0.5)
    stage.play(3.0)
    assert stage.loader.cancelled == [1]
    stage.loader.answer()
    stage.run(0.9)
    assert all(packet.pts < 1 or packet.pts >= 3 - 1e-6 for packet in stage.packets)


# Back-pressure


@pytest.mark.requirement("INT-5")
@settings(deadline=None)
@given(st.floats(0.05, 1.4), st.floats(0.01, 5.0))
def test_whoReadsSlowlyIsPlayedToSlowly(played: float, blocked: float) -> None:
    """INT-5: later, with the timestamps that were planned; nothing is lost."""
    stage = Stage(film(fragments=3))
    stage.play()
    stage.run(played)
    stage.outlet.blocked = True
    before = len(stage.packets)
    stage.run(blocked)
    assert len(stage.packets) == before
    stage.outlet.blocked = False
    stage.player.unblocked()
    stage.run(4.0)
    for track in (0, 1):
        assert stage.units(track) == [unit.pts for each in stage.film.fragments for unit in each.units[track]]
    for packet in stage.of(0):
        assert ahead(packet.timestamp, 0xFFFFF000) == round(packet.pts * 90000)
    # nothing is made up for
    times = [packet.time for packet in stage.of(0) if packet.time > 1000 + played]
    assert all(after - before >= FRAME - 2.5 * TICK - 1e-6 for before, after in itertools.pairwise(times))


def test_blockedTwiceAndUnblockedForNothing() -> None:
    stage = Stage(film())
    stage.play()
    stage.run(0.2)
    stage.player.unblocked()
    stage.player.unblocked()
    stage.run(0.2)
    count = len(stage.units(0))
    assert 10 <= count <= 11
    stage.player.pause()
    stage.player.unblocked()
    stage.run(1.0)
    assert len(stage.units(0)) == count
    assert stage.clock.getDelayedCalls() == []


def test_pausedWhileBlocked() -> None:
    stage = Stage(film())
    stage.play()
    stage.run(0.2)
    stage.outlet.blocked = True
    stage.run(1.0)
    assert stage.player.pause() == pytest.approx(0.24, abs=0.03)
    stage.outlet.blocked = False
    stage.player.unblocked()
    stage.run(0.5)
    stage.resume()
    stage.run(4.0)
    assert stage.units(0) == [unit.pts for each in stage.film.fragments for unit in each.units[0]]
    neverBackwards(stage.of(0))


def test_aFullSocketIsTriedAgain() -> None:
    stage = Stage(film(keySize=40_000))
    stage.transports[0].room = 3
    stage.play()
    stage.run(0.1)
    count = len(stage.of(0))
    assert count == 12
    stage.transports[0].room = None
    stage.run(4.0)
    assert stage.units(0) == [unit.pts for each in stage.film.fragments for unit in each.units[0]]
    assert stage.units(1) == [unit.pts for each in stage.film.fragments for unit in each.units[1]]
    sequencesAreContinuous(stage)


# RTCP


@pytest.mark.requirement("RTCP-1", "RTCP-2")
def test_reports() -> None:
    """RTCP-1, RTCP-2: at once and then every few seconds, in a straight line."""
    stage = Stage(film(fragments=30))
    stage.play()
    stage.run(28.0, 0.02)
    for track, transport in stage.transports.items():
        times = [time for time, _ in transport.reports]
        assert times[0] == 1000.0
        assert all(4.0 <= after - before <= 6.03 for before, after in itertools.pairwise(times))
        for time, packets in transport.reports:
            report, description = packets
            assert isinstance(report, SenderReport)
            assert isinstance(description, SourceDescription)
            assert ahead(report.rtpTime, 0xFFFFF000) == round((time - 1000) * RATES[track])
            assert report.packetCount == sum(packet.time < time for packet in transport.packets)


@pytest.mark.requirement("RTCP-2")
def test_reportsOfPicturesThatAreRare() -> None:
    """A slide show: one picture in half a minute."""
    slides = film(fragments=4, seconds=30.0, sound=False)
    for fragment in slides.fragments:
        del fragment.units[0][1:]
    stage = Stage(slides)
    stage.play()
    stage.run(100.0, 0.05)
    assert len(stage.of(0)) == 4
    assert 15 <= len(stage.transports[0].reports) <= 27


@pytest.mark.requirement("RTCP-7")
def test_goodbye() -> None:
    """RTCP-7."""
    stage = Stage(film())
    stage.play()
    stage.run(0.3)
    stage.player.sayGoodbye()
    for track, transport in stage.transports.items():
        _, packets = transport.reports[-1]
        assert isinstance(packets[-1], Goodbye)
        assert packets[-1].ssrcs == [stage.senders[track].ssrc]


# Failures and memory


def test_aTransportThatRaises(loggedFailures: list[Failure]) -> None:
    stage = Stage(film())
    stage.play()
    stage.run(0.2)

    def fail(sender: Any, burst: Any) -> bool:
        raise RuntimeError("broken")

    stage.transports[0].send = fail  # type: ignore[method-assign]
    stage.run(0.2)
    assert stage.listener.told == ["failed"]
    assert not stage.player.isPlaying
    assert stage.clock.getDelayedCalls() == []
    assert len(loggedFailures) == 1
    loggedFailures.clear()


@pytest.mark.requirement("TDN-2")
def test_whoIsAtTheEndHoldsNoMedia() -> None:
    stage = Stage(film(fragments=2))
    stage.play()
    stage.run(1.5)
    known = [id(fragment.bursts) for fragment in stage.loader.ready.values()]
    stage.run(3.0)
    stage.loader.ready.clear()
    gc.collect()
    held = [each for each in gc.get_objects() if isinstance(each, list) and id(each) in known]
    assert stage.listener.told == ["media"]
    assert not [each for each in held if each and isinstance(each[0], doubles.Burst)]
