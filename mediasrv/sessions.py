"""
What is known of a session, whatever the protocol: what doors tell the L{registry<mediasrv.registry.Registry>}, and what
is shown of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Session(Protocol):
    """What every door's session tells. C{id}, C{door} and C{peer} never change."""

    @property
    def id(self) -> str:
        """As L{Registry.newId} gave it."""

    @property
    def door(self) -> str:
        """The protocol: C{"rtsp"}, …"""

    @property
    def peer(self) -> str:
        """The client's IP address, without port: sessions per peer are counted by it."""

    @property
    def path(self) -> str:
        """Of the presentation, decoded."""

    @property
    def title(self) -> str:
        """Of the presentation; C{""} if it has none."""

    @property
    def tracks(self) -> Sequence[str]:
        """One line about each track that is set up, such as C{"video H264"}."""

    @property
    def transport(self) -> str:
        """How the media get there, such as C{"RTP/AVP/TCP;interleaved=0-1"}."""

    @property
    def state(self) -> str:
        """C{"ready"}, C{"playing"}, C{"paused"}, C{"recording"}, C{"gone"}: lower case."""

    @property
    def startedAt(self) -> float:
        """Unix seconds."""

    @property
    def packetsSent(self) -> int:
        """RTP packets over all tracks, since the session began."""

    @property
    def octetsSent(self) -> int:
        """Payload bytes over all tracks, since the session began."""

    @property
    def fractionLost(self) -> float:
        """0.0–1.0, as the client last reported of its worst track."""

    @property
    def packetsLost(self) -> int:
        """Over all tracks, as the client last reported."""

    @property
    def jitter(self) -> float:
        """Seconds, as the client last reported of its worst track."""

    @property
    def endReason(self) -> str:
        """Why it ended, as C{end} was told; C{""} while it lives."""

    @property
    def duration(self) -> float | None:
        """NPT seconds of the presentation; None if it is live, or none that anybody knows."""

    def position(self) -> float:
        """NPT seconds that are being sent now, or where the session pauses."""

    def redirect(self, location: str) -> None:
        """
        Tells the client that it should go on at another URL, if the protocol can tell it and can reach it. That is for
        the client to do: the session stays as it is until the client leaves, or L{end} is called.

        @param location: of the same presentation on another server.
        """

    def end(self, reason: str) -> None:
        """
        Ends the session and tells the client as well as the protocol can. It leaves the registry by itself, at once or
        when the client has been told; to end it twice is no error.
        """
