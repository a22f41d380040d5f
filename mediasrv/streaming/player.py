"""
The player: sends an on-demand presentation to one session, from where to where it was asked.

Everything in here is time on a course (L{mediasrv.streaming.courses}); only what others see is NPT. The timeline of the
session maps the wall clock to RTP time and never changes; each PLAY pins a position to an instant on it. When things
leave is the matter of the pace (L{mediasrv.streaming.pace}), which gives way when the client, or our disk, is slow: what
comes late keeps its timestamps.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from math import inf
from typing import Protocol

from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import Burst, BurstPlan, PacketFragment
from mediasrv.rtp.interleaved import Outlet
from mediasrv.rtp.payloads.formats import PayloadFormat
from mediasrv.rtp.reports import senderReport
from mediasrv.rtp.sender import TrackSender, awaitEntry
from mediasrv.rtp.timeline import SessionClock
from mediasrv.streaming.courses import Course
from mediasrv.streaming.cues import Cue, SeekStyle, findCue
from mediasrv.streaming.feed import Feed
from mediasrv.streaming.loader import FragmentLoader
from mediasrv.streaming.pace import Pace
from mediasrv.streaming.pacer import Pacer

#: seconds that a picture takes where nobody knows
_FRAME = 0.04

_ROUNDING = 1e-6

#: seconds before the end of a fragment at which the next one is fetched
_AHEAD = 1.0

#: seconds between the last packet and BYE: over UDP they come to two ports, and FFmpeg, when it finds something on
#: both, reads RTCP first and believes it
_FAREWELL = 0.25

#: bursts among which the rest of a picture is looked for
_NEAR = 100

#: seconds between bursts from which on sender reports need turns of their own
_SPARSE = 1.0

#: seconds between sender reports, spread so that they do not go in step (RTCP-2)
_REPORT_INTERVAL = (4.0, 6.0)


class PlayerListener(Protocol):
    """Who is told how playing ends."""

    def rangeEnded(self) -> None:
        """The end of the range was reached: the player is paused there."""

    def mediaEnded(self) -> None:
        """The presentation is over: the player is paused at its end."""

    def playerFailed(self) -> None:
        """Something went wrong inside; the player sends nothing any more."""


class Player:
    """
    Plays one presentation to one session.

    @ivar senders: for each track of the presentation its sender, or None where the client did not ask for it. May be
        changed while paused.
    @ivar outlet: what they send through.
    @ivar isPlaying: whether packets are being sent.
    """

    __slots__ = (
        "_ahead",
        "_attendAt",
        "_blockedAt",
        "_bursts",
        "_clock",
        "_cname",
        "_course",
        "_feed",
        "_fragment",
        "_index",
        "_listener",
        "_pace",
        "_pacer",
        "_pausePoint",
        "_presentation",
        "_reportAt",
        "_skip",
        "_startIndex",
        "_starvedAt",
        "_stop",
        "isPlaying",
        "outlet",
        "senders",
        "slot",
    )

    def __init__(
        self,
        presentation: Presentation,
        formats: Sequence[PayloadFormat],
        plan: BurstPlan,
        loader: FragmentLoader,
        pacer: Pacer,
        clock: SessionClock,
        cname: str,
        outlet: Outlet,
        listener: PlayerListener,
    ) -> None:
        """
        @param formats: one for each track of the presentation.
        @param clock: of the session; its timelines are those of the senders.
        """
        self._presentation = presentation
        self._feed = Feed(presentation, formats, plan, loader)
        self._pacer = pacer
        self._clock = clock
        self._cname = cname
        self._listener = listener
        self.outlet = outlet
        self.senders: list[TrackSender | None] = [None] * len(formats)
        self.isPlaying = False
        self.slot = -1
        self._fragment: PacketFragment | None = None
        self._bursts: list[Burst] = []  # of _fragment
        self._index = 0
        self._startIndex = 0
        self._course = Course(presentation)
        self._pace = Pace()
        self._stop = inf  # on the course, as all that follows
        self._skip = -inf  # before this nothing is sent
        self._pausePoint = 0.0  # NPT
        self._ahead = inf  # when the next fragment is fetched
        self._blockedAt: float | None = None
        self._starvedAt: float | None = None
        self._reportAt = 0.0
        self._attendAt = 0.0  # monotonic seconds of the next report or fetch

    # Where

    @property
    def position(self) -> float:
        """The NPT that is being sent, seconds; the pause point while paused."""
        if not self.isPlaying:
            return self._pausePoint
        now = self._pacer.now()
        for halted in (self._blockedAt, self._starvedAt):
            if halted is not None:
                now = min(now, halted)
        start = self._pace.start
        here = max(self._pace.due(now), start)
        return self._course.npt(min(here, self._stop, max(self._course.end, start)))

    @property
    def course(self) -> Course:
        """What is being played, or was."""
        return self._course

    @property
    def speed(self) -> float:
        """How many seconds of play-out are sent in a second."""
        return self._pace.speed

    @property
    def hasEnd(self) -> bool:
        """Whether what is being played ends before the presentation does."""
        return self._stop < self._course.end

    @property
    def span(self) -> tuple[float, float]:
        """NPT seconds where what is being played began, and where it ends."""
        return self._course.npt(self._pace.start), self._course.npt(min(self._stop, self._course.end))

    def presentedAt(self, npt: float) -> float:
        """Monotonic seconds when an NPT of what is being played is to be presented."""
        return self._pace.presentedAt(self._course.at(npt))

    async def cue(self, time: float, course: Course, style: SeekStyle = "RAP") -> Cue:
        """
        Finds where to start for an NPT.

        @raise NothingToPlay: if the file has nothing there.
        """
        return await findCue(self._feed, course, time, style)

    async def resume(self, course: Course) -> Cue | None:
        """
        Where it was paused, to go on without a gap; None if it cannot go on from there, as what comes next needs what
        was not sent.
        """
        fragment, index = self._fragment, self._index
        if fragment is None:
            return None
        if course.kind == self._course.kind:
            return Cue(self._pausePoint, course, fragment, index, resumed=True)
        if not all(each.showsAll and not each.isReverse for each in (course, self._course)):
            return None
        # the same pictures, so that decoders need not notice
        bursts = fragment.bursts
        done = self._course.npt(bursts[index - 1].due) if 0 < index <= len(bursts) else -inf
        view = await self._feed.fetch(fragment.number, course)
        index = sum(course.npt(burst.due) <= done + _ROUNDING for burst in view.bursts)
        return Cue(self._pausePoint, course, view, index, resumed=True)

    # Playing

    def start(
        self, cue: Cue, stop: float | None = None, delay: float = 0.0, speed: float = 1.0, anchor: float | None = None
    ) -> dict[int, tuple[int, int]]:
        """
        Gets ready to play: sequence numbers and timestamps are settled, nothing is sent before L{run}.

        @param stop: NPT seconds of what is not sent any more; None for the end of the presentation.
        @param delay: seconds from now until it begins.
        @param speed: how many seconds of play-out to send in a second; timestamps do not show it (RFC 2326 section
            12.35).
        @param anchor: monotonic seconds at which the cue's position is presented, where something ends just then; None
            for as soon as possible.
        @return: for each track index that is sent the sequence number of its next packet and the RTP time of the
            cue's position.
        """
        self._completePictures()
        self._halt()
        course = cue.course
        now = self._pacer.now() + delay
        if anchor is None and cue.resumed:
            anchor = max(now, self.presentedAt(cue.position))
        elif anchor is None:
            anchor = max(now + cue.lead, self._pace.presented + cue.startsEarly)
        # a decoder that starts here can do nothing with pictures from before, nor is their sound wanted
        if not cue.resumed:
            self._skip = -inf if cue.isTop else cue.time - _ROUNDING
        elif course.kind != self._course.kind:
            self._skip = -inf
        self._course = self._feed.course = course
        self._pace.begin(cue.time, anchor, cue.firstDue, now, speed)
        self._pausePoint = cue.position
        self._stop = inf if stop is None else course.at(stop)
        self._enter(cue.fragment, cue.index)
        infos = {}
        for index, sender in enumerate(self.senders):
            if sender is not None and course.shows(index):
                infos[index] = (sender.sequence, sender.begin(cue.time, anchor))
                sender.startMarker = self._feed.formats[index].startMarker
        return infos

    def join(self, track: int, sender: TrackSender) -> tuple[int, int] | None:
        """
        Takes in one more track while the others are played. Pictures come from the next one on with which a decoder can
        start.

        @return: the sequence number of its next packet and the RTP time of the current position; None if nothing of it
            is sent on this course.
        """
        self.senders[track] = sender
        begun = sender.begin(self._pace.start, self._pace.anchor)
        if not self._course.shows(track):
            return None
        sender.startMarker = self._feed.formats[track].startMarker
        if self._presentation.tracks[track].kind == "video":
            awaitEntry(sender)
        elapsed = self._course.at(self.position) - self._pace.start
        return sender.sequence, (begun + round(elapsed * sender.clockRate)) & 0xFFFFFFFF

    def leave(self, track: int) -> None:
        """Sends nothing more of one track, from the next picture on."""
        self._completePictures()
        self.senders[track] = None

    def run(self) -> None:
        """Begins, or goes on, to send: what is due now leaves at once, not at the next tick."""
        self.isPlaying = True
        self._reportAt = self._attendAt = 0.0
        self._pacer.begin(self)

    def pause(self, point: float | None = None) -> float:
        """
        Stops sending.

        @param point: NPT seconds where to go on later, if not here (PAU-2).
        @return: the pause point.
        """
        self._completePictures()
        self._pausePoint = self.position
        self._halt()
        if point is not None:
            self._pausePoint = point
            self.release()
        return self._pausePoint

    def stopAt(self, point: float) -> bool:
        """
        Ends the range under way at another NPT, which is still to come.

        @return: False if the range does not reach that far.
        """
        stop = self._course.at(point)
        if stop > min(self._stop, self._course.end):
            return False
        self._stop = stop
        if self.slot >= 0:
            self._pacer.schedule(self, self._pacer.now())
        return True

    def _halt(self) -> None:
        """Sends nothing more until L{run}; remembers how far presentation has got."""
        self._pacer.cancel(self)
        if self.isPlaying:
            self._pace.halt(self._pacer.now(), self._latestSent(), self._frame)
        self.isPlaying = False
        self._blockedAt = self._starvedAt = None
        self._feed.stop()

    def release(self) -> None:
        """Holds no media any more."""
        self._fragment = None
        self._bursts = []
        self._index = self._startIndex = 0

    def _completePictures(self) -> None:
        """
        Sends the rest of pictures of which some bursts have left. The packets of a picture share one timestamp; what
        was sent after another PLAY would have another.
        """
        if not self.isPlaying:
            return
        bursts, index = self._bursts, self._index
        begun = {burst.track: burst.ticks for burst in bursts[max(self._startIndex, index - _NEAR) : index]}
        end = index
        for ahead, burst in enumerate(bursts[index : index + _NEAR], index):
            if begun.get(burst.track) == burst.ticks:
                end = ahead + 1
        for burst in bursts[index:end]:
            sender = self.senders[burst.track]
            if sender is not None and self._skip <= burst.pts < self._stop and not sender.transport.send(sender, burst):
                break
            self._index += 1
        self._pacer.deliver(self.outlet)

    def _latestSent(self) -> float:
        """The latest time of what was sent of this fragment."""
        sent = self._bursts[max(self._startIndex, self._index - 4 * _NEAR) : self._index]
        return max((burst.pts for burst in sent if self.senders[burst.track] is not None), default=-inf)

    @property
    def _frame(self) -> float:
        """Seconds for which a picture is presented."""
        rate = self._presentation.tracks[0].frameRate
        return (1 / float(rate) if rate else _FRAME) / min(1.0, abs(self._course.scale))

    def _enter(self, fragment: PacketFragment, index: int) -> None:
        self._fragment = fragment
        self._bursts = fragment.bursts
        self._index = self._startIndex = index
        ends = inf if fragment.last or not fragment.bursts else fragment.bursts[-1].due
        self._ahead = ends - _AHEAD * max(1.0, self._pace.speed)
        self._attendAt = min(self._reportAt, self._pace.leaves(self._ahead))

    def advance(self, now: float) -> float | None:
        """
        Sends what is due (see L{mediasrv.streaming.pacer.Paced}).

        This runs a hundred times a second for every viewer: hence the locals and the plain loop.
        """
        outlet = self.outlet
        if outlet.blocked:
            self._blockedAt = now
            return None
        pace = self._pace
        position = (now - pace.shift) * pace.speed
        if now >= self._attendAt:
            self._attend(now, position)
        skip, stop = self._skip, self._stop
        senders = self.senders
        while True:
            bursts, index, due = self._bursts, self._index, inf
            count = len(bursts)
            while index < count:
                burst = bursts[index]
                if burst.due > position:
                    due = burst.due
                    break
                sender = senders[burst.track]
                if sender is not None and skip <= burst.pts < stop and not sender.transport.send(sender, burst):
                    self._index = index
                    self._pacer.outlets.add(outlet)
                    return now  # the socket is full: at the next tick
                index += 1
            self._index = index
            if due < inf or not self._proceed():
                break
            skip = self._skip
        self._pacer.outlets.add(outlet)
        if due < stop and position < stop and due < position + _SPARSE:
            return due / pace.speed + pace.shift
        return self._nextTime(due, position)

    def _attend(self, now: float, position: float) -> None:
        """Does what is to be done only now and then."""
        if now >= self._reportAt:
            self._report(now)
        if position >= self._ahead:
            self._prefetch()
        self._attendAt = min(self._reportAt, self._pace.leaves(self._ahead))

    def _nextTime(self, due: float, position: float) -> float | None:
        """When to look again, given when the next burst is due; or what to do if there is none."""
        if due == inf and self._isStarving():
            return None
        if position >= self._stop:
            self._endRange()
            return None
        if due == inf:
            due = self._afterLast(position)
        return min(self._pace.leaves(min(due, self._stop)), self._reportAt) if due < inf else None

    def _endRange(self) -> None:
        """Pauses where the range ends: what lies before has been sent then, to the last packet, and nothing after."""
        stop, bursts, senders = self._stop, self._bursts, self.senders
        for burst in bursts[self._index :]:
            sender = senders[burst.track]
            if sender is not None and self._skip <= burst.pts < stop:
                sender.transport.send(sender, burst)  # if the network takes nothing it is lost
        self._pacer.deliver(self.outlet)
        self._index = len(bursts)
        self._halt()
        # To go on from here means what was left out, and not again what was sent in between (PLY-10).
        self._index = next(
            (number for number in range(self._startIndex, len(bursts)) if bursts[number].pts >= stop), len(bursts)
        )
        self._pausePoint = self._course.npt(stop)
        self._skip = stop
        self._stop = inf
        self._listener.rangeEnded()

    def _proceed(self) -> bool:
        """At the end of a fragment: goes into the next one if it is there."""
        fragment = self._fragment
        if fragment is None or fragment.last or self._feed.hasEnded:
            return False
        self._prefetch()
        upcoming = self._feed.take()
        if upcoming is None:
            return False
        latest = (time for track, time in fragment.latest.items() if self.senders[track] is not None)
        self._pace.sent(max(latest, default=-inf), self._frame)
        self._enter(upcoming, 0)
        self._skip = -inf
        return True

    def _isStarving(self) -> bool:
        """Whether the next fragment is not there yet; then its coming says when to look again."""
        fragment = self._fragment
        if fragment is None or fragment.last or self._feed.hasEnded:
            return False
        self._starvedAt = self._pacer.now()
        return True

    def _afterLast(self, position: float) -> float:
        """
        All has been sent.

        @return: when to look again; infinite if the listener was told that this is the end.
        """
        # what was sent last is still to be shown
        latest = max((burst.pts for burst in self._bursts[-50:]), default=self._pace.start)
        end = min(self._course.end, latest + _FRAME)
        if self._bursts:
            end = max(end, self._bursts[-1].due + _FAREWELL * self._pace.speed)
        if position < end:
            return end
        self._finish()
        return inf

    def _finish(self) -> None:
        self._pausePoint = self._course.endNPT
        self._halt()
        self.release()
        self._listener.mediaEnded()

    def _prefetch(self) -> None:
        """Fetches the fragment after this one, once."""
        self._ahead = inf
        if self._fragment is not None:
            self._feed.prefetch(self._fragment.number, self._fed)

    def _fed(self) -> None:
        """Goes on after waiting for the disk: later than planned, with the timestamps that were planned."""
        if self._starvedAt is None:
            return
        now = self._pacer.now()
        waited = now - self._starvedAt
        upcoming = self._feed.upcoming
        if upcoming is not None:
            # it may have come in time for what is due next
            due = upcoming.bursts[0].due if upcoming.bursts else inf
            waited = min(waited, max(0.0, now - self._pace.leaves(due)))
        self._pace.delay(waited)
        self._starvedAt = None
        self._pacer.schedule(self, now)

    def unblocked(self) -> None:
        """The outlet takes packets again. Who reads slowly is played to slowly (INT-5)."""
        if self._blockedAt is None:
            return
        now = self._pacer.now()
        self._pace.delay(now - self._blockedAt)
        self._blockedAt = None
        self._pacer.schedule(self, now)

    def delayed(self, seconds: float) -> None:
        """
        Goes on where it was when the process stood still, with the timestamps that were planned: the backlog of all
        players at a stroke would overrun every path.
        """
        if self._index < len(self._bursts):
            # the turn that was missed may have been one for a report, with nothing due
            overdue = self._pacer.now() - self._pace.leaves(self._bursts[self._index].due)
            self._pace.delay(min(seconds, max(0.0, overdue)))

    def failed(self) -> None:
        self._halt()
        self._listener.playerFailed()

    # RTCP

    def _report(self, now: float) -> None:
        self._reportAt = now + random.uniform(*_REPORT_INTERVAL)
        for sender in self.senders:
            if sender is not None:
                sender.transport.sendControl(senderReport(sender, self._clock, now, self._cname))

    def sayGoodbye(self, senders: Iterable[TrackSender] | None = None) -> None:
        """
        Tells the client that nothing more will come (RTCP-7).

        @param senders: of these tracks; None for all that are sent.
        """
        self._pacer.deliver(self.outlet)
        now = self._pacer.now()
        for sender in self.senders if senders is None else senders:
            if sender is not None:
                sender.transport.sendControl(senderReport(sender, self._clock, now, self._cname, leaving=True))
        self.outlet.flush()
