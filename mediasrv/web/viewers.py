"""
Viewers: who gets media over HTTP, as sessions of the registry.

HTTP has no sessions. So a viewer is who asks from one address, with one User-Agent, for one presentation: by HLS, or by
one download or several of the bytes, such as the ranges that a browser asks for. A viewer is gone some time after its
last request. One that is ended gets nothing of that presentation for a while, for otherwise its player would just ask
again.

A gallery of pictures is not a hundred sessions: what is neither film nor sound by its name, and small, is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.server import Request

from mediasrv.media.library import Located
from mediasrv.media.presentation import Presentation, titleOf
from mediasrv.registry import Registry, TooManySessions
from mediasrv.web.access import ClientAddress, peerOf
from mediasrv.web.kinds import kindOf
from mediasrv.web.places import segmentsOf
from mediasrv.web.refusals import Refusal

#: seconds without a request after which a viewer is gone; segments of HLS may last longer, then it is three of them
PATIENCE = 30.0
_SEGMENTS = 3
_LONGEST_SEGMENT = 60.0

#: seconds for which one that was ended gets nothing
BAN = 300.0

#: how many of those are remembered
_MOST_BANS = 10_000

#: seconds from one look for who is gone to the next
_INTERVAL = 5.0

#: bytes of the User-Agent that tell clients apart
_AGENT = 200

#: bytes from which any file is worth a session
_LARGE = 1 << 20

_Door = Literal["hls", "http"]

#: a client's address, its User-Agent, and the path of a presentation
_Client = tuple[str, bytes, tuple[str, ...]]


class Transfer:
    """
    One answer that is being sent. It is over by itself when its request is.
    """

    __slots__ = ("_viewer", "abort")

    def __init__(self, viewer: Viewer, abort: Callable[[], None]) -> None:
        """
        @param abort: stops it at once, in its midst.
        """
        self._viewer = viewer
        self.abort = abort

    def sent(self, octets: int) -> None:
        """So many more bytes were written."""
        self._viewer.octetsSent += octets

    def finished(self) -> None:
        """Nothing more is sent; more than once is no error."""
        self._viewer.transferred(self)


@dataclass(slots=True, eq=False)
class Viewer:
    """
    A session of the doors C{hls} and C{http}.

    @ivar packetsSent: requests that were answered.
    @ivar at: NPT seconds of the last segment; 0 for bytes, of which nobody knows when they are shown.
    @ivar lastSeen: the reactor's seconds.
    @ivar transfers: under way.
    """

    id: str
    door: _Door
    client: _Client
    title: str
    tracks: Sequence[str]
    transport: str
    startedAt: float
    duration: float | None
    lastSeen: float
    viewers: Viewers
    patience: float = PATIENCE
    at: float = 0.0
    packetsSent: int = 0
    octetsSent: int = 0
    state: str = "playing"
    endReason: str = ""
    transfers: set[Transfer] = field(default_factory=set)

    fractionLost = 0.0
    packetsLost = 0
    jitter = 0.0

    @property
    def peer(self) -> str:
        return self.client[0]

    @property
    def path(self) -> str:
        return "/".join(self.client[2])

    def position(self) -> float:
        return self.at

    def redirect(self, location: str) -> None:
        """A player that asks for segments cannot be told to stream instead."""

    def end(self, reason: str) -> None:
        """Stops what is under way; the next requests are refused."""
        self.viewers.end(self, reason)

    def transferred(self, transfer: Transfer) -> None:
        """A transfer is over."""
        if transfer in self.transfers:
            self.transfers.discard(transfer)
            self.lastSeen = self.viewers.now()

    def isGone(self, now: float, patience: float) -> bool:
        """Whether nothing was heard of it for too long."""
        return not self.transfers and now - self.lastSeen > patience


class Viewers:
    """
    All of them. What serves HLS and files tells it.

    @ivar now: the reactor's seconds.
    """

    def __init__(
        self,
        registry: Registry,
        reactor: IReactorTime,
        addressOf: ClientAddress = peerOf,
        unixSeconds: Callable[[], float] = time.time,
    ) -> None:
        self._registry = registry
        self._reactor = reactor
        self._addressOf = addressOf
        self._unixSeconds = unixSeconds
        self.now: Callable[[], float] = reactor.seconds
        #: whose requests these are, of those that are sent or repeated
        self._clients: WeakKeyDictionary[Request, _Client] = WeakKeyDictionary()
        self._viewers: dict[_Door, dict[_Client, Viewer]] = {"hls": {}, "http": {}}
        #: until when and why, in the order in which they came
        self._bans: dict[_Client, tuple[float, str]] = {}
        self._call: IDelayedCall | None = None

    def started(self, request: Request, located: Located, abort: Callable[[], None]) -> Transfer | None:
        """
        Bytes of a file are about to be sent.

        @param request: one that came by way of L{mediasrv.web.root.Root}. It may be over, and this an answer to another
            one in the same words.
        @param abort: stops that at once.
        @return: to be told what is sent, and when it is over, in whatever way; None if nobody counts it.
        @raise Refusal: 403 if the viewer was ended a while ago, 503 if there are too many sessions.
        """
        client = self._clients.get(request)
        if client is None:
            segments = segmentsOf(request.postpath or [])[0]
            if request.method == b"HEAD" or not segments or not _isCounted(segments[-1], located):
                return None
            client = self._clients[request] = self._clientOf(request, segments)
        viewer = self._viewers["http"].get(client)
        if viewer is None:
            viewer = self._admit("http", client, titleOf(located.path), (), _version(request), None)
        viewer.packetsSent += 1
        viewer.lastSeen = self.now()
        transfer = Transfer(viewer, abort)
        viewer.transfers.add(transfer)
        if not request.finished:
            request.notifyFinish().addBoth(lambda _: transfer.finished())
        return transfer

    def check(self, request: Request, segments: tuple[str, ...]) -> None:
        """
        Something of HLS is asked for.

        @raise Refusal: as L{started}.
        """
        client = self._clientOf(request, segments)
        if client in self._viewers["hls"]:
            return
        self._checkBan(client)
        try:
            self._registry.checkRoom(client[0])
        except TooManySessions as error:
            raise _tooMany(error) from None

    def served(
        self, request: Request, segments: tuple[str, ...], presentation: Presentation, seconds: float, octets: int
    ) -> None:
        """
        A segment of HLS was sent, after L{check} had let it pass.

        @param seconds: NPT of its beginning.
        @param octets: so many bytes of it.
        """
        client = self._clientOf(request, segments)
        viewer = self._viewers["hls"].get(client)
        if viewer is None:
            tracks = [f"{track.kind} {track.codec}" for track in presentation.tracks]
            try:
                viewer = self._admit("hls", client, presentation.title, tracks, "HLS", presentation.duration)
            except Refusal:
                return  # it was ended, or the room was taken, while this was on its way; it hears of that next time
        elif viewer.patience < _SEGMENTS * (seconds - viewer.at) <= _SEGMENTS * _LONGEST_SEGMENT:
            viewer.patience = _SEGMENTS * (seconds - viewer.at)
        viewer.lastSeen = self.now()
        viewer.at = seconds
        viewer.packetsSent += 1
        viewer.octetsSent += octets

    def _clientOf(self, request: Request, segments: tuple[str, ...]) -> _Client:
        agents = request.requestHeaders.getRawHeaders(b"user-agent")
        return self._addressOf(request) or "local", agents[0][:_AGENT] if agents else b"", segments

    def _admit(
        self, door: _Door, client: _Client, title: str, tracks: Sequence[str], transport: str, duration: float | None
    ) -> Viewer:
        self._checkBan(client)
        registry, since = self._registry, self._unixSeconds()
        viewer = Viewer(registry.newId(), door, client, title, tracks, transport, since, duration, self.now(), self)
        try:
            registry.add(viewer)
        except TooManySessions as error:
            raise _tooMany(error) from None
        if viewer.endReason:
            raise self._ended(viewer.endReason)  # an observer of the registry would not have it
        self._viewers[door][client] = viewer
        self._watch()
        return viewer

    # The end

    def end(self, viewer: Viewer, reason: str) -> None:
        """
        Ends one, and has it stay away; more than once is no error. A player that gets no HLS any more tries the bytes:
        a viewer of the same presentation by the other door ends with it.
        """
        if viewer.state == "gone":
            return
        client = viewer.client
        self._bans.pop(client, None)
        self._bans[client] = self.now() + BAN, reason
        if len(self._bans) > _MOST_BANS:
            del self._bans[next(iter(self._bans))]
        self._watch()
        others = [others[client] for others in self._viewers.values() if client in others]
        for each in {viewer, *others}:
            self._remove(each, reason)

    def _remove(self, viewer: Viewer, reason: str) -> None:
        viewer.state, viewer.endReason = "gone", reason
        self._viewers[viewer.door].pop(viewer.client, None)
        try:
            for transfer in list(viewer.transfers):
                transfer.abort()
        finally:
            viewer.transfers.clear()
            self._registry.remove(viewer)

    def _checkBan(self, client: _Client) -> None:
        ban = self._bans.get(client)
        if ban is not None and self.now() < ban[0]:
            raise self._ended(ban[1])

    def _ended(self, reason: str) -> Refusal:
        if self._registry.isDraining:
            return Refusal(503, "The server is being emptied.", {"Retry-After": "30"})
        return Refusal(403, f"Your session with this was stopped: {reason}. Try again in some minutes.")

    def stop(self) -> None:
        """Ends all of them without a grudge: they may come back when the server does."""
        for viewer in self._all():
            self._remove(viewer, "the server stops")
        self._bans.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _all(self) -> list[Viewer]:
        return [viewer for viewers in self._viewers.values() for viewer in viewers.values()]

    def _watch(self) -> None:
        if self._call is None and (self._bans or any(self._viewers.values())):
            self._call = self._reactor.callLater(_INTERVAL, self._look)

    def _look(self) -> None:
        self._call = None
        now, isDraining = self.now(), self._registry.isDraining
        for viewer in self._all():
            # a server that is to be empty does not wait for who has what it wanted
            if viewer.isGone(now, 0.0 if isDraining and viewer.door == "http" else viewer.patience):
                self._remove(viewer, "nothing more was asked for")
        for client in [client for client, (until, _) in self._bans.items() if until <= now]:
            del self._bans[client]
        self._watch()


def _tooMany(error: TooManySessions) -> Refusal:
    return Refusal(503, f"No more viewers are taken: {error}.", {"Retry-After": "30"})


def _isCounted(name: str, located: Located) -> bool:
    return kindOf(name) in ("video", "audio") or (located.version is not None and located.version.size >= _LARGE)


def _version(request: Request) -> str:
    return request.clientproto.decode("ascii", "replace")
