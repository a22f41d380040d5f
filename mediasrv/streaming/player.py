"""
The player: sends an on-demand presentation to one session, from where to where it was asked.

Everything in here is time on a course (L{mediasrv.streaming.courses}); only what others see is NPT. The timeline of the
session maps the wall clock to RTP time and never changes; each PLAY pins a position to an instant on it. When things
leave is the matter of the pace (L{mediasrv.streaming.pace}), which gives way when the client, or our disk, is slow:
what comes late keeps its timestamps.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from math import inf
from typing import Protocol

from mediasrv.media.presentation import Presentation
from mediasrv.rtp.bursts import BurstPlan
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
from mediasrv.streaming.reel import Reel

#: seconds that a picture takes where nobody knows
_FRAME = 0.04

_ROUNDING = 1e-6

#: seconds before the end of a fragment at which the next one is fetched
_AHEAD = 1.0

#: seconds between the last packet and BYE: over UDP they come to two ports, and FFmpeg, when it finds something on
#: both, reads RTCP first and believes it
_FAREWELL = 0.25

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

    @ivar outlet: what they send through.
    @ivar isPlaying: whether packets are being sent.
    """

    __slots__ = (
        "_ahead",
        "_attendAt",
        "_blockedAt",
        "_clock",
        "_cname",
        "_course",
        "_listener",
        "_pace",
        "_pacer",
        "_pausePoint",
        "_presentation",
        "_reel",
        "_reportAt",
        "_starvedAt",
        "isPlaying",
        "outlet",
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
        self._reel = Reel(Feed(presentation, formats, plan, loader), len(formats))
        self._pacer = pacer
        self._clock = clock
        self._cname = cname
        self._listener = listener
        self.outlet = outlet
        self.isPlaying = False
        self.slot = -1
        self._course = Course(presentation)
        self._pace = Pace()
        self._pausePoint = 0.0  # NPT
        self._ahead = inf  # when the next fragment is fetched, on the course
        self._blockedAt: float | None = None
        self._starvedAt: float | None = None
        self._reportAt = 0.0
        self._attendAt = 0.0  # monotonic seconds of the next report or fetch

    @property
    def senders(self) -> list[TrackSender | None]:
        """For each track of the presentation its sender, or None where nothing of it is sent."""
        return self._reel.senders

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
        return self._course.npt(min(here, self._reel.stop, max(self._course.end, start)))

    @property
    def course(self) -> Course:
        """What is being played, or was."""
        return self._course

    @property
    def speed(self) -> float:
        """How many seconds of play-out are sent in a second."""
        return self._pace.speed

    @property
    def span(self) -> tuple[float, float]:
        """NPT seconds where what is being played began, and where it ends."""
        return self._course.npt(self._pace.start), self._course.npt(min(self._reel.stop, self._course.end))

    def presentedAt(self, npt: float) -> float:
        """Monotonic seconds when an NPT of what is being played is to be presented."""
        return self._pace.presentedAt(self._course.at(npt))

    async def cue(self, time: float, course: Course, style: SeekStyle = "RAP") -> Cue:
        """
        Finds where to start for an NPT.

        @raise NothingToPlay: if the file has nothing there.
        """
        return await findCue(self._reel.feed, course, time, style)

    async def resume(self, course: Course) -> Cue | None:
        """
        Where it is, or was paused, to go on without a gap; None if it cannot go on from there, as what comes next needs
        what was not sent, or if another one has made it play something else meanwhile. What plays is paused for that.
        """
        reel, fragment, former = self._reel, self._reel.fragment, self._course
        if fragment is None:
            return None
        if course.kind == former.kind:
            self._pauseHere()
            return Cue(self._pausePoint, course, fragment, reel.index, resumed=True)
        if not all(each.showsAll and not each.isReverse for each in (course, former)):
            return None
        view = await reel.feed.fetch(fragment.number, course)
        if reel.fragment is not fragment or self._course is not former:
            return None
        self._pauseHere()
        # the same pictures, so that decoders need not notice
        done = former.npt(fragment.bursts[reel.index - 1].due) if reel.index else -inf
        index = sum(course.npt(burst.due) <= done + _ROUNDING for burst in view.bursts)
        return Cue(self._pausePoint, course, view, index, resumed=True)

    def _pauseHere(self) -> None:
        if self.isPlaying:
            self.pause()

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
        isAnchored = anchor is not None
        if anchor is None and cue.resumed:
            anchor = max(now, self.presentedAt(cue.position))
        elif anchor is None:
            anchor = max(now + cue.lead, self._pace.presented + cue.startsEarly)
        # a decoder that starts here can do nothing with pictures from before, nor is their sound wanted
        skip = cue.time - _ROUNDING
        if cue.resumed:
            skip = course.at(self._course.npt(self._reel.skip))
        elif cue.isTop and not isAnchored:
            skip = -inf  # what primes a decoder as well, if there is time for it
        self._course = course
        self._pausePoint = cue.position
        self._pace.begin(cue.time, anchor, cue.firstDue, now, speed)
        self._reel.begin(cue, inf if stop is None else course.at(stop), skip)
        self._planFetch()
        infos = {}
        for index, sender in enumerate(self.senders):
            if sender is not None and course.shows(index):
                infos[index] = (sender.sequence, sender.begin(cue.time, anchor))
                sender.startMarker = self._reel.feed.formats[index].startMarker
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
        sender.startMarker = self._reel.feed.formats[track].startMarker
        self.awaitEntry(track)
        elapsed = self._course.at(self.position) - self._pace.start
        return sender.sequence, (begun + round(elapsed * sender.clockRate)) & 0xFFFFFFFF

    def awaitEntry(self, track: int) -> None:
        """Has a track of pictures begin with the next one with which a decoder can start, whatever comes before."""
        sender = self.senders[track]
        if sender is not None and self._presentation.tracks[track].kind == "video":
            awaitEntry(sender)

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
        if stop > min(self._reel.stop, self._course.end):
            return False
        self._reel.stop = stop
        if self.slot >= 0:
            self._pacer.schedule(self, self._pacer.now())
        return True

    def _halt(self) -> None:
        """Sends nothing more until L{run}; remembers how far presentation has got."""
        self._pacer.cancel(self)
        if self.isPlaying:
            self._pace.halt(self._pacer.now(), self._reel.latestSent, self._frame)
        self.isPlaying = False
        self._blockedAt = self._starvedAt = None
        self._reel.feed.stop()

    def release(self) -> None:
        """Holds no media any more."""
        self._reel.release()

    def _completePictures(self) -> None:
        if self.isPlaying:
            self._reel.completePictures()
            self._pacer.deliver(self.outlet)

    @property
    def _frame(self) -> float:
        """Seconds for which a picture is presented."""
        rate = self._presentation.tracks[0].frameRate
        return (1 / float(rate) if rate else _FRAME) / min(1.0, abs(self._course.scale))

    def _planFetch(self) -> None:
        """Says when the fragment after this one is to be fetched."""
        ends = inf if self._reel.isLast else self._reel.lastDue
        self._ahead = ends - _AHEAD * max(1.0, self._pace.speed)
        self._attendAt = min(self._reportAt, self._pace.leaves(self._ahead))

    def advance(self, now: float) -> float | None:
        """Sends what is due (see L{mediasrv.streaming.pacer.Paced})."""
        outlet = self.outlet
        if outlet.blocked:
            self._blockedAt = now
            return None
        pace = self._pace
        position = (now - pace.shift) * pace.speed
        if now >= self._attendAt:
            self._attend(now, position)
        due = self._reel.send(position)
        while due == inf and self._proceed():
            due = self._reel.send(position)
        self._pacer.outlets.add(outlet)
        if due is None:
            return now  # the socket is full: at the next tick
        if due < inf and due < position + _SPARSE and position < self._reel.stop > due:
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
        if due == inf and not self._reel.isLast:
            self._starvedAt = self._pacer.now()  # the coming of the next fragment says when to look again
            return None
        if position >= self._reel.stop:
            self._endRange()
            return None
        if due == inf:
            due = self._afterLast(position)
        return min(self._pace.leaves(min(due, self._reel.stop)), self._reportAt) if due < inf else None

    def _endRange(self) -> None:
        """Pauses where the range ends: what lies before has been sent then, to the last packet, and nothing after."""
        stop = self._reel.stop
        self._reel.complete()
        self._pacer.deliver(self.outlet)
        self._halt()
        self._reel.rewindToStop()
        self._pausePoint = self._course.npt(stop)
        self._listener.rangeEnded()

    def _proceed(self) -> bool:
        """At the end of a fragment: goes into the next one if it is there."""
        if self._reel.isLast:
            return False
        self._prefetch()
        latest = self._reel.proceed()
        if latest is None:
            return False
        self._pace.sent(latest, self._frame)
        self._planFetch()
        return True

    def _afterLast(self, position: float) -> float:
        """
        All has been sent.

        @return: when to look again; infinite if the listener was told that this is the end.
        """
        # what was sent last is still to be shown
        end = self._course.end
        if not self._course.isReverse:
            end = min(end, max(self._reel.lastPresented, self._pace.start) + _FRAME)
        end = max(end, self._reel.lastDue + _FAREWELL * self._pace.speed)
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
        if self._reel.fragment is not None:
            self._reel.feed.prefetch(self._reel.fragment.number, self._fed)

    def _fed(self) -> None:
        """Goes on after waiting for the disk: later than planned, with the timestamps that were planned."""
        if self._starvedAt is None:
            return
        now = self._pacer.now()
        waited = now - self._starvedAt
        upcoming = self._reel.feed.upcoming
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
        due = self._reel.next
        if due is not None:
            # the turn that was missed may have been one for a report, with nothing due
            overdue = self._pacer.now() - self._pace.leaves(due)
            self._pace.delay(min(seconds, max(0.0, overdue)))

    def failed(self) -> None:
        self._halt()
        self._listener.playerFailed()

    # RTCP

    def _report(self, now: float) -> None:
        self._reportAt = now + random.uniform(*_REPORT_INTERVAL)
        for index, sender in enumerate(self.senders):
            # who does not send has nothing to report (RFC 3550 section 6.4)
            if sender is not None and self._course.shows(index):
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
