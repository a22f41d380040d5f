"""
One viewer: a session with the server from OPTIONS to TEARDOWN, and what it measured.
"""

from __future__ import annotations

import random
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from counting import TrackCount
from describing import Description, Reply, parameter, parseDescription
from dialogue import Dialogue, Doing, Failed

if TYPE_CHECKING:
    from crowd import Crowd

#: seconds between receiver reports (RFC 3550 section 6.2), as players send them
REPORT_INTERVAL = 5.0
#: seconds between PAUSE and PLAY in a seek, for what is on its way to arrive
_SEEK_PAUSE = 0.2
_BYE = 203


class Viewer(Dialogue):
    """
    What one viewer does and measures.

    @ivar times: what took how many seconds: C{connect}, C{describe}, C{setup}, C{play}, C{first}, C{seek}; each may
        have happened several times.
    @ivar namesSSRC: whether the server's SETUP replies say C{ssrc=}.
    """

    def __init__(self, crowd: Crowd, number: int, url: str) -> None:
        super().__init__(crowd, url)
        self.times: dict[str, list[float]] = {}
        self.namesSSRC = False
        self.tracks: list[TrackCount] = []
        self._number = number
        self._description = Description(url)
        self._timeout = 60.0
        self._keepAlive = "OPTIONS"
        self._firstName = "first"
        self._played: float | None = None
        self._rtcp: list[tuple[socket.socket, Any] | int | None] = []

    # what it does

    def doing(self) -> Doing:
        """All of it, once connected."""
        self._took("connect", self.began)
        reply = yield "OPTIONS", self._url, {}
        if "GET_PARAMETER" in _header(reply, "public"):
            self._keepAlive = "GET_PARAMETER"
        began = time.monotonic()
        reply = yield "DESCRIBE", self._url, {"Accept": "application/sdp"}
        self._took("describe", began)
        assert reply is not None
        self._description = parseDescription(reply, self._url)
        if not self._description.tracks:
            raise Failed("the description has no tracks")
        began = time.monotonic()
        for index, track in enumerate(self._description.tracks):
            count = TrackCount(track.kind, track.clock)
            transport = self._offer(index, count)
            reply = yield "SETUP", track.control, {"Transport": transport}
            self._isSetUp(index, count, reply)
        self._took("setup", began)
        self._crowd.after(self._timeout / 2, self._stayAlive)
        if self._crowd.idle:
            self.state = "ready"
            return
        self._crowd.after(random.uniform(1, REPORT_INTERVAL), self._report)
        yield from self._play(self._crowd.position(self._number, self._description.duration), "first")

    def _play(self, position: float, firstName: str) -> Doing:
        self.noteFirst()
        for track in self.tracks:
            track.await_()
        self._firstName = firstName
        self._played = began = time.monotonic()
        if self._crowd.backwards:
            position = self._description.duration - position
        yield "PLAY", self._description.url, {"Range": f"npt={position:.3f}-", **self._crowd.playHeaders}
        self._took("play", began)
        self.state = "playing"

    def seek(self) -> None:
        """Pauses, and plays on from anywhere."""
        if self.state == "playing" and self._doing is None:
            self._do(self._seek())

    def _seek(self) -> Doing:
        yield "PAUSE", self._description.url, {}
        for track in self.tracks:
            track.pause()
        yield _SEEK_PAUSE
        yield from self._play(random.uniform(0, 0.9) * self._description.duration, "seek")

    def leave(self) -> None:
        """Ends the session politely, whatever it is doing."""
        self.noteFirst()
        if self.state in ("playing", "ready"):
            self._do(self._leave())
        elif self.state == "beginning":
            self.fail("was not ready in time")

    def _leave(self) -> Doing:
        yield "TEARDOWN", self._description.url, {}
        self.state = "done"
        self.close()

    # setting up

    def _offer(self, index: int, count: TrackCount) -> str:
        if self._crowd.interleaved:
            return f"RTP/AVP/TCP;unicast;interleaved={2 * index}-{2 * index + 1}"
        if self._crowd.sharing:
            rtp, rtcp = self._crowd.sharedPair(index)
        else:
            rtp, rtcp = self._crowd.ownPair(count, self.control)
            self._own += rtp, rtcp
        self._rtcp.append((rtcp, None))
        port = rtp.getsockname()[1]
        return f"RTP/AVP;unicast;client_port={port}-{port + 1}"

    def _isSetUp(self, index: int, count: TrackCount, reply: Reply | None) -> None:
        session = _header(reply, "session")
        self._session = session.split(";")[0].strip()
        self._timeout = float(parameter(session, "timeout") or 60)
        transport = _header(reply, "transport")
        ssrc = parameter(transport, "ssrc")
        count.ssrc = int(ssrc, 16) if ssrc else None
        self.namesSSRC = count.ssrc is not None
        self.tracks.append(count)
        if self._crowd.interleaved:
            channel = int((parameter(transport, "interleaved") or str(2 * index)).split("-")[0])
            self._reader.tracks[channel] = count
            self._rtcp.append(channel + 1)
            return
        if self._crowd.sharing and (count.ssrc is None or not self._crowd.share(count.ssrc, count, self)):
            raise Failed("the server does not give each session an SSRC of its own: use --sockets own")
        ports = (parameter(transport, "server_port") or "").split("-")
        if ports[-1].isdigit():
            port = int(ports[1]) if len(ports) > 1 else int(ports[0]) + 1
            self._rtcp[index] = self._rtcp[index][0], (self._crowd.address, port)  # type: ignore[index]

    def _stayAlive(self) -> None:
        if self.state in ("ready", "playing"):
            self._request(self._keepAlive, self._description.url, {})
            self._crowd.after(self._timeout / 2, self._stayAlive)

    # RTCP

    def control(self, data: bytes) -> None:
        """Looks for BYE, after which a viewer plays from the start again."""
        offset = 0
        while offset + 8 <= len(data):
            kind, words = struct.unpack_from(">xBH", data, offset)
            if kind == _BYE:
                self.ended(int.from_bytes(data[offset + 4 : offset + 8], "big"))
            offset += 4 * (words + 1)

    def ended(self, ssrc: int) -> None:
        """The server said that a track is at its end."""
        for track in self.tracks:
            if track.ssrc == ssrc or len(self.tracks) == 1:
                track.ended = True
        if self.state == "playing" and self._doing is None and all(track.ended for track in self.tracks):
            self._do(self._play(0.0, "again"))

    def _report(self) -> None:
        if self.state != "playing":
            return
        for index, (track, way) in enumerate(zip(self.tracks, self._rtcp, strict=True)):
            if track.ssrc is None:
                continue
            ours = (self._number << 3 | index) & 0xFFFFFFFF
            lost = min(max(track.lost, 0), 0x7FFFFF)
            data = struct.pack(">BBHIIIIIII", 0x81, 201, 7, ours, track.ssrc, lost, track.highest, 0, 0, 0)
            data += struct.pack(">BBHIBB6s", 0x81, 202, 3, ours, 1, 4, b"load")
            if isinstance(way, int):
                self._send(struct.pack(">BBH", 0x24, way, len(data)) + data)
            elif way is not None and way[1] is not None:
                way[0].sendto(data, way[1])
        self._crowd.after(REPORT_INTERVAL, self._report)

    # measuring

    @property
    def isReady(self) -> bool:
        """Whether it is where the measurement can begin, or will never be."""
        if self.state == "playing":
            return any(track.first is not None for track in self.tracks)
        return self.state != "beginning"

    def noteFirst(self) -> None:
        """Keeps how long the first packet took after the last PLAY."""
        firsts = [track.first for track in self.tracks if track.first is not None]
        if self._played is not None and firsts:
            self.times.setdefault(self._firstName, []).append(max(0.0, min(firsts) - self._played))
            self._played = None

    def _took(self, what: str, began: float) -> None:
        self.times.setdefault(what, []).append(time.monotonic() - began)


def _header(reply: Reply | None, name: str) -> str:
    return reply.headers.get(name, "") if reply is not None else ""
