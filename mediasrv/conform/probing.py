"""
What is known of the server, fetched once, and what a check gets to work with.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from mediasrv.conform.connection import Connection, Reply, connect
from mediasrv.conform.grading import Failed, NotApplicable
from mediasrv.conform.network import Network
from mediasrv.conform.reception import Track
from mediasrv.conform.viewing import Viewer, rangeOf
from mediasrv.rtp.sdp import SDPError
from mediasrv.rtp.sdpparser import SessionDescription, parseDescription
from mediasrv.rtsp.headers import parseDate, parseSession
from mediasrv.rtsp.messages import HeaderError
from mediasrv.rtsp.ranges import parseRange

#: seconds that a TEARDOWN at the end of a check may take
_GOODBYE = 1.0


class Unreachable(Exception):
    """The presentation cannot be had, so that there is nothing to check; the text says why."""


@dataclass(frozen=True)
class Subject:
    """
    The server and the presentation.

    @ivar described: the reply to the first DESCRIBE.
    @ivar aggregate: the URL of the whole presentation, as Content-Base and C{a=control} give it.
    @ivar duration: seconds; None if it is live, or nobody says.
    @ivar skew: seconds by which the server's clock is ahead of ours, as its Date has it; 0 without.
    """

    url: str
    host: str
    port: int
    described: Reply
    description: SessionDescription
    aggregate: str
    tracks: tuple[Track, ...]
    duration: float | None
    skew: float

    @property
    def server(self) -> str:
        """What it calls itself."""
        return self.described.headers.get("Server", "")


def splitURL(url: str) -> tuple[str, int]:
    """
    Host and port of an RTSP URL.

    @raise ValueError: if it is none.
    """
    parts = urlsplit(url)
    if parts.scheme.lower() != "rtsp" or not parts.hostname:
        raise ValueError(f"not an rtsp:// URL: {url}")
    return parts.hostname, parts.port or 554


def examine(url: str, timeout: float, transport: str) -> Subject:
    """
    Describes the presentation; plays it for a moment if the description does not say how long it is.

    @param transport: for that, C{"udp"} or C{"tcp"}.
    @raise ValueError: for what is no RTSP URL.
    @raise Unreachable: if the server cannot be reached, or has no such presentation.
    """
    host, port = splitURL(url)
    network = Network(timeout)
    try:
        connection = connect(network, host, port)
        reply = connection.ask("DESCRIBE", url, [("Accept", "application/sdp")])
        if reply.code != 200:
            raise Unreachable(f"DESCRIBE {url}: {reply.code} {reply.response.reason}")
        description = parseDescription(reply.body.decode("utf-8", "replace"))
    except Failed as error:
        raise Unreachable(f"{url}: {error.got or error.wanted}") from None
    except SDPError as error:
        raise Unreachable(f"DESCRIBE {url}: {error}") from None
    finally:
        network.close()
    base = reply.headers.get("Content-Base") or reply.headers.get("Content-Location") or url
    aggregate = description.control if "://" in description.control else base
    tracks = tuple(Track(_resolve(base, section.control), section) for section in description.media)
    duration = _durationOf(description)
    subject = Subject(url, host, port, reply, description, aggregate, tracks, duration, _skewOf(reply))
    if duration is None:
        subject = replace(subject, duration=_durationPlayed(subject, timeout, transport))
    return subject


def answers(subject: Subject, seconds: float) -> bool:
    """Whether the server answers, on a new connection, within so long."""
    network = Network(seconds)
    try:
        connect(network, subject.host, subject.port).ask("OPTIONS", subject.url)
    except Failed:
        return False
    finally:
        network.close()
    return True


def _resolve(base: str, control: str) -> str:
    """As all clients but one do it, see Q-2: appended, with a slash in between."""
    if "://" in control:
        return control
    if control in ("", "*"):
        return base
    return base + control if base.endswith("/") else f"{base}/{control}"


def _skewOf(reply: Reply) -> float:
    """A Date has whole seconds, and took its time: what may be nothing is nothing."""
    date = parseDate(reply.headers.get("Date", ""))
    skew = 0.0 if date is None else date - time.time()
    return skew if abs(skew) > 1.5 else 0.0


def _durationOf(description: SessionDescription) -> float | None:
    with suppress(HeaderError):
        spec = parseRange(description.attribute("range") or "")
        if spec.unit == "npt" and spec.end is not None:
            return spec.end - (spec.start or 0.0)
    return None


def _durationPlayed(subject: Subject, timeout: float, transport: str) -> float | None:
    """What the reply to PLAY says about the end; gst-rtsp-server knows it only then."""
    probe = Probe(subject, transport, timeout)
    try:
        played = probe.viewer().tryPlay("npt=0-")
        _, end, unit = rangeOf(played.reply)
        return end if unit == "npt" else None
    except (Failed, NotApplicable):
        return None
    finally:
        probe.close()


class Probe:
    """
    What a check works with: connections and sessions that end with it.

    @ivar transport: of media, C{"udp"} or C{"tcp"}.
    @ivar timeout: seconds of silence that are a failure.
    @ivar hasUDP: whether media may come over UDP.
    """

    def __init__(self, subject: Subject, transport: str, timeout: float, *, hasUDP: bool = True) -> None:
        self.subject = subject
        self.transport = transport
        self.timeout = timeout
        self.hasUDP = hasUDP
        self.network = Network(timeout)
        self.url = subject.url
        self._viewers: list[Viewer] = []
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The check's connection, made when it is first asked for."""
        if self._connection is None:
            self._connection = self.connect()
        return self._connection

    def connect(self) -> Connection:
        """Another connection."""
        return connect(self.network, self.subject.host, self.subject.port)

    def viewer(
        self,
        tracks: Sequence[Track] | None = None,
        transport: str | None = None,
        connection: Connection | None = None,
    ) -> Viewer:
        """A session in Ready with these tracks, all if none are given; see L{Viewer.setUp} for what it raises."""
        viewer = self.idleViewer(transport, connection)
        viewer.setUp(self.subject.tracks if tracks is None else tracks)
        return viewer

    def idleViewer(self, transport: str | None = None, connection: Connection | None = None) -> Viewer:
        """A viewer that has not set up anything yet."""
        viewer = Viewer(connection or self.connect(), transport or self.transport, self.subject.aggregate)
        self._viewers.append(viewer)
        return viewer

    def needOnDemand(self, seconds: float = 0.0) -> float:
        """
        The duration.

        @raise NotApplicable: if the presentation is live, or shorter than this.
        """
        duration = self.subject.duration
        if duration is None:
            raise NotApplicable("live, or of unknown duration")
        if duration < seconds:
            raise NotApplicable(f"needs {seconds:g} s, this has {duration:g} s")
        return duration

    def needUDP(self) -> None:
        """
        @raise NotApplicable: if UDP was ruled out.
        """
        if not self.hasUDP:
            raise NotApplicable("needs UDP")

    def needTracks(self, number: int) -> None:
        """
        @raise NotApplicable: if the presentation has fewer tracks.
        """
        if len(self.subject.tracks) < number:
            raise NotApplicable("a presentation of one track")

    def close(self) -> None:
        """Ends the sessions and closes the connections."""
        for viewer in self._viewers:
            if viewer.session:
                with suppress(Failed):
                    connection = viewer.connection if viewer.connection.isOpen else self.connect()
                    connection.replies.clear()
                    connection.ask("TEARDOWN", viewer.url, [("Session", viewer.session)], seconds=_GOODBYE)
        self.network.close()

    def tearDownLater(self, connection: Connection, reply: Reply) -> None:
        """Remembers a session that a check set up by itself, to end it."""
        with suppress(HeaderError):
            viewer = self.idleViewer(connection=connection)
            viewer.session = parseSession(reply.headers.get("Session", ""))[0]
