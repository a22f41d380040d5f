"""
Random dialogues of several clients with a whole server: whatever is asked, in whatever order and however cut, there is
one answer each, in order and plausible, and what is sent keeps its promises (see L{watching} and L{conversing}).

MEDIASRV_DIALOGUES is the number of dialogues; without it there are a few hundred, the same ones each time.
"""

from __future__ import annotations

import os

import pytest
from asking import (
    ASKS,
    BAD_RANGES,
    BAD_TRANSPORTS,
    CODES,
    HOSTS,
    MALFORMED_RANGES,
    MISTAKES,
    NEEDS_A_RESOURCE,
    NEEDS_A_SESSION,
    NO_METHODS,
    SECONDS,
    STEERING,
    TRANSPORTS,
    Ask,
)
from conversing import Conversation, Link, Question, World, filmOf
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from rtsprig import FILM, SOUND, TCP, UDP, Rig
from twisted.logger import LogEvent, globalLogPublisher

from mediasrv.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, packCompound
from mediasrv.rtsp.messages import InterleavedFrame

#: seconds after the reply to PLAY after which packets have to come
_STARTS_WITHIN = 0.0


class Dialogues(RuleBasedStateMachine):
    @initialize(
        film=st.fixed_dictionaries({"reorder": st.booleans(), "pictureSize": st.sampled_from([300, 300, 4000])}),
        hosts=st.lists(st.sampled_from(HOSTS), max_size=2),
        udp=st.none() | st.just(6000),
        one=st.booleans(),
    )
    def begin(self, film: dict[str, int], hosts: list[str], udp: int | None, one: bool) -> None:
        """There is always somebody who has something to play."""
        self.failures: list[LogEvent] = []
        globalLogPublisher.addObserver(self._observe)
        self.world = World(Rig(film=film))
        self.rig = self.world.rig
        for host in [HOSTS[0], *hosts]:
            self.world.connect(host)
        self.setUp(0, udp, True, one)

    def _observe(self, event: LogEvent) -> None:
        if event.get("log_failure") or event.get("failure"):
            self.failures.append(event)

    def _link(self, number: int) -> Link:
        if not self.world.links:
            return self.world.connect(HOSTS[0])
        return self.world.links[number % len(self.world.links)]

    def _session(self, which: int | str) -> Conversation | None:
        sessions = self.world.sessions
        return sessions[which % len(sessions)] if isinstance(which, int) and sessions else None

    # Asking

    @rule(number=st.integers(0, 3), asks=st.lists(ASKS, min_size=1, max_size=4), cut=st.none() | st.integers(1, 300))
    def talk(self, number: int, asks: list[Ask], cut: int | None) -> None:
        """Requests in a row, together or in pieces, some with a report between them."""
        link = self._link(number)
        data = b""
        for place, ask in enumerate(asks):
            data += self._prepare(link, ask, place == 0)
        for start in range(0, len(data), cut or len(data)):
            self.world.say(link, data[start : start + (cut or len(data))])
        isPatient = link.blocked or self.rig.pool.held or not link.client.isConnected
        assert isPatient or not link.questions, "no answer"

    @rule(
        number=st.integers(0, 3), udp=st.none() | st.sampled_from([6000, 6100]), film=st.booleans(), one=st.booleans()
    )
    def setUp(self, number: int, udp: int | None, film: bool, one: bool) -> None:
        """A session as players begin it."""
        for track in range(1 if one or not film else 2):
            base = FILM if film else SOUND
            first = 8 * number + 2 * track + (udp or 0)
            which: int | str = "none" if track == 0 else len(self.world.sessions) - 1
            transport = (TCP if udp is None else UDP).format(first, first + 1)
            self.talk(number, [Ask("SETUP", f"{base}/trackID={track}", which, (("Transport", transport),))], None)

    @precondition(lambda self: self.world.sessions)
    @rule(which=st.integers(0, 3), steps=st.lists(st.tuples(STEERING, SECONDS), min_size=1, max_size=5))
    def steer(self, which: int, steps: list[tuple[tuple[str, str], float]]) -> None:
        """PLAY and PAUSE as they should be, and some of what comes of them."""
        for (method, wanted), seconds in steps:
            if self.world.sessions:
                self._control(method, which, (("Range", wanted),) if wanted else ())
                self.wait(seconds)

    @precondition(lambda self: self.world.sessions)
    @rule(which=st.integers(0, 3), track=st.integers(0, 1), transport=st.sampled_from(TRANSPORTS))
    def change(self, which: int, track: int, transport: str) -> None:
        """Another transport for a track, or the other track."""
        session = self._session(which)
        assert session is not None
        url = f"{FILM}/trackID={track}" if session.film else f"{SOUND}/trackID=0"
        self._control("SETUP", which, (("Transport", transport),), url)

    @precondition(lambda self: self.world.sessions)
    @rule(which=st.integers(0, 3))
    def tearDown(self, which: int) -> None:
        """TEARDOWN as it should be."""
        self._control("TEARDOWN", which, ())

    def _control(self, method: str, which: int, headers: tuple[tuple[str, str], ...], url: str = "") -> None:
        session = self._session(which)
        assert session is not None
        links = self.world.links
        link = session.link or next((each for each in links if each.host == session.host), None)
        if link is None:
            link = self.world.connect(session.host)
        place = self.world.sessions.index(session)
        self.talk(links.index(link), [Ask(method, url or (FILM if session.film else SOUND), place, headers)], None)

    def _prepare(self, link: Link, ask: Ask, first: bool) -> bytes:
        """The bytes of a request; what may be answered, and what that would mean, is noted."""
        session = self._session(ask.session)
        link.cseq += 1
        lines = [f"{ask.method} {ask.url} RTSP/1.0", f"CSeq: {link.cseq}"]
        if session is not None:
            lines.append(f"Session: {session.id}")
        elif ask.session != "none":
            lines.append(f"Session: {'Qk2jZ83hXx' if ask.session == 'stranger' else 'not one'}")
        lines += [f"{name}: {value}" for name, value in ask.headers]
        if ask.body:
            lines.append(f"Content-Length: {len(ask.body)}")
        question = Question(str(link.cseq), f"{ask.method} {ask.url}", self._codes(link, ask, session, first))
        self._expect(link, ask, session, question)
        link.questions.append(question)
        link.mayClose |= ("Connection", "close") in ask.headers
        if session is not None and self._isTheirs(link, session) and not link.questions:
            session.lastSign = self.world.now
        return "\r\n".join([*lines, "", ""]).encode() + ask.body.encode()

    def _isTheirs(self, link: Link, session: Conversation) -> bool:
        return session.host == link.host and session.link in (None, link)

    def _codes(self, link: Link, ask: Ask, session: Conversation | None, first: bool) -> frozenset[int]:
        method, given = ask.method, dict(ask.headers)
        if ask.url == "*" and method in NEEDS_A_RESOURCE:
            return frozenset({400})
        refused = {551} if "Require" in given else set()
        if method in NO_METHODS:
            return frozenset({NO_METHODS[method], *refused})
        if refused:
            return frozenset(refused)
        isAlone = first and self.world.isSettled and not self.rig.pool.held
        named = session is not None or ask.session != "none"
        isTheirs = session is not None and self._isTheirs(link, session)
        if method not in ("DESCRIBE", "SETUP"):
            if (method in NEEDS_A_SESSION and not named) or (named and session is None):
                return frozenset({454})
            if session is not None and not isTheirs and isAlone:
                return frozenset({454})
        codes = set(CODES[method])
        if isAlone and isTheirs and self.rig.registry.get(session.id if session else "") is not None:
            codes -= {454}
        if given.get("Range") in (BAD_RANGES if method == "PLAY" else MALFORMED_RANGES):
            codes -= {200}
        if given.get("Transport") in BAD_TRANSPORTS or given.get("Blocksize") in ("0", "x"):
            codes -= {200}
        return frozenset(codes)

    def _expect(self, link: Link, ask: Ask, session: Conversation | None, question: Question) -> None:
        """What is to be done when it is answered with 200."""
        film = filmOf(ask.url)
        _, isTrack, track = ask.url.partition("/trackID=")
        index = int(track) if isTrack and film else None
        if ask.method == "SETUP":
            question.answered = self.world.wasSetUp(link, ask.url, index or 0, film)
        if session is None:
            return
        wanted = dict(ask.headers).get("Range", "")
        if ask.method == "PLAY":
            resumes = wanted in ("", "npt=now-") or wanted.startswith("npt=-")
            question.answered = self.world.wasPlayed(session, index, resumes)
        elif ask.method == "PAUSE":
            question.answered = self.world.wasPaused(session, index, wanted not in ("", "npt=now-", "npt=-5"))
        elif ask.method == "TEARDOWN":
            question.answered = self.world.wasTornDown(session, index)

    @rule(number=st.integers(0, 3), mistake=st.sampled_from(MISTAKES))
    def mistake(self, number: int, mistake: tuple[bytes, str | None, int]) -> None:
        """What is no request is answered in its turn as well."""
        link = self._link(number)
        data, cseq, code = mistake
        link.questions.append(Question(cseq, "a mistake", frozenset({code})))
        self.world.say(link, data)

    # Everything else that happens

    @rule(host=st.sampled_from(HOSTS))
    def connect(self, host: str) -> None:
        if len(self.world.links) < 4:
            self.world.connect(host)

    @precondition(lambda self: len(self.world.links) > 1)
    @rule(number=st.integers(0, 3), garbage=st.booleans())
    def lose(self, number: int, garbage: bool) -> None:
        """The connection breaks, or what comes over it is none of ours."""
        link = self._link(number)
        if garbage and not link.blocked and not link.questions:
            link.mayClose = True
            link.questions.append(Question(None, "garbage", frozenset({400})))
            self.world.say(link, b"\0garbage")
            assert not link.client.isConnected
        else:
            self.world.lose(link)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        before = {session: self._sent(session) for session in self._playing(seconds, 0.0)}
        self.rig.wait(seconds)
        self.world.settle()
        for session in set(self._playing(seconds, _STARTS_WITHIN)) & set(before):
            assert self._sent(session) > before[session], "nothing comes, though it plays"

    def _sent(self, session: Conversation) -> int:
        return sum(track.packets for track in session.tracks.values())

    def _playing(self, seconds: float, since: float) -> list[Conversation]:
        """Those of whom packets have to come in so many seconds, if they have been playing for some."""
        found = []
        for session in self.world.sessions if seconds >= 1 and not self.rig.pool.held else []:
            state = getattr(self.rig.registry.get(session.id), "state", "")
            blocked = session.link is not None and session.link.blocked
            promises = [track.promise for track in session.tracks.values() if track.promise]
            isDue = promises and all(each.steady and each.at + since <= self.world.now for each in promises)
            if state == "playing" and not blocked and isDue:
                found.append(session)
        return found

    @rule()
    def fallSilent(self) -> None:
        """Nobody says anything for longer than sessions and connections live."""
        for link in self.world.links:
            link.mayClose = True
        self.rig.wait(70, step=1)
        self.world.settle()
        assert all(session.link is not None and session.link.blocked for session in self.world.sessions)

    @precondition(lambda self: self.world.sessions)
    @rule(
        which=st.integers(0, 3),
        port=st.sampled_from([6001, 6003, 7777]),
        data=st.sampled_from(["report", "junk", "own"]),
    )
    def report(self, which: int, port: int, data: str) -> None:
        """RTCP from a client, over all ways; from time to time it is none."""
        session = self._session(which)
        assert session is not None
        ssrc = next(iter(session.tracks.values())).ssrc if data == "own" else 77
        payload = packCompound([ReceiverReport(1, [ReportBlock(ssrc)]), SourceDescription.named(1, "c")])
        payload = b"\x81\xc9\0\7junk" if data == "junk" else payload
        if ":" not in session.host:
            self.rig.receive("rtcp", payload, (session.host, port))
            self.rig.receive("rtp", payload, (session.host, port - 1))
        if session.link is not None and not session.link.questions:
            for channel in (next(iter(session.link.channels), 0), 99):
                self.world.say(session.link, InterleavedFrame(channel, payload).toBytes())
        self.world.settle()

    @rule(number=st.integers(0, 3), which=st.sampled_from(["stopReading", "readOn", "slowDisk", "diskWorks"]))
    def weather(self, number: int, which: str) -> None:
        """Networks and disks have their days."""
        getattr(self, f"_{which}")(self._link(number))

    def _stopReading(self, link: Link) -> None:
        # before the first bytes nobody knows what it will be, and nothing is written
        if link.client.transport.producer is not None and not link.blocked:
            link.blocked = True
            link.client.transport.producer.pauseProducing()

    def _readOn(self, link: Link) -> None:
        if link.blocked:
            link.blocked = False
            link.client.transport.producer.resumeProducing()
            self._catchUp()

    def _slowDisk(self, _: Link) -> None:
        self.rig.pool.held = True
        self.rig.cache.clear()

    def _diskWorks(self, _: Link | None = None) -> None:
        self.rig.pool.held = False
        self.rig.pool.work()
        self._catchUp()

    def _catchUp(self) -> None:
        """What has waited is answered in several turns of the reactor (SEC-16)."""
        for _ in range(20):
            self.rig.clock.advance(0)
        self.world.settle()

    # The end

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            if not self.world.isSound:
                return  # there is an error already, which another one would hide
            self._diskWorks()
            for link in list(self.world.links):
                self._readOn(link)
            assert self.world.isSettled, "something was never answered"
            for link in list(self.world.links):
                self.world.lose(link)
            assert all(session.link is None for session in self.world.sessions)
            self.rig.wait(70, step=1)
            self.world.settle()
            self._nothingIsLeft()
        finally:
            globalLogPublisher.removeObserver(self._observe)

    def _nothingIsLeft(self) -> None:
        assert len(self.rig.registry) == 0
        assert not self.rig.pacer._wheel
        assert len(self.rig.clock.getDelayedCalls()) == 1  # the look-out for silent clients
        pair = self.rig._pair
        assert pair is None or not (pair.addresses or pair.queue)
        assert self.failures == []


COUNT = int(os.environ.get("MEDIASRV_DIALOGUES", "200"))

TestDialogues = pytest.mark.timeout(120 + COUNT)(
    pytest.mark.requirement("STA-3", "PLY-16", "RTP-1", "RTP-2", "RTP-3", "RTP-4", "RTP-5", "RTP-8", "RTP-12")(
        Dialogues.TestCase
    )
)
TestDialogues.settings = settings(
    max_examples=COUNT,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="MEDIASRV_DIALOGUES" not in os.environ,
)
