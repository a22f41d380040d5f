"""
What a player is tested with: a presentation and fragments made by hand, a loader that answers when it is told to, a
transport that writes down what it gets, and a clock that only a test moves.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mediasrv.media.fragments import Cut
from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.rtp.bursts import Burst, BurstPlan, PacketFragment, packFragment
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup
from mediasrv.rtp.rtcp import RTCPPacket, parseCompound
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import SessionClock, Timeline
from mediasrv.streaming.courses import Course
from mediasrv.streaming.cues import Cue, SeekStyle
from mediasrv.streaming.pacer import Pacer
from mediasrv.streaming.player import Player

Result = TypeVar("Result")

TICK = 0.010
RATE = 25
FRAME = 1 / RATE
SOUND = 1024 / 48000
PLAN = BurstPlan(1000, 4, TICK)
VIDEO = Track(0, "video", "h264", frameRate=Fraction(RATE))
AUDIO = Track(1, "audio", "aac", sampleRate=48000, channels=2)


class PlainFormat(PayloadFormat):
    """Cuts units into payloads of equal size."""

    def __init__(self, track: Track) -> None:
        super().__init__(track)
        self.kind = track.kind
        self.clockRate = 90000 if track.kind == "video" else 48000
        self.startMarker = track.kind == "audio"

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        return [
            PayloadGroup(
                unit.dts,
                unit.pts,
                unit.key,
                self.kind == "video",
                [unit.data[start : start + limit] for start in range(0, len(unit.data), limit)],
            )
            for unit in units
        ]


def unit(dts: float, pts: float, key: bool, size: int) -> Unit:
    """A unit that can be told from all others: its data begin with its times."""
    return Unit(dts, pts, 0.0, key, struct.pack(">dd", dts, pts).ljust(size, b"."))


@dataclass
class Film:
    """
    A presentation.

    @ivar fragments: as they are read from the file.
    """

    tracks: list[Track]
    fragments: list[Fragment]
    duration: float
    cuts: list[Cut] = field(init=False)

    def __post_init__(self) -> None:
        self.cuts = [Cut(each.start, each.start, True) for each in self.fragments]
        self.formats = [PlainFormat(track) for track in self.tracks]

    def packed(self, number: int) -> PacketFragment:
        return packFragment(self.fragments[number], self.formats, PLAN)

    def fragmentAt(self, time: float) -> int:
        return max((number for number, cut in enumerate(self.cuts) if cut.pts <= time + 1e-9), default=0)


def film(
    fragments: int = 3,
    seconds: float = 1.0,
    reorder: int = 0,
    keySize: int = 500,
    size: int = 500,
    keys: Callable[[int], bool] | None = None,
    sound: bool = True,
    picture: bool = True,
    priming: int = 0,
) -> Film:
    """
    Pictures at 25 Hz and sound of 1,024 samples.

    @param seconds: of a fragment; it begins with a key frame.
    @param reorder: pictures between decoding and presentation.
    @param keySize: bytes of a key frame; C{size} of the others.
    @param keys: whether the picture of a number is a key frame.
    @param priming: units of sound below zero.
    """
    tracks = [VIDEO] * picture + [AUDIO if picture else Track(0, "audio", "aac", sampleRate=48000)] * sound
    pictures = round(seconds * RATE)
    made = []
    for number in range(fragments):
        start, end = number * seconds, (number + 1) * seconds
        units: list[list[Unit]] = []
        if picture:
            units.append([])
            for index in range(pictures):
                key = index == 0 if keys is None else keys(number * pictures + index)
                dts = start + (index - reorder) * FRAME
                # the second half of a group of four is shown in front of the first
                shown = index if not reorder or not index else index + (1, -1)[index % 2 == 0]
                pts = start + min(shown, pictures - 1 + (reorder > 0)) * FRAME
                units[-1].append(unit(dts, pts, key, keySize if key else size))
        if sound:
            first, last = -(-round(start * 48000) // 1024), -(-round(end * 48000) // 1024)
            first -= priming if number == 0 else 0
            units.append([unit(at * SOUND, at * SOUND, True, 200) for at in range(first, last)])
        made.append(Fragment(number, start, end, units, last=number == fragments - 1))
    return Film(tracks, made, fragments * seconds)


class LoaderDouble:
    """
    @ivar ready: numbers of fragments that are in memory.
    @ivar waiting: for the others, who waits.
    @ivar slow: whether fragments that are not in memory have to be waited for; else they are there at once.
    """

    def __init__(self, film: Film) -> None:
        self.film = film
        self.ready: dict[int, PacketFragment] = {}
        self.waiting: list[tuple[Course, int, Deferred[PacketFragment]]] = []
        self.cancelled: list[int] = []
        self.slow = False
        self.isShort = False

    def foundShort(self, presentation: Any) -> bool:
        was, self.isShort = self.isShort, True
        return not was

    def fragment(self, number: int) -> PacketFragment:
        if number not in self.ready:
            self.ready[number] = self.film.packed(number)
        return self.ready[number]

    def view(self, course: Course, number: int) -> PacketFragment:
        return course.show(self.fragment(number), self.film.formats)

    def peek(self, course: Course, number: int, plan: BurstPlan) -> PacketFragment | None:
        return None if self.slow and number not in self.ready else self.view(course, number)

    def load(self, course: Course, number: int, formats: Any, plan: BurstPlan) -> Deferred[PacketFragment]:
        deferred: Deferred[PacketFragment] = Deferred(lambda _: self.cancelled.append(number))
        self.waiting.append((course, number, deferred))
        return deferred

    def answer(self) -> None:
        """Loads what is waited for."""
        waiting, self.waiting = self.waiting, []
        for course, number, deferred in waiting:
            if not deferred.called:
                deferred.callback(self.view(course, number))

    def fail(self, error: Exception) -> None:
        waiting, self.waiting = self.waiting, []
        for _, _, deferred in waiting:
            if not deferred.called:
                deferred.errback(error)


@dataclass(frozen=True)
class Sent:
    """One packet."""

    time: float
    track: int
    sequence: int
    timestamp: int
    marker: bool
    ssrc: int
    dts: float
    pts: float
    payload: bytes


class TransportDouble:
    """
    @ivar packets: what was sent.
    @ivar room: how many bursts it takes until it is full; None: all.
    """

    def __init__(self, clock: Clock, track: int, everything: list[Sent]) -> None:
        self.clock = clock
        self.track = track
        self.everything = everything
        self.packets: list[Sent] = []
        self.reports: list[tuple[float, list[RTCPPacket]]] = []
        self.room: int | None = None
        self._unit = (0.0, 0.0)

    def send(self, sender: TrackSender, burst: Burst) -> bool:
        if self.room is not None:
            if not self.room:
                return False
            self.room -= 1
        for header, payload in zip(sender.headers(burst), burst.payloads, strict=True):
            _, type, sequence, timestamp, ssrc = struct.unpack(">BBHII", header)
            if not payload.startswith(b"."):
                self._unit = struct.unpack(">dd", payload[:16])
            packet = Sent(
                self.clock.seconds(), self.track, sequence, timestamp, bool(type & 0x80), ssrc, *self._unit, payload
            )
            self.packets.append(packet)
            self.everything.append(packet)
        sender.count(burst.count, burst.octets)
        return True

    def sendControl(self, data: bytes) -> None:
        self.reports.append((self.clock.seconds(), parseCompound(data)))


class OutletDouble:
    def __init__(self) -> None:
        self.blocked = False
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1


class ListenerDouble:
    def __init__(self) -> None:
        self.told: list[str] = []

    def rangeEnded(self) -> None:
        self.told.append("range")

    def mediaEnded(self) -> None:
        self.told.append("media")

    def playerFailed(self) -> None:
        self.told.append("failed")


class Stage:
    """A player and all that is around it."""

    def __init__(self, film: Film, tracks: Sequence[int] | None = None, start: float = 1000.0) -> None:
        self.film = film
        self.clock = Clock()
        self.clock.advance(start)
        self.pacer = Pacer(self.clock, TICK)
        self.loader = LoaderDouble(film)
        self.outlet = OutletDouble()
        self.listener = ListenerDouble()
        self.packets: list[Sent] = []
        self.transports: dict[int, TransportDouble] = {}
        self.senders: dict[int, TrackSender] = {}
        session = SessionClock(start, 1_700_000_000.0)
        loader: Any = self.loader
        presentation: Any = film
        self.player = Player(
            presentation, film.formats, PLAN, loader, self.pacer, session, "me", self.outlet, self.listener
        )
        for track in range(len(film.tracks)) if tracks is None else tracks:
            transport = self.transports[track] = TransportDouble(self.clock, track, self.packets)
            timeline = Timeline(film.formats[track].clockRate, start, base=0xFFFFF000)
            sender = TrackSender(96 + track, 0xABC0 + track, 65530, timeline, transport)
            self.player.senders[track] = self.senders[track] = sender

    def course(self, scale: float = 1.0, wholeGroups: bool = False) -> Course:
        presentation: Any = self.film
        return Course(presentation, scale, wholeGroups)

    def cue(self, position: float, course: Course | None = None, style: SeekStyle = "RAP") -> Cue:
        """The cue of a position whose fragments are in memory."""
        return atOnce(self.player.cue(position, course or self.course(), style))

    def play(
        self,
        position: float = 0.0,
        stop: float | None = None,
        delay: float = 0.0,
        scale: float = 1.0,
        speed: float = 1.0,
        wholeGroups: bool = False,
    ) -> dict[int, tuple[int, int]]:
        infos = self.player.start(self.cue(position, self.course(scale, wholeGroups)), stop, delay, speed)
        self.player.run()
        return infos

    def resumption(self, scale: float = 1.0) -> Cue | None:
        """What the player can go on with."""
        return atOnce(self.player.resume(self.course(scale)))

    def resume(self, scale: float = 1.0) -> dict[int, tuple[int, int]]:
        cue = self.resumption(scale)
        assert cue is not None
        infos = self.player.start(cue)
        self.player.run()
        return infos

    def run(self, seconds: float, step: float = TICK / 2) -> None:
        """Lets time pass in small steps."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end - 1e-9:
            self.clock.advance(min(step, end - self.clock.seconds()))

    def of(self, track: int) -> list[Sent]:
        return self.transports[track].packets

    def units(self, track: int) -> list[float]:
        """The presentation times of what was sent of a track, in order, each once per time it was sent."""
        return [packet.pts for packet in self.of(track) if not packet.payload.startswith(b".")]


def atOnce(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of what need not wait for anything."""
    found: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(found.append)
    assert len(found) == 1, "the loader has not answered"
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return cast(Result, found[0])


def ahead(later: int, earlier: int) -> int:
    """How many ticks one timestamp is after another, over the wrap."""
    return (later - earlier + 0x80000000 & 0xFFFFFFFF) - 0x80000000


class GroupTransport:
    """
    A way to a group that notes what went there.

    @ivar control: RTCP packets, while somebody wanted them.
    """

    def __init__(self, multicast: FakeMulticast) -> None:
        self._multicast = multicast
        self.group = object()
        self.wanted = self.isClosed = False
        self.control: list[bytes] = []

    def sendControl(self, data: bytes) -> None:
        if self.wanted:
            self.control.append(data)

    def close(self) -> None:
        assert not self.isClosed
        self.isClosed = True
        self._multicast.free += 1


class FakeMulticast:
    """
    As many groups as there are free.

    @ivar heard: what is to be told of RTCP that came to each group, in the order in which they were taken.
    """

    def __init__(self, free: int) -> None:
        self.free = free
        self.transports: list[GroupTransport] = []
        self.heard: list[Callable[[bytes, str], None]] = []

    def transport(self, ssrc: int, heard: Callable[[bytes, str], None]) -> GroupTransport:
        self.free -= 1
        self.heard.append(heard)
        self.transports.append(GroupTransport(self))
        return self.transports[-1]
