"""
Many viewers in one process and one thread, over epoll.

A crowd takes commands through a pipe, so that several of them measure the same interval: C{("start", n)} starts so many
more viewers and is answered with C{"ready"}; C{("mark",)} begins the measurement; C{("finish",)} ends it, ends all
sessions, and is answered with what was measured.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import resource
import select
import socket
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from counting import TrackCount
from datagrams import DatagramReader, droppedHere, openPair
from options import LoadOptions
from viewer import Viewer

#: seconds between looks at the sockets while counting: packets pile up, and one call brings many
_COALESCE = 0.001
#: seconds
_LONGEST_POLL = 0.01
#: seconds that a viewer may take until its first packet, and that all may take for their TEARDOWN
_PATIENCE = 20.0
_FAREWELL = 5.0
#: each viewer starts this part of the clip after the last, modulo the whole: any number of them is spread evenly
_GOLDEN = 0.6180339887


class Crowd:
    """
    @ivar interleaved: whether media comes in the RTSP connection.
    @ivar idle: whether viewers only set up and never play.
    @ivar playHeaders: what a PLAY says besides its Range.
    @ivar backwards: whether that is from the end towards the beginning.
    @ivar sharing: whether all viewers receive on the same UDP ports; found out from the first SETUP reply.
    @ivar address: the server's.
    """

    def __init__(self, options: LoadOptions, number: int, commands: Connection) -> None:
        """
        @param number: of this crowd; viewers are dealt out to crowds in turn.
        """
        self.interleaved = options.transport == "tcp"
        self.idle = options.idle
        self.playHeaders = dict(options.headers)
        self.backwards = options.isBackwards
        self.sharing = options.sockets == "shared"
        self._bySSRC: dict[int, TrackCount] = {}
        self._owners: dict[int, Viewer] = {}
        host = urlsplit(options.urls[0])
        found = socket.getaddrinfo(host.hostname, host.port or 554, type=socket.SOCK_STREAM)[0]
        self.family, self.address = found[0], found[4][0]
        self._options = options
        self._numbers = itertools.count(number, options.processes)
        self._commands = commands
        self._poll = select.epoll()
        self._handlers: dict[int, Callable[[], Any]] = {commands.fileno(): self._command}
        self._poll.register(commands.fileno(), select.EPOLLIN)
        self._timers: list[tuple[float, int, Callable[[], Any]]] = []
        self._timerOrder = itertools.count()
        self._datagrams = DatagramReader()
        self._pairs: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._receivers: list[socket.socket] = []
        self._local = _localAddress(found)
        self._viewers: list[Viewer] = []
        self._pending: list[Viewer] | None = None
        self._toStart = 0
        self._coalescing = False
        self._longest = 0.0
        self._marked = (0.0, 0.0, 0, 0)
        self._result: dict[str, Any] = {}
        self._finished = False

    def run(self) -> None:
        """Until it has finished."""
        before = time.monotonic()
        while not self._finished:
            if self._coalescing:
                time.sleep(_COALESCE)
            now = time.monotonic()
            self._longest = max(self._longest, now - before)
            before = now
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
            wait = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else 1.0
            for descriptor, _ in self._poll.poll(min(wait, _LONGEST_POLL)):
                handler = self._handlers.get(descriptor)
                if handler is not None:
                    handler()

    # for viewers

    def after(self, seconds: float, call: Callable[[], Any]) -> None:
        """Calls later."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._timerOrder), call))

    def watch(self, watched: socket.socket, handler: Callable[[], Any], events: int) -> None:
        """Calls the handler when something happens to a socket."""
        if watched.fileno() in self._handlers:
            self._poll.modify(watched.fileno(), events)
        else:
            self._poll.register(watched.fileno(), events)
        self._handlers[watched.fileno()] = handler

    def forget(self, watched: socket.socket) -> None:
        """Closes a socket."""
        self._handlers.pop(watched.fileno(), None)
        if watched in self._receivers:
            self._receivers.remove(watched)
        watched.close()

    def sharedPair(self, index: int) -> tuple[socket.socket, socket.socket]:
        """The sockets for track number C{index} of every viewer."""
        if index not in self._pairs:
            self._pairs[index] = self._openPair(self._bySSRC.get, self._sharedControl)
        return self._pairs[index]

    def share(self, ssrc: int, count: TrackCount, viewer: Viewer) -> bool:
        """Says whose a track is that comes to shared ports; False if it is somebody else's."""
        self._owners.setdefault(ssrc, viewer)
        return self._bySSRC.setdefault(ssrc, count) is count

    def ownPair(self, count: TrackCount, control: Callable[[bytes], None]) -> tuple[socket.socket, socket.socket]:
        """Sockets for one track of one viewer."""

        def find(ssrc: int) -> TrackCount:
            count.ssrc = ssrc
            return count

        return self._openPair(find, control)

    def position(self, number: int, duration: float) -> float:
        """Where a viewer starts, in seconds."""
        options = self._options
        if not options.spread:
            return 0.0
        needed = options.viewers / options.rate + 2 * options.settle + options.seconds + 5
        fits = options.spread == "fit" and needed < 0.75 * duration
        return number * _GOLDEN % 1 * (duration - needed if fits else duration)

    def _openPair(
        self, find: Callable[[int], TrackCount | None], control: Callable[[bytes], None]
    ) -> tuple[socket.socket, socket.socket]:
        rtp, rtcp = openPair(self._local)
        self._receivers.append(rtp)
        descriptor = rtp.fileno()
        self.watch(rtp, lambda: self._datagrams.read(descriptor, find, time.monotonic), select.EPOLLIN)
        self.watch(rtcp, lambda: _readControl(rtcp, control), select.EPOLLIN)
        return rtp, rtcp

    def _sharedControl(self, data: bytes) -> None:
        """RTCP on a shared port: whose it is follows from the SSRC of the sender."""
        viewer = self._owners.get(int.from_bytes(data[4:8], "big"))
        if viewer is not None:
            viewer.control(data)

    # commands

    def _command(self) -> None:
        name, *arguments = self._commands.recv()
        getattr(self, f"command_{name}")(*arguments)

    def command_start(self, count: int) -> None:
        """Starts viewers, at the rate asked for."""
        self._pending = []
        self._toStart = count
        self._startOne()
        self._look()

    def _startOne(self) -> None:
        if not self._toStart:
            return
        # The first one tells whether SETUP replies name the SSRC, without which ports cannot be shared.
        asking = self._options.sockets == "auto" and not self.interleaved and not self.sharing
        if asking and self._viewers:
            first = self._viewers[0]
            if first.state == "beginning":
                self.after(0.002, self._startOne)
                return
            self.sharing = first.namesSSRC
        self._toStart -= 1
        number = next(self._numbers)
        viewer = Viewer(self, number, self._options.urls[number % len(self._options.urls)])
        self._viewers.append(viewer)
        assert self._pending is not None
        self._pending.append(viewer)
        self.after(self._options.processes / self._options.rate, self._startOne)

    def _look(self) -> None:
        """Tells the other end when all that were started play, or never will."""
        if self._pending is None:
            return
        late = time.monotonic() - _PATIENCE
        for viewer in self._pending:
            if not viewer.isReady and viewer.began < late:
                viewer.fail(f"no packet within {_PATIENCE:.0f} s")
        self._pending = [viewer for viewer in self._pending if not viewer.isReady]
        if self._pending or self._toStart:
            self.after(0.02, self._look)
        else:
            self._pending = None
            self._commands.send("ready")

    def command_mark(self) -> None:
        """The measurement begins."""
        for viewer in self._viewers:
            for track in viewer.tracks:
                track.mark()
        self._longest = 0.0
        self._marked = time.monotonic(), time.process_time(), self._datagrams.unknown, self._dropped()
        if self._options.seek:
            for index, viewer in enumerate(self._viewers):
                self.after(self._options.seek * (index + 1) / len(self._viewers), lambda each=viewer: self._seek(each))
        else:
            self._coalescing = True

    def _seek(self, viewer: Viewer) -> None:
        if not self._finished:
            viewer.seek()
            self.after(self._options.seek, lambda: self._seek(viewer))

    def command_finish(self) -> None:
        """The measurement ends; so do the sessions."""
        self._coalescing = False
        now, began = time.monotonic(), self._marked[0]
        self._result = {
            "wall": now - began,
            "cpu": time.process_time() - self._marked[1],
            "longest": self._longest,
            "unknown": self._datagrams.unknown - self._marked[2],
            "dropped": self._dropped() - self._marked[3],
            "sockets": "tcp" if self.interleaved else "shared" if self.sharing else "own",
            "tracks": [[track.since(now) for track in each.tracks] for each in self._viewers],
            "states": [each.state for each in self._viewers],
        }
        for viewer in self._viewers:
            viewer.leave()
        self.after(0, lambda: self._leaving(now + _FAREWELL))

    def _leaving(self, until: float) -> None:
        if time.monotonic() < until and any(each.state in ("playing", "ready") for each in self._viewers):
            self.after(0.02, lambda: self._leaving(until))
            return
        self._result["times"] = [each.times for each in self._viewers]
        self._result["errors"] = [each.error for each in self._viewers if each.error]
        self._commands.send(self._result)
        self._finished = True

    def _dropped(self) -> int:
        return sum(droppedHere(each) for each in self._receivers)


def _localAddress(found: tuple[Any, ...]) -> str:
    """Ours, on the way to the server."""
    with socket.socket(found[0], socket.SOCK_DGRAM) as probe:
        probe.connect(found[4])
        return str(probe.getsockname()[0])


def _readControl(rtcp: socket.socket, control: Callable[[bytes], None]) -> None:
    with contextlib.suppress(BlockingIOError, ConnectionError):
        while True:
            control(rtcp.recv(65536))


def runCrowd(options: LoadOptions, number: int, commands: Connection) -> None:
    """What a process of viewers does."""
    if options.pin:
        os.sched_setaffinity(0, {options.pin[number % len(options.pin)]})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Crowd(options, number, commands).run()
