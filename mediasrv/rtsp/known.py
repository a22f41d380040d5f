"""
The sessions that one RTSP connection knows: those that were named on it, those whose data it carries, and those that
its client calls by numbers of its own (Pipelined-Requests, RFC 7826 section 18.33).

A session is not tied to a connection (RFC 2326 section 12.37, CON-3), but an identifier alone opens no door (SEC-8).
"""

from __future__ import annotations

import re

from mediasrv.registry import Registry
from mediasrv.rtsp.headers import parseSession
from mediasrv.rtsp.messages import HeaderError, Headers, InterleavedFrame, Request, Response
from mediasrv.rtsp.replies import Refused
from mediasrv.rtsp.session import Carrier, RTSPSession

#: numbers of Pipelined-Requests that are remembered; with one more the oldest is forgotten
_MOST_NUMBERS = 64

_STARTUP_ID = re.compile("[0-9]{1,8}")


class KnownSessions:
    """
    @ivar carried: those whose interleaved data go over this connection: they end with it.
    """

    def __init__(self, registry: Registry, connection: Carrier, peer: str) -> None:
        """
        @param peer: the client's address, without port.
        """
        self.carried: set[RTSPSession] = set()
        self._registry = registry
        self._connection = connection
        self._peer = peer
        self._used: dict[str, RTSPSession] = {}
        self._numbered: dict[str, RTSPSession] = {}

    @property
    def isEmpty(self) -> bool:
        """Whether no session is known that still lives."""
        return all(session.state == "gone" for session in self._used.values())

    def named(self, request: Request) -> RTSPSession:
        """
        The session that a request names.

        @raise Refused: 454 if there is none for this client.
        """
        value = request.headers.get("Session")
        session = None if value is None else self._find(value)
        if session is None:
            raise Refused(454)
        self.use(session)
        return session

    def _find(self, value: str) -> RTSPSession | None:
        """
        The session that a Session header means, if this client may name it here: if it is one of the same host, and no
        other connection carries its data and so its control (CON-3).

        @raise HeaderError: for what cannot be an identifier.
        """
        session = self._registry.get(parseSession(value)[0])
        if isinstance(session, RTSPSession) and session.peer == self._peer:
            return session if session.carrier in (None, self._connection) else None
        return None

    def use(self, session: RTSPSession) -> None:
        """A session was named here, or begins: its client is spoken to on this connection from now on."""
        self._used[session.id] = session
        session.caller = self._connection

    def alive(self, headers: Headers) -> None:
        """
        A message keeps its session alive, whatever else it says (TMO-3); one that names none the session of this
        connection, if there is just one (TMO-4). ffmpeg sends GET_PARAMETER over TCP, over UDP only RTCP (Q-4);
        ExoPlayer sends OPTIONS (Q-9).
        """
        for id in [known for known, session in self._used.items() if session.state == "gone"]:
            del self._used[id]
        value = headers.get("Session")
        if value is None:
            if len(self._used) == 1:
                next(iter(self._used.values())).alive()
            return
        try:
            session = self._find(value)
        except HeaderError:
            return
        if session is not None:
            session.alive()

    # Pipelined-Requests

    def unfold(self, request: Request) -> None:
        """
        Gives a request the Session that its Pipelined-Requests stands for. A Session that is there already counts.

        @raise HeaderError: for what is no such number.
        """
        number = _number(request)
        if number is not None:
            session = self._numbered.get(number)
            if session is not None and session.state != "gone":
                request.headers.set("Session", session.id)

    def began(self, request: Request, response: Response) -> None:
        """
        A SETUP was carried out: if it began a session, its Pipelined-Requests stands for that from now on, on this
        connection.
        """
        number, value = _number(request), response.headers.get("Session")
        session = None if number is None or value is None else self._find(value)
        if session is None:
            return
        for each in [each for each, bound in self._numbered.items() if bound.state == "gone" or each == number]:
            del self._numbered[each]
        assert number is not None
        if len(self._numbered) >= _MOST_NUMBERS:
            del self._numbered[next(iter(self._numbered))]
        self._numbered[number] = session

    # Interleaved data

    def frameReceived(self, frame: InterleavedFrame) -> None:
        """From the client comes RTCP; on other channels nothing that we know (INT-3)."""
        for session in self.carried:
            track = session.trackOn(frame.channel)
            if track is not None:
                session.controlFrom(track, frame.payload)
                return

    def isChannelUsed(self, channel: int) -> bool:
        """Whether a session of this connection has an interleaved channel."""
        return any(session.isChannelUsed(channel) for session in self.carried)

    def forget(self, reason: str) -> None:
        """The connection is gone: so are the sessions that it carried, and nobody is spoken to on it any more."""
        for session in list(self.carried):
            session.end(reason)
        for session in self._used.values():
            if session.caller is self._connection:
                session.caller = None
        self._used.clear()
        self._numbered.clear()


def _number(request: Request) -> str | None:
    """The Pipelined-Requests that counts: it does not where there is a Session."""
    value = request.headers.get("Pipelined-Requests")
    if value is None or "Session" in request.headers:
        return None
    if not _STARTUP_ID.fullmatch(value):
        raise HeaderError("Pipelined-Requests is no number")
    return value
