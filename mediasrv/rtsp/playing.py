"""
PLAY (RFC 2326 section 10.5): from where it was asked, at the rate that was asked for; now, or when its turn comes.

What a PLAY means depends on what is going on. In a session that plays, one without Range goes on with what there is,
perhaps at another rate, and takes in tracks that had been left out; one with a Range waits or takes over, as
L{PlayRules.queueing} has it. On a single track it means that track alone (section 9.2, PLY-12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from automat import NoTransition

from mediasrv.rtsp.dialogue import Dialogue
from mediasrv.rtsp.headers import formatRTPInfo, formatScale
from mediasrv.rtsp.messages import Headers, Request, Response
from mediasrv.rtsp.orders import PlayOrder, PlayRules, readOrder
from mediasrv.rtsp.playqueue import QueuedPlay
from mediasrv.rtsp.ranges import RangeSpec, formatRange
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import RTSPSession
from mediasrv.rtsp.targets import controlled
from mediasrv.streaming.courses import Course, usableScale
from mediasrv.streaming.cues import Cue, NothingToPlay, SeekStyle

#: seconds past the end that a PLAY may ask for: VLC has paused already when it seeks, and hangs on an error (PLY-4)
_GRACE = 1.0

#: seconds before the end at which such a PLAY begins, if there is no key frame further back
_LAST_MOMENT = 0.001

#: what a client may do whose PLAY was overtaken by what it asked on another connection
_ALLOWED = "SETUP, PLAY, TEARDOWN, OPTIONS, GET_PARAMETER, SET_PARAMETER"

#: seconds after which a client whose PLAY found no room in the queue may try again
_RETRY_AFTER = "5"


async def play(dialogue: Dialogue, request: Request) -> Response:
    """
    Plays from where it was asked, or goes on.

    @raise Refused: with what the RFC wants; what was playing then plays on.
    """
    session, track = controlled(dialogue, request)
    if track is not None and track not in session.setUpTracks:
        raise Refused(455, ("Allow", "SETUP, OPTIONS, GET_PARAMETER, SET_PARAMETER"))
    order = readOrder(request)
    tracks: Iterable[int] = session.setUpTracks if track is None else [track]
    playing = _Playing(dialogue, session, order, tracks)
    if session.state == "playing":
        if track is not None and not session.isOnly(track):
            return playing.join(track)
        if playing.changesNothing:
            return playing.goOn(tracks)
        if playing.waits:
            return await playing.queue()
    return await playing.start(tracks)


class _Playing:
    """
    One PLAY, as it is answered.

    @ivar course: how it is to be played.
    @ivar speed: that it is to be delivered at.
    """

    def __init__(self, dialogue: Dialogue, session: RTSPSession, order: PlayOrder, tracks: Iterable[int]) -> None:
        """
        @param tracks: that it is about.
        """
        self._dialogue = dialogue
        self._session = session
        self._player = session.player
        self._order = order
        self._rules: PlayRules = dialogue.rules
        self._style: SeekStyle = order.style
        goesOn = session.state == "playing" and order.range is None
        self.course = self._player.course if goesOn else Course(session.presentation)
        self.speed = self._player.speed if goesOn else 1.0
        if order.scale is not None:
            scale = usableScale(session.presentation, order.scale, self._rules.maxScale)
            self.course = Course(session.presentation, scale, order.wholeGroups)
        if not any(self.course.shows(track) for track in tracks):
            self.course = Course(session.presentation)  # sound without its pictures has one Scale
        if order.speed is not None:
            self.speed = min(max(order.speed, 1 / self._rules.maxSpeed), self._rules.maxSpeed)

    # Without a new start

    @property
    def changesNothing(self) -> bool:
        """Whether it only says that the client is there (PLY-1)."""
        same = self.course.kind == self._player.course.kind and self.speed == self._player.speed
        return self._order.range is None and same

    def goOn(self, tracks: Iterable[int]) -> Response:
        """Nothing new, but for those of the tracks that were paused alone, or set up meanwhile."""
        infos = {}
        for track in tracks:
            if not self._session.isActive(track):
                infos.update(self._joined(track))
        headers = self._headers(self._session.position(), self._player.span[1])
        self._tell(headers, infos)
        return Response(200, headers)

    def join(self, track: int) -> Response:
        """
        One more track of a session that plays: from where the others are, whatever Range says, for a session has one
        position. The track alone cannot be sought.
        """
        if self._session.isActive(track):
            if self._order.range is not None:
                raise Refused(460)
            return Response(200, self._headers(self._session.position(), self._player.span[1]))
        infos = self._joined(track)
        headers = self._headers(self._session.position(), self._player.span[1])
        self._tell(headers, infos)
        self._session.changed()
        return Response(200, headers)

    def _joined(self, track: int) -> dict[int, tuple[int | None, int]]:
        info = self._player.join(track, self._session.setUpTracks[track].sender)
        return {} if info is None else {track: info}

    # Waiting

    @property
    def waits(self) -> bool:
        """
        Whether its turn comes after what is being played (PLY-9). Nobody waits for what is for many: who joins it
        meanwhile would not know what it waits for.
        """
        wanted = self._order.range
        if wanted is None or wanted.startsNow or wanted.start is None or wanted.time is not None:
            return False
        if self._order.immediate or self._session.broadcast is not None:
            return False
        queueing = self._rules.queueing
        return queueing == "rfc2326" or (queueing == "auto" and self._session.queue.closed)

    async def queue(self) -> Response:
        """
        Lets it wait. RTP-Info has the RTP time at which it will begin; its sequence number nobody knows before what is
        in front of it has been sent.
        """
        queue = self._session.queue
        if len(queue) >= self._rules.queueLength:
            raise Refused(503, ("Retry-After", _RETRY_AFTER))
        emptied = queue.emptied
        cue, end = await self._cue()
        if self._session.state != "playing":
            if queue.emptied != emptied:
                raise Refused(455, ("Allow", _ALLOWED))  # a PAUSE took it along
            # what was in front of it has ended meanwhile
            return self._begin(cue, end, self._session.setUpTracks)
        begins, last, closed = queue.begins, self._endOr(end), end is not None
        queue.append(QueuedPlay(cue.position, last, self._stop(end), closed, self.course, self.speed, cue.style))
        self._style = cue.style
        headers = self._headers(cue.position, last)
        infos = {
            index: (None, track.sender.timeline.at(begins))
            for index, track in self._session.setUpTracks.items()
            if cue.course.shows(index) and self._session.isActive(index)
        }
        self._tell(headers, infos)
        return Response(200, headers)

    # Starting

    async def start(self, tracks: Iterable[int]) -> Response:
        """Plays now, in place of whatever is being played or waits."""
        cue, end = await self._cue()
        return self._begin(cue, end, tracks)

    def _begin(self, cue: Cue, end: float | None, tracks: Iterable[int]) -> Response:
        session = self._session
        tracks = [track for track in tracks if track in session.setUpTracks]
        if not tracks:
            raise Refused(455, ("Allow", _ALLOWED))  # a TEARDOWN came while the file was read
        self._style = cue.style
        headers = self._headers(cue.position, self._endOr(end))
        try:
            session.states.play()
        except NoTransition:
            raise Refused(454) from None  # it ended while the file was read
        goesOn = self._order.range is None and cue.resumed
        if not goesOn:
            session.queue.clear()
        session.queue.closed = end is not None
        if self._player.isPlaying:
            self._player.pause()  # the last picture of those who played is theirs alone (RTP-12)
        silent = [track for track in tracks if not session.isActive(track)]
        session.choose(tracks)
        infos = self._player.start(cue, self._stop(end), self._order.delay, self.speed)
        if cue.resumed:
            for track in silent:
                self._player.awaitEntry(track)
        self._tell(headers, infos)
        # nothing of the new range before the reply, and the first packet right after it (RTP-12)
        self._dialogue.afterReply(lambda: _run(session))
        return Response(200, headers)

    async def _cue(self) -> tuple[Cue, float | None]:
        """Where to start, and where to end, NPT seconds; None for the end of the presentation."""
        try:
            cue, end = await self._findCue()
        except NothingToPlay:
            raise Refused(457) from None
        if end is not None and not cue.resumed and not self._isAhead(cue.position, end, _LAST_MOMENT):
            raise Refused(457)  # between the two there is nothing to start with
        return cue, end

    async def _findCue(self) -> tuple[Cue, float | None]:
        start, end = points(self._session, self._order.range)
        player, duration = self._player, self._session.presentation.duration
        if start is None:
            return await self._fromHere(end)
        if start > duration + _GRACE or (end is not None and not self._isAhead(start, end)):
            raise Refused(457)
        start = min(start, max(0.0, duration - (0.0 if self.course.isReverse else _LAST_MOMENT)))
        if self._order.style == "CoRAP":
            return await self._conditionally(start), end
        return await player.cue(start, self.course, self._order.style), end

    async def _fromHere(self, end: float | None) -> tuple[Cue, float | None]:
        """From the current position, or from the pause point."""
        session, player, here = self._session, self._player, self._here
        if end is not None and not self._isAhead(here, end):
            raise Refused(457)
        if self._order.range is None and player.isPlaying and session.queue.closed:
            # another rate, the same range, from whichever of its ends comes now
            end = next((bound for bound in reversed(player.span) if self._isAhead(here, bound)), None)
        cue = await player.resume(self.course)
        if cue is None:
            here, duration = self._here, session.presentation.duration
            if self.course.isReverse and here <= _LAST_MOMENT:
                raise Refused(457)
            # at the very end there is nothing to go on with: from the start
            atEnd = not self.course.isReverse and here >= duration - _LAST_MOMENT
            cue = await player.cue(0.0 if atEnd else here, self.course)
        return cue, end

    @property
    def _here(self) -> float:
        """NPT seconds of where it is, or was paused; before the first PLAY, where it begins in its direction."""
        isNew = self._session.state == "ready"
        return self._session.presentation.duration if isNew and self.course.isReverse else self._session.position()

    async def _conditionally(self, start: float) -> Cue:
        """
        RFC 7826's CoRAP: from the random access point if that is nearer to what was asked for than the pause point is;
        else on from there, which it calls Next.
        """
        here = self._session.position()
        found = await self._player.cue(start, self.course)
        if self._session.state != "paused" or start < here or start - found.position < start - here:
            return replace(found, style="CoRAP")
        onward = await self._player.resume(self.course)
        return replace(found, style="CoRAP") if onward is None else replace(onward, style="Next")

    def _isAhead(self, start: float, end: float, least: float = 0.0) -> bool:
        """Whether something lies between two points, in the direction in which it is played, more than so much."""
        return start - end > least if self.course.isReverse else end - start > least

    def _stop(self, end: float | None) -> float | None:
        """Where to stop, if that is before everything is over."""
        return None if end is None or not self._isAhead(end, self.course.endNPT) else end

    def _endOr(self, end: float | None) -> float:
        """NPT seconds where it stops, or where everything is over."""
        stop = self._stop(end)
        return self.course.endNPT if stop is None else stop

    # Replies

    def _headers(self, start: float, end: float) -> Headers:
        session, order = self._session, self._order
        headers = Headers([("Session", self._dialogue.sessionHeader(session))])
        headers.set("Range", rangeOf(session, order.unit, start, end))
        scale = self.course.scale
        if order.scale is not None or scale != 1.0:
            headers.set("Scale", formatScale(scale))
        if order.speed is not None or self.speed != 1.0 or scale != 1.0:
            # GStreamer takes a Scale without Speed for its own task: to turn pictures round that came backwards already
            headers.set("Speed", formatScale(self.speed))
        if order.saysStyle:
            headers.set("Seek-Style", self._style)
        return headers

    def _tell(self, headers: Headers, infos: Mapping[int, tuple[int | None, int]]) -> None:
        """Adds RTP-Info, if there is anything to say."""
        entries = self._session.rtpInfo(infos)
        if entries:
            headers.set("RTP-Info", formatRTPInfo(entries))


def _run(session: RTSPSession) -> None:
    if session.state == "playing":
        session.player.run()
        session.changed()


def points(session: RTSPSession, wanted: RangeSpec | None) -> tuple[float | None, float | None]:
    """A Range as NPT seconds; None for "from here" and "to the end"."""
    if wanted is None:
        return None, None
    origin = session.presentation.created if wanted.unit == "clock" else 0.0
    start = None if wanted.start is None or wanted.startsNow else wanted.start - origin
    end = None if wanted.end is None else wanted.end - origin
    if start is not None and start < 0:
        raise Refused(457)
    return start, end


def rangeOf(session: RTSPSession, unit: str, start: float, end: float | None) -> str:
    """A Range header in one of its units, for NPT seconds."""
    origin = session.presentation.created if unit == "clock" else 0.0
    return formatRange(unit, start + origin, None if end is None else end + origin)
