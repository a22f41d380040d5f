"""
PLAY, PAUSE and seeking to the tick: what the replies say, the timestamps, the reports and the units agree.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import essence
import pytest
from rtspclient import Opener, Playing, RTSPClient, Track, pass_

_TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])

#: also with RTP and RTCP on one port or channel; no client that is easily had does that over RTSP
_AND_MUXED = pytest.mark.parametrize(
    "transport",
    [
        "udp",
        "tcp",
        "udp-mux",
        "tcp-mux",
    ],
)

#: seconds: the end of the clip that the tests seek in
_DURATION = 20.0

#: seconds of sound that are in a packet at most
_PACKET = 0.1


class Reference:
    """
    The file's own units, to be found by their bytes.

    @ivar streams: video, then audio, as the tracks of the server.
    @ivar keys: seconds of the key frames.
    """

    def __init__(self, path: Path) -> None:
        self.streams = essence.readFile(path)
        self.keys = sorted(unit.pts for unit in self.streams[0].units if unit.key)
        self._places = [
            {essence.essenceOf(stream.codec, [unit.data], stream.extradata): at for at, unit in enumerate(stream.units)}
            for stream in self.streams
        ]
        # what is found by its bytes must not be there twice
        assert [len(places) for places in self._places] == [len(stream.units) for stream in self.streams]

    def keyBefore(self, time: float) -> float:
        return self.keys[bisect_right(self.keys, time + 1e-6) - 1]

    def place(self, track: int, data: bytes) -> int:
        """Which of the file's units a received one is."""
        return self._places[track][essence.essenceOf(self.streams[track].codec, [data])]

    def pts(self, track: int, place: int) -> float:
        return self.streams[track].units[place].pts


@dataclass(frozen=True)
class Stretch:
    """
    What one PLAY brought of one track.

    @ivar places: of the received units in the file.
    @ivar times: their unwrapped timestamps.
    """

    playing: Playing
    places: list[int]
    times: list[int]


def stretch(reference: Reference, client: RTSPClient, number: int, playing: Playing) -> Stretch:
    """What has come of a track since a PLAY."""
    units = client.tracks[number].units(playing.first[number])
    places = [reference.place(number, unit.data) for unit in units]
    return Stretch(playing, places, [unit.timestamp for unit in units])


def rtpTime(track: Track, playing: Playing) -> int:
    """The unwrapped RTP time that RTP-Info gives the start of the range, near what has come."""
    stated = playing.infos[track.url].rtptime
    assert stated is not None
    near = track.packets[playing.first[track.section.kind == "audio"]].timestamp
    return near + (stated - near + (1 << 31)) % (1 << 32) - (1 << 31)


def checkPlaying(reference: Reference, client: RTSPClient, playing: Playing, wanted: float) -> list[Stretch]:
    """Holds what a PLAY with a range brought against the file: the reply, the first packets, every timestamp."""
    start = reference.keyBefore(wanted)
    # Range has milliseconds
    assert playing.start == pytest.approx(start, abs=0.0006)
    stretches = []
    for number, track in enumerate(client.tracks):
        first = track.packets[playing.first[number]]
        assert playing.infos[track.url].seq == first.sequence & 0xFFFF
        made = stretch(reference, client, number, playing)
        zero = rtpTime(track, playing)
        assert made.places == list(range(made.places[0], made.places[0] + len(made.places)))
        for place, time in zip(made.places, made.times, strict=True):
            assert abs(time - zero - (reference.pts(number, place) - start) * track.clockRate) <= 1
        stretches.append(made)
    picture, sound = (reference.pts(number, made.places[0]) for number, made in enumerate(stretches))
    assert picture == pytest.approx(start, abs=1e-6)
    # a packet with sound from before the picture is left out, with all the frames in it
    assert 0 <= sound - start < _PACKET
    return stretches


def checkLips(reference: Reference, client: RTSPClient, stretches: list[Stretch]) -> None:
    """By the sender reports, picture and sound of one NPT are presented at one instant (within 1 ms, RTCP-3)."""
    instants = [
        track.unix(time) - reference.pts(number, place)
        for number, (track, made) in enumerate(zip(client.tracks, stretches, strict=True))
        for place, time in zip(made.places, made.times, strict=True)
    ]
    assert max(instants) - min(instants) < 0.001


def checkContinuity(track: Track) -> None:
    """Sequence numbers go on by one, whatever was asked (RTP-4); one SSRC, the one that SETUP announced (RTP-8)."""
    sequences = [packet.sequence for packet in track.packets]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert {packet.rtp.ssrc for packet in track.packets} == {track.ssrc}
    assert {report.ssrc for report in track.reports} == {track.ssrc}


@pytest.fixture
def reference(clip: Callable[[str], Path]) -> Reference:
    return Reference(clip("seek.mp4"))


@pytest.mark.requirement("PLY-7", "RTP-2", "RTP-3", "RTP-4", "RTP-5", "PLY-16")
@pytest.mark.deadline(60)
@_TRANSPORTS
async def test_seeks(reference: Reference, opened: Opener, transport: str) -> None:
    """Ten random seeks, every second one while it plays, with pauses: exact each time, and never back in RTP time."""
    chance = random.Random(transport)
    client = await opened("seek.mp4", transport)
    before: list[Stretch] | None = None
    for attempt in range(10):
        wanted = chance.uniform(0.1, _DURATION - 2.0)
        playing = await client.play(f"npt={wanted:.3f}-")
        counts = list(playing.first)
        await client.until(
            lambda counts=counts: all(
                len(track.packets) > count + few
                for track, count, few in zip(client.tracks, counts, (60, 3), strict=True)
            )
        )
        # what came until the next request; over UDP nothing of this range may come after the reply to it
        if attempt % 2:
            await client.pause()
            await pass_(chance.uniform(0.0, 0.3))
        stretches = checkPlaying(reference, client, playing, round(wanted, 3))
        checkLips(reference, client, stretches)
        if before is not None:
            for late, early in zip(stretches, before, strict=True):
                assert min(late.times) > max(early.times)
        before = stretches
    for track in client.tracks:
        checkContinuity(track)
    await client.tearDown()


@pytest.mark.requirement("PAU-4")
@pytest.mark.deadline(60)
@_TRANSPORTS
async def test_pauseLosesNothing(reference: Reference, opened: Opener, transport: str) -> None:
    """What a viewer gets who pauses four times is, to the last payload, what one gets who does not."""
    steady = await opened("seek.mp4", transport)
    halting = await opened("seek.mp4", transport)
    await steady.play("npt=16.5-")
    await halting.play("npt=16.5-")
    for _ in range(4):
        packets = len(halting.tracks[0].packets)
        await halting.until(lambda packets=packets: len(halting.tracks[0].packets) > packets + 40)
        await halting.pause()
        counts = [len(track.packets) for track in halting.tracks]
        await pass_(0.15)
        assert [len(track.packets) for track in halting.tracks] == counts
        await halting.play()
    await steady.end()
    await halting.end()
    for one, other in zip(steady.tracks, halting.tracks, strict=True):
        assert [packet.rtp.payload for packet in other.packets] == [packet.rtp.payload for packet in one.packets]
        checkContinuity(one)
        checkContinuity(other)
    for number, track in enumerate(halting.tracks):
        units = track.units()
        # RTP time runs on while it is paused: each picture is presented later by as much as was paused before it
        shifts = [
            unit.timestamp - reference.pts(number, reference.place(number, unit.data)) * track.clockRate
            for unit in units
        ]
        assert all(later - sooner > -1.5 for sooner, later in pairwise(shifts))
        assert shifts[-1] - shifts[0] > 4 * 0.14 * track.clockRate


@pytest.mark.requirement("RTCP-7", "RTCP-9", "PLY-1")
@pytest.mark.deadline(60)
@_AND_MUXED
async def test_end(reference: Reference, opened: Opener, transport: str) -> None:
    """At the end of the media all units have come and BYE follows on every track; then it plays from the start."""
    client = await opened("seek.mp4", transport)
    playing = await client.play("npt=18-")
    await client.end()
    stretches = checkPlaying(reference, client, playing, 18.0)
    checkLips(reference, client, stretches)
    for stream, made, track in zip(reference.streams, stretches, client.tracks, strict=True):
        assert made.places[-1] == len(stream.units) - 1
        # BYE is the last of all
        assert transport == "udp" or track.left == len(track.packets)
        # counts of packets and bytes are exact
        assert track.reports[-1].packetCount == len(track.packets)
        assert track.reports[-1].octetCount == sum(len(packet.rtp.payload) for packet in track.packets)
    again = await client.play()
    assert again.start == 0.0
    await client.until(lambda: all(len(track.packets) > track.left + 2 for track in client.tracks))
    for track in client.tracks:
        checkContinuity(track)


@pytest.mark.requirement("RTCP-3", "RTCP-2", "RTCP-4", "RTCP-9", "Q-15")
@pytest.mark.deadline(60)
@_AND_MUXED
async def test_reportsAgree(opened: Opener, transport: str) -> None:
    """
    A sender report of every track comes at once; all reports lie on one line, and both tracks' lines name the same
    instant for the start of the range (RTCP-3).
    """
    client = await opened("seek.mp4", transport)
    first = await client.play("npt=3-")
    await client.until(lambda: all(track.reports and track.packets for track in client.tracks))
    instants = [track.unix(rtpTime(track, first)) for track in client.tracks]
    assert max(instants) - min(instants) < 0.001
    await client.pause()
    await pass_(0.2)
    second = await client.play("npt=9-")
    await client.until(lambda: all(len(track.reports) > 1 for track in client.tracks))
    await client.until(
        lambda: all(len(t.packets) > count for t, count in zip(client.tracks, second.first, strict=True))
    )
    for track, before in zip(client.tracks, instants, strict=True):
        # the later report gives the first range the instant that the earlier one gave it
        assert track.unix(rtpTime(track, first)) == pytest.approx(before, abs=0.001)
    assert client.tracks[0].unix(rtpTime(client.tracks[0], second)) == pytest.approx(
        client.tracks[1].unix(rtpTime(client.tracks[1], second)), abs=0.001
    )
