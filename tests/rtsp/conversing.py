"""
Clients that talk to a server at random, and all that is known of them: what was asked and is not answered yet, which
sessions there are and what was promised to them.

Everything that the server writes, to whichever connection or UDP port, is noted in the order in which it is written,
and then looked at in that order: so what comes before a reply and what after it can be told apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf

from rtsprig import CREATED, FILM, Client, Rig, rtpInfo
from watching import BEHIND, Promise, TrackWatch

from mediasrv.rtsp.headers import parseSession
from mediasrv.rtsp.messages import InterleavedFrame, MessageError, Response
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.ranges import parseRange
from mediasrv.rtsp.transport import parseTransports

#: seconds that any reply of a unit of Range may be off
_PRECISION = {"npt": 1e-6, "clock": 1e-6, "smpte": 0.001, "smpte-30-drop": 0.001, "smpte-25": 0.001}


@dataclass(slots=True)
class Question:
    """A request that waits for its answer."""

    cseq: str | None
    text: str
    codes: frozenset[int]
    answered: Callable[[Response], None] = lambda response: None


@dataclass(eq=False, slots=True)
class Link:
    """
    @ivar channels: whose packets come on a channel, and whether they are RTCP.
    @ivar mayClose: whether the server has a reason to close it; silence is another one.
    @ivar lastSaid: when something was said on it, seconds of the clock.
    """

    client: Client
    host: str
    lastSaid: float
    questions: deque[Question] = field(default_factory=deque)
    channels: dict[int, tuple[Conversation, TrackWatch, bool]] = field(default_factory=dict)
    blocked: bool = False
    mayClose: bool = False
    cseq: int = 0
    parser: MessageParser = field(default_factory=MessageParser)


@dataclass(eq=False, slots=True)
class Conversation:
    """
    One session, as its client knows it.

    @ivar link: the connection that carries interleaved tracks of it.
    @ivar lastSign: when it was last certainly kept alive, seconds of the clock.
    @ivar isGone: whether it was ended on purpose.
    """

    id: str
    host: str
    film: bool
    lastSign: float
    tracks: dict[int, TrackWatch] = field(default_factory=dict)
    links: dict[int, Link | None] = field(default_factory=dict)
    isGone: bool = False
    scale: float = 1.0
    speed: float = 1.0

    @property
    def link(self) -> Link | None:
        return next((link for link in self.links.values() if link is not None), None)


class World:
    """
    @ivar links: connections that are open.
    @ivar sessions: those that are not known to be gone.
    @ivar isSound: whether all that was looked at was as it should be.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.links: list[Link] = []
        self.sessions: list[Conversation] = []
        self.isSound = True
        self._bySSRC: dict[int, tuple[Conversation, TrackWatch]] = {}
        self._log: list[tuple[Link, bytes, int]] = []
        self._taken = 0

    @property
    def now(self) -> float:
        return float(self.rig.clock.seconds())

    @property
    def isSettled(self) -> bool:
        """Whether everything is answered."""
        return not any(link.questions for link in self.links)

    def connect(self, host: str) -> Link:
        link = Link(self.rig.connect(host, 40000 + len(self.links)), host, self.now)
        transport = link.client.transport
        write = transport.write

        def noted(data: bytes) -> None:
            write(data)
            transport.clear()
            self._log.append((link, data, len(self.rig.sent)))

        transport.write = noted  # type: ignore[method-assign]  # before anything is said
        self.links.append(link)
        return link

    def say(self, link: Link, data: bytes) -> None:
        if link.client.isConnected:
            link.lastSaid = self.now
            link.client.server.dataReceived(data)
            self.settle()

    def lose(self, link: Link) -> None:
        link.mayClose = True
        link.client.transport.lose()
        self.settle()

    # What the server said

    def settle(self) -> None:
        """Looks at everything that was written since last time, and at who is gone."""
        self.isSound = False
        log, self._log = self._log, []
        for link, data, datagrams in log:
            self._takeDatagrams(datagrams)
            for message in link.parser.feed(data):
                assert not isinstance(message, MessageError), message
                if isinstance(message, InterleavedFrame):
                    self._frame(link, message)
                else:
                    assert isinstance(message, Response), "the server asks nothing"
                    self._answer(link, message)
        self._takeDatagrams(len(self.rig.sent))
        for link in [each for each in self.links if not each.client.isConnected]:
            assert link.mayClose or self.now - link.lastSaid > 59, "closed for no reason"
            self.links.remove(link)
            for session in self.sessions:
                session.isGone |= session.link is link
        for session in [each for each in self.sessions if self.rig.registry.get(each.id) is None]:
            assert session.isGone or self.now - session.lastSign > 59, "a session vanished"
            self.forget(session)
        self.isSound = True

    def _takeDatagrams(self, upTo: int) -> None:
        for kind, data, address in self.rig.sent[self._taken : upTo]:
            ssrc = int.from_bytes(data[8:12] if kind == "rtp" else data[4:8], "big")
            session, track = self._bySSRC[ssrc]
            assert address[0] == session.host, "media for somebody else (SET-12)"
            if kind == "rtp":
                track.media(data, self.now)
            else:
                self._control(session, track, data, exact=False)
        self._taken = max(self._taken, upTo)

    def _frame(self, link: Link, frame: InterleavedFrame) -> None:
        assert len(frame.payload) >= 8, "a frame that ffmpeg trips over (INT-2)"
        assert frame.channel in link.channels, "a frame on a channel that nobody set up"
        session, track, isControl = link.channels[frame.channel]
        if isControl:
            self._control(session, track, frame.payload, exact=True)
        else:
            track.media(frame.payload, self.now)

    def _control(self, session: Conversation, track: TrackWatch, data: bytes, exact: bool) -> None:
        if not track.control(data, exact) or self.rig.registry.get(session.id) is None:
            return
        if any(question.text.startswith("TEARDOWN") for each in self.links for question in each.questions):
            return  # of this track alone, perhaps
        # that of another track, if this one has been paused alone
        promises = [each.promise for each in session.tracks.values() if each.promise is not None]
        assert promises, "BYE in a pause (RTCP-7)"
        ends = [each.end for each in promises if each.steady or each.start < each.end]  # not of those backwards
        assert not ends or max(ends) >= self.durationOf(session) - 0.01, "BYE at the end of a range (RTCP-7)"

    def _answer(self, link: Link, response: Response) -> None:
        assert link.questions, f"an answer to nothing: {response}"
        question = link.questions.popleft()
        assert response.headers.get("CSeq") == question.cseq, f"{question.text}: the answer to another request"
        assert response.code in question.codes, f"{question.text}: {response.code}, not {set(question.codes)}"
        assert response.code < 300 or not response.body or response.headers.get("Content-Type") == "text/parameters"
        if response.headers.get("Connection") == "close":
            link.mayClose = True
        if response.code == 200:
            question.answered(response)

    # What the answers mean

    def durationOf(self, session: Conversation) -> float:
        library = self.rig.library
        return float((library.film if session.film else library.sound).duration)

    def wasSetUp(self, link: Link, url: str, index: int, film: bool) -> Callable[[Response], None]:
        """What a 200 to SETUP means."""

        def answered(response: Response) -> None:
            id = parseSession(response.headers.get("Session", ""))[0]
            (spec,) = parseTransports(response.headers.get("Transport", ""))
            session = next((each for each in self.sessions if each.id == id), None)
            if session is None:
                session = Conversation(id, link.host, film, self.now)
                self.sessions.append(session)
            session.lastSign = self.now
            former = session.tracks.get(index)
            assert spec.ssrc is not None
            assert former is None or former.ssrc == spec.ssrc, "another SSRC for the same track (RTP-8)"
            kind = "video" if film and index == 0 else "audio"
            track = former or TrackWatch(url, kind, spec.ssrc, kind == "video" and self.rig.library.film.reorder)
            track.url = url
            playing = [each.promise for each in session.tracks.values() if each.promise is not None]
            if former is None and playing:
                track.promise = replace(playing[0], rtptime=None)  # it joins those that play
            session.tracks[index] = track
            self._bySSRC[track.ssrc] = session, track
            self._release(session, index)
            session.links[index] = link if spec.interleaved else None
            for channel in spec.interleaved or ():
                assert channel not in link.channels, "a channel for two (SET-7)"
                link.channels[channel] = session, track, channel == spec.interleaved[1]

        return answered

    def _release(self, session: Conversation, index: int) -> None:
        link = session.links.pop(index, None)
        if link is not None:
            track = session.tracks[index]
            for channel in [each for each, (_, owner, _) in link.channels.items() if owner is track]:
                del link.channels[channel]

    def forget(self, session: Conversation, index: int | None = None) -> None:
        """A session, or one track of it, is gone."""
        for each in list(session.tracks) if index is None else [index]:
            self._release(session, each)
            track = session.tracks.pop(each, None)
            if track is not None:
                self._bySSRC.pop(track.ssrc)
        if not session.tracks and session in self.sessions:
            session.isGone = True
            self.sessions.remove(session)

    def wasPlayed(self, session: Conversation, index: int | None, resumes: bool) -> Callable[[Response], None]:
        """
        What a 200 to PLAY means.

        @param index: of the track, if its URL was used.
        @param resumes: whether no start was asked for.
        """

        def answered(response: Response) -> None:
            for name in ("scale", "speed"):
                if name in response.headers or not resumes:
                    setattr(session, name, float(response.headers.get(name, "1")))
            isPlaying = any(track.promise is not None for track in session.tracks.values())
            if "RTP-Info" not in response.headers:
                # not even one track may be sent at this Scale
                assert resumes or isPlaying or session.scale != 1, "no RTP-Info (HDR-4)"
                if resumes:
                    return  # it plays on
            info = rtpInfo(response)
            assert info or "seq=" not in response.headers.get("RTP-Info", "")
            assert set(info) <= {track.url for track in session.tracks.values()}, "RTP-Info for other URLs (RTP-1)"
            for each, track in session.tracks.items():
                if index in (None, each):
                    sequence, rtptime = info.get(track.url, (None, None))
                    promise = self._promise(session, response, rtptime, resumes)
                    if info and sequence is None and resumes and track.promise is not None:
                        track.promise.rtptime = None  # not sent at this Scale, or it plays on while others begin
                    elif info and sequence is None:
                        track.promise = None  # not sent at this Scale
                    elif not info and track.promise is not None:
                        # queued: what plays goes on, then this, from a number that nobody knows yet
                        former = track.promise
                        start, end = min(promise.start, former.start), max(promise.end, former.end)
                        track.promise = replace(promise, start=start, end=end)
                    else:
                        track.begins(promise, sequence)

        return answered

    def _promise(self, session: Conversation, response: Response, rtptime: int | None, resumes: bool) -> Promise:
        replied = parseRange(response.headers.get("Range", ""))
        assert replied.start is not None
        assert replied.end is not None, "no end (PLY-7)"
        origin = CREATED if replied.unit == "clock" else 0.0
        isPrior = response.headers.get("Seek-Style", "RAP") != "RAP"
        return Promise(
            replied.start - origin,
            replied.end - origin,
            rtptime,
            self.now,
            _PRECISION[replied.unit],
            early=inf if isPrior else BEHIND if resumes else 0.0,
            steady=session.scale == 1,
            paced=session.speed == 1,
        )

    def wasPaused(self, session: Conversation, index: int | None, at: bool) -> Callable[[Response], None]:
        """
        What a 200 to PAUSE means.

        @param at: whether a pause point was given.
        """

        def answered(response: Response) -> None:
            wanted = parseRange(response.headers.get("Range", ""))
            assert wanted.start is not None
            point = wanted.start - (CREATED if wanted.unit == "clock" else 0.0)
            for each, track in session.tracks.items():
                if index in (None, each) and track.promise is not None:
                    if not at:
                        track.promise = None
                    elif track.promise.rtptime is not None:  # of several ranges, nobody here knows which one it cuts
                        track.promise.end = min(track.promise.end, point + _PRECISION[wanted.unit])

        return answered

    def wasTornDown(self, session: Conversation, index: int | None) -> Callable[[Response], None]:
        """What a 200 to TEARDOWN means."""

        def answered(response: Response) -> None:
            self.forget(session, index)

        return answered


def filmOf(url: str) -> bool:
    """Whether a URL is that of the film with pictures."""
    return FILM.removeprefix("rtsp://server") in url
